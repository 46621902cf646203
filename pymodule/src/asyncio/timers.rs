//! Timers: a heap of `asyncio.TimerHandle`s over one `uv_timer_t`. Cancelled ones stay in it until
//! their time comes or there are too many of them.

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use super::handles::Handle;

/// Fewer cancelled timers than this are not worth clearing out.
const FEW: usize = 100;

struct Timer {
    /// In seconds of the loop's clock.
    when: f64,
    /// Those of the same time go off in the order in which they were made.
    number: u64,
    handle: Py<PyAny>,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Timer) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Timer) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    /// The greatest is the one that goes off first.
    fn cmp(&self, other: &Timer) -> Ordering {
        other.when.total_cmp(&self.when).then(other.number.cmp(&self.number))
    }
}

#[derive(Default)]
pub struct Timers {
    heap: RefCell<BinaryHeap<Timer>>,
    number: Cell<u64>,
    /// How many in the heap are cancelled.
    cancelled: Cell<usize>,
}

impl Timers {
    pub fn push(&self, when: f64, handle: Bound<'_, PyAny>) {
        let number = self.number.get();
        self.number.set(number + 1);
        self.heap.borrow_mut().push(Timer { when, number, handle: handle.unbind() });
    }

    /// When the first goes off that is not cancelled.
    pub fn first(&self, py: Python<'_>) -> Option<f64> {
        loop {
            let heap = self.heap.borrow();
            let first = heap.peek()?;
            if !is_cancelled(py, first) {
                return Some(first.when);
            }
            drop(heap);
            self.pop(py);
        }
    }

    /// The first timer, if its time has come by `now`.
    pub fn pop_due<'py>(&self, py: Python<'py>, now: f64) -> Option<Bound<'py, PyAny>> {
        while self.heap.borrow().peek().is_some_and(|first| first.when <= now) {
            if let Some(handle) = self.pop(py) {
                return Some(handle);
            }
        }
        None
    }

    /// Takes the first out; gives it unless it is cancelled.
    fn pop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let timer = self.heap.borrow_mut().pop()?;
        let was_cancelled = is_cancelled(py, &timer);
        let handle = timer.handle.into_bound(py);
        // SAFETY: handles of timers alone are in the heap.
        if let Ok(timer) = unsafe { Handle::of(&handle) } {
            timer.unschedule();
        }
        if was_cancelled {
            self.cancelled.set(self.cancelled.get().saturating_sub(1));
            return None;
        }
        Some(handle)
    }

    /// Notes that one in the heap was cancelled; clears them out if they are the most.
    pub fn cancelled(&self, py: Python<'_>) {
        let cancelled = self.cancelled.get() + 1;
        self.cancelled.set(cancelled);
        if cancelled <= FEW || cancelled * 2 <= self.heap.borrow().len() {
            return;
        }
        let all = self.heap.take().into_vec();
        let (gone, left): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|timer| is_cancelled(py, timer));
        self.heap.replace(left.into());
        self.cancelled.set(0);
        for timer in &gone {
            let handle = timer.handle.bind(py);
            // SAFETY: as above.
            if let Ok(handle) = unsafe { Handle::of(handle) } {
                handle.unschedule();
            }
        }
        // It is whole again: to let them go may run anything.
        drop(gone);
    }

    pub fn clear(&self) {
        let heap = self.heap.take();
        self.cancelled.set(0);
        drop(heap);
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.heap.borrow().iter().try_for_each(|timer| visit.call(&timer.handle))
    }
}

fn is_cancelled(py: Python<'_>, timer: &Timer) -> bool {
    // SAFETY: handles of timers alone are in the heap.
    unsafe { Handle::of(timer.handle.bind(py)) }.is_ok_and(|handle| handle.is_cancelled())
}
