import pickle

import pytest
import pyuv
from pyuv import error

PARENTS = {
    "AsyncError": "HandleError",
    "CheckError": "HandleError",
    "DNSError": "UVError",
    "FSError": "UVError",
    "FSEventError": "HandleError",
    "FSPollError": "HandleError",
    "HandleClosedError": "HandleError",
    "HandleError": "UVError",
    "IdleError": "HandleError",
    "PipeError": "StreamError",
    "PollError": "HandleError",
    "PrepareError": "HandleError",
    "ProcessError": "HandleError",
    "SignalError": "HandleError",
    "StreamError": "HandleError",
    "TCPError": "StreamError",
    "TTYError": "StreamError",
    "ThreadError": "UVError",
    "TimerError": "HandleError",
    "UDPError": "HandleError",
}


@pytest.mark.parametrize("name", PARENTS)
def test_each_exception_has_the_parent_it_had_in_pyuv_1_4(name):
    exception = getattr(error, name)
    assert exception.__bases__ == (getattr(error, PARENTS[name]),)
    assert exception.__module__ == "pyuv.error"
    assert exception.__doc__


def test_all_of_them_are_uv_errors():
    assert error.UVError.__bases__ == (Exception,)
    assert set(error.__all__) == {"UVError", *PARENTS}
    assert all(issubclass(getattr(error, name), error.UVError) for name in error.__all__)


@pytest.mark.parametrize("name", PARENTS)
def test_an_exception_survives_pickling(name):
    before = getattr(error, name)(pyuv.errno.UV_EIO, "i/o error")
    after = pickle.loads(pickle.dumps(before))
    assert type(after) is type(before)
    assert after.args == (pyuv.errno.UV_EIO, "i/o error")


def test_an_error_of_libuv_carries_code_and_message():
    with pytest.raises(error.UVError) as caught:
        pyuv.util.get_group(0xFFFEFFF0)
    code, message = caught.value.args
    assert code == pyuv.errno.UV_ENOENT
    assert message == "no such file or directory: group 4294901744"


def test_exceptions_can_be_subclassed():
    class Mine(error.TCPError):
        pass

    with pytest.raises(error.StreamError):
        raise Mine(pyuv.errno.UV_EPIPE, "mine")
