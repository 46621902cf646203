//! `pyuv.Check`.

use crate::watcher::watcher_class;

watcher_class! {
    /// Calls its callback once per iteration, just after the loop polled (`uv_check_t`).
    Check, CheckError,
    "Has `callback(check_handle)` called in each iteration (`uv_check_start`).",
    "Calls it no more (`uv_check_stop`)."
}
