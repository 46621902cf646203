//! Has the linker send calls of libuv's to functions of this crate, `waitpid` to `src/waitpid.rs` and
//! `uv__close` to `src/uv_close.rs`, and says which Python this is for (`Py_GIL_DISABLED`).

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    pyo3_build_config::use_pyo3_cfgs();
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-cdylib=-Wl,--wrap=waitpid,--wrap=uv__close");
    }
}
