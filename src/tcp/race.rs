//! Connecting to whichever of several addresses answers first (RFC 8305, "Happy Eyeballs").
//!
//! Each address is tried by a handle of its own. The next one begins when the one before it has failed, or has not
//! answered for a while; the first that is connected gives its socket to the stream, and the others are closed. So
//! the stream has no socket before it is connected, and none when all have failed: it may connect again.
//!
//! What is written before that waits, as with any connect (`stream/ahead.rs`).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::Deref;
use std::os::fd::{AsRawFd, IntoRawFd};
use std::time::Duration;

use libuv_sys2 as uv;

use super::{BindFlags, TCP};
use crate::error::{Code, Error, Result};
use crate::handle::{Handle, InFlight};
use crate::r#loop::Held;
use crate::places;
use crate::stream::ahead::{Stage, code_of};
use crate::stream::{Stream, View};
use crate::timer::Timer;

const PART: &str = "a connection on its way";

/// How [`TCP::connect_any`] goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectOptions {
    /// How long an address may take before the next is tried beside it (RFC 8305's Connection Attempt Delay).
    pub delay: Duration,
    /// How long all may take, finding the addresses included.
    pub timeout: Option<Duration>,
}

impl Default for ConnectOptions {
    /// 250 ms, as RFC 8305 has it, and no timeout.
    fn default() -> ConnectOptions {
        ConnectOptions { delay: Duration::from_millis(250), timeout: None }
    }
}

/// Connections on their way, one of which is to be the stream's.
pub(crate) struct Race {
    number: u64,
    delay: Duration,
    /// What has not been tried yet.
    waiting: VecDeque<SocketAddr>,
    attempts: Vec<(SocketAddr, InFlight)>,
    /// Begins the next attempt.
    stagger: Option<InFlight>,
    /// Ends it all.
    limit: Option<InFlight>,
}

impl Race {
    /// Closes what is on its way. The stream has nothing of it.
    pub(crate) fn stop(self) {
        for (_, attempt) in self.attempts {
            attempt.header().close_silently();
        }
        for timer in [self.stagger, self.limit].into_iter().flatten() {
            timer.header().close_silently();
        }
    }
}

/// Takes the addresses for a connect that waits for them. Dropping it lets the connect wait on.
pub struct Found {
    stream: InFlight,
    number: u64,
}

impl Found {
    /// Connects to whichever of the addresses answers first; an error is the connect's outcome. Does nothing if
    /// the handle was closed meanwhile, or its time was up.
    ///
    /// For the loop's thread, in a callback of the loop's.
    pub fn tell(self, addresses: Result<Vec<SocketAddr>>) {
        let header = self.stream.header();
        let (held, view) = (header.held(), View::new(header));
        let Some(stream) = view.downcast_ref::<TCP>() else { return };
        if stream.with_race(held, |race| race.number) != Some(self.number) {
            return;
        }
        match addresses {
            Ok(addresses) => {
                stream.with_race(held, |race| race.waiting = interleaved(addresses));
                stream.try_next(held);
            }
            Err(error) => stream.give_up(held, code_of(&error)),
        }
    }
}

impl TCP {
    /// Connects to whichever of `addresses` answers first (RFC 8305), in their order but with the families taking
    /// turns. `done` is called when one has, or none can: with what the last failed with, or `UV_ETIMEDOUT`.
    /// [`connect_failures`](TCP::connect_failures) has them all.
    ///
    /// A handle that has a socket keeps its address, and tries what is of the same family; options set on the
    /// socket itself are not those of the new one.
    ///
    /// Fails with `UV_EALREADY` while a connect is in flight, `UV_EISCONN` on a handle that is connected, `UV_EINVAL`
    /// on one that listens.
    pub fn connect_any(
        &self,
        addresses: Vec<SocketAddr>,
        options: ConnectOptions,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        self.connect_found(
            options,
            |found| {
                found.tell(Ok(addresses));
                Ok(())
            },
            done,
        )
    }

