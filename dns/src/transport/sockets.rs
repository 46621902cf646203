//! The functions that c-ares calls for its sockets (`ares_socket_functions_ex`): what its own do, with
//! the messages in between.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::mem::{self, MaybeUninit};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::{ptr, slice};

use c_ares_sys as sys;
use libc::{sockaddr, socklen_t};
use pyuv::address;

use super::exchange::Given;
use super::stream::Stream;
use super::{Connection, State, Transport};

/// How much of a TCP connection is read at a time.
const PIECE: usize = 1 << 14;

pub(super) fn install(channel: &c_ares::Channel, transport: &Arc<Transport>) {
    let functions = sys::ares_socket_functions_ex {
        version: 1,
        flags: sys::ares_sockfunc_flags_t::ARES_SOCKFUNC_FLAG_NONBLOCKING as c_uint,
        asocket: Some(on_socket),
        aclose: Some(on_close),
        asetsockopt: Some(on_option),
        aconnect: Some(on_connect),
        arecvfrom: Some(on_receive),
        asendto: Some(on_send),
        agetsockname: Some(on_own_address),
        abind: Some(on_bind),
        aif_nametoindex: Some(on_interface_name),
        aif_indextoname: Some(on_interface_number),
    };
    // SAFETY: the channel is alive and has no socket yet; c-ares copies the functions. The transport
    // outlives it: see `Engine`.
    unsafe {
        let transport = Arc::as_ptr(transport).cast_mut().cast();
        sys::ares_set_socket_functions_ex(channel.as_raw(), &raw const functions, transport);
    }
}

/// Calls `f` with the transport's state. After a panic, which was reported, the call has failed.
///
/// # Safety
/// `transport` is what `install` has given c-ares, which is calling.
unsafe fn with<T>(transport: *mut c_void, failed: T, f: impl FnOnce(&mut State) -> T) -> T {
    // SAFETY: the caller says so; it is alive as long as c-ares calls.
    let transport = unsafe { &*transport.cast::<Transport>() };
    let outcome = catch_unwind(AssertUnwindSafe(|| f(&mut transport.lock())));
    outcome.unwrap_or_else(|payload| {
        mem::forget(payload);
        failed
    })
}

/// The peer of a socket that is not connected yet.
const NOBODY: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));

/// What a socket is made with: that it does not block, and that no program inherits it.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const AT_ONCE: c_int = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
/// Elsewhere it is told afterwards.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const AT_ONCE: c_int = 0;

/// Has a socket not block, and not be inherited. Returns whether it worked.
fn does_not_block(socket: c_int) -> bool {
    // SAFETY: no memory is involved.
    unsafe {
        let flags = libc::fcntl(socket, libc::F_GETFL);
        libc::fcntl(socket, libc::F_SETFL, flags | libc::O_NONBLOCK) == 0
            && libc::fcntl(socket, libc::F_SETFD, libc::FD_CLOEXEC) == 0
    }
}

unsafe extern "C" fn on_socket(
    domain: c_int,
    kind: c_int,
    protocol: c_int,
    transport: *mut c_void,
) -> c_int {
    // SAFETY: no memory is involved.
    let socket = unsafe { libc::socket(domain, kind | AT_ONCE, protocol) };
    if socket < 0 {
        return socket;
    }
    // SAFETY: as above, and the option is a number.
    let made = unsafe {
        (AT_ONCE != 0 || does_not_block(socket))
            && (kind != libc::SOCK_STREAM
                || set(socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1) == 0)
    };
    if !made {
        // SAFETY: it was opened above, and nobody else knows it.
        unsafe { libc::close(socket) };
        return -1;
    }
    let stream = (kind == libc::SOCK_STREAM).then(Stream::default);
    // SAFETY: c-ares is calling.
    unsafe {
        with(transport, (), |state| {
            state.connections.insert(socket, Connection { stream, peer: NOBODY });
        });
    }
    socket
}

/// # Safety
/// None: a number that is no socket is an error.
unsafe fn set(socket: c_int, level: c_int, option: c_int, value: c_int) -> c_int {
    // SAFETY: the value has the length given.
    unsafe {
        let value = &raw const value;
        libc::setsockopt(socket, level, option, value.cast(), mem::size_of::<c_int>() as socklen_t)
    }
}

unsafe extern "C" fn on_close(socket: c_int, transport: *mut c_void) -> c_int {
    // SAFETY: c-ares is calling, and closes a socket of its own.
    unsafe {
        with(transport, (), |state| {
            state.connections.remove(&socket);
        });
        libc::close(socket)
    }
}

