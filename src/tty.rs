//! `uv_tty_t`: terminals.

use std::os::raw::c_int;

use libuv_sys2 as uv;

use crate::error::{Code, Error, Result};
use crate::handle::{Handle, stream_kind};
#[cfg(unix)]
use crate::lent::Lent;
use crate::r#loop::{Held, Loop};
use crate::stream::{State, Stream};

/// What a terminal does with the bytes (`uv_tty_mode_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TTYMode {
    /// As it was when the handle was made (`UV_TTY_MODE_NORMAL`): most often whole lines, echoed.
    Normal,
    /// Every byte at once, not echoed; Ctrl-C is a byte like any other (`UV_TTY_MODE_RAW`).
    Raw,
    /// Nothing changed in either direction, for other programs at the far end
    /// (`UV_TTY_MODE_IO`). Not on Windows.
    Io,
    /// As `Raw`; on Windows with sequences for the keys that have no character
    /// (`UV_TTY_MODE_RAW_VT`).
    RawVt,
}

/// Whether a console of Windows understands escape sequences (`uv_tty_vtermstate_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VTermState {
    /// `UV_TTY_SUPPORTED`
    Supported,
    /// `UV_TTY_UNSUPPORTED`
    Unsupported,
}

/// A terminal (`uv_tty_t`).
#[repr(transparent)]
pub struct TTY(Stream);

// SAFETY: the struct is transparent over a Stream, made by `create` alone, with `uv_tty_init`.
stream_kind!(unsafe TTY, uv::uv_tty_t {
    fn fd_lost(&self, held: &Held, code: Code) {
        self.stream_lost(held, code);
    }
});

impl TTY {
    /// A handle for the terminal behind `fd` (`uv_tty_init`). The fd stays its owner's, and
    /// blocking if it is: the handle opens the terminal anew or, for the master side of a
    /// pseudo terminal, which cannot be, has a duplicate of it.
    ///
    /// Fails with `UV_EBADF` for what is not open, `UV_EINVAL` for what is neither a terminal nor
    /// a socket or pipe: files and other devices.
    pub fn new(event_loop: &Loop, fd: c_int) -> Result<TTY> {
        let _entered = event_loop.enter()?;
        #[cfg(unix)]
        let own = own::Descriptor::of(event_loop, fd)?;
        #[cfg(unix)]
        let number = own.number();
        #[cfg(not(unix))]
        let number = fd;
        #[cfg(unix)]
        let lent = Lent::of(number);
        let made =
            Handle::create::<TTY>(event_loop, State::new(false), "", |event_loop, handle| {
                // SAFETY: the loop is open and ours; the handle's memory is its own.
                unsafe { uv::uv_tty_init(event_loop, handle, number, 0) }
            })
            .map_err(|error| error.about(format_args!("fd {fd}")));
        #[cfg(unix)]
        let made = own.settle(made, lent);
        made
    }

    /// Has the terminal do that with the bytes (`uv_tty_set_mode`). The mode is the terminal's,
    /// not the handle's: other programs on it see it too. Closing the first handle that changed
    /// it brings back what was there before.
    ///
    /// Fails with `UV_ENOTTY` for what is no terminal, `UV_EIO` where the other end is gone.
    pub fn set_mode(&self, mode: TTYMode) -> Result<()> {
        let _entered = self.enter()?;
        let raw = match mode {
            TTYMode::Normal => uv::uv_tty_mode_t_UV_TTY_MODE_NORMAL,
            TTYMode::Raw => uv::uv_tty_mode_t_UV_TTY_MODE_RAW,
            TTYMode::Io => uv::uv_tty_mode_t_UV_TTY_MODE_IO,
            TTYMode::RawVt => uv::uv_tty_mode_t_UV_TTY_MODE_RAW_VT,
        };
        // SAFETY: the handle is open, a TTY, and its loop is ours.
        Error::check(unsafe { uv::uv_tty_set_mode(self.uv(), raw) }, "uv_tty_set_mode")?;
        Ok(())
    }

    /// Columns and rows (`uv_tty_get_winsize`). Fails with `UV_ENOTTY` for what is no terminal.
    pub fn winsize(&self) -> Result<(i32, i32)> {
        let _entered = self.enter()?;
        let (mut columns, mut rows) = (0, 0);
        // SAFETY: the handle is open, a TTY, and its loop is ours; the numbers are written to.
        let status = unsafe { uv::uv_tty_get_winsize(self.uv(), &raw mut columns, &raw mut rows) };
        Error::check(status, "uv_tty_get_winsize")?;
        Ok((columns, rows))
    }

    /// Brings back the mode of the terminal whose mode was changed first, before the process ends
    /// (`uv_tty_reset_mode`). Fails with `UV_EBUSY` while another thread is changing it.
    pub fn reset_mode() -> Result<()> {
        // SAFETY: no arguments; may be called on any thread.
        Error::check(unsafe { uv::uv_tty_reset_mode() }, "uv_tty_reset_mode")?;
        Ok(())
    }