    /// [`connect_any`](TCP::connect_any) to addresses that are still to be found: `find` is to have
    /// [`Found::tell`] called. If it fails, so does this, and there is no connect.
    pub fn connect_found(
        &self,
        options: ConnectOptions,
        find: impl FnOnce(Found) -> Result<()>,
        done: impl FnOnce(&Stream, Result<()>) + Send + 'static,
    ) -> Result<()> {
        let entered = self.enter()?;
        self.check_connectable(&entered)?;
        if self.is_connected(&entered) {
            return Err(Error::new(Code::EISCONN, "the stream is connected"));
        }
        let number = self.next_race(&entered);
        let limit = options.timeout.map(|timeout| {
            self.timer(&entered, timeout, |stream, held| {
                stream.with_race(held, Race::take_attempts).into_iter().flatten().for_each(
                    |(address, attempt)| {
                        stream.add_failure(held, address, Code::ETIMEDOUT);
                        attempt.header().close_silently();
                    },
                );
                stream.give_up(held, Code::ETIMEDOUT);
            })
        });
        let race = Race {
            number,
            delay: options.delay,
            waiting: VecDeque::new(),
            attempts: Vec::new(),
            stagger: None,
            limit: limit.transpose()?,
        };
        self.go_ahead(&entered, Stage::Connecting(race), Box::new(done));
        find(Found { stream: self.in_flight(&entered), number }).inspect_err(|_| {
            self.with_race(&entered, Race::take).into_iter().for_each(Race::stop);
            drop(self.take_back(&entered));
        })
    }

    /// Which addresses the last [`connect_any`](TCP::connect_any) failed with, and how. After a connect that
    /// succeeded these are the ones before it.
    pub fn connect_failures(&self) -> Result<Vec<(SocketAddr, Code)>> {
        let held = self.hold_even_closed()?;
        Ok(self.failures(&held))
    }

    fn is_connected(&self, held: &Held) -> bool {
        self.header(held).has_fd() && self.name("", uv::uv_tcp_getpeername).is_ok()
    }

    /// Tries the next address, and those behind it while they fail at once.
    fn try_next(&self, held: &Held) {
        while let Some(address) = self.with_race(held, |race| race.waiting.pop_front()).flatten() {
            match self.attempt(held, address) {
                Ok(attempt) => {
                    self.with_race(held, |race| race.attempts.push((address, attempt)));
                    return self.stagger(held);
                }
                Err(error) => self.add_failure(held, address, code_of(&error)),
            }
        }
        if self.with_race(held, |race| race.attempts.is_empty()) == Some(true) {
            let last = self.failures(held).last().map(|(_, code)| *code);
            self.give_up(held, last.unwrap_or(Code::EAI_NODATA));
        }
    }

    /// Has the next address tried if this one does not answer for a while.
    fn stagger(&self, held: &Held) {
        let Some((delay, earlier)) = self.with_race(held, |race| (race.delay, race.stagger.take()))
        else {
            return;
        };
        if let Some(earlier) = earlier {
            earlier.header().close_silently();
        }
        if self.with_race(held, |race| race.waiting.is_empty()) == Some(true) {
            return;
        }
        match self.timer(held, delay, TCP::try_next) {
            Ok(timer) => {
                self.with_race(held, |race| race.stagger = Some(timer));
            }
            Err(error) => self.give_up(held, code_of(&error)),
        }
    }

    /// Calls `f` with the stream after a time; the connections keep the loop running, and this does not.
    fn timer(
        &self,
        held: &Held,
        after: Duration,
        f: impl Fn(&TCP, &Held) + Send + 'static,
    ) -> Result<InFlight> {
        let event_loop = self.event_loop();
        // The loop's clock stands still while a callback runs, however long that takes.
        event_loop.update_time()?;
        let timer = Timer::new(&event_loop)?;
        timer.hide(PART)?;
        timer.set_ref(false)?;
        let stream = self.in_flight(held);
        timer.start(after, Duration::ZERO, move |_| {
            let stream = stream.clone();
            of(&stream, |stream, held| f(stream, held));
        })?;
        Ok(timer.in_flight(held))
    }

