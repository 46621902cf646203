//! `uv_fs_t`: the machinery that every operation shares.

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;
use std::ptr;

use libuv_sys2 as uv;
use pyuv::request::{self, RawRequest};
use pyuv::{Code, Error, Job, Loop, Request, Result};

use crate::opened::close_unclaimed;
use crate::stat::Stat;
use crate::target::Target;

/// A filesystem operation that is ready to go.
///
/// What cannot be (a path that holds a NUL, an fd that is negative) is an error of `run` or
/// `submit`, before libuv sees it.
pub trait Operation: Sized {
    /// What it gives when it succeeds.
    type Output;

    /// Does it now, in this thread; blocks until it is done.
    fn run(self) -> Result<Self::Output>;

    /// Has it done by a thread of the pool as a [`Job`] (or by io_uring, see
    /// [`Configure::IoUring`](pyuv::Configure)), then `done` called on the loop's thread.
    ///
    /// `done` is not called if this fails, or if the loop is dropped before the operation is
    /// over; what it holds is dropped then.
    fn submit(
        self,
        event_loop: &Loop,
        done: impl FnOnce(Result<Self::Output>) + Send + 'static,
    ) -> Result<Request>;
}

/// A `uv_fs_t` of this crate's.
#[repr(transparent)]
struct FsRequest(uv::uv_fs_t);

// SAFETY: a uv_fs_t begins as a uv_req_t does and is plain C data; uv_fs_req_cleanup frees what
// libuv hung on it, and may be called on a request that libuv initialised and refused.
unsafe impl RawRequest for FsRequest {
    unsafe fn cleanup(request: *mut Self) {
        let request = request.cast::<uv::uv_fs_t>();
        // SAFETY: the caller submitted it, so it is initialised, and now it is over.
        unsafe {
            close_unclaimed(request);
            uv::uv_fs_req_cleanup(request);
        }
    }
}

/// What an operation gives, read off its finished request.
pub trait FromRequest: Sized {
    /// # Safety
    /// `request` has succeeded, belongs to an operation that gives such a result, and has not
    /// been cleaned up.
    unsafe fn from_request(request: *mut uv::uv_fs_t) -> Self;
}

impl FromRequest for () {
    unsafe fn from_request(_request: *mut uv::uv_fs_t) {}
}

/// A count of bytes.
impl FromRequest for usize {
    unsafe fn from_request(request: *mut uv::uv_fs_t) -> usize {
        // SAFETY: the request is finished, so the caller. It succeeded: not negative.
        unsafe { uv::uv_fs_get_result(request) as usize }
    }
}

impl FromRequest for Stat {
    unsafe fn from_request(request: *mut uv::uv_fs_t) -> Stat {
        // SAFETY: a stat that succeeded has filled the request's statbuf.
        Stat::from(unsafe { &*uv::uv_fs_get_statbuf(request) })
    }
}

/// A path.
impl FromRequest for Vec<u8> {
    unsafe fn from_request(request: *mut uv::uv_fs_t) -> Vec<u8> {
        // SAFETY: readlink and realpath that succeeded have a string as their result.
        unsafe { CStr::from_ptr(uv::uv_fs_get_ptr(request).cast()) }.to_bytes().to_vec()
    }
}

/// Runs `make`, in which `?` leads to an [`Op::start`] that is an error.
pub(crate) fn prepare<S>(make: impl FnOnce() -> Result<S>) -> Result<S> {
    make()
}

/// Everything an operation is made of.
///
/// `start` calls one `uv_fs_*` function, and returns what that returned; `finish` reads the result
/// off the request, and owns what libuv was lent for as long as the operation takes. The functions
/// that make one of these vouch for both.
pub(crate) struct Op<T, S, F> {
    pub(crate) target: T,
    /// An error here is about an argument.
    pub(crate) start: Result<S>,
    pub(crate) finish: F,
}

impl<T, S, F, Output> Operation for Op<T, S, F>
where
    T: Target,
    S: FnOnce(T::Raw, *mut uv::uv_loop_t, *mut uv::uv_fs_t, uv::uv_fs_cb) -> c_int + Send + 'static,
    F: FnOnce(*mut uv::uv_fs_t) -> Output + Send + 'static,
    Output: Send + 'static,
{
    type Output = Output;

    fn run(self) -> Result<Output> {
        self.target.check()?;
        blocking(&self.target, self.start?, self.finish)
    }

    fn submit(
        self,
        event_loop: &Loop,
        done: impl FnOnce(Result<Output>) + Send + 'static,
    ) -> Result<Request> {
        let Op { target, start, finish } = self;
        target.check()?;
        let start = start?;
        let target = target.into_owned();
        if event_loop.uses_io_uring() {
            return submit_to_libuv(event_loop, target, start, finish, done);
        }
        event_loop.submit(OnPool {
            target,
            work: Some((start, finish)),
            given: None,
            done: Some(done),
        })
    }
}

