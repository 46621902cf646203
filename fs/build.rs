//! Has the linker do for this package's programs what it does for those of `pyuv` (`build.rs` there).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if let Some(argument) = std::env::var("DEP_PYUV_LINK_ARG").ok().filter(|it| !it.is_empty()) {
        println!("cargo::rustc-link-arg={argument}");
    }
}
