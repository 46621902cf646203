use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex};

use super::*;
use crate::{Code, Pipe, PipeFlags, RunMode, Stdio};

/// What was spawned with a closure of `recorder`, as it ended.
type Ends = Arc<Mutex<Vec<Exit>>>;

fn recorder(ends: &Ends) -> impl FnOnce(&Process, Exit) + Send + 'static {
    let ends = ends.clone();
    move |_, exit| ends.lock().unwrap().push(exit)
}

fn shell(script: &str) -> ProcessOptions<'static> {
    ProcessOptions::new("/bin/sh").args(["-c", script])
}

#[test]
fn a_process_ends_with_a_status_or_a_signal() {
    let event_loop = Loop::new().unwrap();
    let ends = Ends::default();
    let process = Process::spawn(&event_loop, &shell("exit 7"), recorder(&ends)).unwrap();
    assert_eq!(process.is_active(), Ok(true));
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(process.is_active(), Ok(false));
    assert_eq!(process.kill(0).unwrap_err().code(), Some(Code::ESRCH));
    let process = Process::spawn(&event_loop, &shell("sleep 1000"), recorder(&ends)).unwrap();
    process.kill(libc::SIGKILL).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    let expected = [Exit { status: 7, term_signal: 0 }, Exit { status: 0, term_signal: 9 }];
    assert_eq!(*ends.lock().unwrap(), expected);
}

#[test]
fn a_handle_may_be_dropped_while_the_process_runs() {
    let event_loop = Loop::new().unwrap();
    let ends = Ends::default();
    drop(Process::spawn(&event_loop, &shell("exit 3"), recorder(&ends)).unwrap());
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(*ends.lock().unwrap(), [Exit { status: 3, term_signal: 0 }]);
    event_loop.close().unwrap();
}

#[test]
fn what_cannot_be_started_leaves_nothing_on_the_loop() {
    let event_loop = Loop::new().unwrap();
    let cases = [
        (ProcessOptions::new("/no/such/program"), Code::ENOENT),
        (ProcessOptions::new(""), Code::ENOENT),
        (ProcessOptions::new("/dev/null"), Code::EACCES),
        (ProcessOptions::new("a\0b"), Code::EINVAL),
        (ProcessOptions::new("true").arg("a\0b"), Code::EINVAL),
        (ProcessOptions::new("true").env([("A=B", "C")]), Code::EINVAL),
        (ProcessOptions::new("true").cwd("/no/such/folder"), Code::ENOENT),
        (ProcessOptions::new("true").stdio([Stdio::Fd(-1)]), Code::EBADF),
        (ProcessOptions::new("true").stdio([Stdio::Fd(12345)]), Code::EBADF),
        (ProcessOptions::new("/no/such/program").uid(0), Code::ENOENT),
    ];
    for (options, code) in cases {
        let error = Process::spawn(&event_loop, &options, |_, _| ()).unwrap_err();
        assert_eq!(error.code(), Some(code), "{error}");
    }
    event_loop.close().unwrap();
}

#[test]
fn an_environment_a_folder_and_an_fd_are_the_childs() {
    let event_loop = Loop::new().unwrap();
    let ends = Ends::default();
    let file = File::open("/dev/null").unwrap();
    let script = r#"test "$A" = b && test "$(pwd)" = / && test -c /proc/self/fd/4 && test $0 = me"#;
    let options = shell(script)
        .arg("me")
        .arg0("shell")
        .env([("A", "b"), ("PATH", "/bin:/usr/bin")])
        .cwd("/")
        .flags(ProcessFlags::DETACHED)
        .stdio((0..5).map(|_| Stdio::Fd(file.as_raw_fd())));
    Process::spawn(&event_loop, &options, recorder(&ends)).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(*ends.lock().unwrap(), [Exit { status: 0, term_signal: 0 }]);
}

#[test]
fn a_pipe_brings_what_the_child_writes() {
    let event_loop = Loop::new().unwrap();
    let (pipe, other) =
        (Pipe::new(&event_loop, false).unwrap(), Pipe::new(&event_loop, false).unwrap());
    let options = shell("echo hello");
    let twice = [Stdio::Ignore, Stdio::Pipe(&pipe, PipeFlags::WRITABLE)];
    let twice = options.clone().stdio(twice.into_iter().cycle().take(4));
    let error = Process::spawn(&event_loop, &twice, |_, _| ()).unwrap_err();
    assert_eq!(error.code(), Some(Code::EBUSY));
    let unopened = options.clone().stdio([Stdio::Stream(&other)]);
    let error = Process::spawn(&event_loop, &unopened, |_, _| ()).unwrap_err();
    assert_eq!(error.code(), Some(Code::EBADF));

    let options = options.stdio([Stdio::Ignore, Stdio::Pipe(&pipe, PipeFlags::WRITABLE)]);
    Process::spawn(&event_loop, &options, |_, _| ()).unwrap();
    let got = Arc::new(Mutex::new(Vec::new()));
    let read = got.clone();
    pipe.start_read(move |_, outcome| match outcome {
        Ok(bytes) => read.lock().unwrap().extend_from_slice(bytes),
        Err(error) => assert_eq!(error.code(), Some(Code::EOF)),
    })
    .unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(*got.lock().unwrap(), b"hello\n");
}

#[test]
fn closing_leaves_the_process_to_the_next_spawn_to_reap() {
    let event_loop = Loop::new().unwrap();
    let process = Process::spawn(&event_loop, &shell("exec sleep 1000"), |_, _| ()).unwrap();
    let pid = process.pid();
    process.close(|_| ()).unwrap();
    assert_eq!(process.kill(0), Err(Error::HandleClosed));
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(crate::util::kill(pid, libc::SIGKILL), Ok(()));
    while crate::util::kill(pid, 0).is_ok() {
        abandoned::reap();
        std::thread::yield_now();
    }
}

#[test]
fn a_panic_on_exit_reaches_who_runs_the_loop() {
    let event_loop = Loop::new().unwrap();
    Process::spawn(&event_loop, &shell("exit"), |_, _| panic!("on exit")).unwrap();
    let error = event_loop.run(RunMode::Default).unwrap_err();
    assert_eq!(error, Error::panicked("on exit"));
}
