//! Dropping items that may hold items in their turn.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use pyo3::prelude::*;

/// How deep destructors may call each other. CPython's own containers stop at 50, too.
const DEEPEST: u32 = 50;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LATER: RefCell<VecDeque<Py<PyAny>>> = const { RefCell::new(VecDeque::new()) };
}

/// Drops `items`. Those of a queue in a queue in a queue, and so on, are dropped without a
/// recursion that would overflow the stack.
pub fn discard(mut items: VecDeque<Py<PyAny>>) {
    if items.is_empty() {
        return;
    }
    let depth = DEPTH.get();
    if depth == DEEPEST {
        LATER.with_borrow_mut(|later| later.append(&mut items));
        return;
    }
    DEPTH.set(depth + 1);
    drop(items);
    // An item may hold the next 50, and so on; the borrow has ended before it is dropped.
    while depth == 0
        && let Some(item) = LATER.with_borrow_mut(VecDeque::pop_front)
    {
        drop(item);
    }
    DEPTH.set(depth);
}
