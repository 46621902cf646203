//! `uv_idle_t`: a callback in every iteration, before prepare handles; while one is active the
//! loop does not wait.

use crate::watcher::watcher;

watcher! {
    /// Runs its callback once per iteration and keeps the loop from waiting (`uv_idle_t`).
    Idle, uv_idle_t, uv_idle_init, uv_idle_start, uv_idle_stop, counted idles
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::{Error, Idle, Loop, RunMode};

    #[test]
    fn runs_in_every_iteration_until_stopped() {
        let event_loop = Loop::new().unwrap();
        let idle = Idle::new(&event_loop).unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        idle.start(move |idle| {
            if counted.fetch_add(1, Ordering::Relaxed) == 9 {
                idle.stop().unwrap();
            }
        })
        .unwrap();
        assert!(!event_loop.run(RunMode::Default).unwrap());
        assert_eq!(count.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn a_callback_may_replace_itself() {
        let event_loop = Loop::new().unwrap();
        let idle = Idle::new(&event_loop).unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let counted = count.clone();
        idle.start(move |idle| {
            let counted = counted.clone();
            idle.start(move |idle| {
                counted.fetch_add(1, Ordering::Relaxed);
                idle.close(|_| ()).unwrap();
            })
            .unwrap();
        })
        .unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(idle.start(|_| ()), Err(Error::HandleClosed));
    }

    #[test]
    fn a_panic_stops_the_loop_and_is_returned() {
        let event_loop = Loop::new().unwrap();
        let idle = Idle::new(&event_loop).unwrap();
        idle.start(|_| panic!("boom")).unwrap();
        assert_eq!(event_loop.run(RunMode::Default), Err(Error::panicked("boom")));
        idle.stop().unwrap();
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    }
}
