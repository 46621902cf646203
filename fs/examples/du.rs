//! Adds up the sizes of a tree's files, many questions in flight at a time.
//!
//! `cargo run -p pyuv-fs --example du [PATH]`

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pyuv::{Loop, RunMode};
use pyuv_fs::{DirentType, Operation, lstat, scandir};

struct Du {
    event_loop: Loop,
    bytes: AtomicU64,
    files: AtomicU64,
}

fn walk(du: &Arc<Du>, folder: PathBuf) -> pyuv::Result<()> {
    let here = Arc::clone(du);
    scandir(folder.clone()).submit(&du.event_loop, move |outcome| {
        let entries = match outcome {
            Ok(entries) => entries,
            Err(error) => return eprintln!("{error}"),
        };
        for entry in entries {
            let path = folder.join(OsString::from_vec(entry.name.into_vec()));
            let next = match entry.kind {
                DirentType::Dir => walk(&here, path),
                _ => add(&here, path),
            };
            if let Err(error) = next {
                eprintln!("{error}");
            }
        }
    })?;
    Ok(())
}

fn add(du: &Arc<Du>, path: PathBuf) -> pyuv::Result<()> {
    let here = Arc::clone(du);
    lstat(path).submit(&du.event_loop, move |outcome| match outcome {
        Ok(stat) => {
            here.bytes.fetch_add(stat.size, Ordering::Relaxed);
            here.files.fetch_add(1, Ordering::Relaxed);
        }
        Err(error) => eprintln!("{error}"),
    })?;
    Ok(())
}

fn main() -> pyuv::Result<()> {
    let path = std::env::args_os().nth(1).unwrap_or_else(|| ".".into());
    let du = Arc::new(Du {
        event_loop: Loop::new()?,
        bytes: AtomicU64::new(0),
        files: AtomicU64::new(0),
    });
    walk(&du, path.into())?;
    du.event_loop.run(RunMode::Default)?;
    let (bytes, files) = (du.bytes.load(Ordering::Relaxed), du.files.load(Ordering::Relaxed));
    println!("{bytes} bytes in {files} files");
    Ok(())
}
