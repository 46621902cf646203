//! Every operation, at once and on a loop, each on a folder of its own.

#![cfg(unix)]

mod util;

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use bytes::Bytes;
use pyuv::{Code, Error, Loop, RunMode};
use pyuv_fs as uvfs;
use pyuv_fs::{Destination, DirentType, MAX_LENGTH, Operation};
use util::{Folder, WAYS};

/// The error of both ways of doing what `make` makes.
fn error_of<O: Operation>(make: impl Fn() -> O) -> Error
where
    O::Output: Send + std::fmt::Debug + 'static,
{
    let [run, submit] = WAYS.map(|way| way.of(make()).unwrap_err());
    assert_eq!(run, submit);
    run
}

#[track_caller]
fn assert_error(error: &Error, code: Code, names: &[&str]) {
    assert_eq!(error.code(), Some(code), "{error}");
    for name in names {
        assert!(error.to_string().contains(name), "{error} does not name {name}");
    }
}

#[test]
fn stat_and_fstat_agree_with_the_system() {
    let folder = Folder::new();
    let path = folder.file("file", "four");
    let file = fs::File::open(&path).unwrap();
    let expected = file.metadata().unwrap();
    for way in WAYS {
        let stat = way.of(uvfs::stat(&path)).unwrap();
        assert_eq!(stat.size, 4);
        assert_eq!(stat.ino, expected.ino());
        assert_eq!(stat.mode, u64::from(expected.mode()));
        assert_eq!(stat.uid, u64::from(expected.uid()));
        assert_eq!(stat.nlink, 1);
        assert_eq!(stat.mtime.seconds, expected.mtime());
        assert_eq!(stat.mtime.nanoseconds, expected.mtime_nsec());
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        assert_eq!(way.of(uvfs::fstat(fd)).unwrap(), stat);
    }
}

#[test]
fn lstat_tells_of_the_link_itself() {
    let folder = Folder::new();
    std::os::unix::fs::symlink(folder.file("file", "x"), folder.at("link")).unwrap();
    for way in WAYS {
        let of_link = way.of(uvfs::lstat(&folder.at("link"))).unwrap();
        let of_file = way.of(uvfs::stat(&folder.at("link"))).unwrap();
        assert_eq!(of_link.mode & 0o170_000, 0o120_000);
        assert_eq!(of_file.mode & 0o170_000, 0o100_000);
    }
}

#[test]
fn errors_name_the_path() {
    let folder = Folder::new();
    let missing = folder.at("missing");
    let name = missing.to_str().unwrap();
    assert_error(&error_of(|| uvfs::stat(&missing)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::lstat(&missing)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::unlink(&missing)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::rmdir(&missing)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::chmod(&missing, 0o600)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::chown(&missing, 0, 0)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::lchown(&missing, 0, 0)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::readlink(&missing)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::realpath(&missing)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::open(&missing, 0, 0)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::access(&missing, 0)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::scandir(&missing)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::utime(&missing, 0.0, 0.0)), Code::ENOENT, &[name]);
    assert_error(&error_of(|| uvfs::lutime(&missing, 0.0, 0.0)), Code::ENOENT, &[name]);
    assert_error(
        &error_of(|| uvfs::mkdir(&folder.0, 0o700)),
        Code::EEXIST,
        &[folder.0.to_str().unwrap()],
    );
    let file = folder.file("file", "");
    assert_error(&error_of(|| uvfs::stat(file.join("below"))), Code::ENOTDIR, &["below"]);
    let long = "x".repeat(300);
    assert_error(&error_of(|| uvfs::stat(&long)), Code::ENAMETOOLONG, &[&long]);
}

#[test]
fn errors_name_both_paths() {
    let folder = Folder::new();
    let (from, to) = (folder.at("from"), folder.at("to"));
    let names = [from.to_str().unwrap(), to.to_str().unwrap()];
    assert_error(&error_of(|| uvfs::rename(&from, &to)), Code::ENOENT, &names);
    assert_error(&error_of(|| uvfs::link(&from, &to)), Code::ENOENT, &names);
    folder.file("to", "");
    assert_error(&error_of(|| uvfs::symlink(&from, &to, 0)), Code::EEXIST, &names);
}

#[test]
fn errors_name_the_fd() {
    // No process has that many files open.
    let fd = 0x7fff_fff0;
    let name = &["fd 2147483632"];
    assert_error(&error_of(|| uvfs::fstat(fd)), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::close(fd)), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::fchmod(fd, 0)), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::fchown(fd, 0, 0)), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::fsync(fd)), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::fdatasync(fd)), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::futime(fd, 0.0, 0.0)), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::read(fd, 1, None).unwrap()), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::write(fd, "x", None)), Code::EBADF, name);
    assert_error(&error_of(|| uvfs::sendfile(fd, fd, 0, 1)), Code::EBADF, name);
    assert!(error_of(|| uvfs::ftruncate(fd, 0)).code().is_some());
}

