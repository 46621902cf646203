//! Trees in one call: each job at once and on a loop, and what others do to the tree meanwhile.

#![cfg(unix)]

mod util;

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use pyuv::{Code, Loop, RunMode};
use pyuv_fs::DirentType;
use pyuv_fs::tree::{
    Ended, OnError, Special, Told, Tree, WalkFolder, Work, copytree, du, read_many, rmtree, walk,
};
use util::{Folder, WAYS, Way};

/// Does a job one way or the other.
fn ended<W: Work>(way: Way, tree: Tree<W>) -> Ended<W::Output> {
    let Way::Submit = way else { return tree.run() };
    let event_loop = Loop::new().unwrap();
    let (sender, receiver) = mpsc::channel();
    let request =
        tree.submit(&event_loop, |_| (), move |ended| sender.send(ended).unwrap()).unwrap();
    event_loop.run(RunMode::Default).unwrap();
    assert_eq!(request.cancel(), Ok(false));
    drop(request);
    event_loop.close().unwrap();
    let ended = receiver.try_recv().unwrap();
    assert!(receiver.try_recv().is_err());
    ended
}

fn code<T: std::fmt::Debug>(ended: Ended<T>) -> Code {
    ended.result.unwrap_err().code().unwrap()
}

/// 40 folders with 30 files and a link each, and an empty one.
fn grow(folder: &Folder) -> std::path::PathBuf {
    let root = folder.at("tree");
    for number in 0..40 {
        let inner = root.join(format!("{}/{}", number % 4, number));
        fs::create_dir_all(&inner).unwrap();
        for file in 0..30 {
            fs::write(inner.join(file.to_string()), "x".repeat(file)).unwrap();
        }
        symlink("../../..", inner.join("link")).unwrap();
    }
    fs::create_dir(root.join("empty")).unwrap();
    root
}

const FOLDERS: u64 = 1 + 4 + 40 + 1;

#[test]
fn a_walk_gives_every_folder_with_its_entries() {
    let folder = Folder::new();
    let root = grow(&folder);
    for way in WAYS {
        for threads in [1, 4] {
            let folders = ended(way, walk(&root).concurrency(threads)).result.unwrap();
            assert_eq!(folders.len() as u64, FOLDERS);
            assert_eq!(folders[0].path, root.as_os_str().as_bytes());
            let found: BTreeMap<_, _> =
                folders.iter().map(|folder| (folder.path.clone(), &folder.entries)).collect();
            let inner = root.join("3/7");
            let entries = found[inner.as_os_str().as_bytes()];
            assert_eq!(entries.len(), 31);
            assert!(entries.iter().any(|entry| entry == (c"link", DirentType::Link)));
            assert!(entries.iter().any(|entry| entry == (c"29", DirentType::File)));
            assert!(found[root.join("empty").as_os_str().as_bytes()].is_empty());
        }
    }
}

#[test]
fn a_large_folder_is_walked_in_parts_and_batches_wait_to_be_taken() {
    let folder = Folder::new();
    let root = folder.at("large");
    fs::create_dir(&root).unwrap();
    let (first, rest) = (root.join("0"), 1..40_000);
    fs::write(&first, "").unwrap();
    for number in rest {
        fs::hard_link(&first, root.join(number.to_string())).unwrap();
    }
    let whole = walk(&root).run().result.unwrap();
    assert!(whole.len() > 1);
    assert_eq!(whole.iter().map(|part| part.entries.len()).sum::<usize>(), 40_000);

    let event_loop = Loop::new().unwrap();
    let (sender, receiver) = mpsc::channel();
    let told = move |told: Told<Vec<WalkFolder>>| {
        if let Told::Batch(batch) = told {
            sender.send(batch.iter().map(|part| part.entries.len()).sum::<usize>()).unwrap();
        }
    };
    let request = walk(&root)
        .in_batches()
        .submit(&event_loop, told, |ended| assert_eq!(ended.result.unwrap().len(), 0))
        .unwrap();
    event_loop.run(RunMode::Default).unwrap();
    let batches: Vec<usize> = receiver.try_iter().collect();
    assert!(batches.len() > 1);
    assert!(batches.iter().all(|batch| *batch < 25_000), "{batches:?}");
    assert_eq!(batches.iter().sum::<usize>(), 40_000);
    assert_eq!(request.progress().files, 40_000);
    // Hard links count once.
    let usage = du(&root).run().result.unwrap();
    assert_eq!((usage.files, usage.folders, usage.bytes), (1, 1, 0));
    rmtree(&root).run().result.unwrap();
    assert!(!root.exists());
}

