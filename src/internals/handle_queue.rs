//! `handle_queue`, the list of a loop's handles (`uv_spawn` in `unix/process.c`).

use std::ptr;

use libuv_sys2 as uv;

/// Whether libuv has the handle in its list, so that it has to be closed. Where it fails before it has tried to
/// start the program, `uv_spawn` takes it out, and closing would do so once more.
///
/// # Safety
/// `handle` was in its loop's list just now.
pub(crate) unsafe fn has(handle: *mut uv::uv_process_t) -> bool {
    // SAFETY: the queue's links, also those of an entry taken out just now, lead to its neighbours, which are
    // handles of the loop or the loop's own entry.
    unsafe {
        let entry = &raw mut (*handle).handle_queue;
        ptr::eq((*(*entry).next).prev, entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Loop, Timer};

    #[test]
    fn a_handle_is_in_it_from_init_on() {
        let event_loop = Loop::new().unwrap();
        let timer = Timer::new(&event_loop).unwrap();
        // SAFETY: every handle begins with the same fields, the list's among them.
        assert!(unsafe { has(timer.uv()) });
    }
}
