//! What may be done with a `Channel` and when: in callbacks, in flight, on other threads.

mod util;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pyuv::{Loop, RunMode};
use pyuv_dns::{Channel, ChannelFlags, Code, Error, Options, RecordType};
use util::{ADDRESS, Log, Server, Shared};

const A: RecordType = RecordType::A;

fn run(event_loop: &Loop) {
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
}

#[test]
fn callbacks_may_ask() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Arc::new(Channel::new(&event_loop, server.options()).unwrap());
    let (log, second) = (Log::default(), Log::default());
    let (again, note) = (channel.clone(), second.note());
    let first = log.note();
    channel
        .query("www.example", A, move |answer| {
            first(answer);
            again.query("other.example", A, note).unwrap();
        })
        .unwrap();
    run(&event_loop);
    assert_eq!(log.take(), [Ok(ADDRESS)]);
    assert_eq!(second.take(), [Ok(ADDRESS)]);
}

#[test]
fn closing_ends_each_query_once() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { max_in_flight: Some(3), ..server.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    let log = Log::default();
    for _ in 0..10 {
        channel.query("silent.example", A, log.note()).unwrap();
    }
    channel.close().unwrap();
    assert_eq!(log.len(), 0);
    assert!(channel.is_closed());
    let closed = Err(Error::Loop(pyuv::Error::HandleClosed));
    assert_eq!(channel.query("www.example", A, log.note()), closed);
    assert_eq!(channel.close(), closed);
    assert_eq!(channel.cancel(), closed);
    run(&event_loop);
    assert_eq!(log.take(), vec![Err(Code::EDESTRUCTION); 10]);
    assert_eq!(event_loop.close(), Ok(()));
}

#[test]
fn a_callback_may_close_its_channel() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Arc::new(Channel::new(&event_loop, server.options()).unwrap());
    let log = Log::default();
    for _ in 0..3 {
        channel.query("silent.example", A, log.note()).unwrap();
    }
    let (closing, note) = (channel.clone(), log.note());
    channel
        .query("www.example", A, move |answer| {
            closing.close().unwrap();
            note(answer);
        })
        .unwrap();
    run(&event_loop);
    let mut expected = vec![Ok(ADDRESS)];
    expected.extend([Err(Code::EDESTRUCTION); 3]);
    assert_eq!(log.take(), expected);
    assert_eq!(event_loop.close(), Ok(()));
}

#[test]
fn a_callback_may_drop_its_channel_and_nobody_else_is_called() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let shared = Shared::default();
    let channel = Channel::new(&event_loop, server.options()).unwrap();
    let log = Log::default();
    for _ in 0..3 {
        channel.query("silent.example", A, log.note()).unwrap();
    }
    let (dropping, note) = (shared.clone(), log.note());
    channel
        .query("www.example", A, move |answer| {
            dropping.lock().unwrap().take();
            note(answer);
        })
        .unwrap();
    *shared.lock().unwrap() = Some(channel);
    run(&event_loop);
    assert_eq!(log.take(), [Ok(ADDRESS)]);
    assert_eq!(event_loop.close(), Ok(()));
}

#[test]
fn cancelling_ends_what_is_in_flight_and_what_waits() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { max_in_flight: Some(3), ..server.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    let log = Log::default();
    for _ in 0..10 {
        channel.query("silent.example", A, log.note()).unwrap();
    }
    channel.cancel().unwrap();
    assert_eq!(log.len(), 0);
    channel.query("www.example", A, log.note()).unwrap();
    run(&event_loop);
    let mut expected = vec![Err(Code::ECANCELLED); 10];
    expected.push(Ok(ADDRESS));
    assert_eq!(log.take(), expected);
}

#[test]
fn a_panic_leaves_the_rest_for_the_next_run() {
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, Options::default()).unwrap();
    channel.set_servers::<&str>(&[]).unwrap();
    let log = Log::default();
    channel.query("www.example", A, |_| panic!("boom")).unwrap();
    for _ in 0..3 {
        channel.query("www.example", A, log.note()).unwrap();
    }
    assert_eq!(event_loop.run(RunMode::Default), Err(pyuv::Error::panicked("boom")));
    run(&event_loop);
    assert_eq!(log.take(), [Err(Code::ENOSERVER); 3]);

    channel.query("www.example", A, |_| panic!("boom")).unwrap();
    channel.query("www.example", A, log.note()).unwrap();
    channel.close().unwrap();
    assert!(event_loop.run(RunMode::Default).is_err());
    run(&event_loop);
    assert_eq!(log.take(), [Err(Code::ENOSERVER)]);
}

#[test]
fn a_panic_does_not_make_a_socket_deaf() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, server.options()).unwrap();
    let log = Log::default();
    // The silent query keeps the socket that the other two share.
    channel.query("silent.example", A, |_| ()).unwrap();
    channel.query("www.example", A, |_| panic!("boom")).unwrap();
    assert!(event_loop.run(RunMode::Default).is_err());
    let note = log.note();
    let stopper = event_loop.clone();
    channel
        .query("www.example", A, move |answer| {
            note(answer);
            stopper.stop().unwrap();
        })
        .unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(log.take(), [Ok(ADDRESS)]);
}

#[test]
fn an_idle_channel_keeps_nothing_running() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { flags: Some(ChannelFlags::STAYOPEN), ..server.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    run(&event_loop);
    let log = Log::default();
    channel.query("www.example", A, log.note()).unwrap();
    run(&event_loop);
    assert_eq!(event_loop.is_alive(), Ok(false));
    assert_eq!(event_loop.handles(), Ok(vec![]));
    channel.query("www.example", A, log.note()).unwrap();
    run(&event_loop);
    assert_eq!(log.take(), [Ok(ADDRESS), Ok(ADDRESS)]);
    let refused = event_loop.close().unwrap_err().to_string();
    assert!(refused.contains("a DNS channel"), "{refused}");
    drop(channel);
    assert_eq!(event_loop.close(), Ok(()));
}

#[test]
fn dropped_on_another_thread_while_the_loop_sleeps_it_lets_the_loop_end() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, server.options()).unwrap();
    let log = Log::default();
    channel.query("silent.example", A, log.note()).unwrap();
    let (asleep, is_asleep) = std::sync::mpsc::channel();
    let idle = pyuv::Idle::new(&event_loop).unwrap();
    idle.start(move |idle| {
        idle.stop().unwrap();
        asleep.send(()).unwrap();
    })
    .unwrap();
    let thread = std::thread::spawn(move || {
        is_asleep.recv().unwrap();
        drop(channel);
    });
    let started = Instant::now();
    run(&event_loop);
    thread.join().unwrap();
    assert!(started.elapsed() < Duration::from_secs(1));
    assert_eq!(log.take(), []);
    drop(idle);
    assert_eq!(event_loop.close(), Ok(()));
}

#[test]
fn another_thread_may_not_ask_while_the_loop_runs() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Arc::new(Channel::new(&event_loop, server.options()).unwrap());
    let shared = channel.clone();
    let log = Log::default();
    let note = log.note();
    channel
        .query("www.example", A, move |answer| {
            let asked = std::thread::spawn(move || shared.query("other.example", A, |_| ()));
            let refused = Err(Error::Loop(pyuv::Error::WrongThread));
            assert_eq!(asked.join().unwrap(), refused);
            note(answer);
        })
        .unwrap();
    run(&event_loop);
    assert_eq!(log.take(), [Ok(ADDRESS)]);
}
