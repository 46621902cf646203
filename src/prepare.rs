//! `uv_prepare_t`: a callback just before the loop waits for events.

use crate::watcher::watcher;

watcher! {
    /// Runs its callback once per iteration, just before the loop polls (`uv_prepare_t`).
    Prepare, uv_prepare_t, uv_prepare_init, uv_prepare_start, uv_prepare_stop
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use crate::{Check, Idle, Loop, Prepare, RunMode};

    #[test]
    fn comes_after_idle_and_before_check() {
        let event_loop = Loop::new().unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |name| {
            let order = order.clone();
            move || order.lock().unwrap().push(name)
        };
        let (check, prepare, idle) = (
            Check::new(&event_loop).unwrap(),
            Prepare::new(&event_loop).unwrap(),
            Idle::new(&event_loop).unwrap(),
        );
        let noted = note("check");
        check.start(move |_| noted()).unwrap();
        let noted = note("prepare");
        prepare.start(move |_| noted()).unwrap();
        let noted = note("idle");
        idle.start(move |_| noted()).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        assert_eq!(*order.lock().unwrap(), ["idle", "prepare", "check"]);
    }
}
