//! The way from C into a closure: awake first, and no panic comes out.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::r#loop::LoopInner;

/// Runs `body`, a callback of libuv's, on the loop `inner`: ends the poll phase's sleep if this is
/// its first callback, and keeps a panic for [`Loop::run`](crate::Loop::run) to return, since it
/// must not cross C.
#[inline]
pub(crate) fn enter(inner: &LoopInner, body: impl FnOnce()) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        inner.awake();
        body();
    }));
    if let Err(payload) = outcome {
        inner.panicked(panic_message(payload.as_ref()));
    }
}

/// The text of a panic.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