unsafe extern "C" fn on_option(
    socket: c_int,
    option: sys::ares_socket_opt_t,
    value: *const c_void,
    length: socklen_t,
    _transport: *mut c_void,
) -> c_int {
    use sys::ares_socket_opt_t as option_of;
    let level = libc::SOL_SOCKET;
    // SAFETY: c-ares gives a value of the length that it says.
    unsafe {
        match option {
            option_of::ARES_SOCKET_OPT_SENDBUF_SIZE => {
                libc::setsockopt(socket, level, libc::SO_SNDBUF, value, length)
            }
            option_of::ARES_SOCKET_OPT_RECVBUF_SIZE => {
                libc::setsockopt(socket, level, libc::SO_RCVBUF, value, length)
            }
            #[cfg(target_os = "linux")]
            option_of::ARES_SOCKET_OPT_BIND_DEVICE => {
                libc::setsockopt(socket, level, libc::SO_BINDTODEVICE, value, length)
            }
            #[cfg(target_os = "linux")]
            option_of::ARES_SOCKET_OPT_TCP_FASTOPEN => {
                let wanted = c_int::from(*value.cast::<sys::ares_bool_t>() as c_int != 0);
                set(socket, libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, wanted)
            }
            #[cfg(not(target_os = "linux"))]
            _ => {
                // c-ares goes on without it.
                *errno() = libc::ENOSYS;
                -1
            }
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "emscripten"))]
fn errno() -> *mut c_int {
    // SAFETY: it is this thread's, for ever.
    unsafe { libc::__errno_location() }
}

#[cfg(any(target_vendor = "apple", target_os = "freebsd", target_os = "dragonfly"))]
fn errno() -> *mut c_int {
    // SAFETY: it is this thread's, for ever.
    unsafe { libc::__error() }
}

#[cfg(any(target_os = "netbsd", target_os = "openbsd", target_os = "android"))]
fn errno() -> *mut c_int {
    // SAFETY: it is this thread's, for ever.
    unsafe { libc::__errno() }
}

unsafe extern "C" fn on_connect(
    socket: c_int,
    address: *const sockaddr,
    length: socklen_t,
    _flags: c_uint,
    transport: *mut c_void,
) -> c_int {
    // SAFETY: c-ares is calling, with an address of the length that it says.
    unsafe {
        let peer = address::read(address.cast(), length as usize);
        with(transport, (), |state| {
            if let (Some(connection), Some(peer)) = (state.connections.get_mut(&socket), peer) {
                connection.peer = peer;
            }
        });
        libc::connect(socket, address, length)
    }
}

unsafe extern "C" fn on_receive(
    socket: c_int,
    buffer: *mut c_void,
    length: usize,
    flags: c_int,
    address: *mut sockaddr,
    address_length: *mut socklen_t,
    transport: *mut c_void,
) -> sys::ares_ssize_t {
    // SAFETY: c-ares is calling, with memory of the length that it says, or nowhere for the address.
    unsafe {
        with(transport, -1, |state| {
            let State { exchange, connections, .. } = state;
            let Some(connection) = connections.get_mut(&socket) else {
                return libc::recvfrom(socket, buffer, length, flags, address, address_length);
            };
            let Connection { stream, peer } = connection;
            if let Some(stream) = stream {
                let change = |wire: &[u8]| match exchange.receives(wire, *peer) {
                    Given::Same => Some(wire.to_vec()),
                    Given::Changed(changed) => Some(changed),
                    Given::Nothing => None,
                };
                return receive_stream(socket, stream, (buffer, length), change);
            }
            let room = if address_length.is_null() { 0 } else { *address_length };
            loop {
                if !address_length.is_null() {
                    *address_length = room;
                }
                let count = libc::recvfrom(socket, buffer, length, flags, address, address_length);
                let Ok(received @ 1..) = usize::try_from(count) else { return count };
                let wire = slice::from_raw_parts(buffer.cast::<u8>(), received);
                match exchange.receives(wire, *peer) {
                    Given::Same => return count,
                    Given::Nothing => {}
                    Given::Changed(changed) if changed.len() <= length => {
                        ptr::copy_nonoverlapping(changed.as_ptr(), buffer.cast(), changed.len());
                        return changed.len() as sys::ares_ssize_t;
                    }
                    Given::Changed(_) => return count,
                }
            }
        })
    }
}

