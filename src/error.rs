//! What can go wrong: a libuv error code and what was being tried.

use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt;

use libuv_sys2 as uv;

/// The result of every fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A libuv error code: always negative (`UV_ENOENT` and its kin).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub i32);

macro_rules! codes {
    ($($name:ident = $constant:ident,)*) => {
        impl Code {
            $(
                #[doc = concat!("`UV_", stringify!($name), "`")]
                pub const $name: Code = Code(uv::$constant);
            )*

            /// Every code of libuv with its name (`"UV_ENOENT"`), in libuv's order.
            pub const ALL: &'static [(&'static str, Code)] = &[
                $((concat!("UV_", stringify!($name)), Code::$name),)*
            ];
        }
    };
}

codes! {
    E2BIG = uv_errno_t_UV_E2BIG,
    EACCES = uv_errno_t_UV_EACCES,
    EADDRINUSE = uv_errno_t_UV_EADDRINUSE,
    EADDRNOTAVAIL = uv_errno_t_UV_EADDRNOTAVAIL,
    EAFNOSUPPORT = uv_errno_t_UV_EAFNOSUPPORT,
    EAGAIN = uv_errno_t_UV_EAGAIN,
    EAI_ADDRFAMILY = uv_errno_t_UV_EAI_ADDRFAMILY,
    EAI_AGAIN = uv_errno_t_UV_EAI_AGAIN,
    EAI_BADFLAGS = uv_errno_t_UV_EAI_BADFLAGS,
    EAI_BADHINTS = uv_errno_t_UV_EAI_BADHINTS,
    EAI_CANCELED = uv_errno_t_UV_EAI_CANCELED,
    EAI_FAIL = uv_errno_t_UV_EAI_FAIL,
    EAI_FAMILY = uv_errno_t_UV_EAI_FAMILY,
    EAI_MEMORY = uv_errno_t_UV_EAI_MEMORY,
    EAI_NODATA = uv_errno_t_UV_EAI_NODATA,
    EAI_NONAME = uv_errno_t_UV_EAI_NONAME,
    EAI_OVERFLOW = uv_errno_t_UV_EAI_OVERFLOW,
    EAI_PROTOCOL = uv_errno_t_UV_EAI_PROTOCOL,
    EAI_SERVICE = uv_errno_t_UV_EAI_SERVICE,
    EAI_SOCKTYPE = uv_errno_t_UV_EAI_SOCKTYPE,
    EALREADY = uv_errno_t_UV_EALREADY,
    EBADF = uv_errno_t_UV_EBADF,
    EBUSY = uv_errno_t_UV_EBUSY,
    ECANCELED = uv_errno_t_UV_ECANCELED,
    ECHARSET = uv_errno_t_UV_ECHARSET,
    ECONNABORTED = uv_errno_t_UV_ECONNABORTED,
    ECONNREFUSED = uv_errno_t_UV_ECONNREFUSED,
    ECONNRESET = uv_errno_t_UV_ECONNRESET,
    EDESTADDRREQ = uv_errno_t_UV_EDESTADDRREQ,
    EEXIST = uv_errno_t_UV_EEXIST,
    EFAULT = uv_errno_t_UV_EFAULT,
    EFBIG = uv_errno_t_UV_EFBIG,
    EHOSTUNREACH = uv_errno_t_UV_EHOSTUNREACH,
    EINTR = uv_errno_t_UV_EINTR,
    EINVAL = uv_errno_t_UV_EINVAL,
    EIO = uv_errno_t_UV_EIO,
    EISCONN = uv_errno_t_UV_EISCONN,
    EISDIR = uv_errno_t_UV_EISDIR,
    ELOOP = uv_errno_t_UV_ELOOP,
    EMFILE = uv_errno_t_UV_EMFILE,
    EMSGSIZE = uv_errno_t_UV_EMSGSIZE,
    ENAMETOOLONG = uv_errno_t_UV_ENAMETOOLONG,
    ENETDOWN = uv_errno_t_UV_ENETDOWN,
    ENETUNREACH = uv_errno_t_UV_ENETUNREACH,
    ENFILE = uv_errno_t_UV_ENFILE,
    ENOBUFS = uv_errno_t_UV_ENOBUFS,
    ENODEV = uv_errno_t_UV_ENODEV,
    ENOENT = uv_errno_t_UV_ENOENT,
    ENOMEM = uv_errno_t_UV_ENOMEM,
    ENONET = uv_errno_t_UV_ENONET,
    ENOPROTOOPT = uv_errno_t_UV_ENOPROTOOPT,
    ENOSPC = uv_errno_t_UV_ENOSPC,
    ENOSYS = uv_errno_t_UV_ENOSYS,
    ENOTCONN = uv_errno_t_UV_ENOTCONN,
    ENOTDIR = uv_errno_t_UV_ENOTDIR,
    ENOTEMPTY = uv_errno_t_UV_ENOTEMPTY,
    ENOTSOCK = uv_errno_t_UV_ENOTSOCK,
    ENOTSUP = uv_errno_t_UV_ENOTSUP,
    EOVERFLOW = uv_errno_t_UV_EOVERFLOW,
    EPERM = uv_errno_t_UV_EPERM,
    EPIPE = uv_errno_t_UV_EPIPE,
    EPROTO = uv_errno_t_UV_EPROTO,
    EPROTONOSUPPORT = uv_errno_t_UV_EPROTONOSUPPORT,
    EPROTOTYPE = uv_errno_t_UV_EPROTOTYPE,
    ERANGE = uv_errno_t_UV_ERANGE,
    EROFS = uv_errno_t_UV_EROFS,
    ESHUTDOWN = uv_errno_t_UV_ESHUTDOWN,
    ESPIPE = uv_errno_t_UV_ESPIPE,
    ESRCH = uv_errno_t_UV_ESRCH,
    ETIMEDOUT = uv_errno_t_UV_ETIMEDOUT,
    ETXTBSY = uv_errno_t_UV_ETXTBSY,
    EXDEV = uv_errno_t_UV_EXDEV,
    UNKNOWN = uv_errno_t_UV_UNKNOWN,
    EOF = uv_errno_t_UV_EOF,
    ENXIO = uv_errno_t_UV_ENXIO,
    EMLINK = uv_errno_t_UV_EMLINK,
    EHOSTDOWN = uv_errno_t_UV_EHOSTDOWN,
    EREMOTEIO = uv_errno_t_UV_EREMOTEIO,
    ENOTTY = uv_errno_t_UV_ENOTTY,
    EFTYPE = uv_errno_t_UV_EFTYPE,
    EILSEQ = uv_errno_t_UV_EILSEQ,
    ESOCKTNOSUPPORT = uv_errno_t_UV_ESOCKTNOSUPPORT,
    ENODATA = uv_errno_t_UV_ENODATA,
    EUNATCH = uv_errno_t_UV_EUNATCH,
    ENOEXEC = uv_errno_t_UV_ENOEXEC,
}

