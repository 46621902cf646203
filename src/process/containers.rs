//! The containers of a spawn, checked: libuv asserts what it expects of them, or fails when the
//! child already runs.

use std::mem;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::handle::Handle;
use crate::r#loop::Entered;
use crate::stdio::Stdio;

/// What `uv_spawn` takes, and what has to stay as it is until that returns.
pub(super) struct Containers<'a> {
    raw: Vec<uv::uv_stdio_container_t>,
    /// Pipes whose other end the child gets.
    pipes: Vec<&'a Handle>,
    /// The loops of the streams are this thread's.
    _entered: Vec<Entered<'a>>,
    #[cfg(unix)]
    duplicates: Vec<OwnedFd>,
}

impl<'a> Containers<'a> {
    pub(super) fn new(stdio: &[Stdio<'a>]) -> Result<Containers<'a>> {
        let mut containers = Containers {
            raw: Vec::with_capacity(stdio.len()),
            pipes: Vec::new(),
            _entered: Vec::new(),
            #[cfg(unix)]
            duplicates: Vec::new(),
        };
        for (place, container) in stdio.iter().enumerate() {
            let raw = containers.raw(container, place, stdio.len())?;
            containers.raw.push(raw);
        }
        Ok(containers)
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut uv::uv_stdio_container_t {
        self.raw.as_mut_ptr()
    }

    pub(super) fn len(&self) -> Result<c_int> {
        c_int::try_from(self.raw.len())
            .map_err(|_| Error::new(Code::EINVAL, "too many fds for the child"))
    }

    fn raw(
        &mut self,
        container: &Stdio<'a>,
        place: usize,
        count: usize,
    ) -> Result<uv::uv_stdio_container_t> {
        // SAFETY: all zero is a valid value of a C struct of integers and pointers: UV_IGNORE.
        let mut raw = unsafe { mem::zeroed::<uv::uv_stdio_container_t>() };
        let of_child = |what: String| format!("{what} for fd {place} of the child");
        match *container {
            Stdio::Ignore => {}
            Stdio::Fd(fd) => {
                let fd = self.passable(fd, place, count);
                raw.flags = uv::uv_stdio_flags_UV_INHERIT_FD;
                raw.data.fd =
                    fd.map_err(|(code, fd)| Error::new(code, of_child(format!("fd {fd}"))))?;
            }
            Stdio::Stream(stream) => {
                let entered = stream.enter()?;
                let named = |code| Error::new(code, of_child(format!("{stream:?}")));
                let fd = stream.header(&entered).fileno().map_err(named)?;
                self._entered.push(entered);
                #[cfg(unix)]
                {
                    raw.flags = uv::uv_stdio_flags_UV_INHERIT_FD;
                    raw.data.fd =
                        self.passable(fd, place, count).map_err(|(code, _)| named(code))?;
                }
                #[cfg(not(unix))]
                {
                    let _ = fd;
                    raw.flags = uv::uv_stdio_flags_UV_INHERIT_STREAM;
                    raw.data.stream = stream.uv();
                }
            }
            Stdio::Pipe(pipe, flags) => {
                let entered = pipe.enter()?;
                let handle: &Handle = pipe;
                let has_fd = handle.header(&entered).has_fd();
                self._entered.push(entered);
                if has_fd || pipe.is_connecting()? || self.pipes.contains(&handle) {
                    let what = "a Pipe that is in use already".to_owned();
                    return Err(Error::new(Code::EBUSY, of_child(what)));
                }
                self.pipes.push(handle);
                raw.flags = uv::uv_stdio_flags_UV_CREATE_PIPE | flags.bits() as uv::uv_stdio_flags;
                raw.data.stream = pipe.uv();
            }
        }
        Ok(raw)
    }

    #[cfg(unix)]
    fn passable(
        &mut self,
        fd: c_int,
        place: usize,
        count: usize,
    ) -> std::result::Result<c_int, (Code, c_int)> {
        crate::places::passable(fd, place, count, &mut self.duplicates).map_err(|code| (code, fd))
    }

    #[cfg(not(unix))]
    fn passable(
        &mut self,
        fd: c_int,
        _place: usize,
        _count: usize,
    ) -> std::result::Result<c_int, (Code, c_int)> {
        if fd < 0 { Err((Code::EBADF, fd)) } else { Ok(fd) }
    }
}
