//! `uv_check_t`: a callback just after the loop waited for events.

use crate::watcher::watcher;

watcher! {
    /// Runs its callback once per iteration, just after the loop polled (`uv_check_t`).
    Check, uv_check_t, uv_check_init, uv_check_start, uv_check_stop
}

#[cfg(test)]
mod tests {
    use crate::{Check, Loop, RunMode};

    #[test]
    fn a_stopped_check_is_not_called() {
        let event_loop = Loop::new().unwrap();
        let check = Check::new(&event_loop).unwrap();
        check.start(|_| panic!("called")).unwrap();
        check.stop().unwrap();
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    }
}
