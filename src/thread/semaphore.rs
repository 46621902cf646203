//! A counter that threads wait for to be above 0.

use super::monitor::{Abandoned, Attempt, Monitor, block};
use crate::{Code, Error, Result};

/// A counter that is never below 0 (`uv_sem_t`).
pub struct Semaphore {
    monitor: Monitor<u32>,
}

impl Semaphore {
    /// The largest value: what POSIX systems have.
    pub const MAX: u32 = i32::MAX as u32;

    /// A semaphore that counts from `value` (`uv_sem_init`). `UV_EINVAL` above
    /// [`MAX`](Semaphore::MAX).
    pub fn new(value: u32) -> Result<Semaphore> {
        if value > Semaphore::MAX {
            return Err(Error::new(Code::EINVAL, format!("a semaphore of {value}")));
        }
        Ok(Semaphore { monitor: Monitor::new(value, Abandoned::PassOn) })
    }

    /// Adds 1 (`uv_sem_post`). `UV_EOVERFLOW` at [`MAX`](Semaphore::MAX).
    pub fn post(&self) -> Result<()> {
        self.monitor.with(|value, queue| {
            if *value == Semaphore::MAX {
                return Err(Error::new(Code::EOVERFLOW, "post"));
            }
            *value += 1;
            queue.call_one();
            Ok(())
        })
    }

    /// Takes 1 away, when there is something to take (`uv_sem_wait`).
    pub fn wait(&self) -> Result<()> {
        block(|| self.attempt())
    }

    /// The attempt of [`wait`](Semaphore::wait).
    pub fn attempt(&self) -> Result<Attempt<'_, ()>> {
        self.monitor.attempt(true, |value, _| Ok(take(value).then_some(())))
    }

    /// Takes 1 away if that needs no waiting; says whether it did (`uv_sem_trywait`).
    pub fn try_wait(&self) -> bool {
        self.monitor.with(|value, _| take(value))
    }
}

fn take(value: &mut u32) -> bool {
    let some = *value > 0;
    *value -= u32::from(some);
    some
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn every_post_ends_one_wait() {
        let semaphore = Semaphore::new(0).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| semaphore.wait().unwrap()));
            }
            for _ in 0..2 {
                scope.spawn(|| (0..2_000).for_each(|_| semaphore.post().unwrap()));
            }
        });
        assert!(!semaphore.try_wait());
    }

    #[test]
    fn it_counts_down_to_zero_and_up_to_its_limit() {
        let semaphore = Semaphore::new(2).unwrap();
        assert_eq!([(); 3].map(|()| semaphore.try_wait()), [true, true, false]);
        let full = Semaphore::new(Semaphore::MAX).unwrap();
        assert_eq!(full.post().unwrap_err().code(), Some(Code::EOVERFLOW));
        assert!(Semaphore::new(Semaphore::MAX + 1).is_err());
    }
}
