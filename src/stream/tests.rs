use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::{
    Arrived, BindFlags, Buffer, Code, Error, Handle, Held, Loop, Pipe, Reader, Result, RunMode,
    Stream, TCP,
};

type Log = Arc<Mutex<Vec<String>>>;

fn note(log: &Log, text: impl Into<String>) {
    log.lock().unwrap().push(text.into());
}

fn entry(log: &Log, name: &'static str) -> impl FnMut(&Stream, Result<()>) + Send + use<> {
    let log = log.clone();
    move |_, outcome| note(&log, format!("{name} {outcome:?}"))
}

fn local() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// A listener whose connections `serve` gets.
fn listener(event_loop: &Loop, serve: impl Fn(TCP) + Send + 'static) -> TCP {
    let server = TCP::new(event_loop).unwrap();
    server.bind(local(), BindFlags::empty()).unwrap();
    server
        .listen(16, move |server, outcome| {
            outcome.unwrap();
            let connection = TCP::new(&server.event_loop()).unwrap();
            server.accept(&connection).unwrap();
            serve(connection);
        })
        .unwrap();
    server
}

/// The two ends of a Unix domain connection.
#[cfg(unix)]
fn pair(event_loop: &Loop, ipc: bool) -> (Pipe, Pipe) {
    let fds = crate::util::socketpair(libc::SOCK_STREAM, 0, false, false).unwrap();
    let open = |fd| {
        let pipe = Pipe::new(event_loop, ipc).unwrap();
        pipe.open(fd).unwrap();
        pipe
    };
    (open(fds.0), open(fds.1))
}

#[test]
fn an_echo_over_tcp() {
    let event_loop = Loop::new().unwrap();
    let server = listener(&event_loop, |connection| {
        connection
            .start_read(|stream, data| match data {
                Ok(data) => stream.write(Bytes::copy_from_slice(data), |_, _| ()).unwrap(),
                Err(error) => {
                    assert_eq!(error.code(), Some(Code::EOF));
                    stream.close(|_| ()).unwrap();
                }
            })
            .unwrap();
    });
    let client = TCP::new(&event_loop).unwrap();
    let received = Arc::new(AtomicUsize::new(0));
    let (counted, address) = (received.clone(), server.getsockname().unwrap());
    const LENGTH: usize = 3_000_000;
    client
        .connect(address, move |client, outcome| {
            outcome.unwrap();
            client.write(vec![7u8; LENGTH], |_, outcome| outcome.unwrap()).unwrap();
            client
                .start_read(move |client, data| {
                    let length = data.unwrap().len();
                    if counted.fetch_add(length, Ordering::Relaxed) + length == LENGTH {
                        client.close(|_| ()).unwrap();
                        server.close(|_| ()).unwrap();
                    }
                })
                .unwrap();
        })
        .unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(received.load(Ordering::Relaxed), LENGTH);
    event_loop.close().unwrap();
}

#[cfg(unix)]
#[test]
fn a_write_reports_later_and_in_order() {
    let event_loop = Loop::new().unwrap();
    let (ours, theirs) = pair(&event_loop, false);
    let log = Log::default();
    ours.write("at once", entry(&log, "first")).unwrap();
    while ours.write_queue_size() == Ok(0) {
        ours.send(vec![0u8; 1 << 16], |_, _| ()).unwrap();
    }
    ours.write("queued", entry(&log, "second")).unwrap();
    ours.shutdown(entry(&log, "shutdown")).unwrap();
    assert!(log.lock().unwrap().is_empty());
    theirs.start_read(|_, _| ()).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(*log.lock().unwrap(), ["first Ok(())", "second Ok(())", "shutdown Ok(())"]);
}

#[cfg(unix)]
#[test]
fn send_reports_only_what_had_to_wait() {
    let event_loop = Loop::new().unwrap();
    let (ours, theirs) = pair(&event_loop, false);
    let log = Log::default();
    assert_eq!(ours.send("at once", entry(&log, "never")), Ok(true));
    assert_eq!(ours.has_requests(), Ok(false));
    while ours.send(vec![0u8; 1 << 16], entry(&log, "waited")).unwrap() {}
    theirs.start_read(|_, _| ()).unwrap();
    event_loop.run(RunMode::NoWait).unwrap();
    while ours.has_requests().unwrap() {
        event_loop.run(RunMode::Once).unwrap();
    }
    assert_eq!(*log.lock().unwrap(), ["waited Ok(())"]);
}