impl Code {
    /// `None` when libuv returned success (zero or a count), the code otherwise.
    pub fn check(status: i32) -> std::result::Result<i32, Code> {
        if status < 0 { Err(Code(status)) } else { Ok(status) }
    }

    /// libuv's message for this code (`uv_strerror_r`).
    pub fn message(self) -> String {
        // SAFETY: uv_strerror_r writes at most the length given and ends it with a NUL.
        self.text(|code, buffer, length| unsafe { uv::uv_strerror_r(code, buffer, length) })
    }

    /// The code's name without its `UV_` (`uv_err_name_r`): `"ENOENT"`.
    pub fn name(self) -> String {
        // SAFETY: as for `uv_strerror_r`.
        self.text(|code, buffer, length| unsafe { uv::uv_err_name_r(code, buffer, length) })
    }

    fn text(
        self,
        fill: impl Fn(i32, *mut std::ffi::c_char, usize) -> *mut std::ffi::c_char,
    ) -> String {
        let mut buffer = [0u8; 128];
        fill(self.0, buffer.as_mut_ptr().cast(), buffer.len());
        CStr::from_bytes_until_nul(&buffer)
            .map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UV_{}", self.name())
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

/// Why a call failed: two words in size, so that a [`Result`] of it comes back in registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// libuv said no.
    Uv(Box<Failure>),
    /// The handle was closed before this call.
    HandleClosed,
    /// The loop was closed before this call.
    LoopClosed,
    /// The loop is in use by another thread.
    WrongThread,
    /// The process forked, and this loop has not been through [`Loop::fork`](crate::Loop::fork).
    Forked,
    /// `run` was called from inside one of the loop's own callbacks.
    AlreadyRunning,
    /// A callback panicked; the text is the panic's message.
    Panicked(Box<Cow<'static, str>>),
}

/// What libuv refused, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// libuv's code.
    pub code: Code,
    /// What was tried: the path, address or argument. Empty where the code says it all.
    pub what: Cow<'static, str>,
    /// The call that it was tried in, or empty.
    pub call: &'static str,
    /// For a write that ended before everything was out: how many bytes are where they should be.
    pub written: Option<u64>,
}

/// What was tried, in words that are put together only for an error.
pub trait What {
    /// The words.
    fn text(self) -> Cow<'static, str>;
}

impl What for &'static str {
    fn text(self) -> Cow<'static, str> {
        self.into()
    }
}

impl What for String {
    fn text(self) -> Cow<'static, str> {
        self.into()
    }
}

impl What for Cow<'static, str> {
    fn text(self) -> Cow<'static, str> {
        self
    }
}

impl What for fmt::Arguments<'_> {
    fn text(self) -> Cow<'static, str> {
        fmt::format(self).into()
    }
}

impl Error {
    /// A libuv code with what was tried.
    #[cold]
    pub fn new(code: Code, what: impl Into<Cow<'static, str>>) -> Error {
        Error::Uv(Box::new(Failure { code, what: what.into(), call: "", written: None }))
    }

    /// A callback's panic with its message.
    #[cold]
    pub fn panicked(message: impl Into<Cow<'static, str>>) -> Error {
        Error::Panicked(Box::new(message.into()))
    }

