//! What a loop keeps alive: active handles, and requests in flight.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};
use pyuv::Held;

/// Strong references to Python objects, found again by key.
///
/// The table belongs to the Python `Loop`, as what its owner alone reaches (`Owned`), and is visited
/// by its `__traverse__`. A loop that runs is held by its `run` frame; one that nobody holds is
/// collected together with what is in here.
///
/// All zeroes is an empty table: CPython 3.11 may run the collector over an object whose memory it
/// has cleared and PyO3 has not filled yet.
///
/// Only attached threads use it, and none detaches or calls Python in the middle of a change: so
/// the collector, which runs in an attached thread or with all others stopped, sees it whole.
#[derive(Default)]
pub struct ActiveTable(RefCell<Option<Box<Entries>>>);

#[derive(Default)]
struct Entries {
    objects: Vec<Option<Py<PyAny>>>,
    free: Vec<usize>,
    cleared: bool,
}

impl ActiveTable {
    /// Keeps `object` and says under which key.
    pub fn insert(&self, object: Bound<'_, PyAny>) -> usize {
        let mut table = self.0.borrow_mut();
        let entries = table.get_or_insert_default();
        let object = Some(object.unbind());
        match entries.free.pop() {
            Some(key) => {
                entries.objects[key] = object;
                key
            }
            None => {
                entries.objects.push(object);
                entries.objects.len() - 1
            }
        }
    }

    /// Gives back what was kept under `key`, unless the table was cleared since.
    pub fn take<'py>(&self, py: Python<'py>, key: usize) -> Option<Bound<'py, PyAny>> {
        let mut table = self.0.borrow_mut();
        let entries = table.as_mut()?;
        let object = entries.objects.get_mut(key)?.take()?;
        entries.free.push(key);
        Some(object.into_bound(py))
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let table = self.0.borrow();
        let Some(entries) = &*table else { return Ok(()) };
        entries.objects.iter().flatten().try_for_each(|object| visit.call(object))
    }

    /// Whether the collector has taken the objects away. The loop must not run any more: its
    /// requests would look for theirs.
    pub fn is_cleared(&self) -> bool {
        self.0.borrow().as_ref().is_some_and(|entries| entries.cleared)
    }

    /// Lets go of everything.
    pub fn clear(&self) {
        let cleared = Box::new(Entries { cleared: true, ..Entries::default() });
        // The objects go when the table is whole again: that may run anything.
        let entries = self.0.replace(Some(cleared));
        drop(entries);
    }
}

/// The key of one object in its loop's table, or none. It is the loop's owner's, as the table is: each
/// use shows the table or that the loop is held.
pub struct ActiveKey(AtomicUsize);

const NONE: usize = usize::MAX;

impl Default for ActiveKey {
    fn default() -> ActiveKey {
        ActiveKey(AtomicUsize::new(NONE))
    }
}

impl ActiveKey {
    /// Has `table` keep `object` if it does not already.
    pub fn keep(&self, table: &ActiveTable, object: &Bound<'_, PyAny>) {
        if self.0.load(Ordering::Relaxed) == NONE {
            self.0.store(table.insert(object.clone()), Ordering::Relaxed);
        }
    }

    /// Whether a table keeps the object.
    #[inline]
    pub fn is_kept(&self, _held: &Held) -> bool {
        self.0.load(Ordering::Relaxed) != NONE
    }

    /// Has `table` let the object go if it kept it; what comes back may be the last reference.
    pub fn release<'py>(&self, table: &ActiveTable, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        match self.0.swap(NONE, Ordering::Relaxed) {
            NONE => None,
            key => table.take(py, key),
        }
    }
}
