import errno as standard
import os
import sys

import pytest
import pyuv
from pyuv import errno

FLOOR = """
    E2BIG EACCES EADDRINUSE EADDRNOTAVAIL EAFNOSUPPORT EAGAIN EAI_ADDRFAMILY EAI_AGAIN EAI_BADFLAGS
    EAI_BADHINTS EAI_CANCELED EAI_FAIL EAI_FAMILY EAI_MEMORY EAI_NODATA EAI_NONAME EAI_OVERFLOW
    EAI_PROTOCOL EAI_SERVICE EAI_SOCKTYPE EALREADY EBADF EBUSY ECANCELED ECHARSET ECONNABORTED
    ECONNREFUSED ECONNRESET EDESTADDRREQ EEXIST EFAULT EFBIG EHOSTDOWN EHOSTUNREACH EINTR EINVAL EIO
    EISCONN EISDIR ELOOP EMFILE EMLINK EMSGSIZE ENAMETOOLONG ENETDOWN ENETUNREACH ENFILE ENOBUFS ENODEV
    ENOENT ENOMEM ENONET ENOPROTOOPT ENOSPC ENOSYS ENOTCONN ENOTDIR ENOTEMPTY ENOTSOCK ENOTSUP ENXIO EOF
    EPERM EPIPE EPROTO EPROTONOSUPPORT EPROTOTYPE ERANGE EROFS ESHUTDOWN ESPIPE ESRCH ETIMEDOUT ETXTBSY
    EXDEV UNKNOWN
"""


@pytest.mark.parametrize("name", FLOOR.split())
def test_every_code_of_pyuv_1_4_is_there(name):
    code = getattr(errno, f"UV_{name}")
    assert code < 0
    assert errno.errorcode[code] == f"UV_{name}"
    assert f"UV_{name}" in errno.__all__


def test_errorcode_maps_every_code_to_its_name():
    assert type(errno.errorcode) is dict
    names = {name for name in dir(errno) if name.startswith("UV_")}
    assert set(errno.errorcode.values()) == names
    assert all(getattr(errno, name) == code for code, name in errno.errorcode.items())


@pytest.mark.skipif(sys.platform == "win32", reason="libuv has numbers of its own there")
def test_codes_are_the_systems_negated_where_the_system_has_them():
    # Below -4000 are libuv's own, for what the system that it was built on had not.
    ours = [name for code, name in errno.errorcode.items() if code > -4000]
    shared = [name for name in ours if hasattr(standard, name[3:])]
    assert len(shared) > 60
    for name in shared:
        assert getattr(errno, name) == -getattr(standard, name[3:]), name


def test_strerror_says_what_a_code_means():
    assert errno.strerror(errno.UV_ENOENT) == "no such file or directory"
    assert errno.strerror(errno.UV_EOF) == "end of file"
    assert all(errno.strerror(code) for code in errno.errorcode)


def test_strerror_of_a_code_without_a_name_names_the_number():
    assert errno.strerror(-12345) == "Unknown system error -12345"
    assert str(-(2**31)) in errno.strerror(-(2**31))


@pytest.mark.parametrize("code", [0, 1, 2**31 - 1])
def test_strerror_refuses_what_is_no_error(code):
    with pytest.raises(ValueError, match=str(code)):
        errno.strerror(code)


@pytest.mark.parametrize("code", [None, "UV_ENOENT", -2.0, b"", []])
def test_strerror_wants_an_int(code):
    with pytest.raises(TypeError):
        errno.strerror(code)


def test_a_code_of_the_system_reads_as_the_system_means_it():
    with pytest.raises(pyuv.error.UVError) as caught:
        pyuv.util.chdir("/no/such/place")
    code, message = caught.value.args
    assert os.strerror(-code).lower() == "no such file or directory"
    assert message.startswith(errno.strerror(code))