    /// Says whether the console understands escape sequences, on Windows; nothing elsewhere
    /// (`uv_tty_set_vterm_state`).
    pub fn set_vterm_state(state: VTermState) {
        let raw = match state {
            VTermState::Supported => uv::uv_tty_vtermstate_t_UV_TTY_SUPPORTED,
            VTermState::Unsupported => uv::uv_tty_vtermstate_t_UV_TTY_UNSUPPORTED,
        };
        // SAFETY: a number of libuv's; may be called on any thread.
        unsafe { uv::uv_tty_set_vterm_state(raw) };
    }

    /// Whether the console understands escape sequences (`uv_tty_get_vterm_state`). Fails with
    /// `UV_ENOTSUP` on other systems than Windows.
    pub fn vterm_state() -> Result<VTermState> {
        let mut raw = uv::uv_tty_vtermstate_t_UV_TTY_UNSUPPORTED;
        // SAFETY: the number is written to.
        let status = unsafe { uv::uv_tty_get_vterm_state(&raw mut raw) };
        Error::check(status, "uv_tty_get_vterm_state")?;
        Ok(match raw {
            uv::uv_tty_vtermstate_t_UV_TTY_SUPPORTED => VTermState::Supported,
            _ => VTermState::Unsupported,
        })
    }
}

/// libuv opens a terminal anew and puts the new file in the place of the old under the same fd;
/// what it cannot open anew it keeps, and closes. With a duplicate neither is the owner's.
#[cfg(unix)]
mod own {
    use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
    use std::os::raw::c_int;

    use super::TTY;
    use crate::error::{Error, Result};
    use crate::lent::Lent;
    use crate::r#loop::Loop;
    use crate::places;

    pub(super) struct Descriptor {
        duplicate: OwnedFd,
        /// libuv does not close a terminal's fd that is below 3.
        _occupied: Vec<OwnedFd>,
    }

    impl Descriptor {
        pub(super) fn of(event_loop: &Loop, fd: c_int) -> Result<Descriptor> {
            let duplicate = places::duplicate(fd, 3);
            let duplicate = duplicate.map_err(|code| Error::new(code, format!("fd {fd}")))?;
            let _occupied = places::occupy(event_loop.fileno()?)?;
            Ok(Descriptor { duplicate, _occupied })
        }

        pub(super) fn number(&self) -> c_int {
            self.duplicate.as_raw_fd()
        }

        /// Leaves the duplicate to the handle if that is what it uses.
        pub(super) fn settle(self, made: Result<TTY>, lent: Option<Lent>) -> Result<TTY> {
            if let Ok(tty) = &made
                && tty.fileno() == Ok(self.number())
            {
                tty.lend(&*tty.hold()?, lent);
                let _theirs = self.duplicate.into_raw_fd();
            } else if let Some(lent) = lent {
                // The terminal that was opened anew may have the number too, and is not to block.
                lent.give_back(if made.is_ok() { -1 } else { self.number() });
            }
            made
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    use std::ptr;

    use super::*;
    use crate::{Code, RunMode};

    fn pseudo_terminal() -> (OwnedFd, OwnedFd) {
        let (mut master, mut slave) = (-1, -1);
        // SAFETY: the numbers are written to; null asks for defaults.
        let status = unsafe {
            libc::openpty(
                &raw mut master,
                &raw mut slave,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        assert_eq!(status, 0);
        // SAFETY: the fds are new, and nobody else's.
        unsafe { (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave)) }
    }

    fn is_open(fd: &OwnedFd) -> bool {
        // SAFETY: F_GETFD only asks.
        unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) != -1 }
    }

    #[test]
    fn a_terminal_has_a_size_and_modes_and_its_fd_stays_its_owners() {
        let event_loop = Loop::new().unwrap();
        let (master, slave) = pseudo_terminal();
        for fd in [&slave, &master] {
            let tty = TTY::new(&event_loop, fd.as_raw_fd()).unwrap();
            assert_ne!(tty.fileno(), Ok(fd.as_raw_fd()));
            assert_eq!(tty.winsize(), Ok((0, 0)));
            for mode in [TTYMode::Raw, TTYMode::Io, TTYMode::RawVt, TTYMode::Normal] {
                assert_eq!(tty.set_mode(mode), Ok(()));
            }
            tty.close(|_| ()).unwrap();
            event_loop.run(RunMode::Default).unwrap();
            assert!(is_open(fd));
        }
        assert_eq!(TTY::reset_mode(), Ok(()));
        event_loop.close().unwrap();
    }

    #[test]
    fn what_is_no_terminal_is_refused() {
        let event_loop = Loop::new().unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        for (fd, code) in [(null.as_raw_fd(), Code::EINVAL), (-1, Code::EBADF)] {
            let error = TTY::new(&event_loop, fd).unwrap_err();
            assert_eq!(error, Error::new(code, format!("fd {fd}")));
        }
        event_loop.close().unwrap();
    }
}
