//! A name server for tests: on loopback, over UDP and TCP, in threads of its own.
//!
//! What it does with a query is up to the first label of the name: see [`respond`].

#![allow(dead_code, reason = "each test program uses a part")]

pub mod fuzz;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use pyuv_dns::record::data;
use pyuv_dns::{Channel, Code, Message, Options, RecordData, Result};

/// The address that every answer has.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

pub struct Server {
    pub address: SocketAddr,
    /// How many queries came.
    pub queries: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// What a server does with a query: the reply, if any. Over TCP, `None` closes the connection.
fn respond(query: &[u8], tcp: bool) -> Option<Vec<u8>> {
    let first = &query[13..13 + usize::from(query[12])];
    match first {
        b"silent" => None,
        b"garbage" => Some([&query[..2], b"\xff\xff garbage"].concat()),
        b"refused" => Some(reply(query, 0x8185, 0)),
        b"missing" => Some(reply(query, 0x8183, 0)),
        b"empty" => Some(reply(query, 0x8180, 0)),
        b"truncated" | b"closing" if !tcp => Some(reply(query, 0x8380, 0)),
        b"closing" => None,
        _ => Some(reply(query, 0x8180, 1)),
    }
}

pub fn reply(query: &[u8], flags: u16, answers: u16) -> Vec<u8> {
    let mut end = 12;
    while query[end] != 0 {
        end += usize::from(query[end]) + 1;
    }
    end += 5;
    let mut reply = Vec::with_capacity(end + 16);
    reply.extend(&query[..2]);
    for number in [flags, 1, answers, 0, 0] {
        reply.extend(number.to_be_bytes());
    }
    reply.extend(&query[12..end]);
    for _ in 0..answers {
        reply.extend(b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x01\x00\x00\x04");
        reply.extend(ADDRESS.octets());
    }
    reply
}

/// Answers over TCP until the client closes, or a name asks for silence.
fn serve(mut stream: TcpStream, queries: &AtomicUsize) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        if stream.read_exact(&mut query).is_err() {
            return;
        }
        queries.fetch_add(1, Ordering::Relaxed);
        let Some(reply) = respond(&query, true) else { return };
        let length = u16::try_from(reply.len()).unwrap().to_be_bytes();
        if stream.write_all(&[&length[..], &reply].concat()).is_err() {
            return;
        }
    }
}

impl Server {
    pub fn start() -> Server {
        Server::serving(true)
    }

    /// A server that is not there for TCP: a thread in `accept` has a descriptor in hand, and
    /// takes it when it likes.
    pub fn over_udp() -> Server {
        Server::serving(false)
    }

    fn serving(tcp_too: bool) -> Server {
        // The two protocols get the same port; another program may have one of them.
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
                break (udp, tcp);
            }
        };
        let address = udp.local_addr().unwrap();
        udp.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let queries = Arc::new(AtomicUsize::new(0));
        let (stopped, counted) = (stop.clone(), queries.clone());
        let udp_thread = std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((length, from)) = udp.recv_from(&mut buffer) else { continue };
                counted.fetch_add(1, Ordering::Relaxed);
                if let Some(reply) = respond(&buffer[..length], false) {
                    let _ = udp.send_to(&reply, from);
                }
            }
        });
        let mut threads = vec![udp_thread];
        if tcp_too {
            let (stopped, counted) = (stop.clone(), queries.clone());
            threads.push(std::thread::spawn(move || {
                while let Ok((stream, _)) = tcp.accept() {
                    if stopped.load(Ordering::Relaxed) {
                        break;
                    }
                    let counted = counted.clone();
                    std::thread::spawn(move || serve(stream, &counted));
                }
            }));
        }
        Server { address, queries, stop, threads }
    }

    /// Options for a channel that asks this server.
    pub fn options(&self) -> Options {
        Options { servers: Some(vec![self.address.to_string()]), ..Options::default() }
    }

    /// Options with which a silent server is given up after 200 ms.
    pub fn hasty(&self) -> Options {
        Options { timeout: Some(Duration::from_millis(100)), tries: Some(2), ..self.options() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address));
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// What came, in order: an address, or c-ares's status.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<std::result::Result<Ipv4Addr, Code>>>>);

impl Log {
    pub fn note(&self) -> impl FnOnce(Result<Message>) + Send + use<> {
        let log = self.0.clone();
        move |answer| log.lock().unwrap().push(outcome(answer))
    }

    pub fn take(&self) -> Vec<std::result::Result<Ipv4Addr, Code>> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

fn outcome(answer: Result<Message>) -> std::result::Result<Ipv4Addr, Code> {
    match answer {
        Ok(message) => match message.answer[0].data {
            RecordData::A(data::A { addr }) => Ok(addr),
            ref other => panic!("{other:?}"),
        },
        Err(error) => Err(error.code().expect("c-ares's status")),
    }
}

/// A channel that callbacks can reach.
pub type Shared = Arc<Mutex<Option<Channel>>>;

/// How many entries a folder of `/proc/self` has.
#[cfg(target_os = "linux")]
pub fn count(folder: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{folder}")).unwrap().count()
}
