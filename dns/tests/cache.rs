//! What a caller of `Channel` sees of answers that are there already.

mod util;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use pyuv::{Loop, RunMode};
use pyuv_dns::{Channel, Code, Options, RecordType};
use util::{ADDRESS, Log, Server, Shared};

const A: RecordType = RecordType::A;

fn run(event_loop: &Loop) {
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
}

#[test]
fn an_answer_at_once_comes_in_a_later_turn() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { query_cache_max_ttl: 60, ..server.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    let log = Log::default();
    channel.query("www.example", A, log.note()).unwrap();
    run(&event_loop);
    assert_eq!(log.take(), [Ok(ADDRESS)]);

    channel.query("www.example", A, log.note()).unwrap();
    assert_eq!(log.len(), 0);
    assert_eq!(channel.active_queries(), 1);
    run(&event_loop);
    assert_eq!(log.take(), [Ok(ADDRESS)]);
    assert_eq!(server.queries.load(Ordering::Relaxed), 1);

    channel.set_servers::<&str>(&[]).unwrap();
    channel.query("nobody.example", A, log.note()).unwrap();
    assert_eq!(log.len(), 0);
    run(&event_loop);
    assert_eq!(log.take(), [Err(Code::ENOSERVER)]);
}

#[test]
fn a_callback_that_asks_what_is_cached_does_not_keep_the_loop() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { query_cache_max_ttl: 60, ..server.options() };
    let shared = Shared::default();
    *shared.lock().unwrap() = Some(Channel::new(&event_loop, options).unwrap());
    fn ask(shared: &Shared) {
        let again = shared.clone();
        if let Some(channel) = shared.lock().unwrap().as_ref() {
            channel.query("www.example", A, move |_| ask(&again)).unwrap();
        }
    }
    ask(&shared);
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = turns.clone();
    let check = pyuv::Check::new(&event_loop).unwrap();
    let held = shared.clone();
    check
        .start(move |check| {
            if counted.fetch_add(1, Ordering::Relaxed) == 100 {
                check.close(|_| ()).unwrap();
                held.lock().unwrap().take();
            }
        })
        .unwrap();
    run(&event_loop);
    assert_eq!(turns.load(Ordering::Relaxed), 101);
}

#[test]
fn cached_answers_are_equal_and_ask_no_server() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { query_cache_max_ttl: 60, ..server.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    let (sender, receiver) = mpsc::channel();
    for name in ["www.example", "WWW.Example.", "www.example"] {
        let sender = sender.clone();
        channel.query(name, A, move |answer| sender.send(answer.unwrap()).unwrap()).unwrap();
        run(&event_loop);
    }
    let answers: Vec<_> = receiver.try_iter().collect();
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|answer| answer.answer == answers[0].answer));
    assert_eq!(server.queries.load(Ordering::Relaxed), 1);
    // Another type is another question.
    channel.query("www.example", RecordType::TXT, |_| ()).unwrap();
    run(&event_loop);
    assert_eq!(server.queries.load(Ordering::Relaxed), 2);
}

#[test]
fn without_a_cache_every_query_is_asked() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, server.options()).unwrap();
    for asked in 1..=3 {
        channel.query("www.example", A, |_| ()).unwrap();
        run(&event_loop);
        assert_eq!(server.queries.load(Ordering::Relaxed), asked);
    }
}

#[test]
fn other_servers_are_asked_afresh() {
    let (first, second) = (Server::start(), Server::start());
    let event_loop = Loop::new().unwrap();
    let options = Options { query_cache_max_ttl: 60, ..first.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    channel.query("www.example", A, |_| ()).unwrap();
    run(&event_loop);
    channel.set_servers(&[second.address.to_string()]).unwrap();
    let log = Log::default();
    channel.query("www.example", A, log.note()).unwrap();
    run(&event_loop);
    assert_eq!(log.take(), [Ok(ADDRESS)]);
    assert_eq!(second.queries.load(Ordering::Relaxed), 1);
}

#[test]
fn a_cached_answer_is_told_once_whatever_ends_the_channel() {
    let server = Server::start();
    let event_loop = Loop::new().unwrap();
    let options = Options { query_cache_max_ttl: 60, ..server.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    channel.query("www.example", A, |_| ()).unwrap();
    run(&event_loop);
    let log = Log::default();
    channel.query("www.example", A, log.note()).unwrap();
    channel.cancel().unwrap();
    channel.query("www.example", A, log.note()).unwrap();
    channel.close().unwrap();
    assert_eq!(log.len(), 0);
    run(&event_loop);
    assert_eq!(log.take(), [Ok(ADDRESS), Ok(ADDRESS)]);
    assert!(channel.query("www.example", A, log.note()).is_err());
}