#[cfg(unix)]
#[test]
fn closing_cancels_what_waits_before_it_reports() {
    let event_loop = Loop::new().unwrap();
    let (ours, _theirs) = pair(&event_loop, false);
    let log = Log::default();
    ours.write("out", entry(&log, "out")).unwrap();
    while ours.write_queue_size() == Ok(0) {
        ours.send(vec![0u8; 1 << 16], |_, _| ()).unwrap();
    }
    ours.write("waits", entry(&log, "waits")).unwrap();
    let closed = log.clone();
    ours.close(move |_: &Handle| note(&closed, "closed")).unwrap();
    event_loop.run(RunMode::NoWait).unwrap();
    let cancelled = format!("waits {:?}", Err::<(), _>(Error::from(Code::ECANCELED)));
    assert_eq!(*log.lock().unwrap(), ["out Ok(())".to_owned(), cancelled, "closed".to_owned()]);
}

#[cfg(unix)]
#[test]
fn a_stream_nobody_holds_finishes_its_writes() {
    let event_loop = Loop::new().unwrap();
    let (ours, theirs) = pair(&event_loop, false);
    while ours.write_queue_size() == Ok(0) {
        ours.send(vec![0u8; 1 << 16], |_, _| ()).unwrap();
    }
    ours.send("the end", |_, outcome| outcome.unwrap()).unwrap();
    drop(ours);
    let last = Log::default();
    let seen = last.clone();
    theirs
        .start_read(move |_, data| {
            if let Ok(data) = data {
                let tail = &data[data.len().saturating_sub(7)..];
                note(&seen, String::from_utf8_lossy(tail).into_owned());
            }
        })
        .unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(last.lock().unwrap().last().unwrap(), "the end");
    assert_eq!(event_loop.handles().unwrap().len(), 1);
}

#[cfg(unix)]
#[test]
fn an_abandoned_loop_drops_what_waits_and_calls_nothing() {
    let event_loop = Loop::new().unwrap();
    let (ours, theirs) = pair(&event_loop, false);
    let held = Arc::new(());
    let witness = |held: &Arc<()>| {
        let held = held.clone();
        move |_: &Stream, _: Result<()>| {
            let _held = &held;
            panic!("called");
        }
    };
    ours.write("at once", witness(&held)).unwrap();
    while ours.write_queue_size() == Ok(0) {
        ours.send(vec![0u8; 1 << 16], |_, _| panic!("called")).unwrap();
    }
    ours.write("queued", witness(&held)).unwrap();
    assert_eq!(Arc::strong_count(&held), 3);
    drop((ours, theirs, event_loop));
    assert_eq!(Arc::strong_count(&held), 1);
}

#[cfg(unix)]
#[test]
fn handles_travel_over_pipes() {
    let event_loop = Loop::new().unwrap();
    let (ours, theirs) = pair(&event_loop, true);
    let sent = TCP::new(&event_loop).unwrap();
    sent.bind(local(), BindFlags::empty()).unwrap();
    ours.write2("x", &sent, |_, outcome| outcome.unwrap()).unwrap();
    let address = sent.getsockname().unwrap();
    sent.close(|_| ()).unwrap();
    theirs
        .start_read(move |stream, data| {
            assert_eq!(data, Ok(&b"x"[..]));
            let received = TCP::new(&stream.event_loop()).unwrap();
            let wrong = Pipe::new(&stream.event_loop(), false).unwrap();
            assert_eq!(stream.accept(&wrong).unwrap_err().code(), Some(Code::EINVAL));
            stream.accept(&received).unwrap();
            assert_eq!(received.getsockname(), Ok(address));
            stream.close(|_| ()).unwrap();
        })
        .unwrap();
    event_loop.run(RunMode::Default).unwrap();
}

#[test]
fn a_panic_in_a_read_callback_reaches_run() {
    let event_loop = Loop::new().unwrap();
    let server = listener(&event_loop, |connection| {
        connection.start_read(|_, _| panic!("mine")).unwrap();
    });
    let client = TCP::new(&event_loop).unwrap();
    client
        .connect(server.getsockname().unwrap(), |client, _| {
            client.send("x", |_, _| ()).unwrap();
        })
        .unwrap();
    assert_eq!(event_loop.run(RunMode::Default), Err(Error::panicked("mine")));
}

#[test]
fn misuse_is_an_error() {
    let event_loop = Loop::new().unwrap();
    let code = |outcome: Result<()>| outcome.unwrap_err().code();
    let tcp = TCP::new(&event_loop).unwrap();
    assert_eq!(code(tcp.write("x", |_, _| ())), Some(Code::EBADF));
    assert_eq!(code(tcp.shutdown(|_, _| ())), Some(Code::ENOTCONN));
    assert_eq!(code(tcp.start_read(|_, _| ())), Some(Code::ENOTCONN));
    assert_eq!(code(tcp.accept(&TCP::new(&event_loop).unwrap())), Some(Code::EAGAIN));
    let server = listener(&event_loop, |_| ());
    assert_eq!(code(server.start_read(|_, _| ())), Some(Code::ENOTCONN));
    assert_eq!(code(server.shutdown(|_, _| ())), Some(Code::ENOTCONN));
    assert_eq!(code(server.connect(local(), |_, _| ())), Some(Code::EINVAL));
    let other = Loop::new().unwrap();
    assert_eq!(code(server.accept(&TCP::new(&other).unwrap())), Some(Code::EINVAL));
}