    /// Begins to connect to an address.
    fn attempt(&self, held: &Held, address: SocketAddr) -> Result<InFlight> {
        let attempt = TCP::new(&self.event_loop())?;
        attempt.hide(PART)?;
        attempt.set_ref(self.has_ref()?)?;
        if self.header(held).has_fd() {
            let local = self.getsockname()?;
            if local.is_ipv4() != address.is_ipv4() {
                return Err(Error::new(Code::EAFNOSUPPORT, address.to_string()));
            }
            if local.port() != 0 {
                attempt.bind(local, BindFlags::empty())?;
            }
        }
        let stream = self.in_flight(held);
        attempt.connect(address, move |attempt, outcome| {
            let attempt: &Handle = attempt;
            of(&stream, |stream, held| stream.attempted(held, attempt, outcome));
        })?;
        Ok(attempt.in_flight(held))
    }

    /// An attempt has ended: unless that was not told long ago, for want of interest.
    fn attempted(&self, held: &Held, attempt: &Handle, outcome: Result<()>) {
        let header = attempt.header(held);
        let ended = self.with_race(held, |race| {
            let is_it = |(_, other): &(SocketAddr, InFlight)| std::ptr::eq(other.header(), header);
            Some(race.attempts.swap_remove(race.attempts.iter().position(is_it)?))
        });
        let Some((address, attempt)) = ended.flatten() else { return };
        let installed = outcome.and_then(|()| self.take_socket(held, &attempt));
        attempt.header().close_silently();
        match installed {
            Ok(()) => {
                self.with_race(held, Race::take).into_iter().for_each(Race::stop);
                self.ahead_ended(held, Ok(()));
            }
            Err(error) => {
                self.add_failure(held, address, code_of(&error));
                self.try_next(held);
            }
        }
    }

    /// Makes an attempt's socket this stream's own.
    fn take_socket(&self, held: &Held, attempt: &InFlight) -> Result<()> {
        let refused = |code| Error::new(code, "the socket");
        let fd = attempt.header().fileno().map_err(refused)?;
        let mine = self.header(held).fileno().ok();
        let duplicate = match mine {
            // The socket that was there before goes, its number stays.
            Some(mine) => {
                // SAFETY: both are open, and the second is this handle's, which libuv does not wait for.
                let status = unsafe { libc::dup3(fd, mine, libc::O_CLOEXEC) };
                if status < 0 {
                    return Err(refused(places::last_error()));
                }
                None
            }
            None => Some(places::duplicate(fd, 3).map_err(refused)?),
        };
        let taken = duplicate.as_ref().map(AsRawFd::as_raw_fd).or(mine).unwrap_or(-1);
        // SAFETY: the handle is open, a TCP without another socket, and its loop is ours; the socket is its alone.
        let status = unsafe { uv::uv_tcp_open(self.uv(), taken) };
        Error::check(status, "uv_tcp_open")?;
        if let Some(duplicate) = duplicate {
            // The handle's, from now on.
            let _ = duplicate.into_raw_fd();
        }
        Ok(())
    }
}

impl Race {
    fn take_attempts(&mut self) -> Vec<(SocketAddr, InFlight)> {
        std::mem::take(&mut self.attempts)
    }

    /// What there is to be stopped.
    fn take(&mut self) -> Race {
        Race {
            number: self.number,
            delay: self.delay,
            waiting: VecDeque::new(),
            attempts: self.take_attempts(),
            stagger: self.stagger.take(),
            limit: self.limit.take(),
        }
    }
}

/// Runs `f` with the TCP that is kept, if it is still open.
fn of(kept: &InFlight, f: impl FnOnce(&TCP, &Held)) {
    let header = kept.header();
    if header.is_open() {
        let view = View::new(header);
        if let Some(stream) = view.deref().downcast_ref::<TCP>() {
            f(stream, header.held());
        }
    }
}

