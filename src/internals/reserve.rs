//! `emfile_fd`: the descriptor that a loop keeps in reserve (`uv__emfile_trick` in `unix/stream.c`). libuv closes
//! it where `accept` finds none left, and opens it anew on `/`.

use std::os::raw::c_int;

use crate::r#loop::Held;

/// Has the loop keep another one. Returns the one before, which is the caller's; -1 where there was none.
pub(crate) fn replace(held: &Held, fd: c_int) -> c_int {
    // SAFETY: the loop is open and the caller's; libuv uses the field in its poll phase alone.
    unsafe { std::mem::replace(&mut (*held.uv()).emfile_fd, fd) }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;
    use crate::{BindFlags, Loop, TCP};

    #[test]
    fn a_loop_has_one_from_its_first_listener_on() {
        let event_loop = Loop::new().unwrap();
        let held = event_loop.hold().unwrap();
        assert_eq!(replace(&held, -1), -1);
        let listener = TCP::new(&event_loop).unwrap();
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        listener.bind(anywhere, BindFlags::empty()).unwrap();
        listener.listen(1, |_, _| ()).unwrap();
        let fd = replace(&held, -1);
        assert!(fd > 2);
        assert_eq!(replace(&held, fd), -1);
    }
}