#[test]
fn negative_fds_do_not_reach_libuv() {
    // -100 is AT_FDCWD, which fstat would take for the working directory.
    for fd in [-1, -100, i32::MIN] {
        assert_error(&error_of(|| uvfs::fstat(fd)), Code::EBADF, &[&format!("fd {fd}")]);
        assert_error(&error_of(|| uvfs::close(fd)), Code::EBADF, &[]);
        assert_error(&error_of(|| uvfs::read(fd, 1, None).unwrap()), Code::EBADF, &[]);
        assert_error(&error_of(|| uvfs::write(fd, "x", None)), Code::EBADF, &[]);
        assert_error(
            &error_of(|| uvfs::sendfile(0, fd, 0, 1)),
            Code::EBADF,
            &[&format!("fd {fd}")],
        );
    }
}

#[test]
fn a_nul_in_a_path_is_an_error_at_the_call() {
    let error = error_of(|| uvfs::stat("a\0b"));
    assert_error(&error, Code::EINVAL, &[r"a\x00b"]);
    assert_error(&error_of(|| uvfs::rename("a", "c\0d")), Code::EINVAL, &[r"c\x00d"]);
    let event_loop = Loop::new().unwrap();
    assert!(uvfs::stat("a\0b").submit(&event_loop, |_| panic!("not called")).is_err());
    assert!(!event_loop.is_alive().unwrap());
}

#[test]
fn files_are_made_renamed_linked_and_removed() {
    for way in WAYS {
        let folder = Folder::new();
        let (dir, file) = (folder.at("dir"), folder.file("file", "x"));
        way.of(uvfs::mkdir(&dir, 0o700)).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        way.of(uvfs::rename(&file, &dir.join("renamed"))).unwrap();
        way.of(uvfs::link(&dir.join("renamed"), &file)).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().nlink(), 2);
        assert_error(&way.of(uvfs::rmdir(&dir)).unwrap_err(), Code::ENOTEMPTY, &["dir"]);
        way.of(uvfs::unlink(&dir.join("renamed"))).unwrap();
        way.of(uvfs::rmdir(&dir)).unwrap();
        assert!(!dir.exists());
    }
}

#[test]
fn links_say_what_they_were_given() {
    for way in WAYS {
        let folder = Folder::new();
        let odd = CString::new(b"target \xff\xfe".to_vec()).unwrap();
        let link = folder.at("link");
        way.of(uvfs::symlink(odd.as_c_str(), link.as_path(), 0)).unwrap();
        assert_eq!(way.of(uvfs::readlink(&link)).unwrap(), odd.as_bytes());
        assert_error(&way.of(uvfs::readlink(&folder.0)).unwrap_err(), Code::EINVAL, &[]);
        let real = fs::canonicalize(&folder.0).unwrap();
        let dotted = folder.at("..").join(folder.0.file_name().unwrap());
        assert_eq!(way.of(uvfs::realpath(&dotted)).unwrap(), real.as_os_str().as_bytes());
    }
    let folder = Folder::new();
    std::os::unix::fs::symlink(folder.at("loop"), folder.at("loop")).unwrap();
    assert_error(&error_of(|| uvfs::stat(folder.at("loop"))), Code::ELOOP, &["loop"]);
}

#[test]
fn modes_and_owners_are_set() {
    for way in WAYS {
        let folder = Folder::new();
        let path = folder.file("file", "x");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        way.of(uvfs::chmod(&path, 0o640)).unwrap();
        assert_eq!(mode(), 0o640);
        let file = fs::File::open(&path).unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        way.of(uvfs::fchmod(fd, 0o600)).unwrap();
        assert_eq!(mode(), 0o600);
        // All ones leave owner and group as they are, which anybody may do.
        way.of(uvfs::chown(&path, u32::MAX, u32::MAX)).unwrap();
        way.of(uvfs::fchown(fd, u32::MAX, u32::MAX)).unwrap();
        way.of(uvfs::lchown(&path, u32::MAX, u32::MAX)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().uid(), file.metadata().unwrap().uid());
    }
    assert_error(&error_of(|| uvfs::chmod("x", u32::MAX)), Code::EINVAL, &["mode"]);
}

