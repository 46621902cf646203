//! What surrounds the poll phase.

/// Called around the part of an iteration in which libuv waits for events.
///
/// libuv runs callbacks from inside its poll phase. A program that has to let go of something
/// while the loop sleeps (Python's GIL) lets go in `before_poll` and takes it back in
/// `after_poll`, which comes before the first callback of that phase, whichever it is. In between
/// every callback runs with it held, at the price of one flag test each.
///
/// Checked for libuv 1.53: on Linux (`uv__io_poll` in `unix/linux.c`) and with kqueue, poll and
/// the other Unix backends, the poll phase either leaves after a round in which a callback ran,
/// or polls again with timeout 0; on Windows completions are taken off the port in one batch
/// before callbacks run. So what `after_poll` took is never held across a wait.
pub trait PollHooks {
    /// The loop is about to poll. `may_block` is false when this iteration's timeout is known to
    /// be 0. Returns whether `after_poll` is wanted.
    fn before_poll(&self, may_block: bool) -> bool;

    /// The poll phase has something to run, or is over.
    fn after_poll(&self);

    /// A signal has interrupted the wait, and nothing has come of it that libuv tells of. Returns whether the poll
    /// phase is to be over, and [`after_interruption`](PollHooks::after_interruption) called. May be called on Linux
    /// alone; `after_poll` comes later.
    fn interrupted(&self) -> bool {
        false
    }

    /// Called where callbacks are, at the end of the poll phase that [`interrupted`](PollHooks::interrupted) has ended.
    fn after_interruption(&self) {}
}

/// For programs that have nothing to let go of.
pub(crate) struct NoHooks;

impl PollHooks for NoHooks {
    fn before_poll(&self, _may_block: bool) -> bool {
        false
    }

    fn after_poll(&self) {}
}
