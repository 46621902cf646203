//! `uv_dirent_t`: what a folder holds.

use libuv_sys2 as uv;

/// The kind of a folder's entry (`uv_dirent_type_t`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DirentType {
    /// The filesystem does not say; [`lstat`](crate::lstat) does.
    Unknown,
    /// A plain file.
    File,
    /// A folder.
    Dir,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character device.
    Char,
    /// A block device.
    Block,
}

impl From<uv::uv_dirent_type_t> for DirentType {
    fn from(kind: uv::uv_dirent_type_t) -> DirentType {
        match kind {
            uv::uv_dirent_type_t_UV_DIRENT_FILE => DirentType::File,
            uv::uv_dirent_type_t_UV_DIRENT_DIR => DirentType::Dir,
            uv::uv_dirent_type_t_UV_DIRENT_LINK => DirentType::Link,
            uv::uv_dirent_type_t_UV_DIRENT_FIFO => DirentType::Fifo,
            uv::uv_dirent_type_t_UV_DIRENT_SOCKET => DirentType::Socket,
            uv::uv_dirent_type_t_UV_DIRENT_CHAR => DirentType::Char,
            uv::uv_dirent_type_t_UV_DIRENT_BLOCK => DirentType::Block,
            _ => DirentType::Unknown,
        }
    }
}

impl DirentType {
    /// libuv's number for it (`UV_DIRENT_FILE` is 1).
    pub fn as_raw(self) -> i32 {
        let raw = match self {
            DirentType::Unknown => uv::uv_dirent_type_t_UV_DIRENT_UNKNOWN,
            DirentType::File => uv::uv_dirent_type_t_UV_DIRENT_FILE,
            DirentType::Dir => uv::uv_dirent_type_t_UV_DIRENT_DIR,
            DirentType::Link => uv::uv_dirent_type_t_UV_DIRENT_LINK,
            DirentType::Fifo => uv::uv_dirent_type_t_UV_DIRENT_FIFO,
            DirentType::Socket => uv::uv_dirent_type_t_UV_DIRENT_SOCKET,
            DirentType::Char => uv::uv_dirent_type_t_UV_DIRENT_CHAR,
            DirentType::Block => uv::uv_dirent_type_t_UV_DIRENT_BLOCK,
        };
        raw as i32
    }
}

/// An entry of a folder (`uv_dirent_t`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dirent {
    /// Its name in the folder, as the system's bytes.
    pub name: Box<[u8]>,
    /// What it is.
    pub kind: DirentType,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_numbers_match() {
        for raw in 0..=7 {
            assert_eq!(DirentType::from(raw as uv::uv_dirent_type_t).as_raw(), raw);
        }
        assert_eq!(DirentType::from(99), DirentType::Unknown);
    }
}
