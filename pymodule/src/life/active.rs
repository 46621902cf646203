//! What a loop keeps alive: active handles, and requests in flight.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pyclass::{PyTraverseError, PyVisit};

use super::slot::visit_pointer;

/// Strong references to Python objects, found again by key.
///
/// The table belongs to the Python `Loop` and is visited by its `__traverse__`. A loop that runs
/// is held by its `run` frame; one that nobody holds is collected together with what is in here.
///
/// All zeroes is an empty table: CPython 3.11 may run the collector over an object whose memory it
/// has cleared and PyO3 has not filled yet.
///
/// Only attached threads use it, and none detaches or calls Python in the middle of a change: so
/// the collector, which runs in an attached thread or with all others stopped, sees it whole.
#[derive(Default)]
pub struct ActiveTable(UnsafeCell<Option<Box<Entries>>>);

#[derive(Default)]
struct Entries {
    objects: Vec<*mut ffi::PyObject>,
    free: Vec<usize>,
    cleared: bool,
}

// SAFETY: see the type's comment. Changes are made by the thread that owns the loop.
unsafe impl Send for ActiveTable {}
// SAFETY: as for Send.
unsafe impl Sync for ActiveTable {}

impl ActiveTable {
    /// Keeps `object` and says under which key.
    pub fn insert(&self, object: Bound<'_, PyAny>) -> usize {
        // SAFETY: nobody else has a reference into the cell; nothing below calls out.
        let entries = unsafe { &mut *self.0.get() }.get_or_insert_default();
        let object = object.into_ptr();
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
        // SAFETY: as in `insert`.
        let entries = unsafe { &mut *self.0.get() }.as_mut()?;
        let object = std::mem::replace(entries.objects.get_mut(key)?, std::ptr::null_mut());
        if !object.is_null() {
            entries.free.push(key);
        }
        // SAFETY: the table's reference becomes the caller's.
        unsafe { Bound::from_owned_ptr_or_opt(py, object) }
    }

    pub fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // SAFETY: the collector runs while nobody changes the table.
        let Some(entries) = (unsafe { &*self.0.get() }) else { return Ok(()) };
        entries.objects.iter().try_for_each(|object| visit_pointer(visit, *object))
    }

    /// Whether the collector has taken the objects away. The loop must not run any more: its
    /// requests would look for theirs.
    pub fn is_cleared(&self) -> bool {
        // SAFETY: as in `insert`.
        unsafe { (*self.0.get()).as_ref().is_some_and(|entries| entries.cleared) }
    }

    /// Lets go of everything.
    pub fn clear(&self, py: Python<'_>) {
        let cleared = Box::new(Entries { cleared: true, ..Entries::default() });
        // SAFETY: as in `insert`; the objects are dropped after the borrow has ended.
        let entries = unsafe { (*self.0.get()).replace(cleared) }.unwrap_or_default();
        for object in entries.objects {
            // SAFETY: the table's references.
            drop(unsafe { Bound::from_owned_ptr_or_opt(py, object) });
        }
    }
}

impl Drop for ActiveTable {
    fn drop(&mut self) {
        for object in self.0.get_mut().take().map_or_else(Vec::new, |entries| entries.objects) {
            // SAFETY: the table's references; a Loop is deallocated by an attached thread.
            unsafe { ffi::Py_XDECREF(object) };
        }
    }
}

/// The key of one object in its loop's table, or none.
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
    pub fn is_kept(&self) -> bool {
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
