//! Files read and written as wholes, at once and on a loop.

#![cfg(unix)]

mod util;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use bytes::Bytes;
use pyuv::{Code, Error, Loop, RunMode};
use pyuv_fs::{
    Content, FileMemory, Operation, UNANNOUNCED, append_file, read_file, read_file_into,
    replace_file, write_file,
};
use util::{Folder, WAYS};

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(&folder.0).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A reader whose large files begin at 20,000 bytes.
struct Boxes;

impl FileMemory for Boxes {
    const LARGE: usize = 20_000;
    type Large = Vec<u8>;

    fn allocate(&mut self, length: usize) -> Option<Vec<u8>> {
        Some(vec![0; length])
    }
}

#[test]
fn files_of_every_length_are_read_whole() {
    let folder = Folder::new();
    let path = folder.at("file");
    for length in [0, 1, 4096, 16383, 16384, 16385, 100_000, (1 << 20) - 1, 1 << 20, 3 << 20] {
        fs::write(&path, pattern(length)).unwrap();
        for way in WAYS {
            let content = way.of(read_file(&path, None)).unwrap();
            assert!(content == pattern(length), "{length} bytes");
            let content = way.of(read_file(&path, Some(length as u64))).unwrap();
            assert_eq!(content.len(), length);
        }
    }
}

#[test]
fn a_limit_is_an_error_for_longer_files() {
    let folder = Folder::new();
    for length in [10, 16384, 50_000, 2 << 20] {
        fs::write(folder.at("file"), pattern(length)).unwrap();
        for way in WAYS {
            for limit in [0, 5, length as u64 - 1] {
                let error = way.of(read_file(folder.at("file"), Some(limit))).unwrap_err();
                assert_eq!(error.code(), Some(Code::EFBIG));
                assert!(error.to_string().contains(&format!("file: more than {limit} bytes")));
            }
        }
    }
}

#[test]
fn what_has_no_length_is_read_to_its_end() {
    for way in WAYS {
        let status = way.of(read_file("/proc/self/status", None)).unwrap();
        assert!(status.starts_with(b"Name:"));
        assert_eq!(way.of(read_file("/dev/null", None)).unwrap(), Bytes::new());
    }
}

#[test]
fn what_has_no_end_is_an_error() {
    for way in WAYS {
        let error = way.of(read_file("/dev/zero", Some(1 << 20))).unwrap_err();
        assert_eq!(error.code(), Some(Code::EFBIG));
    }
    let error = read_file("/dev/zero", None).run().unwrap_err();
    assert_eq!(error.code(), Some(Code::EFBIG));
    assert!(error.to_string().contains(&(UNANNOUNCED + (16 << 10)).to_string()), "{error}");
}

#[test]
fn large_files_go_straight_into_memory_of_the_callers() {
    let folder = Folder::new();
    for length in [19_999, 20_000, 300_000] {
        fs::write(folder.at("file"), pattern(length)).unwrap();
        for way in WAYS {
            let content = way.of(read_file_into(folder.at("file"), None, Boxes)).unwrap();
            assert_eq!(
                content,
                match length {
                    19_999 => Content::Small(pattern(length)),
                    _ => Content::Large(pattern(length), Vec::new()),
                }
            );
        }
    }
}

/// Changes the file when its memory is asked for.
struct Changing<F>(Option<F>);

impl<F: FnOnce() + Send + 'static> FileMemory for Changing<F> {
    const LARGE: usize = 0;
    type Large = Vec<u8>;

    fn allocate(&mut self, length: usize) -> Option<Vec<u8>> {
        (self.0.take().expect("asked once"))();
        Some(vec![0; length])
    }
}

#[test]
fn a_file_may_grow_and_shrink_while_it_is_read() {
    let folder = Folder::new();
    let path = folder.at("file");
    for way in WAYS {
        fs::write(&path, pattern(50_000)).unwrap();
        let file = path.clone();
        let grow = move || {
            let mut file = fs::OpenOptions::new().append(true).open(file).unwrap();
            file.write_all(&[7; 40_000]).unwrap();
        };
        let content = way.of(read_file_into(&path, None, Changing(Some(grow)))).unwrap();
        assert_eq!(content, Content::Large(pattern(50_000), vec![7; 40_000]));

        let file = path.clone();
        let shrink = move || {
            fs::OpenOptions::new().write(true).open(file).unwrap().set_len(20_000).unwrap();
        };
        let content = way.of(read_file_into(&path, None, Changing(Some(shrink)))).unwrap();
        assert_eq!(content, Content::Large(pattern(20_000), Vec::new()));
    }
}

