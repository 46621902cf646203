//! Has the linker send some calls of libuv's to `src/internals`, in the programs of this package; to those
//! that depend on it goes the list (`DEP_PYUV_LINK_ARG`), for their own build scripts.

/// What is sent there, each to `__wrap_` and its name.
const WRAPPED: [&str; 10] = [
    "epoll_pwait",
    "sigaction",
    "uv__async_notify",
    "uv__close",
    "uv__inotify_read",
    "uv__io_check_fd",
    "uv__make_pipe",
    "uv__server_io",
    "uv__signal_event",
    "waitpid",
];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    let wraps = WRAPPED.map(|name| format!(",--wrap={name}")).concat();
    let argument = if linux { format!("-Wl{wraps}") } else { String::new() };
    println!("cargo::rustc-env=PYUV_LINK_ARG={argument}");
    println!("cargo::metadata=LINK_ARG={argument}");
    if linux {
        println!("cargo::rustc-link-arg={argument}");
    }
}
