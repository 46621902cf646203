//! `pyuv.Prepare`.

use crate::watcher::watcher_class;

watcher_class! {
    /// Calls its callback once per iteration, just before the loop polls (`uv_prepare_t`).
    Prepare, PrepareError,
    "Has `callback(prepare_handle)` called in each iteration (`uv_prepare_start`).",
    "Calls it no more (`uv_prepare_stop`)."
}
