//! `uv_statfs_t`: what the system knows of a filesystem.

use pyo3::prelude::*;
use pyuv_fs::StatFs;

use crate::structseq::{StructSeq, objects};

/// The type of what statfs gives.
pub static STATFS_RESULT: StructSeq<8> = StructSeq::new(
    c"pyuv.fs.statfs_result",
    c"What statfs tells of a filesystem (uv_statfs_t).",
    [
        (c"f_type", c"The kind of filesystem, a number of the system's; 0 where it has none."),
        (c"f_bsize", c"The block size that suits I/O, in bytes."),
        (c"f_frsize", c"The unit of f_blocks, f_bfree and f_bavail, in bytes."),
        (c"f_blocks", c"Blocks in all."),
        (c"f_bfree", c"Blocks that are free."),
        (c"f_bavail", c"Blocks that are free for programs without privileges."),
        (c"f_files", c"Files that there can be; 0 where there is no such number."),
        (c"f_ffree", c"Files that there can be beside those that there are."),
    ],
);

pub fn statfs_result<'py>(py: Python<'py>, found: StatFs) -> PyResult<Bound<'py, PyAny>> {
    let StatFs { kind, bsize, frsize, blocks, bfree, bavail, files, ffree } = found;
    STATFS_RESULT.make(py, objects![py, kind, bsize, frsize, blocks, bfree, bavail, files, ffree])
}
