//! The way from C into a closure: awake first, and no panic comes out.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::r#loop::Held;

/// Runs `body`, a callback of libuv's, on the loop: ends the poll phase's sleep if this is its first
/// callback, and keeps a panic for [`Loop::run`](crate::Loop::run) to return, since it must not
/// cross C. The loop stops for it.
#[inline]
pub(crate) fn enter(held: &Held, body: impl FnOnce()) {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        held.awake();
        body();
    }));
    if let Err(payload) = outcome {
        held.panicked(panic_message(payload));
        held.stop();
    }
}

/// Runs `body`, which may drop what is the user's, and keeps a panic for the next
/// [`Loop::run`](crate::Loop::run) to return: what comes after it has to be done all the same.
pub(crate) fn guard(held: &Held, body: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(body)) {
        held.panicked(panic_message(payload));
    }
}

/// The text of a panic. What else it brings is not dropped: that might panic again.
pub(crate) fn panic_message(payload: Box<dyn Any + Send>) -> String {
    let payload = match payload.downcast::<String>() {
        Ok(text) => return *text,
        Err(other) => other,
    };
    match payload.downcast::<&str>() {
        Ok(text) => (*text).to_owned(),
        Err(other) => {
            mem::forget(other);
            "a panic without a message".to_owned()
        }
    }
}
