//! `wq`, `wq_mutex` and `active_reqs`, and the fields of `uv__work`: what the thread pool had in hand for a loop
//! when the process forked (`threadpool.c`).
//!
//! The pool's threads stay behind in the parent, and the child's loop would wait for ever for what
//! they were doing there. What they had told the loop of is told here as well; the rest is
//! cancelled.

use std::collections::HashSet;
use std::os::raw::c_int;
use std::ptr;

use libuv_sys2 as uv;

use crate::error::Code;
use crate::r#loop::Held;

type Node = *mut uv::uv__queue;

impl Held {
    /// For the owner, in a forked child, after `uv_loop_fork`: has the loop told of every request
    /// that it gave to the parent's pool.
    pub(crate) fn find_lost_requests(&self) {
        let event_loop = self.uv();
        // SAFETY: the loop is open, and nobody else is in this process. A thread of the parent's
        // may have held the mutex at the fork, so it is made anew and not touched before that.
        let told = unsafe {
            uv::uv_mutex_init(&raw mut (*event_loop).wq_mutex);
            mend(&raw mut (*event_loop).wq)
        };
        self.requests.for_each_of_the_pool(|request| {
            // SAFETY: the request is in flight on this loop.
            let Some(work) = (unsafe { work_of(request) }) else { return };
            // SAFETY: as above; the field is a part of it.
            let node = unsafe { &raw mut (*work).wq };
            if !told.contains(&node) {
                // SAFETY: the request is on no list of the loop's. Those of the pool are empty, for
                // libuv makes them anew in a child before it uses them.
                unsafe { cancel(request, work) };
            }
        });
        // libuv has forgotten that the wakeup for what had ended was sent.
        // SAFETY: the loop is open and ours, and the handle one that libuv has in every loop.
        unsafe { uv::uv_async_send(&raw mut (*event_loop).wq_async) };
    }
}

/// Has a loop not wait for a request of its own that no thread has any more.
pub(crate) fn discount(held: &Held) {
    // SAFETY: the loop is open and the caller's; the field is a count of libuv's.
    unsafe { (*held.uv()).active_reqs.count -= 1 };
}

/// Sets the backward links of a list right, which a thread may have been about to set at the fork
/// (the forward ones come first), and gives its nodes.
///
/// # Safety
/// `head` is the head of a list that nobody else uses.
unsafe fn mend(head: Node) -> HashSet<Node> {
    let mut nodes = HashSet::new();
    let mut node = head;
    loop {
        // SAFETY: the list is a ring of nodes that are alive.
        unsafe {
            let next = (*node).next;
            (*next).prev = node;
            node = next;
        }
        if node == head {
            return nodes;
        }
        nodes.insert(node);
    }
}

/// What libuv's pool knows of a request; `None` for one that is none of its.
///
/// # Safety
/// The request is in flight.
unsafe fn work_of(request: *mut uv::uv_req_t) -> Option<*mut uv::uv__work> {
    // SAFETY: the type says which struct of libuv's it is.
    unsafe {
        Some(match (*request).type_ {
            uv::uv_req_type_UV_WORK => &raw mut (*request.cast::<uv::uv_work_t>()).work_req,
            uv::uv_req_type_UV_FS => &raw mut (*request.cast::<uv::uv_fs_t>()).work_req,
            uv::uv_req_type_UV_GETADDRINFO => {
                &raw mut (*request.cast::<uv::uv_getaddrinfo_t>()).work_req
            }
            uv::uv_req_type_UV_GETNAMEINFO => {
                &raw mut (*request.cast::<uv::uv_getnameinfo_t>()).work_req
            }
            uv::uv_req_type_UV_RANDOM => &raw mut (*request.cast::<uv::uv_random_t>()).work_req,
            _ => return None,
        })
    }
}

/// Cancels a request that no thread has any more: makes it look like one that waits for a thread,
/// and leaves the rest to `uv_cancel`.
///
/// # Safety
/// The request is in flight, `work` is its, and no list leads to it.
unsafe fn cancel(request: *mut uv::uv_req_t, work: *mut uv::uv__work) {
    unsafe extern "C" fn never(_work: *mut uv::uv__work) {}
    let mut list = uv::uv__queue { next: ptr::null_mut(), prev: ptr::null_mut() };
    // SAFETY: as the caller says; `uv_cancel` takes the request off the list of two again.
    let status = unsafe {
        let node = &raw mut (*work).wq;
        list.next = node;
        list.prev = node;
        (*node).next = &raw mut list;
        (*node).prev = &raw mut list;
        (*work).work = Some(never);
        // libuv asserts that what is cancelled has no result yet; a thread may have left one.
        match (*request).type_ {
            uv::uv_req_type_UV_FS => (*request.cast::<uv::uv_fs_t>()).result = 0,
            uv::uv_req_type_UV_GETADDRINFO => {
                (*request.cast::<uv::uv_getaddrinfo_t>()).retcode = 0;
            }
            uv::uv_req_type_UV_GETNAMEINFO => {
                (*request.cast::<uv::uv_getnameinfo_t>()).retcode = 0;
            }
            _ => {}
        }
        if (*work).done.is_none() {
            // io_uring had it, whose ring the parent has kept.
            (*work).done = Some(on_ring_lost);
        }
        uv::uv_cancel(request)
    };
    debug_assert_eq!(status, 0, "a request that waits can be cancelled");
}

/// The end of a filesystem request that was on the parent's ring.
unsafe extern "C" fn on_ring_lost(work: *mut uv::uv__work, _status: c_int) {
    let request = work.wrapping_byte_sub(std::mem::offset_of!(uv::uv_fs_t, work_req));
    let request = request.cast::<uv::uv_fs_t>();
    // SAFETY: `cancel` found the work in a uv_fs_t that is in flight; this is how libuv ends one.
    unsafe {
        (*(*request).loop_).active_reqs.count -= 1;
        (*request).result = Code::ECANCELED.0 as _;
        if let Some(callback) = (*request).cb {
            callback(request);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::{Loop, RunMode};

    #[test]
    fn a_request_that_waits_looks_as_libuv_makes_it() {
        let event_loop = Loop::new().unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let waits = move || _ = gate.recv();
        let request = event_loop.queue_work(waits, |_| ()).unwrap();
        let held = event_loop.hold().unwrap();
        // SAFETY: the loop is open and this thread's.
        assert_eq!(unsafe { (*held.uv()).active_reqs.count }, 1);
        let mut seen = 0;
        held.requests.for_each_of_the_pool(|raw| {
            // SAFETY: the request is in flight.
            let work = unsafe { work_of(raw).unwrap() };
            // SAFETY: as above; no thread changes these two before the work has ended.
            unsafe {
                assert!((*work).work.is_some() && (*work).done.is_some());
            }
            seen += 1;
        });
        assert_eq!(seen, 1);
        drop(release);
        event_loop.run(RunMode::Default).unwrap();
        // SAFETY: as above.
        assert_eq!(unsafe { (*held.uv()).active_reqs.count }, 0);
        drop(request);
    }
}
