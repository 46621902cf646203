//! Has the linker do for the extension what it does for the programs of `pyuv` (`build.rs` there), and send
//! some calls of the unwinder's and of PyO3's to this crate; and says which Python this is for (`Py_3_13`,
//! `Py_GIL_DISABLED`).

/// What is sent to `src/exit.rs` and `src/no_memory.rs`, each to `__wrap_` and its name.
const WRAPPED: [&str; 8] = [
    "_Unwind_GetLanguageSpecificData",
    "Py_IsFinalizing",
    "Py_IsInitialized",
    "PyErr_SetObject",
    "PyErr_WriteUnraisable",
    "PyGILState_Ensure",
    "PyTuple_New",
    "PyUnicode_FromStringAndSize",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    pyo3_build_config::use_pyo3_cfgs();
    if let Some(argument) = std::env::var("DEP_PYUV_LINK_ARG").ok().filter(|it| !it.is_empty()) {
        println!("cargo::rustc-link-arg-cdylib={argument}");
    }
    let target = |part| std::env::var(part).unwrap_or_default();
    if target("CARGO_CFG_TARGET_OS") == "linux" && target("CARGO_CFG_TARGET_ENV") == "gnu" {
        for name in WRAPPED {
            println!("cargo::rustc-link-arg-cdylib=-Wl,--wrap={name}");
        }
    }
}
