//! libuv's kinds of handle, and which of them fits a file descriptor.

use libuv_sys2 as uv;

macro_rules! handle_types {
    ($($name:ident = $constant:ident,)*) => {
        /// A kind of handle (`uv_handle_type`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum HandleType {
            $(
                #[doc = concat!("`", stringify!($constant), "`")]
                $name,
            )*
        }

        impl HandleType {
            /// libuv's number for it.
            pub fn as_raw(self) -> u32 {
                match self {
                    $(HandleType::$name => uv::$constant as u32,)*
                }
            }

            /// The kind with libuv's number `raw`; [`HandleType::Unknown`] for any other number.
            pub fn from_raw(raw: u32) -> HandleType {
                $(
                    if raw == uv::$constant as u32 {
                        return HandleType::$name;
                    }
                )*
                HandleType::Unknown
            }
        }
    };
}

handle_types! {
    Unknown = uv_handle_type_UV_UNKNOWN_HANDLE,
    Async = uv_handle_type_UV_ASYNC,
    Check = uv_handle_type_UV_CHECK,
    FsEvent = uv_handle_type_UV_FS_EVENT,
    FsPoll = uv_handle_type_UV_FS_POLL,
    Handle = uv_handle_type_UV_HANDLE,
    Idle = uv_handle_type_UV_IDLE,
    NamedPipe = uv_handle_type_UV_NAMED_PIPE,
    Poll = uv_handle_type_UV_POLL,
    Prepare = uv_handle_type_UV_PREPARE,
    Process = uv_handle_type_UV_PROCESS,
    Stream = uv_handle_type_UV_STREAM,
    Tcp = uv_handle_type_UV_TCP,
    Timer = uv_handle_type_UV_TIMER,
    Tty = uv_handle_type_UV_TTY,
    Udp = uv_handle_type_UV_UDP,
    Signal = uv_handle_type_UV_SIGNAL,
    File = uv_handle_type_UV_FILE,
}

/// The kind of handle that fits the file behind `fd` (`uv_guess_handle`).
///
/// One of `Tty`, `File` (a regular file or a character device), `NamedPipe` (a FIFO or a Unix
/// socket), `Tcp` and `Udp`; `Unknown` for every other file and for a number that is no open
/// file descriptor.
pub fn guess_handle_type(fd: i32) -> HandleType {
    // SAFETY: libuv asks the system about the number and keeps nothing.
    HandleType::from_raw(unsafe { uv::uv_guess_handle(fd) } as u32)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::File;
    use std::net::{TcpListener, UdpSocket};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn each_kind_of_file_is_recognised() {
        let file = File::open("/dev/null").unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (pipe, _other) = UnixStream::pair().unwrap();
        assert_eq!(guess_handle_type(file.as_raw_fd()), HandleType::File);
        assert_eq!(guess_handle_type(tcp.as_raw_fd()), HandleType::Tcp);
        assert_eq!(guess_handle_type(udp.as_raw_fd()), HandleType::Udp);
        assert_eq!(guess_handle_type(pipe.as_raw_fd()), HandleType::NamedPipe);
    }

    #[test]
    fn what_is_no_file_descriptor_is_unknown() {
        for fd in [-1, i32::MIN, i32::MAX] {
            assert_eq!(guess_handle_type(fd), HandleType::Unknown);
        }
    }

    #[test]
    fn every_number_goes_there_and_back() {
        for raw in 0..=HandleType::File.as_raw() {
            assert_eq!(HandleType::from_raw(raw).as_raw(), raw);
        }
        assert_eq!(HandleType::from_raw(99), HandleType::Unknown);
    }
}
