//! `uv_fs_mkdtemp` and `uv_fs_mkstemp`: files and folders with a name that nobody has.

use std::ffi::CStr;

use libuv_sys2 as uv;

use crate::opened::Opened;
use crate::operation::{FromRequest, Op, Operation};
use crate::path::PathArg;
use crate::target::OnPath;

/// A file that was made by [`mkstemp`], and is open.
#[derive(Debug, PartialEq, Eq)]
pub struct Temporary {
    /// Its fd, open for reading and writing, closed on exec.
    pub fd: Opened,
    /// Its path, as the system's bytes.
    pub path: Vec<u8>,
}

/// The path that libuv has made of a template.
///
/// # Safety
/// The request is a mkdtemp or mkstemp that succeeded.
unsafe fn made(request: *const uv::uv_fs_t) -> Vec<u8> {
    // SAFETY: such a request has a path, a string of libuv's.
    unsafe { CStr::from_ptr(uv::uv_fs_get_path(request)) }.to_bytes().to_vec()
}

macro_rules! from_template {
    ($($(#[$doc:meta])* $name:ident -> $output:ty = $uv:ident, |$request:ident| $finish:expr;)*) => {
        $(
            $(#[$doc])*
            pub fn $name<'a>(
                template: impl Into<PathArg<'a>>,
            ) -> impl Operation<Output = $output> + Send {
                Op {
                    target: OnPath(template.into()),
                    start: Ok(|template, event_loop, request, callback| {
                        // SAFETY: the template is a string that outlives the call; libuv fills in
                        // a copy.
                        unsafe { uv::$uv(event_loop, request, template, callback) }
                    }),
                    finish: |$request: *mut uv::uv_fs_t| {
                        // SAFETY: the request is this operation's, and succeeded.
                        unsafe { $finish }
                    },
                }
            }
        )*
    };
}

from_template! {
    /// Makes a folder that only its owner may use (`uv_fs_mkdtemp`), named as `template` with
    /// other characters for the six `X` it ends in. Gives its path, as the system's bytes. Fails
    /// with `UV_EINVAL` for a template that does not end in `XXXXXX`, `UV_ENOENT`, `UV_EACCES`.
    mkdtemp -> Vec<u8> = uv_fs_mkdtemp, |request| made(request);

    /// Makes a file that only its owner may use, and opens it (`uv_fs_mkstemp`); the name and the
    /// errors are those of [`mkdtemp`].
    mkstemp -> Temporary = uv_fs_mkstemp, |request| Temporary {
        fd: Opened::from_request(request),
        path: made(request),
    };
}
