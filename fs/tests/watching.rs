//! `FsEvent` and `FsPoll`, with real files.

#![cfg(unix)]

mod util;

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::sync::mpsc;
use std::time::Duration;

use pyuv::{Code, Error, Handle, HandleType, Loop, RunMode};
use pyuv_fs::{FsEvent, FsEventFlags, FsEvents, FsPoll, StatChange};
use util::Folder;

const OFTEN: Duration = Duration::from_millis(5);

fn c_string(path: &std::path::Path) -> CString {
    CString::new(path.as_os_str().as_bytes()).unwrap()
}

#[test]
fn an_event_tells_name_and_kind() {
    let folder = Folder::new();
    let event_loop = Loop::new().unwrap();
    let watcher = FsEvent::new(&event_loop).unwrap();
    assert_eq!(watcher.path(), Ok(None));
    let (sender, seen) = mpsc::channel();
    watcher
        .start(&folder.0, FsEventFlags::empty(), move |watcher, change| {
            let change = change.unwrap();
            sender.send((change.filename.map(<[u8]>::to_vec), change.events)).unwrap();
            watcher.close(|_| ()).unwrap();
        })
        .unwrap();
    assert_eq!(watcher.path(), Ok(Some(c_string(&folder.0))));
    fs::create_dir(folder.at("new")).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(seen.try_recv(), Ok((Some(b"new".to_vec()), FsEvents::RENAME)));
    assert_eq!(watcher.path(), Err(Error::HandleClosed));
}

#[test]
fn an_event_handle_refuses_a_second_start_and_a_missing_path() {
    let folder = Folder::new();
    let event_loop = Loop::new().unwrap();
    let watcher = FsEvent::new(&event_loop).unwrap();
    let missing = folder.at("missing");
    let error = watcher.start(&missing, FsEventFlags::empty(), |_, _| ()).unwrap_err();
    assert_eq!(error, Error::new(Code::ENOENT, missing.display().to_string()));
    watcher.start(&folder.0, FsEventFlags::empty(), |_, _| ()).unwrap();
    let error = watcher.start(&folder.0, FsEventFlags::empty(), |_, _| ()).unwrap_err();
    assert_eq!(error.code(), Some(Code::EINVAL));
    watcher.stop().unwrap();
    watcher.start(&folder.0, FsEventFlags::empty(), |_, _| ()).unwrap();
    assert!(event_loop.is_alive().unwrap());
}

#[test]
fn watchers_of_one_path_drop_and_close_each_other() {
    let folder = Folder::new();
    let event_loop = Loop::new().unwrap();
    let first = FsEvent::new(&event_loop).unwrap();
    let others: Vec<_> = (0..5).map(|_| FsEvent::new(&event_loop).unwrap()).collect();
    let mut doomed: Vec<Handle> = event_loop.handles().unwrap();
    doomed.retain(|handle| *handle != *first);
    assert_eq!(doomed.len(), 5);
    first
        .start(&folder.0, FsEventFlags::empty(), move |first, _| {
            for (place, handle) in doomed.drain(..).enumerate() {
                if place % 2 == 0 {
                    handle.close(|_| ()).unwrap();
                } else {
                    handle.downcast_ref::<FsEvent>().unwrap().stop().unwrap();
                }
            }
            first.close(|_| ()).unwrap();
        })
        .unwrap();
    for other in others {
        other.start(&folder.0, FsEventFlags::empty(), |_, _| panic!("ended before")).unwrap();
    }
    fs::create_dir(folder.at("new")).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert!(event_loop.handles().unwrap().is_empty());
}

#[test]
fn a_panic_in_a_callback_is_the_loops_error() {
    let folder = Folder::new();
    let event_loop = Loop::new().unwrap();
    let watcher = FsEvent::new(&event_loop).unwrap();
    watcher.start(&folder.0, FsEventFlags::empty(), |_, _| panic!("on purpose")).unwrap();
    fs::create_dir(folder.at("new")).unwrap();
    let outcome = event_loop.run(RunMode::Default);
    assert_eq!(outcome, Err(Error::panicked("on purpose")));
    watcher.stop().unwrap();
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
}

#[test]
fn a_poll_tells_of_what_is_missing_and_what_it_becomes() {
    let folder = Folder::new();
    let path = folder.at("file");
    let event_loop = Loop::new().unwrap();
    let poll = FsPoll::new(&event_loop).unwrap();
    assert_eq!(poll.handle_type(), HandleType::FsPoll);
    let (sender, seen) = mpsc::channel();
    let made = path.clone();
    poll.start(&path, OFTEN, move |poll, change| {
        if change.is_err() {
            fs::write(&made, "12345").unwrap();
        } else {
            poll.close(|_| ()).unwrap();
        }
        sender.send(change).unwrap();
    })
    .unwrap();
    assert_eq!(poll.path(), Ok(Some(c_string(&path))));
    event_loop.run(RunMode::Default).unwrap();
    let missing = Error::new(Code::ENOENT, path.display().to_string());
    assert_eq!(seen.try_recv(), Ok(Err(missing)));
    let StatChange { previous, current } = seen.try_recv().unwrap().unwrap();
    assert_eq!(previous, pyuv_fs::Stat::default());
    assert!(current.size == 0 || current.size == 5);
    assert_eq!(poll.stop(), Err(Error::HandleClosed));
}

#[test]
fn a_poll_starts_anew_from_its_callback() {
    let folder = Folder::new();
    let event_loop = Loop::new().unwrap();
    let poll = FsPoll::new(&event_loop).unwrap();
    let second = folder.at("second");
    poll.start(folder.at("first"), OFTEN, move |poll, change| {
        assert_eq!(change.unwrap_err().code(), Some(Code::ENOENT));
        poll.start(&second, OFTEN, |poll, change| {
            assert!(change.unwrap_err().to_string().contains("second"));
            poll.stop().unwrap();
        })
        .unwrap();
    })
    .unwrap();
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(poll.path(), Ok(None));
}

#[test]
fn a_dropped_poll_goes_on_until_it_stops() {
    let folder = Folder::new();
    let event_loop = Loop::new().unwrap();
    let (sender, seen) = mpsc::channel();
    let poll = FsPoll::new(&event_loop).unwrap();
    poll.start(folder.at("missing"), OFTEN, move |poll, _| {
        sender.send(()).unwrap();
        poll.stop().unwrap();
    })
    .unwrap();
    drop(poll);
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(seen.try_recv(), Ok(()));
    assert!(event_loop.handles().unwrap().is_empty());
}

#[test]
fn a_loop_that_is_dropped_with_watchers_lets_their_closures_go() {
    let folder = Folder::new();
    let (sender, alive) = mpsc::channel::<()>();
    let event_loop = Loop::new().unwrap();
    let watcher = FsEvent::new(&event_loop).unwrap();
    let poll = FsPoll::new(&event_loop).unwrap();
    let (held, held_too) = (sender.clone(), sender);
    watcher.start(&folder.0, FsEventFlags::empty(), move |_, _| held.send(()).unwrap()).unwrap();
    poll.start(folder.at("missing"), OFTEN, move |_, _| held_too.send(()).unwrap()).unwrap();
    drop((watcher, poll, event_loop));
    assert_eq!(alive.recv(), Err(mpsc::RecvError));
}
