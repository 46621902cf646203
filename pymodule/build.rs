//! Has the linker do for the extension what it does for the programs of `pyuv` (`build.rs` there), and says
//! which Python this is for (`Py_GIL_DISABLED`).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    pyo3_build_config::use_pyo3_cfgs();
    if let Some(argument) = std::env::var("DEP_PYUV_LINK_ARG").ok().filter(|it| !it.is_empty()) {
        println!("cargo::rustc-link-arg-cdylib={argument}");
    }
}
