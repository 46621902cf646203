//! The callables of a stream's requests, where the garbage collector sees them.

use std::cell::RefCell;
use std::collections::VecDeque;

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

/// One callable, or none, for each write in flight, in the order of the writes; that is the order
/// in which the core reports them.
///
/// Most streams have at most one write in flight: that needs no allocation. All zeroes is an
/// empty queue, and whoever changes it is attached and owns the loop (see `ActiveTable`).
#[derive(Default)]
pub struct WriteCallbacks(RefCell<Queue>);

#[derive(Default)]
struct Queue {
    /// The number of the first entry; they are counted over the stream's life.
    front: usize,
    has_first: bool,
    first: Callable,
    /// Boxed, since few streams ever have one.
    #[allow(clippy::box_collection)]
    rest: Option<Box<VecDeque<Callable>>>,
}

/// None where the write has no callable.
type Callable = Option<Py<PyAny>>;

impl Queue {
    /// The entry at `index`.
    fn at(&mut self, index: usize) -> Option<&mut Callable> {
        match index {
            0 => self.has_first.then_some(&mut self.first),
            _ => self.rest.as_mut()?.get_mut(index - 1),
        }
    }

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
        let mut queue = self.0.borrow_mut();
        let callable = callable.map(Bound::unbind);
        if !queue.has_first {
            queue.has_first = true;
            queue.first = callable;
            return queue.front;
        }
        let rest = queue.rest.get_or_insert_default();
        rest.push_back(callable);
        let behind = rest.len();
        queue.front + behind
    }

    /// Forgets a write that is not to be reported, and gives its callable back.
    pub fn forget<'py>(&self, py: Python<'py>, number: usize) -> Option<Bound<'py, PyAny>> {
        let mut queue = self.0.borrow_mut();
        let index = number.wrapping_sub(queue.front);
        Some(queue.take(index)??.into_bound(py))
    }

    /// Puts what `f` makes of a write's callable in its place.
    pub fn exchange<'py>(
        &self,
        py: Python<'py>,
        number: usize,
        f: impl FnOnce(Option<Bound<'py, PyAny>>) -> Bound<'py, PyAny>,
    ) {
        let index = number.wrapping_sub(self.0.borrow().front);
        let callable = self.0.borrow_mut().at(index).map(Option::take);
        let Some(callable) = callable else { return };
        // Nothing is borrowed meanwhile; it makes nothing but the new entry.
        let new = f(callable.map(|callable| callable.into_bound(py))).unbind();
        if let Some(place) = self.0.borrow_mut().at(index) {
            *place = Some(new);
        }
    }

    /// The callable of the first write, which has ended.
    pub fn pop<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let mut queue = self.0.borrow_mut();
        let callable = queue.take(0)?;
        queue.front = queue.front.wrapping_add(1);
        Some(callable?.into_bound(py))
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let queue = self.0.borrow();
        visit.call(&queue.first)?;
        let rest = queue.rest.iter().flat_map(|rest| rest.iter());
        rest.flatten().try_for_each(|callable| visit.call(callable))
    }

    /// Lets go of every callable; the writes stay counted.
    pub fn clear(&self) {
        let mut queue = self.0.borrow_mut();
        let mut taken = vec![queue.first.take()];
        if let Some(rest) = &mut queue.rest {
            taken.extend(rest.iter_mut().map(Option::take));
        }
        // They go when the queue is whole again: that may run anything.
        drop(queue);
        drop(taken);
    }
}
