//! `get_passwd`, `get_group`.

use pyo3::prelude::*;
use pyuv::util;

use super::argument::{Int, refused};
use crate::structseq::{StructSeq, objects};

static PASSWD: StructSeq<5> = StructSeq::new(
    c"pyuv.util.passwd_result",
    c"One user of the user database.",
    [
        (c"username", c"the login name"),
        (c"uid", c"the user's number"),
        (c"gid", c"the number of the user's primary group"),
        (c"shell", c"the login shell"),
        (c"homedir", c"the home directory"),
    ],
);

static GROUP: StructSeq<3> = StructSeq::new(
    c"pyuv.util.group_result",
    c"One group of the group database.",
    [
        (c"groupname", c"the group's name"),
        (c"gid", c"the group's number"),
        (c"members", c"the names of its listed members, a tuple"),
    ],
);

/// The user with number `uid`, or the effective user of this process, as a passwd_result.
///
/// Raises ValueError for an int that is no uid, UVError (UV_ENOENT) when there is no such user.
/// `uv_os_get_passwd2`, `uv_os_get_passwd`
#[pyfunction]
#[pyo3(signature = (uid = None))]
fn get_passwd<'py>(py: Python<'py>, uid: Option<Int<u32>>) -> PyResult<Bound<'py, PyAny>> {
    let uid = uid.map(|uid| uid.0);
    // Detached: the database may be on the network.
    let user = py.detach(|| util::passwd(uid)).map_err(refused("get_passwd"))?;
    let shell = user.shell.into_os_string();
    let homedir = user.homedir.into_os_string();
    PASSWD.make(py, objects![py, user.username, user.uid, user.gid, shell, homedir])
}

/// The group with number `gid`, as a group_result.
///
/// Raises ValueError for an int that is no gid, UVError (UV_ENOENT) when there is no such group.
/// `uv_os_get_group`
#[pyfunction]
fn get_group<'py>(py: Python<'py>, gid: Int<u32>) -> PyResult<Bound<'py, PyAny>> {
    let group = py.detach(|| util::group(gid.0)).map_err(refused("get_group"))?;
    let members = pyo3::types::PyTuple::new(py, group.members)?;
    GROUP.make(py, objects![py, group.name, group.gid, members])
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    PASSWD.register(module)?;
    GROUP.register(module)?;
    module.add_function(wrap_pyfunction!(get_passwd, module)?)?;
    module.add_function(wrap_pyfunction!(get_group, module)?)
}