/// A request that is over, until it is cleaned up.
struct Finished(*mut uv::uv_fs_t);

impl Finished {
    /// # Safety
    /// The request is initialised, over, and cleaned up by this value's end alone.
    unsafe fn new(request: *mut uv::uv_fs_t) -> Finished {
        Finished(request)
    }

    fn output<Output>(
        self,
        status: c_int,
        target: &impl Target,
        finish: impl FnOnce(*mut uv::uv_fs_t) -> Output,
    ) -> Result<Output> {
        if status < 0 {
            return Err(Error::check(status, target.describe()).unwrap_err());
        }
        Ok(finish(self.0))
    }
}

impl Drop for Finished {
    fn drop(&mut self) {
        // SAFETY: whoever made this vouches for the request.
        unsafe { uv::uv_fs_req_cleanup(self.0) };
    }
}

/// An operation as a [`Job`]: libuv's blocking form of it, on a thread of the pool.
///
/// The result is read off there as well: the loop's thread is the one that has more to do, and the
/// request, half a kilobyte, need not go from one processor to the other.
struct OnPool<T, S, F, D, Output> {
    target: T,
    work: Option<(S, F)>,
    given: Option<Result<Output>>,
    done: Option<D>,
}

impl<T, S, F, D, Output> Job for OnPool<T, S, F, D, Output>
where
    T: Target + Send + 'static,
    S: FnOnce(T::Raw, *mut uv::uv_loop_t, *mut uv::uv_fs_t, uv::uv_fs_cb) -> c_int + Send + 'static,
    F: FnOnce(*mut uv::uv_fs_t) -> Output + Send + 'static,
    D: FnOnce(Result<Output>) + Send + 'static,
    Output: Send + 'static,
{
    fn run(&mut self) {
        if let Some((start, finish)) = self.work.take() {
            self.given = Some(blocking(&self.target, start, finish));
        }
    }

    fn done(&mut self, outcome: Result<()>) {
        let Some(done) = self.done.take() else { return };
        // What the operation was lent is let go before anybody is told.
        drop(self.work.take());
        done(match (outcome, self.given.take()) {
            (Ok(()), Some(given)) => given,
            (outcome, _) => {
                let code = outcome.err().and_then(|error| error.code()).unwrap_or(Code::UNKNOWN);
                Err(Error::new(code, self.target.describe()))
            }
        });
    }
}

/// Does an operation in this thread. Without a callback libuv uses no loop.
fn blocking<T: Target, Output>(
    target: &T,
    start: impl FnOnce(T::Raw, *mut uv::uv_loop_t, *mut uv::uv_fs_t, uv::uv_fs_cb) -> c_int,
    finish: impl FnOnce(*mut uv::uv_fs_t) -> Output,
) -> Result<Output> {
    let mut request = MaybeUninit::<uv::uv_fs_t>::uninit();
    let request = request.as_mut_ptr();
    let status = start(target.raw(), ptr::null_mut(), request, None);
    // SAFETY: `start` has initialised the request, which is cleaned up nowhere else.
    let finished = unsafe { Finished::new(request) };
    finished.output(status, target, finish)
}

/// Has libuv submit the operation: to io_uring where it can, otherwise to its pool.
fn submit_to_libuv<T, Output>(
    event_loop: &Loop,
    target: T,
    start: impl FnOnce(T::Raw, *mut uv::uv_loop_t, *mut uv::uv_fs_t, uv::uv_fs_cb) -> c_int,
    finish: impl FnOnce(*mut uv::uv_fs_t) -> Output + Send + 'static,
    done: impl FnOnce(Result<Output>) + Send + 'static,
) -> Result<Request>
where
    T: Target + Send + 'static,
{
    unsafe extern "C" fn on_done(request: *mut uv::uv_fs_t) {
        // SAFETY: libuv's callback for a request that was submitted below.
        unsafe { request::complete::<FsRequest>(request.cast(), 0) };
    }
    let raw = target.raw();
    let what = target.describe();
    // SAFETY: `start` calls one libuv function with the callback above. libuv copies paths and
    // lists of buffers; the buffers themselves are owned by `finish`.
    unsafe {
        request::submit::<FsRequest>(
            event_loop,
            || what,
            |event_loop, request| start(raw, event_loop, request.cast(), Some(on_done)),
            move |_, request, _| {
                let request = request.cast::<uv::uv_fs_t>();
                let result = uv::uv_fs_get_result(request);
                done(if result < 0 {
                    drop(finish);
                    Err(Error::check(result as i32, target.describe()).unwrap_err())
                } else {
                    Ok(finish(request))
                });
            },
        )
    }
}
