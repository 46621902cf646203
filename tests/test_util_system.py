import grp
import os
import platform
import pwd
import socket

import pytest
from pyuv import util
from pyuv.errno import UV_ENOENT
from pyuv.error import UVError


def test_hostname_is_the_machines():
    assert util.hostname() == socket.gethostname()


def test_uname_is_what_the_os_module_sees():
    ours, theirs = util.os_uname(), os.uname()
    for name in ("sysname", "release", "version", "machine"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.sysname == platform.system()


def test_users_are_what_the_pwd_module_sees():
    for entry in pwd.getpwall():
        ours, theirs = util.get_passwd(entry.pw_uid), pwd.getpwuid(entry.pw_uid)
        assert ours == (theirs.pw_name, theirs.pw_uid, theirs.pw_gid, theirs.pw_shell, theirs.pw_dir)
    assert util.get_passwd() == util.get_passwd(None) == util.get_passwd(uid=os.geteuid())


def test_groups_are_what_the_grp_module_sees():
    for entry in grp.getgrall():
        ours, theirs = util.get_group(entry.gr_gid), grp.getgrgid(entry.gr_gid)
        assert ours == (theirs.gr_name, theirs.gr_gid, tuple(theirs.gr_mem))


@pytest.mark.parametrize("function", [util.get_passwd, util.get_group])
def test_a_user_or_group_that_is_not_there_is_an_error(function):
    with pytest.raises(UVError, match="4294901744") as caught:
        function(0xFFFEFFF0)
    assert caught.value.args[0] == UV_ENOENT
    for number in (-1, 2**32, 2**100):
        with pytest.raises(ValueError, match=str(number)):
            function(number)
