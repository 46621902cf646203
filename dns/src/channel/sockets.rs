//! The sockets of a c-ares channel, each with its `Poll`.

use std::cell::RefCell;
use std::sync::{OnceLock, Weak};

use c_ares::Socket;
use pyuv::{Events, Held, Loop, Owned, Poll};

use super::{Core, PART_OF};

/// What [`Sockets::watch`] keeps of a socket.
struct Watched {
    socket: Socket,
    events: Events,
    poll: Poll,
}

/// The sockets that c-ares has open: it says so from inside its calls, and each gets a [`Poll`].
///
/// The polls do not keep the loop running (the channel's timer does, while there is a query) and
/// are hidden.
pub(crate) struct Sockets {
    core: OnceLock<Weak<Core>>,
    open: Owned<RefCell<Option<Open>>>,
}

struct Open {
    event_loop: Loop,
    /// A handful at most: c-ares has one UDP and one TCP socket per server, unless told to change
    /// its port after so many queries.
    watched: Vec<Watched>,
}

impl Sockets {
    pub(crate) fn new(event_loop: &Loop) -> Sockets {
        let open = Open { event_loop: event_loop.clone(), watched: Vec::new() };
        Sockets { core: OnceLock::new(), open: Owned::new(event_loop, RefCell::new(Some(open))) }
    }

    /// Says whom the sockets' events are for; once, before c-ares opens any.
    pub(crate) fn belong_to(&self, core: Weak<Core>) {
        let _ = self.core.set(core);
    }

    /// c-ares's socket-state callback.
    ///
    /// It comes from inside a call of c-ares's, whose caller owns the loop. When neither event is
    /// wanted c-ares closes the socket right after, and the kernel may give its number to the
    /// next one at once: the poll is closed here and now, and not touched again.
    pub(crate) fn watch(&self, held: &Held, socket: Socket, readable: bool, writable: bool) {
        let mut events = Events::empty();
        events.set(Events::READABLE, readable);
        events.set(Events::WRITABLE, writable);
        // What `leave_at_end` needs to know.
        events.set(Events::DISCONNECT, readable);
        let mut guard = self.open.get(held).borrow_mut();
        let Some(open) = guard.as_mut() else { return };
        let known = open.watched.iter().position(|watched| watched.socket == socket);
        if !readable && !writable {
            if let Some(index) = known {
                close(open.watched.swap_remove(index).poll);
            }
            return;
        }
        // Where a socket cannot be watched its queries end in a timeout.
        match known {
            Some(index) => {
                let watched = &mut open.watched[index];
                watched.events = events;
                let _ = watched.poll.set_events(events);
            }
            None => {
                let Some(core) = self.core.get() else { return };
                if let Ok(poll) = start(&open.event_loop, socket, events, core.clone()) {
                    open.watched.push(Watched { socket, events, poll });
                }
            }
        }
    }

    /// Watches a socket again whose poll stopped: libuv stops it when the socket has an error.
    /// c-ares mostly closes the socket for it, and then there is nothing to do.
    pub(crate) fn watch_again(&self, held: &Held, socket: Socket) {
        let mut guard = self.open.get(held).borrow_mut();
        let Some(open) = guard.as_mut() else { return };
        if let Some(watched) = open.watched.iter().find(|watched| watched.socket == socket) {
            let _ = watched.poll.set_events(watched.events);
        }
    }

    /// Watches a TCP socket no more whose peer has ended the connection and that c-ares keeps.
    ///
    /// c-ares 1.34 forgets the end of a connection that comes after a part of an answer. The
    /// socket stays readable then, and the loop would turn without a rest until the query times
    /// out. c-ares finds the connection broken when it next writes to it, and to have that fail
    /// at once it is shut down.
    pub(crate) fn leave_at_end(&self, held: &Held, socket: Socket) {
        let guard = self.open.get(held).borrow();
        let Some(open) = guard.as_ref() else { return };
        if let Some(watched) = open.watched.iter().find(|watched| watched.socket == socket)
            && at_end(socket)
        {
            let _ = watched.poll.stop();
            // SAFETY: no memory is involved; c-ares has the socket open, for it is watched.
            unsafe { libc::shutdown(socket, libc::SHUT_WR) };
        }
    }

    /// Closes what is left and lets go of the loop, after the c-ares channel was destroyed.
    pub(crate) fn close(&self, held: &Held) {
        let open = self.open.get(held).take();
        for watched in open.into_iter().flat_map(|open| open.watched) {
            close(watched.poll);
        }
    }
}

/// Whether nothing is left to read from a TCP socket whose peer has ended the connection.
fn at_end(socket: Socket) -> bool {
    let mut byte = [0_u8];
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    // SAFETY: the buffer has the length given; a number that is no socket is an error.
    let read = unsafe { libc::recv(socket, byte.as_mut_ptr().cast(), byte.len(), flags) };
    read == 0
}

fn start(
    event_loop: &Loop,
    socket: Socket,
    events: Events,
    core: Weak<Core>,
) -> pyuv::Result<Poll> {
    let poll = Poll::new(event_loop, socket)?;
    poll.hide(PART_OF)?;
    poll.set_ref(false)?;
    poll.start_unchecked(events, move |poll, outcome| {
        if let (Some(core), Ok(held)) = (core.upgrade(), poll.hold_even_closed()) {
            core.on_socket(&held, socket, outcome);
        }
    })?;
    Ok(poll)
}

fn close(poll: Poll) {
    // It fails only for a poll that is closed, which is what is wanted.
    let _ = poll.close(|_| ());
}