    /// Turns a status libuv returned into a result; `what` says what was tried. As `format_args!` it
    /// costs nothing unless it failed.
    pub fn check(status: i32, what: impl What) -> Result<i32> {
        Code::check(status).map_err(|code| Error::new(code, what.text()))
    }

    /// The libuv code, for the errors that have one.
    pub fn code(&self) -> Option<Code> {
        self.failure().map(|failure| failure.code)
    }

    /// How many bytes a write had put out when it failed, for the errors that know.
    pub fn written(&self) -> Option<u64> {
        self.failure().and_then(|failure| failure.written)
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Error::Uv(failure) => Some(failure),
            _ => None,
        }
    }

    /// The same error of libuv's, of trying `what` with nothing more known; another as it is.
    pub fn about(self, what: impl What) -> Error {
        match self {
            Error::Uv(failure) => Error::new(failure.code, what.text()),
            other => other,
        }
    }

    /// The same error of libuv's, as one of `call`; one that knows its call already as it is.
    pub fn in_call(mut self, call: &'static str) -> Error {
        if let Error::Uv(failure) = &mut self
            && failure.call.is_empty()
        {
            failure.call = call;
        }
        self
    }

    /// The same error of libuv's, with how many bytes were written before it; another error as
    /// it is, and one that knows already.
    pub fn after_writing(mut self, written: u64) -> Error {
        if let Error::Uv(failure) = &mut self {
            failure.written.get_or_insert(written);
        }
        self
    }
}

/// `address already in use: 127.0.0.1:80 (bind)`
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { code, what, call, written } = self;
        write!(f, "{code}")?;
        // Where nothing but a function of libuv's is known, the call says more.
        if !what.is_empty() && (call.is_empty() || !what.starts_with("uv_")) {
            write!(f, ": {what}")?;
        }
        if !call.is_empty() {
            write!(f, " ({call})")?;
        }
        match written {
            Some(written) => write!(f, "; {written} bytes were written"),
            None => Ok(()),
        }
    }
}

impl From<Code> for Error {
    fn from(code: Code) -> Error {
        Error::new(code, "")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Uv(failure) => write!(f, "{failure}"),
            Error::HandleClosed => f.write_str("the handle is closed"),
            Error::LoopClosed => f.write_str("the loop is closed"),
            Error::WrongThread => f.write_str(
                "the loop is in use by another thread; only Async.send may be called from there",
            ),
            Error::Forked => f.write_str(
                "the process forked: call Loop.fork() in the child before using the loop there",
            ),
            Error::AlreadyRunning => f.write_str("the loop is already running"),
            Error::Panicked(message) => write!(f, "a callback panicked: {message}"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_fits_two_registers() {
        assert_eq!(size_of::<Result<()>>(), 2 * size_of::<usize>());
    }

    #[test]
    fn codes_have_names_and_messages() {
        assert_eq!(Code::ENOENT.name(), "ENOENT");
        assert_eq!(Code::ENOENT.to_string(), "no such file or directory");
        assert_eq!(format!("{:?}", Code::EOF), "UV_EOF");
    }

    #[test]
    fn every_code_is_negative_and_named_as_libuv_names_it() {
        for (name, code) in Code::ALL {
            assert!(code.0 < 0, "{name}");
            assert_eq!(*name, format!("UV_{}", code.name()));
        }
    }

    #[test]
    fn an_error_says_what_was_tried() {
        let error = Error::new(Code::ENOENT, "/no/such/file");
        assert_eq!(error.to_string(), "no such file or directory: /no/such/file");
        assert_eq!(error.code(), Some(Code::ENOENT));
        assert_eq!(Error::check(3, "read"), Ok(3));
    }

    #[test]
    fn an_error_says_which_call_it_was() {
        let text = |what: &'static str| Error::new(Code::EINVAL, what).in_call("bind").to_string();
        assert_eq!(text("127.0.0.1:80"), "invalid argument: 127.0.0.1:80 (bind)");
        assert_eq!(text("uv_tcp_bind"), "invalid argument (bind)");
        assert_eq!(text(""), "invalid argument (bind)");
        let error = Error::new(Code::EIO, "file").in_call("write").after_writing(7);
        assert_eq!(error.to_string(), "i/o error: file (write); 7 bytes were written");
        assert_eq!(error.clone().in_call("close"), error);
        assert_eq!(Error::HandleClosed.in_call("bind"), Error::HandleClosed);
    }

    #[test]
    fn an_unfinished_write_says_how_far_it_came() {
        let error = Error::new(Code::ENOSPC, "file").after_writing(7);
        assert_eq!(error.to_string(), "no space left on device: file; 7 bytes were written");
        assert_eq!((error.code(), error.written()), (Some(Code::ENOSPC), Some(7)));
        assert_eq!(error.clone().after_writing(9), error);
        assert_eq!(Error::LoopClosed.after_writing(9), Error::LoopClosed);
        assert_eq!(Error::from(Code::EIO).written(), None);
    }
}
