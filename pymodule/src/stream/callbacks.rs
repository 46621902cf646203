//! The callables of a stream's requests, where the garbage collector sees them.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use crate::life::slot::visit_pointer;

/// One callable, or none, for each write in flight, in the order of the writes; that is the order
/// in which the core reports them.
///
/// Most streams have at most one write in flight: that needs no allocation. All zeroes is an
/// empty queue, and whoever changes it is attached and owns the loop (see `ActiveTable`).
#[derive(Default)]
pub struct WriteCallbacks(UnsafeCell<Queue>);

#[derive(Default)]
struct Queue {
    /// The number of the first entry; they are counted over the stream's life.
    front: usize,
    has_first: bool,
    /// Null where the write has no callable.
    first: Callable,
    /// Boxed, since few streams ever have one.
    #[allow(clippy::box_collection)]
    rest: Option<Box<VecDeque<Callable>>>,
}

/// A reference that the queue owns, or null.
struct Callable(*mut ffi::PyObject);

impl Default for Callable {
    fn default() -> Callable {
        Callable(ptr::null_mut())
    }
}

// SAFETY: see the type's comment.
unsafe impl Send for WriteCallbacks {}
// SAFETY: as for Send.
unsafe impl Sync for WriteCallbacks {}

impl Queue {
    /// Takes the entry at `index`.
    fn take(&mut self, index: usize) -> Option<Callable> {
        if index > 0 {
            return self.rest.as_mut()?.remove(index - 1);
        }
        if !self.has_first {
            return None;
        }
        let next = self.rest.as_mut().and_then(|rest| rest.pop_front());
        self.has_first = next.is_some();
        Some(std::mem::replace(&mut self.first, next.unwrap_or_default()))
    }
}

impl WriteCallbacks {
    /// Notes a write, and says under which number.
    pub fn push(&self, callable: Option<Bound<'_, PyAny>>) -> usize {
        // SAFETY: nobody else has a reference into the cell; nothing below calls out.
        let queue = unsafe { &mut *self.0.get() };
        let callable = Callable(callable.map_or(ptr::null_mut(), Bound::into_ptr));
        if !queue.has_first {
            queue.has_first = true;
            queue.first = callable;
            return queue.front;
        }
        let rest = queue.rest.get_or_insert_default();
        rest.push_back(callable);
        queue.front + rest.len()
    }

    /// Forgets a write that is not to be reported.
    pub fn forget(&self, py: Python<'_>, number: usize) {
        // SAFETY: as in `push`; the callable is dropped after the borrow has ended.
        let queue = unsafe { &mut *self.0.get() };
        let callable = queue.take(number.wrapping_sub(queue.front));
        drop(callable.and_then(|callable| callable.into_bound(py)));
    }

    /// Puts what `f` makes of a write's callable in its place.
    pub fn exchange<'py>(
        &self,
        py: Python<'py>,
        number: usize,
        f: impl FnOnce(Option<Bound<'py, PyAny>>) -> Bound<'py, PyAny>,
    ) {
        // SAFETY: as in `push`; `f` is called after the borrow has ended, and makes nothing but the
        // new entry.
        let place = |queue: &mut Queue| match number.wrapping_sub(queue.front) {
            0 => queue.has_first.then_some(&raw mut queue.first),
            index => queue.rest.as_mut()?.get_mut(index - 1).map(|callable| &raw mut *callable),
        };
        // SAFETY: as above.
        let Some(place) = place(unsafe { &mut *self.0.get() }) else { return };
        // SAFETY: nobody changes the queue meanwhile.
        unsafe {
            let callable = std::mem::take(&mut *place).into_bound(py);
            *place = Callable(f(callable).into_ptr());
        }
    }

    /// The callable of the first write, which has ended.
    pub fn pop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        // SAFETY: as in `push`.
        let queue = unsafe { &mut *self.0.get() };
        let callable = queue.take(0)?;
        queue.front = queue.front.wrapping_add(1);
        callable.into_bound(py)
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: the collector runs while nobody changes the queue.
        let queue = unsafe { &*self.0.get() };
        visit_pointer(visit, queue.first.0)?;
        queue
            .rest
            .iter()
            .flat_map(|rest| rest.iter())
            .try_for_each(|callable| visit_pointer(visit, callable.0))
    }

    /// Lets go of every callable; the writes stay counted.
    pub fn clear(&self, py: Python<'_>) {
        // SAFETY: as in `push`; the callables are dropped after the borrow has ended.
        let queue = unsafe { &mut *self.0.get() };
        let mut taken = vec![std::mem::take(&mut queue.first)];
        if let Some(rest) = &mut queue.rest {
            taken.extend(rest.iter_mut().map(std::mem::take));
        }
        taken.into_iter().for_each(|callable| drop(callable.into_bound(py)));
    }
}

impl Callable {
    fn into_bound(self, py: Python<'_>) -> Option<Bound<'_, PyAny>> {
        // SAFETY: the queue's reference becomes the caller's.
        unsafe { Bound::from_owned_ptr_or_opt(py, self.0) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        while let Some(callable) = self.take(0) {
            // SAFETY: the queue's reference; Python objects are deallocated by attached threads.
            unsafe { ffi::Py_XDECREF(callable.0) };
        }
    }
}