/// # Safety
/// The memory has the length given.
unsafe fn receive_stream(
    socket: c_int,
    stream: &mut Stream,
    (buffer, length): (*mut c_void, usize),
    mut change: impl FnMut(&[u8]) -> Option<Vec<u8>>,
) -> sys::ares_ssize_t {
    let mut piece = [MaybeUninit::<u8>::uninit(); PIECE];
    loop {
        let ready = stream.ready();
        let count = ready.len().min(length);
        if count > 0 {
            // SAFETY: the caller says so, and it is not the stream's.
            unsafe { ptr::copy_nonoverlapping(ready.as_ptr(), buffer.cast(), count) };
            stream.consume(count);
            return count as sys::ares_ssize_t;
        }
        // SAFETY: the piece has the length given.
        let count = unsafe { libc::recv(socket, piece.as_mut_ptr().cast(), piece.len(), 0) };
        match usize::try_from(count) {
            Ok(received @ 1..) => {
                // SAFETY: the system has written so many.
                let bytes = unsafe { slice::from_raw_parts(piece.as_ptr().cast(), received) };
                stream.received(bytes, &mut change);
            }
            _ => return count,
        }
    }
}

unsafe extern "C" fn on_send(
    socket: c_int,
    bytes: *const c_void,
    length: usize,
    flags: c_int,
    address: *const sockaddr,
    address_length: socklen_t,
    transport: *mut c_void,
) -> sys::ares_ssize_t {
    // SAFETY: c-ares is calling, with memory of the length that it says, and no address or one.
    unsafe {
        let send = |bytes: &[u8]| {
            let (start, count) = (bytes.as_ptr().cast(), bytes.len());
            if address.is_null() {
                libc::send(socket, start, count, flags | NO_SIGNAL)
            } else {
                libc::sendto(socket, start, count, flags | NO_SIGNAL, address, address_length)
            }
        };
        let bytes = slice::from_raw_parts(bytes.cast::<u8>(), length);
        with(transport, -1, |state| {
            let State { exchange, placeholders, connections, .. } = state;
            let stream = connections.get_mut(&socket).and_then(|known| known.stream.as_mut());
            let mut change = |wire: &[u8]| exchange.sends(wire, placeholders);
            let Some(stream) = stream else {
                let Some(changed) = change(bytes) else { return send(bytes) };
                let sent = send(&changed);
                return if sent < 0 { sent } else { length as sys::ares_ssize_t };
            };
            let taken = stream.send(bytes, change, |bytes| {
                let sent = send(bytes);
                usize::try_from(sent).map_err(|_| sent)
            });
            match taken {
                // It waits for the socket.
                Ok(0) => {
                    *errno() = libc::EWOULDBLOCK;
                    -1
                }
                Ok(taken) => taken as sys::ares_ssize_t,
                Err(failed) => failed,
            }
        })
    }
}

/// A connection that the peer has ended is an error and no signal.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const NO_SIGNAL: c_int = libc::MSG_NOSIGNAL;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const NO_SIGNAL: c_int = 0;

unsafe extern "C" fn on_own_address(
    socket: c_int,
    address: *mut sockaddr,
    length: *mut socklen_t,
    _transport: *mut c_void,
) -> c_int {
    // SAFETY: c-ares gives room of the length that it says.
    unsafe { libc::getsockname(socket, address, length) }
}

unsafe extern "C" fn on_bind(
    socket: c_int,
    flags: c_uint,
    address: *const sockaddr,
    length: socklen_t,
    _transport: *mut c_void,
) -> c_int {
    let tcp_client = sys::ares_socket_bind_flags_t::ARES_SOCKET_BIND_TCP as c_uint
        | sys::ares_socket_bind_flags_t::ARES_SOCKET_BIND_CLIENT as c_uint;
    // SAFETY: c-ares gives an address of the length that it says.
    unsafe {
        #[cfg(target_os = "linux")]
        if flags & tcp_client == tcp_client {
            set(socket, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, 1);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (flags, tcp_client);
        libc::bind(socket, address, length)
    }
}

unsafe extern "C" fn on_interface_name(name: *const c_char, _transport: *mut c_void) -> c_uint {
    // SAFETY: c-ares gives a text that ends in a NUL.
    unsafe { libc::if_nametoindex(CStr::from_ptr(name).as_ptr()) }
}

unsafe extern "C" fn on_interface_number(
    number: c_uint,
    buffer: *mut c_char,
    length: usize,
    _transport: *mut c_void,
) -> *const c_char {
    if length < libc::IF_NAMESIZE {
        return ptr::null();
    }
    // SAFETY: the buffer is long enough.
    unsafe { libc::if_indextoname(number, buffer) }
}
