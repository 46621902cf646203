//! A place where threads wait for each other.

use super::monitor::{Abandoned, Attempt, Monitor};
use crate::{Code, Error, Result};

/// Holds threads until a number of them have come, again and again (`uv_barrier_t`).
pub struct Barrier {
    /// How many threads it takes. Those that have come are those in the queue.
    monitor: Monitor<usize>,
}

impl Barrier {
    /// A barrier for `count` threads (`uv_barrier_init`). `UV_EINVAL` for 0.
    pub fn new(count: u32) -> Result<Barrier> {
        if count == 0 {
            return Err(Error::new(Code::EINVAL, "a barrier for 0 threads"));
        }
        Ok(Barrier { monitor: Monitor::new(count as usize, Abandoned::Forget) })
    }

    /// Waits until enough threads have come; true for one of them (`uv_barrier_wait`).
    pub fn wait(&self) -> Result<bool> {
        match self.attempt()? {
            Attempt::Done(()) => Ok(true),
            Attempt::Wait(ticket) => {
                ticket.wait(None);
                Ok(false)
            }
        }
    }

    /// Comes to the barrier: done for the thread that completes the number; the others are
    /// through when they are called. One that drops its ticket before has not come.
    pub fn attempt(&self) -> Result<Attempt<'_, ()>> {
        self.monitor.attempt(true, |count, queue| {
            let complete = queue.len() + 1 >= *count;
            if complete {
                queue.call_all();
            }
            Ok(complete.then_some(()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn every_round_has_all_threads_and_one_that_is_told() {
        let (barrier, come, told) =
            (Barrier::new(3).unwrap(), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 1..=500 {
                        come.fetch_add(1, Ordering::SeqCst);
                        let first = barrier.wait().unwrap();
                        told.fetch_add(usize::from(first), Ordering::SeqCst);
                        assert!(come.load(Ordering::SeqCst) >= 3 * round);
                    }
                });
            }
        });
        assert_eq!(told.into_inner(), 500);
    }

    #[test]
    fn one_that_leaves_has_not_come() {
        let barrier = Barrier::new(2).unwrap();
        drop(barrier.attempt());
        assert!(matches!(barrier.attempt(), Ok(Attempt::Wait(_))));
        assert_eq!(Barrier::new(1).unwrap().wait(), Ok(true));
    }

    #[test]
    fn a_barrier_for_nobody_is_an_error() {
        assert_eq!(Barrier::new(0).err().and_then(|error| error.code()), Some(Code::EINVAL));
    }
}
