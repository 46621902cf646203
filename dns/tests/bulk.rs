//! What becomes of lists of names.

mod util;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pyuv::{Check, Loop, RunMode, Timer};
use pyuv_dns::bulk::Answered;
use pyuv_dns::{Bulk, BulkOptions, Channel, Options, RecordType};
use util::Server;

struct Setup {
    event_loop: Loop,
    channel: Channel,
    bulk: Arc<Bulk>,
}

fn set_up(options: Options, how: BulkOptions) -> Setup {
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, options).unwrap();
    let bulk = Arc::new(Bulk::new(&channel, how).unwrap());
    Setup { event_loop, channel, bulk }
}

/// Quick to ask a failure again.
fn hasty(retries: u32) -> BulkOptions {
    BulkOptions { retries, retry_pause: Duration::from_millis(1), ..BulkOptions::default() }
}

impl Setup {
    fn run(&self) {
        assert_eq!(self.event_loop.run(RunMode::Default), Ok(false));
    }

    /// The lines that there are, sorted.
    fn lines(&self) -> Vec<String> {
        let taken = self.bulk.take();
        assert!(taken.is_empty() || taken.ends_with('\n'));
        let mut lines: Vec<_> = taken.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    }

    fn whole_list(&self, names: &str) -> Vec<String> {
        self.bulk.push(names.as_bytes()).unwrap();
        self.bulk.end().unwrap();
        self.run();
        assert!(self.bulk.is_done());
        assert_eq!(self.bulk.busy(), 0);
        self.lines()
    }
}