/// Each address once, in their order but with the families taking turns (RFC 8305, 4).
fn interleaved(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first_is_ipv4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv4() == first_is_ipv4);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = VecDeque::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return all;
        }
        for address in pair.into_iter().flatten() {
            if !all.contains(&address) {
                all.push_back(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::{FromRawFd, OwnedFd};
    use std::sync::mpsc;
    use std::time::Instant;

    use super::*;
    use crate::{Loop, RunMode};

    /// What the loop's clock counts.
    const TICK: Duration = Duration::from_millis(1);

    const QUICK: ConnectOptions =
        ConnectOptions { delay: Duration::from_millis(20), timeout: None };

    fn listener(host: &str) -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((host, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// An address that nobody listens on.
    fn refused() -> SocketAddr {
        listener("127.0.0.1").1
    }

    /// A listener that answers no more: as many wait for it as may.
    fn black_hole() -> (OwnedFd, TcpStream, SocketAddr) {
        // SAFETY: the socket is new and this value's own.
        let socket = unsafe {
            let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
            OwnedFd::from_raw_fd(socket)
        };
        // SAFETY: as above; a socket that is not bound listens on a port of the system's choice.
        assert_eq!(unsafe { libc::listen(socket.as_raw_fd(), 0) }, 0);
        let listener = TcpListener::from(socket);
        let address = SocketAddr::from(([127, 0, 0, 1], listener.local_addr().unwrap().port()));
        let first = TcpStream::connect(address).unwrap();
        let second = TcpStream::connect_timeout(&address, Duration::from_millis(50));
        assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
        (listener.into(), first, address)
    }

    /// Connects, and gives the outcome, the stream, and how long it took.
    fn connect(
        event_loop: &Loop,
        addresses: &[SocketAddr],
        options: ConnectOptions,
    ) -> (Result<()>, TCP, Duration) {
        let stream = TCP::new(event_loop).unwrap();
        let (sender, outcome) = mpsc::channel();
        let begun = Instant::now();
        let done = move |_: &Stream, outcome| sender.send(outcome).unwrap();
        stream.connect_any(addresses.to_vec(), options, done).unwrap();
        assert!(outcome.try_recv().is_err(), "told from inside the call");
        event_loop.run(RunMode::Default).unwrap();
        let outcome = outcome.try_recv().expect("an outcome");
        (outcome, stream, begun.elapsed())
    }

    #[test]
    fn families_take_turns_and_nothing_is_tried_twice() {
        let all = |list: &[&str]| list.iter().map(|it| it.parse().unwrap()).collect::<Vec<_>>();
        let given = all(&["[::1]:1", "[::2]:1", "[::1]:1", "[::3]:1", "1.0.0.1:1", "1.0.0.2:1"]);
        let expected = all(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::3]:1"]);
        assert_eq!(interleaved(given), expected);
        assert_eq!(interleaved(Vec::new()), []);
    }

    #[test]
    fn the_next_address_is_tried_at_once_when_one_fails() {
        let event_loop = Loop::new().unwrap();
        let (_listener, address) = listener("127.0.0.1");
        let refused = refused();
        let options = ConnectOptions { delay: Duration::from_secs(60), timeout: None };
        let (outcome, stream, _) = connect(&event_loop, &[refused, address], options);
        assert_eq!(outcome, Ok(()));
        assert_eq!(stream.getpeername(), Ok(address));
        assert_eq!(stream.connect_failures(), Ok(vec![(refused, Code::ECONNREFUSED)]));
    }

    #[test]
    fn an_address_that_does_not_answer_keeps_the_next_for_a_while_only() {
        let event_loop = Loop::new().unwrap();
        let (_hole, _first, silent) = black_hole();
        let (_listener, address) = listener("::1");
        let (outcome, stream, took) = connect(&event_loop, &[silent, address], QUICK);
        assert_eq!(outcome, Ok(()));
        assert_eq!(stream.getpeername(), Ok(address));
        assert_eq!(stream.connect_failures(), Ok(Vec::new()));
        assert!(took + TICK >= QUICK.delay, "{took:?}");
    }

    #[test]
    fn all_failures_are_told_and_the_handle_can_connect_again() {
        let event_loop = Loop::new().unwrap();
        let (first, second) = (refused(), refused());
        let (outcome, stream, _) = connect(&event_loop, &[first, second], QUICK);
        assert_eq!(outcome.unwrap_err().code(), Some(Code::ECONNREFUSED));
        let failures = vec![(first, Code::ECONNREFUSED), (second, Code::ECONNREFUSED)];
        assert_eq!(stream.connect_failures(), Ok(failures));
        assert_eq!(stream.fileno().unwrap_err().code(), Some(Code::EBADF));
        let (_listener, address) = listener("127.0.0.1");
        stream.connect(address, |_, outcome| outcome.unwrap()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!(stream.getpeername(), Ok(address));
    }

    #[test]
    fn no_address_is_a_failure() {
        let event_loop = Loop::new().unwrap();
        let (outcome, ..) = connect(&event_loop, &[], QUICK);
        assert_eq!(outcome.unwrap_err().code(), Some(Code::EAI_NODATA));
    }

    #[test]
    fn the_time_for_all_is_limited() {
        let event_loop = Loop::new().unwrap();
        let (_hole, _first, silent) = black_hole();
        let options = ConnectOptions { timeout: Some(Duration::from_millis(60)), ..QUICK };
        let (outcome, stream, took) = connect(&event_loop, &[silent], options);
        assert_eq!(outcome.unwrap_err().code(), Some(Code::ETIMEDOUT));
        assert_eq!(stream.connect_failures(), Ok(vec![(silent, Code::ETIMEDOUT)]));
        assert!(took + TICK >= Duration::from_millis(60), "{took:?}");
    }

    #[test]
    fn what_is_written_meanwhile_goes_out_in_its_order() {
        use std::io::Read;
        let event_loop = Loop::new().unwrap();
        let (listener, address) = listener("127.0.0.1");
        let stream = TCP::new(&event_loop).unwrap();
        let (sender, log) = mpsc::channel();
        let say = |what: &'static str| {
            let sender = sender.clone();
            move |_: &Stream, outcome: Result<()>| sender.send((what, outcome)).unwrap()
        };
        stream.connect_any(vec![refused(), address], QUICK, say("connected")).unwrap();
        stream.write("one", say("one")).unwrap();
        stream.write("two", say("two")).unwrap();
        stream.shutdown(say("shutdown")).unwrap();
        assert_eq!(stream.write_queue_size(), Ok(6));
        assert_eq!(stream.is_writable(), Ok(false));
        event_loop.run(RunMode::Default).unwrap();
        let said = log.try_iter().collect::<Vec<_>>();
        assert_eq!(said, ["connected", "one", "two", "shutdown"].map(|what| (what, Ok(()))));
        let mut received = String::new();
        listener.accept().unwrap().0.read_to_string(&mut received).unwrap();
        assert_eq!(received, "onetwo");
    }

    #[test]
    fn closing_cancels_all_before_it_reports() {
        let event_loop = Loop::new().unwrap();
        let (_hole, _first, silent) = black_hole();
        let stream = TCP::new(&event_loop).unwrap();
        let (sender, log) = mpsc::channel();
        let say = |what: &'static str| {
            let sender = sender.clone();
            move |_: &Stream, outcome: Result<()>| {
                sender.send((what, outcome.unwrap_err().code().unwrap())).unwrap();
            }
        };
        stream.connect_any(vec![silent, silent], QUICK, say("connect")).unwrap();
        stream.write("x", say("write")).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        let sender = sender.clone();
        stream.close(move |_| sender.send(("closed", Code(0))).unwrap()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        let expected =
            [("connect", Code::ECANCELED), ("write", Code::ECANCELED), ("closed", Code(0))];
        assert_eq!(log.try_iter().collect::<Vec<_>>(), expected);
        event_loop.close().unwrap();
    }

    #[test]
    fn an_address_found_too_late_is_not_tried() {
        let event_loop = Loop::new().unwrap();
        let (listener, address) = listener("127.0.0.1");
        listener.set_nonblocking(true).unwrap();
        let stream = TCP::new(&event_loop).unwrap();
        let mut late = None;
        let (sender, outcome) = mpsc::channel();
        let options = ConnectOptions { timeout: Some(Duration::from_millis(10)), ..QUICK };
        let done = move |_: &Stream, outcome| sender.send(outcome).unwrap();
        let keep = |found| {
            late = Some(found);
            Ok(())
        };
        stream.connect_found(options, keep, done).unwrap();
        let waker = Timer::new(&event_loop).unwrap();
        waker.start(Duration::from_millis(30), Duration::ZERO, |_| ()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        let failed: Result<()> = outcome.try_recv().unwrap();
        assert_eq!(failed.unwrap_err().code(), Some(Code::ETIMEDOUT));
        late.unwrap().tell(Ok(vec![address]));
        event_loop.run(RunMode::Default).unwrap();
        assert!(outcome.try_recv().is_err());
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn the_address_of_a_bound_handle_stays() {
        let event_loop = Loop::new().unwrap();
        let (_listener, address) = listener("127.0.0.1");
        let (_other, ipv6) = listener("::1");
        let stream = TCP::new(&event_loop).unwrap();
        stream.bind("127.0.0.1:0".parse().unwrap(), BindFlags::empty()).unwrap();
        let local = stream.getsockname().unwrap();
        let fd = stream.fileno().unwrap();
        stream.connect_any(vec![ipv6, address], QUICK, |_, outcome| outcome.unwrap()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
        assert_eq!((stream.getsockname(), stream.getpeername()), (Ok(local), Ok(address)));
        assert_eq!(stream.fileno(), Ok(fd));
        assert_eq!(stream.connect_failures(), Ok(vec![(ipv6, Code::EAFNOSUPPORT)]));
        let again = stream.connect_any(vec![address], QUICK, |_, _| ());
        assert_eq!(again.unwrap_err().code(), Some(Code::EISCONN));
    }

    #[test]
    fn a_stream_that_is_connecting_does_nothing_else() {
        let event_loop = Loop::new().unwrap();
        let (_hole, _first, silent) = black_hole();
        let stream = TCP::new(&event_loop).unwrap();
        stream.connect_any(vec![silent], QUICK, |_, _| ()).unwrap();
        let codes = [
            stream.connect(silent, |_, _| ()).unwrap_err().code(),
            stream.connect_any(vec![silent], QUICK, |_, _| ()).unwrap_err().code(),
            stream.bind("127.0.0.1:0".parse().unwrap(), BindFlags::empty()).unwrap_err().code(),
            stream.listen(1, |_, _| ()).unwrap_err().code(),
        ];
        let expected = [Code::EALREADY, Code::EALREADY, Code::EINVAL, Code::EINVAL];
        assert_eq!(codes, expected.map(Some));
        stream.close(|_| ()).unwrap();
        event_loop.run(RunMode::Default).unwrap();
    }

    #[test]
    fn an_abandoned_loop_drops_what_is_on_its_way() {
        let event_loop = Loop::new().unwrap();
        let (_hole, _first, silent) = black_hole();
        let stream = TCP::new(&event_loop).unwrap();
        let kept = std::sync::Arc::new(());
        let held = kept.clone();
        stream.connect_any(vec![silent, silent], QUICK, move |_, _| drop(held)).unwrap();
        event_loop.run(RunMode::NoWait).unwrap();
        drop(stream);
        drop(event_loop);
        assert_eq!(std::sync::Arc::strong_count(&kept), 1);
    }
}