#[test]
fn du_adds_up_what_is_there() {
    let folder = Folder::new();
    let root = grow(&folder);
    nix_fifo(&root.join("pipe"));
    for way in WAYS {
        let usage = ended(way, du(&root)).result.unwrap();
        let bytes = 40 * ((0..30).sum::<u64>() + "../../..".len() as u64);
        assert_eq!((usage.files, usage.links, usage.others), (1200, 40, 1));
        assert_eq!((usage.folders, usage.bytes, usage.errors), (FOLDERS, bytes, 0));
        let file = ended(way, du(root.join("0/0/29"))).result.unwrap();
        assert_eq!((file.files, file.folders, file.bytes), (1, 0, 29));
    }
}

fn nix_fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the path is a string.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

#[test]
fn a_copy_is_like_its_original() {
    let folder = Folder::new();
    let root = grow(&folder);
    fs::write(root.join("big"), vec![7; 9 << 20]).unwrap();
    fs::set_permissions(root.join("1/1/5"), fs::Permissions::from_mode(0o451)).unwrap();
    fs::set_permissions(root.join("empty"), fs::Permissions::from_mode(0o555)).unwrap();
    for (number, way) in WAYS.into_iter().enumerate() {
        let to = folder.at(&format!("new/{number}/copy"));
        let copied = ended(way, copytree(&root, &to)).result.unwrap();
        assert_eq!((copied.files, copied.links, copied.folders), (1201, 40, FOLDERS));
        assert_eq!((copied.skipped, copied.errors), (0, 0));
        assert_eq!(fs::read(to.join("big")).unwrap(), vec![7; 9 << 20]);
        assert_eq!(fs::read_link(to.join("2/2/link")).unwrap(), Path::new("../../.."));
        for path in ["1/1/5", "empty", "0", "", "3/7/link"] {
            let [one, other] =
                [&root, &to].map(|root| fs::symlink_metadata(root.join(path)).unwrap());
            assert_eq!(one.mode(), other.mode(), "{path}");
            assert_eq!(
                (one.mtime(), one.mtime_nsec()),
                (other.mtime(), other.mtime_nsec()),
                "{path}"
            );
        }
        assert_eq!(code(ended(way, copytree(&root, &to))), Code::EEXIST);
        fs::write(to.join("0/0/7"), "other").unwrap();
        ended(way, copytree(&root, &to).exist_ok(true)).result.unwrap();
        assert_eq!(fs::read(to.join("0/0/7")).unwrap(), b"xxxxxxx");
    }
}

#[test]
fn a_tree_is_not_copied_into_itself() {
    let folder = Folder::new();
    let root = grow(&folder);
    symlink(&root, folder.at("link")).unwrap();
    for to in [root.join("0/new/copy"), root.clone(), folder.at("link/1/copy")] {
        for way in WAYS {
            let tree = copytree(&root, &to).exist_ok(true);
            assert_eq!(code(ended(way, tree)), Code::EINVAL, "{to:?}");
        }
    }
    assert!(!root.join("0/new").exists());
    assert!(!root.join("1/copy").exists());
}

#[test]
fn what_is_no_file_is_an_error_or_passed_over() {
    let folder = Folder::new();
    let root = folder.at("tree");
    fs::create_dir(&root).unwrap();
    nix_fifo(&root.join("pipe"));
    fs::write(root.join("file"), "text").unwrap();
    for way in WAYS {
        let to = folder.at("copy");
        let tree = copytree(&root, &to).on_error(OnError::Continue);
        let Ended { result, errors } = ended(way, tree);
        assert_eq!(result.unwrap().files, 1);
        assert_eq!(errors[0].code, Code::ENOTSUP);
        assert_eq!(errors[0].path, root.join("pipe").as_os_str().as_bytes());
        rmtree(&to).run().result.unwrap();
        let copied = ended(way, copytree(&root, &to).special(Special::Skip)).result.unwrap();
        assert_eq!((copied.files, copied.skipped, copied.errors), (1, 1, 0));
        rmtree(&to).run().result.unwrap();
    }
}