#[test]
fn a_line_for_each_name() {
    let server = Server::start();
    let setup = set_up(server.options(), hasty(0));
    let lines =
        setup.whole_list("b.example\n# no\n\nmissing.example\nempty.example MX\na..b\nx NOTYPE");
    let record =
        r#"{"name":"b.example","type":"A","class":"IN","ttl":256,"data":{"addr":"192.0.2.7"}}"#;
    assert_eq!(lines.len(), 5);
    assert!(lines[0].starts_with(r#"{"name":"a..b","type":"A","status":"BADNAME","reason":"#));
    assert_eq!(
        lines[1],
        format!(r#"{{"name":"b.example","type":"A","status":"NOERROR","answer":[{record}]}}"#)
    );
    assert!(lines[2].starts_with(r#"{"name":"empty.example","type":"MX","status":"NODATA","#));
    assert!(lines[3].starts_with(r#"{"name":"missing.example","type":"A","status":"NXDOMAIN","#));
    assert!(lines[4].starts_with(r#"{"name":"x","type":"NOTYPE","status":"BADNAME","#));
    let counts = setup.bulk.counts();
    assert_eq!(counts, [("NOERROR", 1), ("NODATA", 1), ("NXDOMAIN", 1), ("BADNAME", 2)]);
}

#[test]
fn many_more_names_than_are_in_flight() {
    let server = Server::start();
    let how = BulkOptions { concurrency: 20, ..hasty(0) };
    let setup = set_up(server.options(), how);
    let names: String = (0..5000).map(|number| format!("n{number}.example\n")).collect();
    setup.bulk.push(names.as_bytes()).unwrap();
    assert_eq!(setup.bulk.busy(), 20);
    assert!(!setup.bulk.wants_names());
    let lines = setup.whole_list("");
    assert_eq!(lines.len(), 5000);
    assert_eq!(setup.bulk.counts(), [("NOERROR", 5000)]);
    assert_eq!(server.queries.load(Ordering::Relaxed), 5000);
}

#[test]
fn failures_are_asked_again_and_stay_among_the_busy() {
    let server = Server::start();
    let setup = set_up(server.hasty(), BulkOptions { concurrency: 1, ..hasty(2) });
    let lines = setup.whole_list("refused.example\nwww.example\n");
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains(r#""status":"REFUSED""#));
    assert!(lines[1].contains(r#""status":"NOERROR""#));
    assert_eq!(setup.bulk.retried(), 2);
}

#[test]
fn what_was_answered_is_passed_over() {
    let server = Server::start();
    let mut answered = Answered::default();
    answered.insert(b"a.example", "A");
    answered.insert(b"b.example", "MX");
    answered.insert(b"x", "NOTYPE");
    let setup = set_up(server.options(), BulkOptions { answered, ..hasty(0) });
    let lines = setup.whole_list("a.example\na.example TYPE1\nb.example\nb.example mx\nx NOTYPE\n");
    assert_eq!(lines.len(), 1);
    assert!(lines[0].starts_with(r#"{"name":"b.example","type":"A","status":"NOERROR""#));
}

#[test]
fn stopped_it_asks_for_nothing_more_and_loses_nothing() {
    let server = Server::start();
    let how = BulkOptions { concurrency: 3, retry_pause: Duration::from_secs(60), ..hasty(1) };
    let setup = set_up(server.options(), how);
    setup.bulk.push(b"refused.example\na.example\nb.example\n").unwrap();
    let check = Check::new(&setup.event_loop).unwrap();
    let bulk = setup.bulk.clone();
    check
        .start(move |check| {
            // The failure waits for its turn, and takes a place.
            if bulk.counts() == [("NOERROR", 2)] {
                assert_eq!(bulk.busy(), 1);
                bulk.push(b"c.example\n").unwrap();
                bulk.stop().unwrap();
                bulk.push(b"never.example\n").unwrap();
                assert!(!bulk.wants_names());
                check.close(|_| ()).unwrap();
            }
        })
        .unwrap();
    setup.run();
    assert!(setup.bulk.is_done());
    let lines = setup.lines();
    assert_eq!(lines.len(), 4);
    assert!(lines[3].starts_with(r#"{"name":"refused.example","type":"A","status":"REFUSED""#));
}

#[test]
fn a_channel_that_closes_leaves_a_line_for_each_question() {
    let server = Server::start();
    let setup = set_up(server.options(), BulkOptions { concurrency: 2, ..hasty(5) });
    setup.bulk.push(b"silent.a\nsilent.b\nsilent.c\n").unwrap();
    setup.channel.close().unwrap();
    let lines = setup.whole_list("d.example\n");
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.contains(r#""status":"DESTRUCTION""#)));
}

#[test]
fn dropped_with_its_channel_in_flight_it_leaves_nothing() {
    let server = Server::start();
    let setup = set_up(server.hasty(), hasty(3));
    setup.bulk.push(b"silent.a\nrefused.b\n").unwrap();
    // The refusal waits for its turn by then.
    let timer = Timer::new(&setup.event_loop).unwrap();
    timer.start(Duration::from_millis(20), Duration::ZERO, |_| ()).unwrap();
    assert_eq!(setup.event_loop.run(RunMode::Once), Ok(true));
    let Setup { event_loop, channel, bulk } = setup;
    drop(bulk);
    drop(channel);
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
}

#[test]
fn a_name_that_is_not_ascii_is_encoded_or_a_line() {
    let server = Server::start();
    let setup = set_up(server.options(), hasty(0));
    let lines = setup.whole_list("b\u{fc}cher.example\n\u{fffd}.example\n");
    assert!(lines.iter().any(|line| line.contains(r#""status":"BADNAME""#)), "{lines:?}");
    let mut lines = lines;
    lines.retain(|line| !line.contains("BADNAME"));
    assert!(
        lines[0]
            .starts_with("{\"name\":\"b\u{fc}cher.example\",\"type\":\"A\",\"status\":\"NOERROR\"")
    );
    assert!(lines[0].contains(r#""name":"xn--bcher-kva.example""#));
    setup.bulk.push(b"\xff\xfe\n").unwrap();
}

#[test]
fn another_type_for_names_without_one() {
    let server = Server::start();
    let how = BulkOptions { record_type: RecordType::MX, ..hasty(0) };
    let lines = set_up(server.options(), how).whole_list("empty.example\nempty.example TXT\n");
    assert!(lines[0].contains(r#""type":"MX""#));
    assert!(lines[1].contains(r#""type":"TXT""#));
}

#[test]
fn nothing_at_a_time_is_refused() {
    let event_loop = Loop::new().unwrap();
    let channel = Channel::new(&event_loop, Options::default()).unwrap();
    let error = Bulk::new(&channel, BulkOptions { concurrency: 0, ..hasty(0) }).err().unwrap();
    assert!(error.to_string().contains("concurrency 0"));
}
