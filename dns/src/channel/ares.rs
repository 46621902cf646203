//! c-ares's channels, and the rules for calling them and being called.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::Duration;

use c_ares::{FdEvents, ProcessFlags};
use pyuv::{Held, Loop, Owned};

use crate::engine::Engine;

/// Who is inside a call of c-ares's: the way by which what c-ares calls knows that it owns the loop.
///
/// c-ares has threads of its own for some things (`ares_reinit`), which would call back beside the
/// loop's thread. None of them is used here, and what c-ares calls asserts it.
pub(crate) struct Calling {
    /// Of the channel's loop, whose owner alone calls c-ares.
    of: Owned<()>,
    /// The thread that does, or 0.
    thread: AtomicUsize,
    /// What it has shown.
    held: AtomicPtr<Held>,
}

impl Calling {
    pub(crate) fn new(event_loop: &Loop) -> Calling {
        Calling {
            of: Owned::new(event_loop, ()),
            thread: AtomicUsize::new(0),
            held: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Calls c-ares.
    pub(crate) fn call<T>(&self, held: &Held, f: impl FnOnce() -> T) -> T {
        struct Outer<'a>(&'a AtomicUsize, usize);
        impl Drop for Outer<'_> {
            fn drop(&mut self) {
                self.0.store(self.1, Ordering::Relaxed);
            }
        }
        self.of.get(held);
        self.held.store(ptr::from_ref(held).cast_mut(), Ordering::Relaxed);
        let _outer = Outer(&self.thread, self.thread.swap(this_thread(), Ordering::Relaxed));
        f()
    }

    /// For what c-ares calls.
    pub(crate) fn held<T>(&self, f: impl FnOnce(&Held) -> T) -> T {
        let calling = self.thread.load(Ordering::Relaxed);
        assert_eq!(calling, this_thread(), "c-ares called back on a thread that did not call it");
        // SAFETY: this thread is inside `call`, with the loop of which it has shown that it owns it;
        // nobody else can have been there since.
        f(unsafe { &*self.held.load(Ordering::Relaxed) })
    }
}

/// A number that no other living thread has.
fn this_thread() -> usize {
    thread_local!(static MARK: u8 = const { 0 });
    MARK.with(|mark| ptr::from_ref(mark) as usize)
}

/// For what c-ares calls: a panic there would abort the process. The panic hook has reported it.
pub(crate) fn no_panic(body: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(body)) {
        mem::forget(payload);
    }
}

/// A c-ares channel, and those that it replaced and that still work on lookups.
pub(crate) struct Ares {
    pub(crate) current: Engine,
    replaced: Vec<Engine>,
}

impl Ares {
    pub(crate) fn new(current: Engine) -> Ares {
        Ares { current, replaced: Vec::new() }
    }

    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Engine> {
        std::iter::once(&mut self.current).chain(&mut self.replaced)
    }

    /// Has new lookups go to `channel`. What is in flight to servers that `channel` does not ask
    /// goes to those that it does.
    pub(crate) fn replace(&mut self, channel: Engine) {
        let servers = channel.servers();
        let mut old = mem::replace(&mut self.current, channel);
        // It fails for want of memory alone; the lookups then end with the old servers.
        let _ = old.set_servers(servers);
        self.replaced.push(old);
        self.retire();
    }

    /// Lets c-ares read, write and see what has timed out. It knows its own sockets.
    pub(crate) fn process(&mut self, events: &[FdEvents]) {
        for channel in self.all() {
            // It fails for want of memory alone; the queries then end in a timeout.
            let _ = channel.process_fds(events, ProcessFlags::empty());
            channel.tidy();
        }
        self.retire();
    }

    /// How long until a query has its next timeout.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        let channels = std::iter::once(&self.current).chain(&self.replaced);
        channels.filter_map(|channel| channel.timeout(None)).min()
    }

    pub(crate) fn cancel(&mut self) {
        self.all().for_each(|channel| channel.cancel());
        self.retire();
    }

    fn retire(&mut self) {
        self.replaced.retain(|channel| channel.queue_active_queries() > 0);
    }
}
