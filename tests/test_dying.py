"""Objects that are being deallocated, or made, while Python runs: nobody makes a reference to them again."""

import gc
import weakref

import pytest
import pyuv

from util import in_child

PRELUDE = """
import gc, socket, weakref, pyuv
from pyuv import dns, fs
loop = pyuv.Loop()

class Bomb:
    "Looks at everything when it goes."
    def __del__(self):
        for handle in loop.handles:
            repr(handle), handle.closed, handle.active
        try:
            loop.run(pyuv.UV_RUN_NOWAIT)
        except RuntimeError as error:
            # In a callback, say.
            assert "already running" in str(error)
        gc.collect()
"""

MAKE = {
    "Async": "Async(loop, print)",
    "Check": "Check(loop)",
    "Idle": "Idle(loop)",
    "Pipe": "Pipe(loop)",
    "Poll": "Poll(loop, socket.socket().detach())",
    "Prepare": "Prepare(loop)",
    "Signal": "Signal(loop)",
    "TCP": "TCP(loop)",
    "Timer": "Timer(loop)",
    "UDP": "UDP(loop)",
    "fs.FSEvent": "FSEvent(loop)",
    "fs.FSPoll": "FSPoll(loop)",
}


@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("place", ["slot", "attribute", "finalizer", "both"])
def test_a_dying_handle_is_not_seen_again(name, place):
    short = name.rpartition(".")[2]
    code = f"""{PRELUDE}
class {short}(pyuv.{name}):
    __slots__ = ("slot",)
for number in range(30):
    handle = {MAKE[name]}
    if {place!r} in ("slot", "both"):
        handle.slot = Bomb()
    if {place!r} in ("attribute", "both"):
        handle.attribute = Bomb()
    if {place!r} in ("finalizer", "both"):
        weakref.finalize(handle, Bomb)
    if number % 3 == 0:
        handle.cycle = handle
    if {name!r} == "Async":
        # It is active for as long as it is open.
        handle.close()
        loop.run()
    del handle
    gc.collect()
loop.run(pyuv.UV_RUN_NOWAIT)
print(loop.handles)
"""
    assert in_child(code) == ["[]"]


@pytest.mark.parametrize("name", ["Loop", "StdIO", "thread.Queue"])
def test_what_another_object_holds_may_look_at_a_loop_as_it_goes(name):
    code = f"""{PRELUDE}
class Mine(pyuv.{name}):
    __slots__ = ("slot",)
for number in range(30):
    mine = Mine()
    mine.slot = Bomb()
    del mine
print("survived")
"""
    assert in_child(code) == ["survived"]


def test_a_dying_channel_and_request_are_not_seen_again():
    code = f"""{PRELUDE}
class Channel(dns.Channel):
    __slots__ = ("slot",)
for number in range(30):
    channel = Channel(loop, servers=["127.0.0.1:9"])
    channel.slot = Bomb()
    channel.server_state_callback = lambda *arguments, bomb=Bomb(): None
    channel.query("example.com", "A", callback=lambda *arguments, bomb=Bomb(): None)
    channel.close()
    del channel
    loop.run(pyuv.UV_RUN_NOWAIT)
    request = fs.stat(loop, "/", callback=lambda request, bomb=Bomb(): None)
    request.bomb = Bomb()
    del request
    loop.queue_work(int, lambda error, bomb=Bomb(): None).bomb = Bomb()
    loop.run()
print("survived")
"""
    assert in_child(code) == ["survived"]


def test_the_streams_of_a_dying_process_look_at_the_loop():
    code = f"""{PRELUDE}
class Reader:
    def read(self, handle, data, error):
        pass
class Container(pyuv.StdIO):
    def __del__(self):
        Bomb()
for _ in range(30):
    reader = Reader()
    weakref.finalize(reader, Bomb)
    out = pyuv.Pipe(loop)
    stdio = [Container(), pyuv.StdIO(out, flags=pyuv.UV_CREATE_PIPE | pyuv.UV_WRITABLE_PIPE)]
    process = pyuv.Process.spawn(loop, ["true"], stdio=stdio)
    out.start_read(reader.read)
    del out, reader, stdio
    loop.run()
    del process
print("survived")
"""
    assert in_child(code) == ["survived"]


def test_a_handle_that_its_finalizer_finds_lives_on(loop):
    found = []

    class Timer(pyuv.Timer):
        def __del__(self):
            found.extend(loop.handles)

    timer = Timer(loop)
    address = id(timer)
    del timer
    assert [id(handle) for handle in found] == [address]
    assert not found[0].closed
    found[0].start(lambda timer: timer.close(), 0)
    loop.run()
    assert found[0].closed


def test_a_handle_whose_object_is_gone_gets_one_new_object(loop):
    timers = [pyuv.Timer(loop) for _ in range(5)]
    del timers
    gc.collect()
    # They are closing, and nobody has them.
    first, second = loop.handles, loop.handles
    assert [id(handle) for handle in first] == [id(handle) for handle in second]
    assert all(handle.closed for handle in first)
    references = [weakref.ref(handle) for handle in first]
    del first, second
    loop.run()
    assert not any(reference() for reference in references)
    assert loop.handles == []


def test_a_collection_while_a_handle_gets_a_new_object_asks_for_it_too():
    code = """
import gc, pyuv
loop = pyuv.Loop()
class Asks:
    def __init__(self):
        self.cycle = self
    def __del__(self):
        seen.append(loop.handles)
seen = []
for threshold in range(1, 40):
    timers = [pyuv.Timer(loop) for _ in range(8)]
    del timers
    gc.collect()
    garbage = [Asks() for _ in range(8)]
    del garbage
    gc.set_threshold(threshold, 1, 1)
    seen.append(loop.handles)
    gc.set_threshold(700, 10, 10)
    objects = {}
    for handles in seen:
        for handle in handles:
            objects[id(handle)] = handle
    assert len(objects) == len(loop.handles) == 8, (len(objects), loop.handles)
    seen.clear()
    del objects, handles, handle
    loop.run()
print("done")
"""
    assert in_child(code) == ["done"]


def test_a_channel_initialised_from_its_own_argument_is_of_one_loop():
    loops = pyuv.Loop(), pyuv.Loop()

    class Tries:
        def __index__(self):
            channel.__init__(loops[0], servers=["127.0.0.1:9"])
            return 1

    channel = pyuv.dns.Channel.__new__(pyuv.dns.Channel)
    with pytest.raises(RuntimeError, match="second time"):
        channel.__init__(loops[1], servers=["127.0.0.1:9"], tries=Tries())
    assert channel.loop is loops[0]
    channel.query("example.com", "A", callback=lambda *arguments: None)
    channel.close()
    loops[0].run()


def test_a_handle_initialised_from_its_own_argument_is_of_one_loop():
    ours = pyuv.util.pipe()
    loops = pyuv.Loop(), pyuv.Loop()

    class Readable:
        def fileno(self):
            poll.__init__(loops[0], ours[0])
            return ours[1]

    poll = pyuv.Poll.__new__(pyuv.Poll)
    with pytest.raises(RuntimeError, match="second time"):
        poll.__init__(loops[1], Readable())
    assert poll.loop is loops[0]
    assert loops[0].handles == [poll]
    loops[1].run()
    assert loops[1].handles == []
    poll.close()
    loops[0].run()
