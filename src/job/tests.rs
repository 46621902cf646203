use std::panic::resume_unwind;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use super::Job;
use crate::pool::pool_size;
use crate::{Code, Error, Loop, Request, Result, RunMode, Timer};

/// A closure to run on the pool, and where to tell of its end.
struct Task<F> {
    work: Option<F>,
    name: usize,
    over: Sender<(usize, Result<()>)>,
}

impl<F: FnOnce() + Send + 'static> Job for Task<F> {
    fn run(&mut self) {
        (self.work.take().unwrap())();
    }

    fn done(&mut self, outcome: Result<()>) {
        self.over.send((self.name, outcome)).unwrap();
    }
}

struct Fixture {
    event_loop: Loop,
    sender: Sender<(usize, Result<()>)>,
    over: Receiver<(usize, Result<()>)>,
}

impl Fixture {
    fn new() -> Fixture {
        let (sender, over) = mpsc::channel();
        Fixture { event_loop: Loop::new().unwrap(), sender, over }
    }

    fn submit(&self, name: usize, work: impl FnOnce() + Send + 'static) -> Request {
        let task = Task { work: Some(work), name, over: self.sender.clone() };
        self.event_loop.submit(task).unwrap()
    }

    /// A job that blocks until what is returned is dropped.
    fn block(&self, name: usize) -> (Sender<()>, Request) {
        let (release, gate) = mpsc::channel::<()>();
        (release, self.submit(name, move || assert!(gate.recv().is_err())))
    }

    fn outcomes(&self) -> Vec<(usize, Result<()>)> {
        self.over.try_iter().collect()
    }

    fn names(&self) -> Vec<usize> {
        self.over.try_iter().map(|(name, _)| name).collect()
    }
}

#[test]
fn jobs_run_elsewhere_and_end_here() {
    let fixture = Fixture::new();
    let here = std::thread::current().id();
    for name in 0..1000 {
        fixture.submit(name, move || assert_ne!(std::thread::current().id(), here));
    }
    assert!(fixture.event_loop.is_alive().unwrap());
    assert!(!fixture.event_loop.run(RunMode::Default).unwrap());
    let expected: Vec<_> = (0..1000).map(|name| (name, Ok(()))).collect();
    let mut outcomes = fixture.outcomes();
    outcomes.sort_by_key(|(name, _)| *name);
    assert_eq!(outcomes, expected);
    fixture.event_loop.close().unwrap();
}

#[test]
fn jobs_that_block_do_not_hold_up_the_others() {
    let fixture = Fixture::new();
    let blocked: Vec<_> = (1..pool_size()).map(|name| fixture.block(name)).collect();
    fixture.submit(0, || ());
    while fixture.names() != [0] {
        fixture.event_loop.run(RunMode::Once).unwrap();
    }
    drop(blocked);
    fixture.event_loop.run(RunMode::Default).unwrap();
    assert_eq!(fixture.names().len(), pool_size() - 1);
}

#[test]
fn a_blocked_job_does_not_hold_up_what_another_waits_for() {
    let fixture = Fixture::new();
    let (release, gate) = mpsc::channel();
    fixture.submit(0, move || gate.recv().unwrap());
    fixture.submit(1, move || release.send(()).unwrap());
    fixture.event_loop.run(RunMode::Default).unwrap();
    assert_eq!(fixture.names().len(), 2);
}

#[test]
fn work_gets_its_turn_among_jobs_that_follow_one_another() {
    let fixture = Fixture::new();
    let (worked, has_worked) = mpsc::channel();
    // As many chains as the pool has threads, each job of which takes so long that all of them
    // get a thread.
    for name in 0..pool_size() {
        fixture.submit(name, || std::thread::sleep(Duration::from_micros(200)));
    }
    let mut rounds = 0;
    while has_worked.try_recv().is_err() {
        rounds += 1;
        if rounds == 50 {
            let worked = worked.clone();
            fixture.event_loop.queue_work(move || worked.send(()).unwrap(), |_| ()).unwrap();
        }
        fixture.event_loop.run(RunMode::Once).unwrap();
        for name in fixture.names() {
            fixture.submit(name, || std::thread::sleep(Duration::from_micros(200)));
        }
    }
    fixture.event_loop.run(RunMode::Default).unwrap();
    assert_eq!(fixture.names().len(), pool_size());
}

#[test]
fn a_job_that_has_not_begun_can_be_cancelled() {
    let fixture = Fixture::new();
    let blocked: Vec<_> = (0..pool_size()).map(|name| fixture.block(name)).collect();
    let last = fixture.submit(100, || panic!("it was cancelled"));
    assert_eq!(last.cancel(), Ok(true));
    assert_eq!(last.cancel(), Ok(false));
    assert_eq!(fixture.names(), [], "nobody is told from inside cancel");
    fixture.event_loop.run(RunMode::Once).unwrap();
    assert_eq!(fixture.outcomes(), [(100, Err(Error::new(Code::ECANCELED, "a job")))]);
    let error = fixture.event_loop.close().unwrap_err().to_string();
    assert!(error.contains(&format!("{} requests in flight", pool_size())), "{error}");
    let (_, first) = &blocked[0];
    assert_eq!(fixture.event_loop.close().unwrap_err().code(), Some(Code::EBUSY));
    let first_was_begun = first.cancel() == Ok(false);
    drop(blocked);
    fixture.event_loop.run(RunMode::Default).unwrap();
    assert!(first_was_begun || fixture.outcomes().iter().any(|(_, outcome)| outcome.is_err()));
    fixture.event_loop.close().unwrap();
}

#[test]
fn a_finished_job_cannot_be_cancelled() {
    let fixture = Fixture::new();
    let request = fixture.submit(0, || ());
    fixture.event_loop.run(RunMode::Default).unwrap();
    assert_eq!(request.cancel(), Ok(false));
    fixture.event_loop.close().unwrap();
    assert_eq!(request.cancel(), Ok(false));
}

