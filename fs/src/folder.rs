//! An open folder, and what is done to the names in it whatever becomes of the folder's own name.

use std::ffi::CStr;

use pyuv::Code;

use crate::open_file::OpenFile;

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Nothing,
    File(Attributes),
    Folder,
    Other,
}

/// Whose a file is, and what others may do with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

#[cfg(unix)]
pub(crate) use unix::Folder;

#[cfg(unix)]
mod unix {
    use std::os::fd::{BorrowedFd, OwnedFd};

    use rustix::fs::{self, AtFlags, CWD, FileType, Gid, Mode, OFlags, Uid};
    use rustix::io::{Errno, retry_on_intr};

    use crate::errno::code;

    use super::{Attributes, CStr, Code, Entry, OpenFile};

    /// Its fd.
    pub(crate) struct Folder(OwnedFd);

    impl Folder {
        pub(crate) fn open(path: &CStr) -> Result<Folder, Code> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let open = || fs::openat(CWD, path, flags, Mode::empty());
            retry_on_intr(open).map(Folder).map_err(code)
        }

        /// What `name` is, itself if it is a symbolic link.
        pub(crate) fn look(&self, name: &CStr) -> Result<Entry, Code> {
            let stat = match fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => return Ok(Entry::Nothing),
                outcome => outcome.map_err(code)?,
            };
            // The field's type differs between platforms.
            #[allow(clippy::useless_conversion)]
            let mode = u32::from(stat.st_mode) & 0o7777;
            Ok(match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => {
                    Entry::File(Attributes { mode, uid: stat.st_uid, gid: stat.st_gid })
                }
                FileType::Directory => Entry::Folder,
                _ => Entry::Other,
            })
        }

        /// Makes the file `name`, which there must not be, to be written.
        pub(crate) fn create(&self, name: &CStr, mode: u32) -> Result<OpenFile, Code> {
            let flags =
                OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let mode = Mode::from_bits_truncate(mode as _);
            let open = || fs::openat(&self.0, name, flags, mode);
            retry_on_intr(open).map(OpenFile::from_fd).map_err(code)
        }

        pub(crate) fn rename(&self, from: &CStr, to: &CStr) -> Result<(), Code> {
            fs::renameat(&self.0, from, &self.0, to).map_err(code)
        }

        pub(crate) fn remove(&self, name: &CStr) -> Result<(), Code> {
            fs::unlinkat(&self.0, name, AtFlags::empty()).map_err(code)
        }

        /// Has the names reach the disk.
        pub(crate) fn sync(&self) -> Result<(), Code> {
            match retry_on_intr(|| fs::fsync(&self.0)) {
                // Filesystems without a disk of their own, some of them.
                Err(Errno::INVAL | Errno::NOTSUP | Errno::ROFS) => Ok(()),
                outcome => outcome.map_err(code),
            }
        }
    }

    impl Attributes {
        /// Gives them to a file, as far as this process may give files away. One that it may not
        /// loses the bits that lend its owner's rights.
        pub(crate) fn give(self, file: &OpenFile) -> Result<(), Code> {
            // SAFETY: the file is open, and outlives the borrow.
            let fd = unsafe { BorrowedFd::borrow_raw(file.fd()) };
            let made = fs::fstat(fd).map_err(code)?;
            let mut mode = self.mode;
            if (made.st_uid, made.st_gid) != (self.uid, self.gid) {
                let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
                let group = fs::fchown(fd, None, Some(gid));
                let owner = fs::fchown(fd, Some(uid), None);
                if group.is_err() || owner.is_err() {
                    mode &= 0o1777;
                }
            }
            fs::fchmod(fd, Mode::from_bits_truncate(mode as _)).map_err(code)
        }
    }
}

#[cfg(not(unix))]
pub(crate) use by_path::Folder;

#[cfg(not(unix))]
mod by_path {
    use std::ffi::CString;

    use super::{Attributes, CStr, Code, Entry, OpenFile};
    use crate::operation::Operation;

    /// Its path: there is no other way to say where a name is to be.
    pub(crate) struct Folder(Vec<u8>);

    fn code<T>(outcome: pyuv::Result<T>) -> Result<T, Code> {
        outcome.map_err(|error| error.code().unwrap_or(Code::UNKNOWN))
    }

    impl Folder {
        pub(crate) fn open(path: &CStr) -> Result<Folder, Code> {
            Ok(Folder(path.to_bytes().to_vec()))
        }

        fn at(&self, name: &CStr) -> CString {
            let path = [&self.0, b"/".as_slice(), name.to_bytes()].concat();
            CString::new(path).expect("made of two C strings")
        }

        pub(crate) fn look(&self, name: &CStr) -> Result<Entry, Code> {
            match code(crate::lstat(self.at(name)).run()) {
                Err(Code::ENOENT) => Ok(Entry::Nothing),
                Err(code) => Err(code),
                Ok(stat) => Ok(match stat.mode & 0o170_000 {
                    0o100_000 => {
                        let mode = (stat.mode & 0o7777) as u32;
                        Entry::File(Attributes { mode, uid: 0, gid: 0 })
                    }
                    0o040_000 => Entry::Folder,
                    _ => Entry::Other,
                }),
            }
        }

        pub(crate) fn create(&self, name: &CStr, mode: u32) -> Result<OpenFile, Code> {
            let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
            OpenFile::open(&self.at(name), flags, mode as i32)
        }

        pub(crate) fn rename(&self, from: &CStr, to: &CStr) -> Result<(), Code> {
            code(crate::rename(self.at(from), self.at(to)).run())
        }

        pub(crate) fn remove(&self, name: &CStr) -> Result<(), Code> {
            code(crate::unlink(self.at(name)).run())
        }

        /// Names reach the disk when the system sees fit.
        pub(crate) fn sync(&self) -> Result<(), Code> {
            Ok(())
        }
    }

    impl Attributes {
        pub(crate) fn give(self, file: &OpenFile) -> Result<(), Code> {
            code(crate::fchmod(file.fd(), self.mode).run())
        }
    }
}
