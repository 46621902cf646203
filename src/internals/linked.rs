//! Whether the linker has sent libuv's calls here, and where the functions are that it sent them past.
//!
//! A program is linked by its own package's build script, and the arguments in ours do not reach it. The
//! symbols below are weak: without the arguments they are null, and the first loop is refused.

use std::os::raw::{c_int, c_uint};

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};

/// The argument that a program needs (`build.rs`).
pub(crate) const ARGUMENT: &str = env!("PYUV_LINK_ARG");

type Function = unsafe extern "C" fn();

macro_rules! reals {
    ($count:literal: $($index:literal = $name:ident as $function:ident: $type:ty;)*) => {
        std::arch::global_asm!(
            ".pushsection .data.rel.ro.pyuv_real, \"aw\", %progbits",
            ".p2align 3",
            ".globl pyuv_real",
            ".hidden pyuv_real",
            "pyuv_real:",
            $(
                concat!(".weak __real_", stringify!($name)),
                #[cfg(target_pointer_width = "64")]
                concat!(".quad __real_", stringify!($name)),
                #[cfg(not(target_pointer_width = "64"))]
                concat!(".long __real_", stringify!($name)),
            )*
            ".popsection",
        );

        unsafe extern "C" {
            static pyuv_real: [Option<Function>; $count];
        }

        $(
            #[doc = concat!("The function behind `__wrap_", stringify!($name), "`, which alone calls it.")]
            pub(super) fn $function() -> $type {
                // SAFETY: the table is filled when the program is loaded and never changes. The function
                // is of that type; it is there, since something has been sent to its wrap.
                unsafe {
                    let function = pyuv_real[$index].expect("the wrap was called");
                    std::mem::transmute::<Function, $type>(function)
                }
            }
        )*
    };
}

reals! { 6:
    0 = epoll_pwait as epoll_pwait: unsafe extern "C" fn(
        c_int, *mut libc::epoll_event, c_int, c_int, *const libc::sigset_t) -> c_int;
    1 = sigaction as sigaction: unsafe extern "C" fn(
        c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int;
    2 = uv__inotify_read as inotify_read: IoCallback;
    3 = uv__make_pipe as make_pipe: unsafe extern "C" fn(*mut [c_int; 2], c_int) -> c_int;
    4 = uv__server_io as server_io: IoCallback;
    5 = waitpid as waitpid: unsafe extern "C" fn(libc::pid_t, *mut c_int, c_int) -> libc::pid_t;
}

/// What libuv calls for a descriptor that is ready.
pub(super) type IoCallback = unsafe extern "C" fn(*mut uv::uv_loop_t, *mut uv::uv__io_t, c_uint);

/// Fails with `UV_ENOSYS` where the linker has left libuv's calls alone.
pub(crate) fn check() -> Result<()> {
    // SAFETY: as above.
    if unsafe { pyuv_real.iter().all(Option::is_some) } {
        return Ok(());
    }
    let what = format!("this program has to be linked with {ARGUMENT}");
    Err(Error::new(Code::ENOSYS, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libuvs_calls_come_here() {
        assert_eq!(check(), Ok(()));
    }
}
