//! What jobs on trees give.

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::PyList;
use pyuv_fs::tree::{Copied, PathError, Progress, Removed, Usage, WalkFolder};

use crate::fs::dirent::Dirent;
use crate::fs::path::name_to_py;
use crate::structseq::{StructSeq, objects};

static TREE_PROGRESS: StructSeq<4> = StructSeq::new(
    c"pyuv.fs.tree_progress",
    c"How far a job on a tree is.",
    [
        (c"files", c"Entries that are no folders: found, read, copied or removed."),
        (c"folders", c"Folders: found, copied or removed."),
        (c"bytes", c"Bytes found by du, copied or read; 0 where none are looked at."),
        (c"errors", c"How many paths failed."),
    ],
);

static WALK_FOLDER: StructSeq<2> = StructSeq::new(
    c"pyuv.fs.walk_folder",
    c"A folder of a tree and what it holds, or a part of that, as walk tells it.",
    [
        (c"path", c"The path that was given, joined with the names on the way."),
        (c"entries", c"A list of Dirent, in the order of the filesystem."),
    ],
);

static WALK_RESULT: StructSeq<2> = StructSeq::new(
    c"pyuv.fs.walk_result",
    c"What walk gives.",
    [
        (c"folders", c"A list of walk_folder; empty if they were given to on_batch."),
        (c"errors", c"The paths that failed, as a list of (path, code)."),
    ],
);

static DU_RESULT: StructSeq<7> = StructSeq::new(
    c"pyuv.fs.du_result",
    c"What du gives: a file with several names counts once.",
    [
        (c"bytes", c"The lengths of files and symbolic links."),
        (c"allocated", c"What the filesystem has allocated, in bytes, for folders too."),
        (c"files", c"How many plain files there are."),
        (c"folders", c"How many folders there are, with that of the tree."),
        (c"links", c"How many symbolic links there are."),
        (c"others", c"How many pipes, sockets and devices there are."),
        (c"errors", c"The paths that failed, as a list of (path, code)."),
    ],
);

static COPYTREE_RESULT: StructSeq<6> = StructSeq::new(
    c"pyuv.fs.copytree_result",
    c"What copytree has copied.",
    [
        (c"files", c"How many plain files."),
        (c"folders", c"How many folders, with that of the tree."),
        (c"links", c"How many symbolic links."),
        (c"bytes", c"The lengths of files and symbolic links."),
        (c"skipped", c"How many pipes, sockets and devices were passed over."),
        (c"errors", c"The paths that failed, as a list of (path, code)."),
    ],
);

static RMTREE_RESULT: StructSeq<3> = StructSeq::new(
    c"pyuv.fs.rmtree_result",
    c"What rmtree has removed.",
    [
        (c"files", c"How many entries that were no folders."),
        (c"folders", c"How many folders, with that of the tree."),
        (c"errors", c"The paths that failed, as a list of (path, code)."),
    ],
);

static READ_MANY_RESULT: StructSeq<2> = StructSeq::new(
    c"pyuv.fs.read_many_result",
    c"What read_many gives.",
    [
        (c"contents", c"A list of bytes in the order of the paths, with None for what failed."),
        (c"errors", c"The paths that failed, as a list of (path, code)."),
    ],
);

/// Adds the types.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    TREE_PROGRESS.register(module)?;
    WALK_FOLDER.register(module)?;
    WALK_RESULT.register(module)?;
    DU_RESULT.register(module)?;
    COPYTREE_RESULT.register(module)?;
    RMTREE_RESULT.register(module)?;
    READ_MANY_RESULT.register(module)
}

pub fn progress_result(py: Python<'_>, progress: Progress) -> PyResult<Bound<'_, PyAny>> {
    let Progress { files, folders, bytes, errors } = progress;
    TREE_PROGRESS.make(py, objects![py, files, folders, bytes, errors])
}

/// Paths and codes; a path is bytes where `as_bytes` says so of it.
pub fn error_list<'py>(
    py: Python<'py>,
    errors: &[PathError],
    as_bytes: impl Fn(&[u8]) -> bool,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    for PathError { path, code } in errors {
        list.append((name_to_py(py, path, as_bytes(path))?, code.0))?;
    }
    Ok(list)
}

/// A list of walk_folder.
pub fn folder_list(
    py: Python<'_>,
    folders: Vec<WalkFolder>,
    as_bytes: bool,
) -> PyResult<Py<PyAny>> {
    let list = PyList::empty(py);
    for WalkFolder { path, entries } in folders {
        let mut dirents = Vec::with_capacity(entries.len());
        for (name, kind) in entries.iter() {
            let name = name_to_py(py, name.to_bytes(), as_bytes)?;
            dirents.push(Dirent::new(name, kind.as_raw()));
        }
        let path = name_to_py(py, &path, as_bytes)?;
        list.append(WALK_FOLDER.make(py, objects![py, path, dirents])?)?;
    }
    list.into_py_any(py)
}

pub fn walk_result(
    py: Python<'_>,
    folders: Vec<WalkFolder>,
    as_bytes: bool,
    errors: Bound<'_, PyList>,
) -> PyResult<Py<PyAny>> {
    let folders = folder_list(py, folders, as_bytes)?;
    Ok(WALK_RESULT.make(py, objects![py, folders, errors])?.unbind())
}

pub fn du_result(py: Python<'_>, usage: Usage, failed: Bound<'_, PyList>) -> PyResult<Py<PyAny>> {
    let Usage { bytes, allocated, files, folders, links, others, errors: _ } = usage;
    let values = objects![py, bytes, allocated, files, folders, links, others, failed];
    Ok(DU_RESULT.make(py, values)?.unbind())
}

pub fn copytree_result(
    py: Python<'_>,
    copied: Copied,
    failed: Bound<'_, PyList>,
) -> PyResult<Py<PyAny>> {
    let Copied { files, folders, links, bytes, skipped, errors: _ } = copied;
    let values = objects![py, files, folders, links, bytes, skipped, failed];
    Ok(COPYTREE_RESULT.make(py, values)?.unbind())
}

pub fn rmtree_result(
    py: Python<'_>,
    removed: Removed,
    failed: Bound<'_, PyList>,
) -> PyResult<Py<PyAny>> {
    let Removed { files, folders, errors: _ } = removed;
    Ok(RMTREE_RESULT.make(py, objects![py, files, folders, failed])?.unbind())
}

pub fn read_many_result(
    py: Python<'_>,
    contents: Bound<'_, PyList>,
    errors: Bound<'_, PyList>,
) -> PyResult<Py<PyAny>> {
    Ok(READ_MANY_RESULT.make(py, objects![py, contents, errors])?.unbind())
}
