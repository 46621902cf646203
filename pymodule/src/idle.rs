//! `pyuv.Idle`.

use crate::watcher::watcher_class;

watcher_class! {
    /// Calls its callback once per iteration and keeps the loop from waiting (`uv_idle_t`).
    Idle, IdleError,
    "Has `callback(idle_handle)` called in each iteration (`uv_idle_start`).",
    "Calls it no more (`uv_idle_stop`)."
}