#[test]
fn a_panic_on_the_pool_is_reported_and_the_next_job_runs() {
    let fixture = Fixture::new();
    // Panics without a message, which would come between the lines of the tests' report.
    fixture.submit(0, || resume_unwind(Box::new("boom")));
    fixture.submit(1, || ());
    fixture.event_loop.run(RunMode::Default).unwrap();
    let mut outcomes = fixture.outcomes();
    outcomes.sort_by_key(|(name, _)| *name);
    assert_eq!(outcomes, [(0, Err(Error::panicked("boom"))), (1, Ok(()))]);
}

#[test]
fn the_loop_can_be_closed_right_after_the_last_job() {
    for _ in 0..200 {
        let fixture = Fixture::new();
        fixture.submit(0, || ());
        while fixture.names().is_empty() {
            fixture.event_loop.run(RunMode::Once).unwrap();
        }
        fixture.event_loop.close().unwrap();
    }
}

#[test]
fn a_loop_that_is_only_polled_from_outside_hears_of_its_jobs() {
    let fixture = Fixture::new();
    let mut begun = 0;
    let mut ended = 0;
    while ended < 100 {
        while begun < ended + 3 && begun < 100 {
            fixture.submit(begun, || ());
            begun += 1;
        }
        #[cfg(unix)]
        {
            let fd = fixture.event_loop.fileno().unwrap();
            let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
            let timeout = fixture.event_loop.timeout().unwrap().map_or(10_000, |t| t.as_millis());
            // SAFETY: one pollfd of ours.
            let ready = unsafe { libc::poll(&raw mut poll, 1, timeout as i32) };
            assert!(ready > 0 || timeout < 10_000, "nobody woke the loop");
        }
        fixture.event_loop.run(RunMode::NoWait).unwrap();
        ended += fixture.names().len();
    }
    fixture.event_loop.run(RunMode::Default).unwrap();
}

#[test]
fn jobs_do_not_starve_the_loops_other_callbacks() {
    let fixture = Fixture::new();
    let timer = Timer::new(&fixture.event_loop).unwrap();
    let (sender, ticked) = mpsc::channel();
    timer
        .start(Duration::from_millis(5), Duration::ZERO, move |_| sender.send(()).unwrap())
        .unwrap();
    for name in 0..8 {
        fixture.submit(name, || ());
    }
    while ticked.try_recv().is_err() {
        fixture.event_loop.run(RunMode::Once).unwrap();
        for name in fixture.names() {
            fixture.submit(name, || ());
        }
    }
    fixture.event_loop.run(RunMode::Default).unwrap();
}

#[test]
fn a_loop_dropped_with_jobs_in_flight_tells_nobody_and_is_freed_when_they_end() {
    let Fixture { event_loop, sender, over } = Fixture::new();
    let fixture = Fixture { event_loop, sender, over: mpsc::channel().1 };
    let (release, _request) = fixture.block(0);
    for name in 1..100 {
        fixture.submit(name, || ());
    }
    drop(_request);
    drop(fixture);
    drop(release);
    loop {
        match over.try_recv() {
            Ok(told) => panic!("told of {told:?}"),
            Err(mpsc::TryRecvError::Disconnected) => break,
            Err(mpsc::TryRecvError::Empty) => {
                drop(Loop::new().unwrap());
                std::thread::yield_now();
            }
        }
    }
}

/// A job of several turns, which tells of each.
struct Turns {
    left: usize,
    over: Sender<(usize, Result<()>)>,
}

impl Job for Turns {
    fn run(&mut self) {
        self.left -= 1;
    }

    fn done(&mut self, outcome: Result<()>) {
        self.over.send((self.left, outcome)).unwrap();
    }

    fn is_long(&self) -> bool {
        true
    }

    fn again(&mut self, event_loop: &Loop) -> bool {
        assert!(event_loop.is_running());
        self.left > 0
    }
}

#[test]
fn a_job_of_several_turns_ends_once() {
    let fixture = Fixture::new();
    let request =
        fixture.event_loop.submit(Turns { left: 100, over: fixture.sender.clone() }).unwrap();
    fixture.event_loop.run(RunMode::Default).unwrap();
    assert_eq!(fixture.outcomes(), [(0, Ok(()))]);
    assert_eq!(request.cancel(), Ok(false));
    drop(request);
    fixture.event_loop.close().unwrap();
}

#[test]
fn a_job_can_be_cancelled_between_its_turns() {
    let fixture = Fixture::new();
    let turns = Turns { left: usize::MAX, over: fixture.sender.clone() };
    let request = fixture.event_loop.submit(turns).unwrap();
    fixture.event_loop.run(RunMode::Once).unwrap();
    // It waits for a thread now and then only: it may have one just now.
    while !request.cancel().unwrap() {
        fixture.event_loop.run(RunMode::NoWait).unwrap();
    }
    fixture.event_loop.run(RunMode::Default).unwrap();
    let outcomes = fixture.outcomes();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].1.as_ref().unwrap_err().code(), Some(Code::ECANCELED));
}

#[test]
fn a_loop_that_is_dropped_ends_the_turns_of_its_jobs() {
    let Fixture { event_loop, sender, over } = Fixture::new();
    event_loop.submit(Turns { left: usize::MAX, over: sender }).unwrap();
    event_loop.run(RunMode::Once).unwrap();
    drop(event_loop);
    while over.try_recv() == Err(mpsc::TryRecvError::Empty) {
        drop(Loop::new().unwrap());
        std::thread::yield_now();
    }
    assert_eq!(over.recv(), Err(mpsc::RecvError));
}