#[test]
fn access_answers_by_its_error() {
    let folder = Folder::new();
    let path = folder.file("file", "x");
    for way in WAYS {
        way.of(uvfs::access(&path, 0)).unwrap();
        way.of(uvfs::access(&path, libc::R_OK | libc::W_OK)).unwrap();
    }
    // Not even root executes what nobody may.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_error(&error_of(|| uvfs::access(&path, libc::X_OK)), Code::EACCES, &["file"]);
}

#[test]
fn what_is_written_is_read() {
    for way in WAYS {
        let folder = Folder::new();
        let path = folder.at("file");
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
        let fd = way.of(uvfs::open(&path, flags, 0o600)).unwrap().into_fd();
        assert_error(
            &way.of(uvfs::open(&path, flags, 0o600)).unwrap_err(),
            Code::EEXIST,
            &["file"],
        );
        assert_eq!(way.of(uvfs::write(fd, "hello", None)).unwrap(), 5);
        assert_eq!(way.of(uvfs::write(fd, Bytes::from_static(b"!"), None)).unwrap(), 1);
        assert_eq!(way.of(uvfs::write(fd, vec![b'J'], Some(0))).unwrap(), 1);
        assert_eq!(way.of(uvfs::read(fd, 100, Some(0)).unwrap()).unwrap(), "Jello!");
        assert_eq!(way.of(uvfs::read(fd, 2, Some(1)).unwrap()).unwrap(), "el");
        assert_eq!(way.of(uvfs::read(fd, 2, None).unwrap()).unwrap(), "");
        assert_eq!(way.of(uvfs::read(fd, 0, Some(0)).unwrap()).unwrap(), "");
        assert_eq!(way.of(uvfs::read_into(fd, vec![b'.'; 9], Some(4))).unwrap(), b"o!");
        way.of(uvfs::close(fd)).unwrap();
    }
}

#[test]
fn an_fd_that_nobody_takes_is_closed() {
    for way in WAYS {
        let folder = Folder::new();
        let opened = way.of(uvfs::open(folder.file("file", ""), libc::O_RDONLY, 0)).unwrap();
        let fd = opened.fd();
        assert!(fs::exists(format!("/proc/self/fd/{fd}")).unwrap());
        drop(opened);
        let made = way.of(uvfs::mkstemp(folder.at("XXXXXX"))).unwrap();
        drop(made);
        let names = fs::read_dir("/proc/self/fd").unwrap().map(|entry| entry.unwrap().path());
        let open = names.filter_map(|name| fs::read_link(name).ok());
        assert_eq!(open.filter(|path| path.starts_with(&folder.0)).count(), 0);
    }
}

#[test]
fn what_is_opened_for_a_loop_that_is_gone_is_closed() {
    let folder = Folder::new();
    let fifo = folder.at("fifo");
    let name = CString::new(fifo.as_os_str().as_bytes()).unwrap();
    // SAFETY: mkfifo takes a string.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let event_loop = Loop::new().unwrap();
    // It is open when the other end is, and by then nobody is there to be told.
    loop {
        let opening = uvfs::open(&fifo, libc::O_RDONLY, 0);
        let request = opening.submit(&event_loop, |outcome| drop(outcome.unwrap_err())).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(5));
        if !request.cancel().unwrap() {
            // A thread of the pool has begun it.
            break;
        }
        event_loop.run(RunMode::NoWait).unwrap();
    }
    drop(event_loop);
    // The end that is opened here is there when the pool has opened the other.
    let mut writer = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    while std::io::Write::write(&mut writer, b"x").is_ok() {
        // Loops that are made have the dead ones' jobs ended.
        drop(Loop::new().unwrap());
        std::thread::yield_now();
    }
}

#[test]
fn pieces_are_written_in_order() {
    for way in WAYS {
        let folder = Folder::new();
        let path = folder.at("file");
        let fd =
            way.of(uvfs::open(&path, libc::O_WRONLY | libc::O_CREAT, 0o600)).unwrap().into_fd();
        // More than an iovec holds, and more than fit in the request itself.
        let pieces: Vec<String> = (0..3000).map(|number| format!("{number},")).collect();
        let expected = pieces.concat();
        assert_eq!(way.of(uvfs::write(fd, pieces, Some(0))).unwrap(), expected.len());
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        let none: Vec<Bytes> = Vec::new();
        assert_error(&way.of(uvfs::write(fd, none, None)).unwrap_err(), Code::EINVAL, &[]);
        way.of(uvfs::close(fd)).unwrap();
    }
}

