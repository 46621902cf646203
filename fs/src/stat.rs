//! `uv_stat_t`: what the system knows of a file.

use libuv_sys2 as uv;

/// A moment, in seconds and nanoseconds since 1970 (`uv_timespec_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    /// Whole seconds; negative before 1970.
    pub seconds: i64,
    /// Nanoseconds after them, below 1,000,000,000.
    pub nanoseconds: i64,
}

impl Timestamp {
    /// Nanoseconds since 1970.
    pub fn as_nanoseconds(self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanoseconds)
    }

    /// Seconds since 1970, as exact as an `f64` can be.
    pub fn as_seconds(self) -> f64 {
        self.seconds as f64 + self.nanoseconds as f64 * 1e-9
    }
}

impl From<uv::uv_timespec_t> for Timestamp {
    // The fields' types differ between platforms.
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
    fn from(time: uv::uv_timespec_t) -> Timestamp {
        Timestamp { seconds: time.tv_sec as i64, nanoseconds: time.tv_nsec as i64 }
    }
}

/// What [`stat`](crate::stat), [`lstat`](crate::lstat) and [`fstat`](crate::fstat) tell of a file
/// (`uv_stat_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Stat {
    /// The device that holds the file.
    pub dev: u64,
    /// The kind of file, and who may do what with it.
    pub mode: u64,
    /// How many names the file has.
    pub nlink: u64,
    /// The owner.
    pub uid: u64,
    /// The owning group.
    pub gid: u64,
    /// The device that the file is, for a device file.
    pub rdev: u64,
    /// The file's number on its device.
    pub ino: u64,
    /// Length in bytes.
    pub size: u64,
    /// The block size that suits I/O on the file, in bytes.
    pub blksize: u64,
    /// What the file takes, in units of 512 bytes.
    pub blocks: u64,
    /// Flags of the BSDs and macOS; 0 elsewhere.
    pub flags: u64,
    /// The file's generation, on the BSDs and macOS; 0 elsewhere.
    pub generation: u64,
    /// When it was last read.
    pub atime: Timestamp,
    /// When its content last changed.
    pub mtime: Timestamp,
    /// When its content or what is told here last changed.
    pub ctime: Timestamp,
    /// When it was made, where the filesystem remembers.
    pub birthtime: Timestamp,
}

impl From<&uv::uv_stat_t> for Stat {
    fn from(stat: &uv::uv_stat_t) -> Stat {
        Stat {
            dev: stat.st_dev,
            mode: stat.st_mode,
            nlink: stat.st_nlink,
            uid: stat.st_uid,
            gid: stat.st_gid,
            rdev: stat.st_rdev,
            ino: stat.st_ino,
            size: stat.st_size,
            blksize: stat.st_blksize,
            blocks: stat.st_blocks,
            flags: stat.st_flags,
            generation: stat.st_gen,
            atime: stat.st_atim.into(),
            mtime: stat.st_mtim.into(),
            ctime: stat.st_ctim.into(),
            birthtime: stat.st_birthtim.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_before_1970_count_backwards() {
        let moment = Timestamp { seconds: -2, nanoseconds: 500_000_000 };
        assert_eq!(moment.as_nanoseconds(), -1_500_000_000);
        assert_eq!(moment.as_seconds(), -1.5);
    }
}
