//! Addresses that came before: to make the tuple of one takes nearly as long as to receive a datagram, and so does
//! reading it from one.

use std::cell::RefCell;
use std::net::SocketAddr;

use pyo3::prelude::*;
use pyo3::types::{PyInt, PyString, PyTuple};
use rustc_hash::FxHashMap;

use super::{from_py, to_py};

/// So many are kept.
const MOST: usize = 256;

/// The addresses that a loop has met lately. All zeroes is none (see `ActiveTable`).
#[derive(Default)]
pub struct KnownAddresses(RefCell<Option<Box<Known>>>);

#[derive(Default)]
struct Known {
    tuples: FxHashMap<SocketAddr, Py<PyAny>>,
    /// The last one: most datagrams are answered.
    last: Option<(Py<PyAny>, SocketAddr)>,
}

// What is kept has strings and numbers in it and nothing else: to let go of it runs nothing of Python's.
impl KnownAddresses {
    /// The tuple of an address.
    pub fn tuple_of<'py>(
        &self,
        py: Python<'py>,
        address: SocketAddr,
    ) -> PyResult<Bound<'py, PyAny>> {
        let known = self
            .0
            .borrow()
            .as_ref()
            .and_then(|known| Some(known.tuples.get(&address)?.clone_ref(py)));
        let is_new = known.is_none();
        let tuple = match known {
            Some(known) => known.into_bound(py),
            // This may have garbage collected, which may run anything.
            None => to_py(py, address)?,
        };
        let mut known = self.0.borrow_mut();
        let known = known.get_or_insert_default();
        if is_new {
            if known.tuples.len() >= MOST {
                known.tuples.clear();
            }
            known.tuples.insert(address, tuple.clone().unbind());
        }
        known.last = Some((tuple.clone().unbind(), address));
        Ok(tuple)
    }

    /// The address in a tuple.
    pub fn address_in(&self, given: &Bound<'_, PyAny>) -> PyResult<SocketAddr> {
        if let Some(known) = &*self.0.borrow()
            && let Some((tuple, address)) = &known.last
            && tuple.is(given)
        {
            return Ok(*address);
        }
        let address = from_py(given)?;
        if is_plain(given) {
            let mut known = self.0.borrow_mut();
            known.get_or_insert_default().last = Some((given.clone().unbind(), address));
        }
        Ok(address)
    }
}

/// Whether it means the same each time, and runs nothing when it goes.
fn is_plain(address: &Bound<'_, PyAny>) -> bool {
    let is_plain = |item: Borrowed<'_, '_, PyAny>| {
        item.is_exact_instance_of::<PyString>() || item.is_exact_instance_of::<PyInt>()
    };
    address.cast_exact::<PyTuple>().is_ok_and(|tuple| tuple.iter_borrowed().all(is_plain))
}