#[test]
fn empty_pieces_do_not_end_a_write() {
    for way in WAYS {
        let folder = Folder::new();
        let path = folder.at("file");
        let fd =
            way.of(uvfs::open(&path, libc::O_WRONLY | libc::O_CREAT, 0o600)).unwrap().into_fd();
        // libuv writes 1024 pieces at a time, and stops when a round writes nothing.
        let mut pieces = vec![Bytes::new(); 2000];
        pieces.push(Bytes::from_static(b"end"));
        assert_eq!(way.of(uvfs::write(fd, pieces, None)).unwrap(), 3);
        assert_eq!(way.of(uvfs::write(fd, vec![Bytes::new(); 3], None)).unwrap(), 0);
        way.of(uvfs::close(fd)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "end");
    }
}

#[test]
fn absurd_lengths_and_offsets_are_errors_at_the_call() {
    assert_error(&uvfs::read(0, usize::MAX, None).err().unwrap(), Code::EINVAL, &["bytes"]);
    assert_error(&uvfs::read(0, MAX_LENGTH + 1, None).err().unwrap(), Code::EINVAL, &[]);
    assert_error(
        &error_of(|| uvfs::read(0, 1, Some(u64::MAX)).unwrap()),
        Code::EFBIG,
        &["18446744073709551615"],
    );
    assert_error(&error_of(|| uvfs::ftruncate(0, u64::MAX)), Code::EFBIG, &[]);
    assert_error(&error_of(|| uvfs::sendfile(0, 1, 0, usize::MAX)), Code::EINVAL, &[]);
    assert_error(&error_of(|| uvfs::futime(0, 1e300, 0.0)), Code::EINVAL, &["time"]);
}

#[test]
fn a_full_disk_is_an_error() {
    let fd = uvfs::open("/dev/full", libc::O_WRONLY, 0).run().unwrap().into_fd();
    assert_error(&error_of(|| uvfs::write(fd, "x", None)), Code::ENOSPC, &["fd "]);
    uvfs::close(fd).run().unwrap();
}

#[test]
fn reading_a_folder_is_an_error() {
    let folder = Folder::new();
    let fd = uvfs::open(&folder.0, libc::O_RDONLY, 0).run().unwrap().into_fd();
    assert_error(&error_of(|| uvfs::read(fd, 1, None).unwrap()), Code::EISDIR, &["fd "]);
    uvfs::close(fd).run().unwrap();
}

#[test]
fn scandir_tells_names_and_kinds_in_order() {
    let folder = Folder::new();
    folder.file("b", "");
    fs::create_dir(folder.at("a")).unwrap();
    std::os::unix::fs::symlink("b", folder.at("c")).unwrap();
    let fifo = CString::new(folder.at("d").as_os_str().as_bytes()).unwrap();
    // SAFETY: mkfifo takes a string.
    assert_eq!(unsafe { libc::mkfifo(fifo.as_ptr(), 0o600) }, 0);
    assert!(fs::metadata(folder.at("d")).unwrap().file_type().is_fifo());
    let odd = std::ffi::OsStr::from_bytes(b"\xff");
    fs::write(folder.0.join(Path::new(odd)), "").unwrap();
    for way in WAYS {
        let entries = way.of(uvfs::scandir(&folder.0)).unwrap();
        let told: Vec<_> = entries.iter().map(|entry| (&*entry.name, entry.kind)).collect();
        assert_eq!(
            told,
            [
                (b"a".as_slice(), DirentType::Dir),
                (b"b", DirentType::File),
                (b"c", DirentType::Link),
                (b"d", DirentType::Fifo),
                (b"\xff", DirentType::File),
            ]
        );
        assert_eq!(way.of(uvfs::scandir(&folder.at("a"))).unwrap(), []);
    }
}

#[test]
fn files_are_cut_synchronised_and_sent() {
    for way in WAYS {
        let folder = Folder::new();
        let (from, to) = (folder.file("from", "0123456789"), folder.at("to"));
        let source = way.of(uvfs::open(&from, libc::O_RDWR, 0)).unwrap().into_fd();
        let target =
            way.of(uvfs::open(&to, libc::O_WRONLY | libc::O_CREAT, 0o600)).unwrap().into_fd();
        way.of(uvfs::ftruncate(source, 8)).unwrap();
        assert_eq!(way.of(uvfs::sendfile(target, source, 2, 100)).unwrap(), 6);
        way.of(uvfs::fsync(target)).unwrap();
        way.of(uvfs::fdatasync(target)).unwrap();
        way.of(uvfs::close(source)).unwrap();
        way.of(uvfs::close(target)).unwrap();
        assert_eq!(fs::read_to_string(&to).unwrap(), "234567");
    }
}

