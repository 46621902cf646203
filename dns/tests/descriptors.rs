//! Sockets come and go, and their numbers with them.
//!
//! All of it counts descriptors and threads, so it is one test: others would bring theirs.
#![cfg(target_os = "linux")]

mod util;

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};

use pyuv::{Events, Loop, Poll, RunMode};
use pyuv_dns::{Channel, Code, Options, RecordType};
use util::{ADDRESS, Log, Server, count};

#[test]
fn sockets_come_and_go() {
    a_socket_s_number_may_be_used_again_in_the_same_iteration();
    channels_leave_no_descriptor_and_no_thread();
    loops_left_with_channels_in_every_state_are_freed();
    without_a_free_descriptor_queries_fail_and_the_channel_lives();
}

/// The number that the next file or socket gets.
fn next_number() -> i32 {
    UdpSocket::bind("127.0.0.1:0").unwrap().as_raw_fd()
}

fn a_socket_s_number_may_be_used_again_in_the_same_iteration() {
    let server = Server::over_udp();
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, server.options()).unwrap();
    let seen: Arc<Mutex<Vec<_>>> = Arc::default();
    for round in 0..20 {
        let number = next_number();
        let (on_loop, noted, log) = (event_loop.clone(), seen.clone(), Log::default());
        let note = log.note();
        channel
            .query("www.example", RecordType::A, move |answer| {
                note(answer);
                // c-ares has just closed its socket, and this one gets its number.
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                assert_eq!(socket.as_raw_fd(), number);
                socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
                let poll = Poll::new(&on_loop, number).unwrap();
                poll.start(Events::READABLE, move |poll, outcome| {
                    noted.lock().unwrap().push(outcome);
                    poll.close(|_| ()).unwrap();
                    let _ = &socket;
                })
                .unwrap();
            })
            .unwrap();
        assert_ne!(next_number(), number, "c-ares opened no socket");
        assert_eq!(event_loop.run(RunMode::Default), Ok(false));
        assert_eq!(log.take(), [Ok(ADDRESS)], "round {round}");
        assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), [Ok(Events::READABLE)]);
    }
}

fn channels_leave_no_descriptor_and_no_thread() {
    let server = Server::over_udp();
    let event_loop = Loop::new().unwrap();
    let before = (count("fd"), count("task"));
    for round in 0..1000 {
        let channel = Channel::new(&event_loop, server.options()).unwrap();
        if round % 10 == 0 {
            channel.query("silent.example", RecordType::A, |_| ()).unwrap();
        }
        if round % 3 == 0 {
            channel.close().unwrap();
        }
        assert_eq!(count("task"), before.1);
    }
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!((count("fd"), count("task")), before);
    assert_eq!(event_loop.close(), Ok(()));
}

fn loops_left_with_channels_in_every_state_are_freed() {
    let server = Server::over_udp();
    let before = count("fd");
    let calls = Log::default();
    for round in 0..300 {
        let event_loop = Loop::new().unwrap();
        let channel = Channel::new(&event_loop, server.options()).unwrap();
        channel.query("silent.example", RecordType::A, calls.note()).unwrap();
        match round % 4 {
            0 => channel.close().unwrap(),
            1 => channel.cancel().unwrap(),
            2 => drop(event_loop),
            _ => {}
        }
    }
    assert_eq!(count("fd"), before);
    assert_eq!(calls.take(), []);
}

fn without_a_free_descriptor_queries_fail_and_the_channel_lives() {
    let server = Server::over_udp();
    let event_loop = Loop::new().unwrap();
    let options = Options { tries: Some(1), ..server.options() };
    let channel = Channel::new(&event_loop, options).unwrap();
    let log = Log::default();

    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls read and write the struct they are given.
    unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    let lowered = libc::rlimit { rlim_cur: u64::try_from(next_number()).unwrap(), ..limit };
    // SAFETY: as above.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const lowered) };
    let asked = channel.query("www.example", RecordType::A, log.note());
    let ran = event_loop.run(RunMode::Default);
    // SAFETY: as above.
    unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!((asked, ran), (Ok(()), Ok(false)));
    assert_eq!(log.take(), [Err(Code::ECONNREFUSED)]);

    channel.query("www.example", RecordType::A, log.note()).unwrap();
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(log.take(), [Ok(ADDRESS)]);
}