#[test]
fn a_length_that_memory_does_not_hold_is_an_error_before_it_is_read() {
    let folder = Folder::new();
    fs::File::create(folder.at("sparse")).unwrap().set_len(1 << 43).unwrap();
    for way in WAYS {
        let error = way.of(read_file(folder.at("sparse"), None)).unwrap_err();
        assert_eq!(error.code(), Some(Code::ENOMEM));
    }
}

#[test]
fn reading_fails_as_opening_and_reading_do() {
    let folder = Folder::new();
    for way in WAYS {
        let error = way.of(read_file(folder.at("missing"), None)).unwrap_err();
        assert_eq!(error.code(), Some(Code::ENOENT));
        assert!(error.to_string().contains("missing"));
        assert_eq!(way.of(read_file(&folder.0, None)).unwrap_err().code(), Some(Code::EISDIR));
        assert_eq!(way.of(read_file("a\0b", None)).unwrap_err().code(), Some(Code::EINVAL));
    }
}

#[test]
fn writing_makes_empties_and_fills() {
    let folder = Folder::new();
    let path = folder.at("file");
    for way in WAYS {
        assert_eq!(way.of(write_file(&path, vec!["some", "", "what"], 0o640)), Ok(8));
        assert_eq!(fs::read(&path).unwrap(), b"somewhat");
        assert_eq!(mode_of(&path), 0o640);
        assert_eq!(way.of(write_file(&path, "less", 0o600)), Ok(4));
        assert_eq!(fs::read(&path).unwrap(), b"less");
        assert_eq!(mode_of(&path), 0o640);
        assert_eq!(way.of(append_file(&path, pattern(1 << 20), 0o600)), Ok(1 << 20));
        assert_eq!(fs::read(&path).unwrap()[4..], pattern(1 << 20));
        assert_eq!(way.of(write_file(&path, Vec::<Bytes>::new(), 0o600)), Ok(0));
        assert_eq!(fs::read(&path).unwrap(), b"");
        fs::remove_file(&path).unwrap();
        assert_eq!(way.of(append_file(&path, "new", 0o600)), Ok(3));
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_failed_write_says_how_much_went_out() {
    let folder = Folder::new();
    for way in WAYS {
        let error = way.of(write_file(folder.at("no/file"), "text", 0o600)).unwrap_err();
        assert_eq!((error.code(), error.written()), (Some(Code::ENOENT), Some(0)));
        let error = way.of(append_file("/dev/full", "text", 0o600)).unwrap_err();
        assert_eq!((error.code(), error.written()), (Some(Code::ENOSPC), Some(0)));
        let error = way.of(write_file("a\0b", "text", 0o600)).unwrap_err();
        assert_eq!((error.code(), error.written()), (Some(Code::EINVAL), Some(0)));
        let error = way.of(write_file(folder.at("x"), "text", u32::MAX)).unwrap_err();
        assert_eq!((error.code(), error.written()), (Some(Code::EINVAL), Some(0)));
    }
}

#[test]
fn a_cancelled_write_has_written_nothing() {
    let folder = Folder::new();
    let event_loop = Loop::new().unwrap();
    let (sender, outcome) = std::sync::mpsc::channel();
    // The first job is with a thread of the pool, or is not; those behind it wait in any case.
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
    for _ in 0..pool_threads() {
        let gate = gate.clone();
        event_loop
            .queue_work(move || assert!(gate.lock().unwrap().recv().is_err()), |_| ())
            .unwrap();
    }
    let write = write_file(folder.at("file"), "text", 0o600);
    let request = write.submit(&event_loop, move |outcome| sender.send(outcome).unwrap()).unwrap();
    assert_eq!(request.cancel(), Ok(true));
    drop(release);
    event_loop.run(RunMode::Default).unwrap();
    let error = outcome.try_recv().unwrap().unwrap_err();
    assert_eq!((error.code(), error.written()), (Some(Code::ECANCELED), Some(0)));
    assert_eq!(names(&folder), [""; 0]);
}

fn pool_threads() -> usize {
    std::env::var("UV_THREADPOOL_SIZE").map_or(4, |text| text.parse().unwrap())
}

#[test]
fn a_replaced_file_is_another_with_the_same_name_and_permissions() {
    let folder = Folder::new();
    let path = folder.at("file");
    for way in WAYS {
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = fs::metadata(&path).unwrap();
        let held = fs::File::open(&path).unwrap();
        assert_eq!(way.of(replace_file(&path, vec!["n", "ew"], None)), Ok(3));
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode_of(&path), 0o640);
        assert_ne!(fs::metadata(&path).unwrap().ino(), before.ino());
        assert_eq!(std::io::read_to_string(held).unwrap(), "old");
        assert_eq!(way.of(replace_file(&path, "asked", Some(0o604))), Ok(5));
        assert_eq!(mode_of(&path), 0o604);
        assert_eq!(names(&folder), ["file"]);
        assert_eq!(way.of(replace_file(folder.at("fresh"), "", Some(0o600))), Ok(0));
        assert_eq!(mode_of(&folder.at("fresh")), 0o600);
        fs::remove_file(folder.at("fresh")).unwrap();
    }
}

#[test]
fn links_stay_and_what_they_lead_to_is_replaced() {
    let folder = Folder::new();
    fs::create_dir(folder.at("below")).unwrap();
    symlink("below/second", folder.at("first")).unwrap();
    symlink(folder.at("file"), folder.at("below/second")).unwrap();
    symlink("circle", folder.at("circle")).unwrap();
    for way in WAYS {
        // The last link dangles.
        assert_eq!(way.of(replace_file(folder.at("first"), "one", None)), Ok(3));
        assert_eq!(way.of(replace_file(folder.at("first"), "other", None)), Ok(5));
        assert_eq!(fs::read(folder.at("file")).unwrap(), b"other");
        assert!(fs::symlink_metadata(folder.at("first")).unwrap().is_symlink());
        assert!(fs::symlink_metadata(folder.at("below/second")).unwrap().is_symlink());
        assert_eq!(names(&folder), ["below", "circle", "file", "first"]);
        fs::remove_file(folder.at("file")).unwrap();
        let error = way.of(replace_file(folder.at("circle"), "x", None)).unwrap_err();
        assert_eq!(error.code(), Some(Code::ELOOP));
    }
}

#[test]
fn only_files_are_replaced() {
    let folder = Folder::new();
    fs::create_dir(folder.at("below")).unwrap();
    let socket = std::os::unix::net::UnixListener::bind(folder.at("socket")).unwrap();
    let code = |path: &Path| {
        WAYS.map(|way| way.of(replace_file(path, "x", None)).unwrap_err().code().unwrap())
    };
    assert_eq!(code(&folder.at("below")), [Code::EISDIR; 2]);
    assert_eq!(code(&folder.at("below/")), [Code::EISDIR; 2]);
    assert_eq!(code(&folder.at("below/.")), [Code::EISDIR; 2]);
    assert_eq!(code(&folder.at("socket")), [Code::EINVAL; 2]);
    assert_eq!(code(Path::new("")), [Code::ENOENT; 2]);
    assert_eq!(code(&folder.at("no/file")), [Code::ENOENT; 2]);
    assert_eq!(code(&folder.at("socket/file")), [Code::ENOTDIR; 2]);
    assert_eq!(code(&folder.at(&"x".repeat(300))), [Code::ENAMETOOLONG; 2]);
    assert_eq!(names(&folder), ["below", "socket"]);
    drop(socket);
}

#[test]
fn a_loop_dropped_with_a_write_in_flight_lets_go_of_the_source() {
    struct Source(Vec<u8>, std::sync::mpsc::Sender<()>);
    impl Drop for Source {
        fn drop(&mut self) {
            self.1.send(()).unwrap();
        }
    }
    // SAFETY: the vector's memory stays where it is.
    unsafe impl pyuv_fs::Source for Source {
        fn buffers(&self) -> impl AsRef<[pyuv_fs::Buffer]> + Send + use<> {
            self.0.buffers()
        }
    }
    let folder = Folder::new();
    let event_loop = Loop::new().unwrap();
    let (sender, dropped) = std::sync::mpsc::channel();
    let source = Source(pattern(1000), sender);
    let write = write_file(folder.at("file"), source, 0o600);
    drop(write.submit(&event_loop, |outcome| panic!("told of {outcome:?}")).unwrap());
    drop(event_loop);
    while dropped.try_recv().is_err() {
        // Loops are freed with the next ones.
        drop(Loop::new().unwrap());
        std::thread::yield_now();
    }
}

#[test]
fn other_errors_have_no_count() {
    assert_eq!(Error::LoopClosed.written(), None);
    let event_loop = Loop::new().unwrap();
    event_loop.close().unwrap();
    let refused = write_file("/dev/null", "x", 0).submit(&event_loop, |_| ());
    assert_eq!(refused.unwrap_err(), Error::LoopClosed);
}