/// Lends eight bytes at a time, every other time.
struct Lender {
    memory: Box<[u8]>,
    lends: bool,
    log: Log,
}

// SAFETY: the memory is the reader's own, and it looks at it in `read` alone.
unsafe impl Reader for Lender {
    fn lend(&mut self, _stream: &Stream, _held: &Held) -> Option<Buffer> {
        self.lends = !self.lends;
        self.lends.then(|| Buffer::new(self.memory.as_mut_ptr(), self.memory.len()))
    }

    fn read(&mut self, stream: &Stream, _held: &Held, outcome: Result<Arrived<'_>>) -> bool {
        let text = match outcome {
            Ok(Arrived::AsLent(length)) => {
                format!("lent {}", String::from_utf8_lossy(&self.memory[..length]))
            }
            Ok(Arrived::InSlab(bytes)) => format!("slab {}", String::from_utf8_lossy(bytes)),
            Err(error) => {
                stream.close(|_| ()).unwrap();
                format!("{:?}", error.code())
            }
        };
        note(&self.log, text);
        true
    }
}

#[cfg(unix)]
#[test]
fn a_reader_may_lend_memory_and_a_read_that_fills_it_goes_on_in_the_slab() {
    let event_loop = Loop::new().unwrap();
    let (near, far) = pair(&event_loop, false);
    let log = Log::default();
    let memory = vec![0; 8].into_boxed_slice();
    near.start_reader(Lender { memory, lends: false, log: log.clone() }).unwrap();
    far.try_write(&"12345678rest").unwrap();
    event_loop.run(RunMode::Once).unwrap();
    assert_eq!(*log.lock().unwrap(), ["lent 12345678", "slab rest"]);
    far.try_write(&"short").unwrap();
    event_loop.run(RunMode::Once).unwrap();
    far.close(|_| ()).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(log.lock().unwrap()[2..], ["lent short", &format!("{:?}", Some(Code::EOF))]);
}

#[cfg(unix)]
#[test]
fn a_reader_replaced_by_another_is_dropped_with_what_it_lends() {
    let event_loop = Loop::new().unwrap();
    let (near, far) = pair(&event_loop, false);
    let log = Log::default();
    let memory = vec![0; 8].into_boxed_slice();
    near.start_reader(Lender { memory, lends: false, log: log.clone() }).unwrap();
    let seen = log.clone();
    near.start_read(move |stream, data| {
        note(&seen, format!("{:?}", data.map(<[u8]>::len)));
        stream.stop_read().unwrap();
    })
    .unwrap();
    far.try_write(&"123456789").unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(*log.lock().unwrap(), ["Ok(9)"]);
}

#[cfg(unix)]
#[test]
fn a_file_goes_out_in_its_turn_and_what_comes_later_waits() {
    use std::io::Write;
    use std::os::fd::AsRawFd;

    let event_loop = Loop::new().unwrap();
    let (ours, theirs) = pair(&event_loop, false);
    let log = Log::default();
    let path = std::env::temp_dir().join(format!("pyuv-sendfile-{}", std::process::id()));
    let mut file = std::fs::File::create_new(&path).unwrap();
    file.write_all(&vec![b'f'; 3 << 20]).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    ours.write("before", entry(&log, "before")).unwrap();
    let told = log.clone();
    let fd = file.as_raw_fd();
    ours.sendfile(fd, 1, None, move |_, sent, outcome| {
        note(&told, format!("file {sent} {outcome:?}"));
    })
    .unwrap();
    drop(file);
    ours.write("after", entry(&log, "after")).unwrap();
    assert_eq!(ours.write_queue_size(), Ok(5));
    assert_eq!(ours.try_write(&"never").unwrap_err().code(), Some(Code::EAGAIN));
    ours.shutdown(entry(&log, "shutdown")).unwrap();
    assert_eq!(ours.is_writable(), Ok(false));
    assert_eq!(ours.write("never", |_, _| ()).unwrap_err().code(), Some(Code::EPIPE));
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = received.clone();
    theirs
        .start_read(move |theirs, data| match data {
            Ok(data) => kept.lock().unwrap().extend_from_slice(data),
            Err(_) => theirs.close(|_| ()).unwrap(),
        })
        .unwrap();
    event_loop.run(RunMode::Default).unwrap();
    let length = (3 << 20) - 1;
    assert_eq!(
        *log.lock().unwrap(),
        [
            "before Ok(())".to_owned(),
            format!("file {length} Ok(())"),
            "after Ok(())".to_owned(),
            "shutdown Ok(())".to_owned()
        ]
    );
    let received = received.lock().unwrap();
    assert_eq!(received.len(), "before".len() + length + "after".len());
    assert!(received.starts_with(b"beforefff"));
    assert!(received.ends_with(b"fffafter"));
    drop(ours);
}