#[test]
fn times_are_set_left_alone_or_now() {
    for way in WAYS {
        let folder = Folder::new();
        let path = folder.file("file", "");
        let times = |path: &Path| {
            let stat = uvfs::lstat(path).run().unwrap();
            (stat.atime.as_seconds(), stat.mtime.as_seconds())
        };
        way.of(uvfs::utime(&path, 1000.5, 2000.25)).unwrap();
        assert_eq!(times(&path), (1000.5, 2000.25));
        way.of(uvfs::utime(&path, uvfs::OMIT, 3000.0)).unwrap();
        assert_eq!(times(&path), (1000.5, 3000.0));
        way.of(uvfs::utime(&path, uvfs::NOW, -1.5)).unwrap();
        assert!(times(&path).0 > 1.0e9);
        assert_eq!(times(&path).1, -1.5);
        let file = fs::File::open(&path).unwrap();
        let fd = std::os::fd::AsRawFd::as_raw_fd(&file);
        way.of(uvfs::futime(fd, 1.0, 2.0)).unwrap();
        assert_eq!(times(&path), (1.0, 2.0));
        let link = folder.at("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        way.of(uvfs::lutime(&link, 5.0, 6.0)).unwrap();
        assert_eq!(times(&link).1, 6.0);
        assert_eq!(times(&path).1, 2.0);
    }
}

#[test]
fn what_waits_for_the_pool_can_be_cancelled() {
    let event_loop = Loop::new().unwrap();
    // Keeps every thread of the pool busy until the queue behind them has been looked at.
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let threads = 1024.min(std::env::var("UV_THREADPOOL_SIZE").map_or(4, |n| n.parse().unwrap()));
    for _ in 0..threads {
        let gate = Arc::clone(&gate);
        event_loop.queue_work(move || drop(gate.lock().unwrap()), |_| ()).unwrap();
    }
    let (sender, outcome) = mpsc::channel();
    let request =
        uvfs::stat("/").submit(&event_loop, move |outcome| sender.send(outcome).unwrap()).unwrap();
    assert_eq!(request.cancel(), Ok(true));
    assert_eq!(request.cancel(), Ok(false));
    drop(closed);
    event_loop.run(RunMode::Default).unwrap();
    assert_error(&outcome.recv().unwrap().unwrap_err(), Code::ECANCELED, &["/"]);
}

#[test]
fn a_finished_request_cannot_be_cancelled() {
    let event_loop = Loop::new().unwrap();
    let request = uvfs::stat("/").submit(&event_loop, |outcome| assert!(outcome.is_ok())).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(request.cancel(), Ok(false));
}

#[test]
fn a_dropped_loop_keeps_lent_memory_until_the_pool_is_done() {
    /// Says when it is dropped.
    struct Lent(Vec<u8>, mpsc::Sender<()>);
    // SAFETY: as for the vector within.
    unsafe impl Destination for Lent {
        type Filled = ();
        fn buffer(&mut self) -> pyuv_fs::Buffer {
            self.0.buffer()
        }
        unsafe fn filled(self, _length: usize) {}
    }
    impl Drop for Lent {
        fn drop(&mut self) {
            self.1.send(()).unwrap();
        }
    }
    let mut ends = [0; 2];
    // SAFETY: pipe fills two ints.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    let (sender, dropped) = mpsc::channel();
    let event_loop = Loop::new().unwrap();
    let lent = Lent(vec![0; 16], sender);
    uvfs::read_into(ends[0], lent, None).submit(&event_loop, |_| panic!("not called")).unwrap();
    // Until a thread is inside the read, dropping the loop cancels it, which is as well.
    drop(event_loop);
    uvfs::write(ends[1], "x", None).run().unwrap();
    while dropped.try_recv().is_err() {
        // Making a loop is what looks after the ones that could not be freed at once.
        drop(Loop::new().unwrap());
        std::thread::yield_now();
    }
    uvfs::close(ends[0]).run().unwrap();
    uvfs::close(ends[1]).run().unwrap();
}

#[test]
fn a_closed_loop_refuses() {
    let event_loop = Loop::new().unwrap();
    event_loop.close().unwrap();
    let refused = uvfs::stat("/").submit(&event_loop, |_| panic!("not called"));
    assert_eq!(refused.unwrap_err(), Error::LoopClosed);
}

#[test]
fn a_panic_in_a_callback_reaches_run() {
    let event_loop = Loop::new().unwrap();
    uvfs::stat("/").submit(&event_loop, |_| panic!("on purpose")).unwrap();
    let outcome = event_loop.run(RunMode::Default);
    assert_eq!(outcome, Err(Error::panicked("on purpose")));
}