#[test]
fn nothing_is_left_and_nothing_else_is_touched() {
    let folder = Folder::new();
    for way in WAYS {
        let root = grow(&folder);
        fs::create_dir_all(folder.at("outside")).unwrap();
        fs::write(folder.at("outside/file"), "").unwrap();
        symlink(folder.at("outside"), root.join("0/out")).unwrap();
        let removed = ended(way, rmtree(&root)).result.unwrap();
        assert_eq!((removed.files, removed.folders), (1241, FOLDERS));
        assert!(!root.exists());
        assert!(folder.at("outside/file").exists());
        // A symbolic link to a folder is none, with a slash behind it neither.
        symlink(folder.at("outside"), &root).unwrap();
        assert_eq!(code(ended(way, rmtree(&root))), Code::ENOTDIR);
        assert_eq!(code(ended(way, rmtree(folder.at("tree/")))), Code::ENOTDIR);
        assert_eq!(code(ended(way, walk(&root))), Code::ELOOP);
        assert_eq!(code(ended(way, copytree(&root, folder.at("copy")))), Code::ELOOP);
        assert_eq!(ended(way, walk(folder.at("tree/"))).result.unwrap().len(), 1);
        for path in ["", "/", "..", "outside/.", "a\0b"] {
            let code = code(ended(Way::Run, rmtree(path)));
            assert_eq!(code, if path.is_empty() { Code::ENOENT } else { Code::EINVAL }, "{path}");
        }
        fs::remove_file(&root).unwrap();
        fs::remove_dir_all(folder.at("outside")).unwrap();
    }
}

/// Folders in folders, with a file and a folder in each: as deep as that.
fn dig(root: &Path, depth: usize) {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    fs::create_dir(root).unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut here = openat(CWD, root, flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        mkdirat(&here, "name", Mode::RWXU).unwrap();
        mkdirat(&here, "side", Mode::RWXU).unwrap();
        openat(&here, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).unwrap();
        here = openat(&here, "name", flags, Mode::empty()).unwrap();
    }
}

#[test]
fn a_tree_may_be_deeper_than_a_path_is_long() {
    const DEPTH: u64 = 3000;
    let folder = Folder::new();
    let root = folder.at("deep");
    dig(&root, DEPTH as usize);
    for (way, threads) in [(Way::Run, 1), (Way::Submit, 4)] {
        let usage = ended(way, du(&root).concurrency(threads)).result.unwrap();
        assert_eq!((usage.folders, usage.files), (2 * DEPTH + 1, DEPTH));
        let folders = ended(way, walk(&root).concurrency(threads)).result.unwrap();
        assert_eq!(folders.len() as u64, 2 * DEPTH + 1);
        assert!(folders.iter().any(|folder| folder.path.len() > 5 * DEPTH as usize));
        let to = folder.at("copy");
        let copied = ended(way, copytree(&root, &to).concurrency(threads)).result.unwrap();
        assert_eq!((copied.folders, copied.files), (2 * DEPTH + 1, DEPTH));
        let removed = ended(way, rmtree(&to).concurrency(threads)).result.unwrap();
        assert_eq!((removed.folders, removed.files), (2 * DEPTH + 1, DEPTH));
        assert!(!to.exists());
    }
    rmtree(&root).run().result.unwrap();
}

#[test]
fn many_files_are_read_in_their_order() {
    let folder = Folder::new();
    let paths: Vec<_> = (0..200)
        .map(|number| folder.file(&number.to_string(), &"x".repeat(number * 100)))
        .chain([folder.at("missing"), folder.0.clone(), Path::new("/dev/zero").into()])
        .collect();
    for way in WAYS {
        let tree = read_many(&paths).on_error(OnError::Continue);
        let Ended { result, mut errors } = ended(way, tree);
        let contents = result.unwrap();
        for (number, content) in contents[..200].iter().enumerate() {
            assert_eq!(content.as_ref().unwrap().len(), number * 100);
        }
        assert_eq!(&contents[200..], [None, None, None]);
        errors.sort_by_key(|error| {
            paths.iter().position(|path| path.as_os_str().as_bytes() == error.path)
        });
        let codes: Vec<_> = errors.iter().map(|error| error.code).collect();
        assert_eq!(codes, [Code::ENOENT, Code::EISDIR, Code::EINVAL]);
        let stopped = ended(way, read_many(&paths).concurrency(1));
        assert_eq!(stopped.errors.len(), 1);
        assert_eq!(code(stopped), Code::ENOENT);
        assert_eq!(ended(way, read_many(Vec::<&str>::new())).result, Ok(Vec::new()));
    }
}

