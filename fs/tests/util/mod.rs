//! What the tests of this crate share.

#![allow(dead_code, reason = "each test program uses a part")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;

use pyuv::{Loop, Result, RunMode};
use pyuv_fs::Operation;

/// A folder that is gone when the test is over.
pub struct Folder(pub PathBuf);

impl Folder {
    /// A new, empty one.
    pub fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("pyuv-fs-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    /// A path in it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file in it.
    pub fn file(&self, name: &str, content: &str) -> PathBuf {
        fs::write(self.at(name), content).unwrap();
        self.at(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How an operation is done.
#[derive(Clone, Copy)]
pub enum Way {
    /// At once.
    Run,
    /// On a loop.
    Submit,
}

/// Both ways.
pub const WAYS: [Way; 2] = [Way::Run, Way::Submit];

impl Way {
    /// Does it, and gives the outcome.
    pub fn of<O: Operation>(self, operation: O) -> Result<O::Output>
    where
        O::Output: Send + 'static,
    {
        match self {
            Way::Run => operation.run(),
            Way::Submit => {
                let event_loop = Loop::new()?;
                let (sender, outcome) = mpsc::channel();
                operation.submit(&event_loop, move |outcome| sender.send(outcome).unwrap())?;
                event_loop.run(RunMode::Default)?;
                outcome.try_recv().expect("called once")
            }
        }
    }
}
