//! A channel whose server answers with mutated messages: every query ends exactly once.

mod util;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mutatis::{Session, mutators as m};
use pyuv::{Loop, RunMode};
use pyuv_dns::{Channel, Options, RecordType};

use util::fuzz;

/// Queries asked at a time.
const BATCH: usize = 200;
/// How long the server has for each of its two tries, to begin with.
const TIMEOUT: Duration = Duration::from_millis(30);
/// And on a machine where that is too short for any good answer.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Answers over UDP and TCP from two threads, which end when the value is dropped.
struct Mutator {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Mutator {
    fn new(seed: u64) -> Mutator {
        let (udp, tcp) = bind();
        let address = udp.local_addr().expect("an address");
        let stop = Arc::new(AtomicBool::new(false));
        let messages = Arc::new(fuzz::messages());
        let threads = vec![
            std::thread::spawn({
                let (stop, mut answers) = (stop.clone(), Answers::new(seed, messages.clone()));
                move || serve_udp(&udp, &stop, &mut answers)
            }),
            std::thread::spawn({
                let (stop, mut answers) = (stop.clone(), Answers::new(!seed, messages));
                move || serve_tcp(&tcp, &stop, &mut answers)
            }),
        ];
        Mutator { address, stop, threads }
    }
}

impl Drop for Mutator {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().expect("a server thread panicked");
        }
    }
}

/// A UDP and a TCP socket on one port, neither of which waits for long.
fn bind() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("an address")) else { continue };
        udp.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        tcp.set_nonblocking(true).expect("a listener");
        return (udp, tcp);
    }
}

/// Makes answers: the right one, or the records of a recorded message, with up to 8 mutations.
struct Answers {
    session: Session,
    messages: Arc<Vec<Vec<u8>>>,
    made: usize,
}

impl Answers {
    fn new(seed: u64, messages: Arc<Vec<Vec<u8>>>) -> Answers {
        Answers { session: Session::new().seed(seed), messages, made: 0 }
    }

    fn next(&mut self, query: &[u8]) -> Vec<u8> {
        self.made += 1;
        let right = util::reply(query, 0x8180, 2);
        let mut answer = match self.made % 3 {
            0 => right,
            // Another question: c-ares has to tell.
            1 => self.messages[self.made % self.messages.len()].clone(),
            // The right question before another message's records.
            _ => {
                let other = &self.messages[self.made % self.messages.len()];
                let end = right.len() - 2 * 16;
                let records =
                    other.get(12 + (end - 12).min(other.len() - 12)..).unwrap_or_default();
                let mut mixed = right[..end].to_vec();
                mixed[6..12].copy_from_slice(&other[6..12]);
                mixed.extend_from_slice(records);
                mixed
            }
        };
        for _ in 0..self.made % 9 {
            self.session
                .mutate_with(&mut m::default::<Vec<u8>>(), &mut answer)
                .expect("a mutation");
        }
        if self.made.is_multiple_of(2) && answer.len() > 2 {
            // So that the id, at least, is right.
            answer[..2].copy_from_slice(&query[..2]);
        }
        answer
    }
}

fn serve_udp(udp: &UdpSocket, stop: &AtomicBool, answers: &mut Answers) {
    let mut buffer = [0; 2048];
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, peer)) = udp.recv_from(&mut buffer) else { continue };
        // The client may have closed its socket.
        let _ = udp.send_to(&answers.next(&buffer[..length]), peer);
    }
}

fn serve_tcp(tcp: &TcpListener, stop: &AtomicBool, answers: &mut Answers) {
    while !stop.load(Ordering::Relaxed) {
        let Ok((mut stream, _)) = tcp.accept() else {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        };
        stream.set_nonblocking(false).expect("a stream");
        stream.set_read_timeout(Some(Duration::from_millis(20))).expect("a timeout");
        let mut length = [0; 2];
        while stream.read_exact(&mut length).is_ok() {
            let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
            if stream.read_exact(&mut query).is_err() {
                break;
            }
            let answer = answers.next(&query);
            // A length that is wrong now and then, too.
            let told = answer.len().wrapping_add(usize::from(answers.made.is_multiple_of(5)));
            let told = u16::try_from(told).unwrap_or(u16::MAX);
            if stream.write_all(&told.to_be_bytes()).is_err() || stream.write_all(&answer).is_err()
            {
                break;
            }
        }
    }
}

#[test]
fn every_query_ends_once_whatever_the_server_says() {
    let (deadline, patience) = (fuzz::deadline(), fuzz::patience());
    let server = Mutator::new(fuzz::seed());
    let event_loop = Loop::new().expect("a loop");
    let (good, bad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (mut asked, mut timeout) = (0, TIMEOUT);
    // On a slow machine until there has been an answer of either kind.
    let both = || good.load(Ordering::Relaxed) > 0 && bad.load(Ordering::Relaxed) > 0;
    while !both() || Instant::now() < deadline {
        assert!(Instant::now() < deadline + patience, "{asked} queries ended alike");
        let options = Options {
            servers: Some(vec![server.address.to_string()]),
            timeout: Some(timeout),
            tries: Some(2),
            query_cache_max_ttl: u32::from(asked % 3 == 0) * 60,
            ..Options::default()
        };
        let channel = Channel::new(&event_loop, options).expect("a channel");
        let started = Instant::now();
        for number in 0..BATCH {
            let (good, bad) = (good.clone(), bad.clone());
            let name = format!("n{number}.fuzz.example");
            let answered = move |answer: pyuv_dns::Result<pyuv_dns::Message>| {
                let count = if answer.is_ok() { good } else { bad };
                count.fetch_add(1, Ordering::Relaxed);
            };
            channel.query(&name, RecordType::A, answered).expect("a query");
        }
        asked += BATCH;
        event_loop.run(RunMode::Default).expect("the loop");
        assert!(started.elapsed() < patience, "a batch took {:?}", started.elapsed());
        assert_eq!(channel.active_queries(), 0);
        let ended = good.load(Ordering::Relaxed) + bad.load(Ordering::Relaxed);
        assert_eq!(ended, asked, "of {asked} queries {ended} ended");
        if good.load(Ordering::Relaxed) == 0 {
            timeout = LONGEST_TIMEOUT.min(timeout * 2);
        }
    }
    event_loop.run(RunMode::Default).expect("the loop");
}