#[test]
fn progress_is_told_and_a_break_cancels() {
    let folder = Folder::new();
    let root = grow(&folder);
    let mut last = None;
    let told = |told| {
        if let Told::Progress(progress) = told {
            last = Some(progress);
        }
        std::ops::ControlFlow::Continue(())
    };
    let tree = du(&root).progress_every(Duration::ZERO);
    tree.run_with(told, || std::ops::ControlFlow::Continue(())).result.unwrap();
    let last = last.unwrap();
    assert_eq!((last.files, last.folders), (1240, FOLDERS));
    let broken = rmtree(&root)
        .concurrency(1)
        .run_with(|_| unreachable!(), || std::ops::ControlFlow::Break(()));
    // It may be over before it is asked for the first time.
    assert!(broken.result.is_ok() || broken.result.unwrap_err().code() == Some(Code::ECANCELED));
}

#[test]
fn a_cancelled_job_ends_once() {
    let folder = Folder::new();
    let root = grow(&folder);
    let event_loop = Loop::new().unwrap();
    let (sender, receiver) = mpsc::channel();
    let done = move |ended: Ended<_>| sender.send(ended.result).unwrap();
    let request = rmtree(&root).submit(&event_loop, |_| (), done).unwrap();
    let cancelled = request.cancel().unwrap();
    assert_eq!(request.cancel(), Ok(false));
    event_loop.run(RunMode::Default).unwrap();
    let outcomes: Vec<_> = receiver.iter().collect();
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].is_err(), cancelled);
}

#[test]
fn a_loop_that_is_dropped_lets_go_of_its_jobs() {
    let folder = Folder::new();
    let root = grow(&folder);
    let (sender, receiver) = mpsc::channel::<()>();
    for _ in 0..20 {
        let event_loop = Loop::new().unwrap();
        let kept = sender.clone();
        let done = move |_| kept.send(()).unwrap();
        let request = du(&root).submit(&event_loop, |_| (), done).unwrap();
        assert_eq!(event_loop.close().unwrap_err().code(), Some(Code::EBUSY));
        drop(request);
        drop(event_loop);
    }
    drop(sender);
    // The senders go when the loops are freed, without having sent.
    while receiver.try_recv() == Err(mpsc::TryRecvError::Empty) {
        drop(Loop::new().unwrap());
        std::thread::yield_now();
    }
    assert_eq!(receiver.recv(), Err(mpsc::RecvError));
}

#[test]
fn a_folder_swapped_for_a_link_leads_nowhere() {
    let folder = Folder::new();
    let outside = folder.at("outside");
    fs::create_dir(&outside).unwrap();
    for number in 0..200 {
        fs::write(outside.join(number.to_string()), "").unwrap();
    }
    for round in 0..30 {
        let root = folder.at("tree");
        for number in 0..50 {
            fs::create_dir_all(root.join(format!("{number}/inner"))).unwrap();
        }
        let (here, there, target) = (root.clone(), folder.at("away"), outside.clone());
        fs::create_dir(&there).unwrap();
        let swap = std::thread::spawn(move || {
            for number in 0..50 {
                let place = here.join(((number * 7 + round) % 50).to_string());
                if fs::rename(&place, there.join(number.to_string())).is_ok() {
                    let _ = symlink(&target, &place);
                }
            }
        });
        // What is moved away in the middle may make it fail; it removes nothing outside.
        let _ = ended(WAYS[round % 2], rmtree(&root).on_error(OnError::Continue));
        swap.join().unwrap();
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 200);
        let _ = fs::remove_dir_all(&root);
        fs::remove_dir_all(folder.at("away")).unwrap();
    }
}
