//! The lookups besides `query`, `reinit`, reports of servers, and asking without a loop.

mod util;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use pyuv::{Loop, RunMode};
use pyuv_dns::{
    AddrInfoFlags, AddrInfoHints, AddressFamily, Channel, Code, Error, Flags, Message, NIFlags,
    Opcode, Options, Question, Rcode, RecordClass, RecordType, resolve,
};
use util::{ADDRESS, Log, Server};

const A: RecordType = RecordType::A;

fn asking(name: &str) -> Message {
    Message {
        id: 0,
        flags: Flags::RD,
        opcode: Opcode::QUERY,
        rcode: Rcode::NOERROR,
        question: Box::from([Question {
            name: name.into(),
            record_type: A,
            class: RecordClass::IN,
        }]),
        answer: Box::default(),
        authority: Box::default(),
        additional: Box::default(),
    }
}

/// What one lookup's callback gets.
fn answer<T: Send + 'static>(
    channel: &Channel,
    ask: impl FnOnce(Box<dyn FnOnce(pyuv_dns::Result<T>) + Send>) -> pyuv_dns::Result<()>,
) -> pyuv_dns::Result<T> {
    let (sender, receiver) = mpsc::channel();
    ask(Box::new(move |result| sender.send(result).unwrap()))?;
    assert!(receiver.try_recv().is_err(), "called from inside the call that asked");
    assert_eq!(channel.event_loop().run(RunMode::Default), Ok(false));
    receiver.try_recv().expect("called once")
}

#[test]
fn search_goes_through_the_domains() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { domains: Some(vec!["example".into()]), ..server.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    let found = answer(&channel, |done| channel.search("www", A, RecordClass::IN, done)).unwrap();
    assert_eq!(&*found.question[0].name, "www.example");
}

#[test]
fn a_message_is_sent_and_any_answer_is_one() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, server.options()).unwrap();
    let found = answer(&channel, |done| channel.send(&asking("missing.example"), done)).unwrap();
    assert_eq!(found.rcode, Rcode::NXDOMAIN);
    let none = Message { question: Box::default(), ..asking("x") };
    assert!(matches!(channel.send(&none, |_| ()), Err(Error::Invalid(_))));
}

#[test]
fn hosts_have_addresses_and_names() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, server.options()).unwrap();
    let hints = AddrInfoHints { family: Some(AddressFamily::INET), ..AddrInfoHints::default() };
    let found =
        answer(&channel, |done| channel.getaddrinfo(Some("www.example"), Some("80"), hints, done));
    assert_eq!(found.unwrap().nodes[0].address, SocketAddr::from((ADDRESS, 80)));
    // An address has a name, and an alias that c-ares leaves null.
    let hints = AddrInfoHints { flags: AddrInfoFlags::CANONNAME, ..hints };
    let found =
        answer(&channel, |done| channel.getaddrinfo(Some("127.0.0.1"), None, hints, done)).unwrap();
    assert_eq!(
        (found.cnames[0].alias.as_deref(), found.cnames[0].name.as_deref()),
        (None, Some("127.0.0.1"))
    );

    let found =
        answer(&channel, |done| channel.gethostbyname("www.example", AddressFamily::INET, done));
    assert_eq!(*found.unwrap().addresses, [IpAddr::V4(ADDRESS)]);
    let found =
        answer(&channel, |done| channel.gethostbyaddr(Ipv4Addr::new(198, 51, 100, 1).into(), done));
    // The server answers with an address whatever it is asked for.
    assert_eq!(found.unwrap_err().code(), Some(Code::ENODATA));
    let address = SocketAddr::from(([198, 51, 100, 1], 53));
    let flags = NIFlags::NUMERICHOST | NIFlags::LOOKUPSERVICE | NIFlags::NUMERICSERV;
    let names = answer(&channel, |done| channel.getnameinfo(address, flags, done));
    assert_eq!(names.map(|names| names.service), Ok(Some("53".into())));
}

#[test]
fn a_lookup_of_two_queries_takes_the_room_of_two() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { max_in_flight: Some(3), ..server.hasty() };
    let channel = Channel::new(&event_loop, options).unwrap();
    for _ in 0..2 {
        let hints = AddrInfoHints::default();
        channel.getaddrinfo(Some("silent.example"), None, hints, |_| ()).unwrap();
    }
    assert_eq!(format!("{channel:?}"), "Channel { in_flight: 1, waiting: 1, answered: 0, .. }");
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(channel.active_queries(), 0);
}

#[test]
fn reinit_swaps_the_channel_and_what_is_in_flight_goes_on() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Arc::new(Channel::new(&event_loop, server.options()).unwrap());
    let log = Log::default();
    channel.query("www.example", A, log.note()).unwrap();
    let (sender, receiver) = mpsc::channel();
    let asker = channel.clone();
    let later = log.note();
    channel
        .reinit(move |outcome| {
            sender.send(outcome).unwrap();
            asker.query("other.example", A, later).unwrap();
        })
        .unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(receiver.try_recv(), Ok(Ok(())));
    assert_eq!(log.take(), [Ok(ADDRESS), Ok(ADDRESS)]);
    assert_eq!(channel.servers().unwrap(), [server.address.to_string()]);
}

#[test]
fn reinit_of_a_channel_that_is_dropped_or_closed_says_so() {
    let event_loop = Loop::new().unwrap();
    let (sender, receiver) = mpsc::channel();
    for close in [true, false] {
        let channel = Channel::new(&event_loop, Options::default()).unwrap();
        let sender = sender.clone();
        channel.reinit(move |outcome| sender.send(outcome).unwrap()).unwrap();
        if close {
            channel.close().unwrap();
            assert!(channel.reinit(|_| ()).is_err());
        }
    }
    event_loop.run(RunMode::Default).unwrap();
    let ended = Err(Error::from(Code::EDESTRUCTION));
    assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [ended.clone(), ended]);
}

#[test]
fn servers_are_reported_before_the_answer() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, server.options()).unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let reports = order.clone();
    channel
        .set_server_state_callback(Some(Arc::new(move |server: &str, success, _| {
            reports.lock().unwrap().push(format!("{server} {success}"));
        })))
        .unwrap();
    let answers = order.clone();
    channel
        .query("www.example", A, move |_| answers.lock().unwrap().push("answer".into()))
        .unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(*order.lock().unwrap(), [format!("{} true", server.address), "answer".into()]);
}

#[test]
fn resolve_needs_no_loop() {
    let server = Server::start();
    let answer = resolve("www.example", A, &server.options()).unwrap();
    assert_eq!(&*answer.question[0].name, "www.example");
    let error = resolve("missing.example", A, &server.options()).unwrap_err();
    assert_eq!(error.code(), Some(Code::ENOTFOUND));
    assert_eq!(server.queries.load(Ordering::Relaxed), 2);
}
