//! What libuv gained after pyuv 1.4: copies, temporary files, folders in batches, filesystems,
//! scattered reads. Each at once and on a loop.

#![cfg(unix)]

mod util;

use std::fs;
use std::os::fd::AsRawFd;
use std::sync::mpsc;

use pyuv::{Code, Loop, RunMode};
use pyuv_fs as uvfs;
use pyuv_fs::{Operation, Temporary};
use util::{Folder, WAYS};

#[test]
fn a_file_is_copied_unless_its_new_name_is_taken() {
    for way in WAYS {
        let folder = Folder::new();
        let file = folder.file("file", "content");
        let copy = folder.at("copy");
        way.of(uvfs::copyfile(&file, &copy, 0)).unwrap();
        assert_eq!(fs::read_to_string(&copy).unwrap(), "content");
        let error = way.of(uvfs::copyfile(&file, &copy, uvfs::COPYFILE_EXCL)).unwrap_err();
        assert_eq!(error.code(), Some(Code::EEXIST));
        let both = format!("{} -> {}", file.display(), copy.display());
        assert!(error.to_string().contains(&both), "{error}");
        let error = way.of(uvfs::copyfile(&file, &copy, 1 << 20)).unwrap_err();
        assert_eq!(error.code(), Some(Code::EINVAL));
    }
}

#[test]
fn temporary_files_and_folders_have_names_of_their_own() {
    for way in WAYS {
        let folder = Folder::new();
        let template = folder.at("XXXXXX");
        let made = String::from_utf8(way.of(uvfs::mkdtemp(&template)).unwrap()).unwrap();
        assert!(fs::metadata(&made).unwrap().is_dir());
        assert_ne!(made, template.display().to_string());
        let Temporary { fd, path } = way.of(uvfs::mkstemp(&template)).unwrap();
        let fd = fd.into_fd();
        assert_eq!(way.of(uvfs::write(fd, "text", None)), Ok(4));
        way.of(uvfs::close(fd)).unwrap();
        assert_eq!(fs::read_to_string(String::from_utf8(path).unwrap()).unwrap(), "text");
        let missing = folder.at("missing").join("XXXXXX");
        for error in [
            way.of(uvfs::mkdtemp(&missing)).unwrap_err(),
            way.of(uvfs::mkstemp(&missing)).unwrap_err(),
        ] {
            assert_eq!(error.code(), Some(Code::ENOENT));
            assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
        }
    }
}

#[test]
fn a_folder_is_read_in_batches() {
    for way in WAYS {
        let folder = Folder::new();
        for name in ["a", "b", "c"] {
            folder.file(name, "");
        }
        let dir = way.of(uvfs::opendir(&folder.0)).unwrap();
        assert_eq!(way.of(uvfs::readdir(&dir, 0)).unwrap_err().code(), Some(Code::EINVAL));
        let first = way.of(uvfs::readdir(&dir, 2)).unwrap();
        let second = way.of(uvfs::readdir(&dir, 2)).unwrap();
        assert_eq!((first.len(), second.len()), (2, 1));
        let mut names: Vec<_> =
            first.into_iter().chain(second).map(|entry| entry.name.into_vec()).collect();
        names.sort();
        assert_eq!(names, [b"a", b"b", b"c"]);
        assert_eq!(way.of(uvfs::readdir(&dir, 2)), Ok(Vec::new()));
        assert_eq!(way.of(uvfs::readdir(&dir, usize::MAX)).unwrap_err().code(), Some(Code::ENOMEM));
        assert!(!dir.is_closed());
        way.of(uvfs::closedir(&dir)).unwrap();
        assert!(dir.is_closed());
        assert_eq!(way.of(uvfs::readdir(&dir, 2)).unwrap_err().code(), Some(Code::EBADF));
        assert_eq!(way.of(uvfs::closedir(&dir)).unwrap_err().code(), Some(Code::EBADF));
    }
}

#[test]
fn a_folder_may_be_dropped_while_it_is_read() {
    let folder = Folder::new();
    folder.file("a", "");
    let event_loop = Loop::new().unwrap();
    let dir = uvfs::opendir(&folder.0).run().unwrap();
    let (sender, found) = mpsc::channel();
    for _ in 0..3 {
        let sender = sender.clone();
        uvfs::readdir(&dir, 5)
            .submit(&event_loop, move |batch| sender.send(batch.unwrap().len()).unwrap())
            .unwrap();
    }
    drop(dir);
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(found.try_iter().sum::<usize>(), 1);
}

#[test]
fn a_filesystem_tells_of_its_space() {
    for way in WAYS {
        let found = way.of(uvfs::statfs("/")).unwrap();
        assert!(found.bavail <= found.bfree && found.bfree <= found.blocks);
        assert!(found.bsize > 0 && found.frsize > 0);
        let error = way.of(uvfs::statfs("/missing/file")).unwrap_err();
        assert_eq!(error.code(), Some(Code::ENOENT));
    }
}

#[test]
fn a_read_is_scattered_over_pieces() {
    for way in WAYS {
        let folder = Folder::new();
        let file = fs::File::open(folder.file("file", "0123456789")).unwrap();
        let pieces = || vec![vec![0; 3], Vec::new(), vec![0; 5], vec![0; 4]];
        let read = way.of(uvfs::read_scattered(file.as_raw_fd(), pieces(), Some(1))).unwrap();
        assert_eq!(read, [b"123".to_vec(), Vec::new(), b"45678".to_vec(), b"9".to_vec()]);
        let nothing = uvfs::read_scattered(file.as_raw_fd(), Vec::<Vec<u8>>::new(), None);
        assert_eq!(way.of(nothing).unwrap_err().code(), Some(Code::EINVAL));
        let error = way.of(uvfs::read_scattered(-1, pieces(), None)).unwrap_err();
        assert_eq!(error.code(), Some(Code::EBADF));
    }
}
