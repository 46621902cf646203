import gc
import os
import threading
import weakref

import pytest
import pyuv
from fsutil import block_pool, code_of
from pyuv import errno, fs
from pyuv.error import FSError

from util import open_fds


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(10):
        (folder / f"file {number}").touch()
    (folder / "below").mkdir()
    (folder / "link").symlink_to("nothing")
    return folder


NAMES = {f"file {number}" for number in range(10)} | {"below", "link"}


def test_entries_come_in_batches_until_none_is_left(do, folder):
    opened = do(fs.opendir, folder)
    assert isinstance(opened, fs.Dir)
    batches = []
    while batch := do(fs.readdir, opened, 5):
        batches.append(batch)
    assert [len(batch) for batch in batches] == [5, 5, 2]
    entries = {entry.name: entry.type for batch in batches for entry in batch}
    assert set(entries) == NAMES
    assert entries["below"] == fs.UV_DIRENT_DIR
    assert entries["link"] == fs.UV_DIRENT_LINK
    assert entries["file 1"] == fs.UV_DIRENT_FILE
    assert do(fs.readdir, opened) == []
    assert do(fs.closedir, opened) is None


def test_a_folder_is_an_iterator_of_batches_and_closes_itself(loop, folder):
    before = open_fds()
    with fs.opendir(loop, folder) as opened:
        assert open_fds() == before + 1
        assert {entry.name for batch in opened for entry in batch} == NAMES
        assert not opened.closed
        assert next(opened, None) is None
    assert opened.closed
    assert open_fds() == before
    opened.close()
    with pytest.raises(FSError, match="closed") as raised:
        next(opened)
    assert raised.value.args[0] == errno.UV_EBADF


def test_the_default_batch_takes_a_thousand(do, tmp_path):
    for number in range(1030):
        (tmp_path / str(number)).touch()
    opened = do(fs.opendir, tmp_path)
    assert len(do(fs.readdir, opened)) == 1024
    assert len(do(fs.readdir, opened)) == 6
    do(fs.closedir, opened)


def test_bytes_in_give_bytes_out_and_undecodable_names_surrogates(do, tmp_path):
    (tmp_path / os.fsdecode(b"\xff")).touch()
    for path, name in [(os.fsencode(tmp_path), b"\xff"), (str(tmp_path), os.fsdecode(b"\xff"))]:
        opened = do(fs.opendir, path)
        assert opened.path is path
        assert [entry.name for entry in do(fs.readdir, opened)] == [name]
        do(fs.closedir, opened)


def test_a_closed_folder_is_ebadf(do, folder):
    opened = do(fs.opendir, folder)
    do(fs.closedir, opened)
    assert code_of(do, fs.readdir, opened) == errno.UV_EBADF
    assert code_of(do, fs.closedir, opened) == errno.UV_EBADF


def test_what_cannot_be_opened(do, file, tmp_path):
    assert code_of(do, fs.opendir, tmp_path / "missing") == errno.UV_ENOENT
    assert code_of(do, fs.opendir, file) == errno.UV_ENOTDIR
    (tmp_path / "loop").symlink_to("loop")
    assert code_of(do, fs.opendir, tmp_path / "loop") == errno.UV_ELOOP


def test_bad_arguments(do, folder):
    opened = do(fs.opendir, folder)
    for count in (0, -1, 2**70):
        with pytest.raises(ValueError, match=str(count)):
            do(fs.readdir, opened, count)
    with pytest.raises(TypeError):
        do(fs.readdir, folder)
    with pytest.raises(TypeError):
        fs.Dir()
    assert code_of(do, fs.readdir, opened, 2**62) == errno.UV_ENOMEM
    assert len(do(fs.readdir, opened)) == len(NAMES)
    opened.close()


def test_a_dropped_folder_gives_its_descriptor_back(do, folder):
    # What the loop opens for itself on its first run, it opens now.
    do(fs.stat, folder)
    before = open_fds()
    opened = do(fs.opendir, folder)
    dies = weakref.ref(opened)
    del opened
    gc.collect()
    assert dies() is None
    assert open_fds() == before


def test_reads_in_flight_share_the_entries_and_outlive_the_folder(loop, folder):
    opened = fs.opendir(loop, folder)
    found = []
    requests = [fs.readdir(loop, opened, 1, lambda request: found.extend(request.result)) for _ in range(20)]
    assert requests[0].path is folder
    del opened
    gc.collect()
    loop.run()
    assert len(found) == len(NAMES)
    assert {entry.name for entry in found} == NAMES


def test_closing_while_reads_are_in_flight(loop, folder):
    for _ in range(20):
        opened = fs.opendir(loop, folder)
        requests = [fs.readdir(loop, opened, 1, lambda request: None) for _ in range(8)]
        requests.append(fs.closedir(loop, opened, lambda request: None))
        requests += [fs.readdir(loop, opened, 1, lambda request: None) for _ in range(8)]
        loop.run()
        assert all(request.error in (None, errno.UV_EBADF) for request in requests)
        assert requests[8].error is None
        assert opened.closed


def test_what_waits_can_be_cancelled_and_done_later(loop, folder):
    go_on = block_pool(loop)
    opened = fs.opendir(loop, folder)
    requests = [
        fs.opendir(loop, folder, lambda request: None),
        fs.readdir(loop, opened, 5, lambda request: None),
        fs.closedir(loop, opened, lambda request: None),
    ]
    assert [request.cancel() for request in requests] == [True] * 3
    go_on()
    loop.run()
    assert [request.error for request in requests] == [errno.UV_ECANCELED] * 3
    assert not opened.closed
    assert len(fs.readdir(loop, opened)) == len(NAMES)
    fs.closedir(loop, opened)


def test_a_folder_opened_for_a_loop_that_is_gone_is_closed(folder):
    done = threading.Event()
    event_loop = pyuv.Loop()
    event_loop.run()
    event_loop.close()
    before = open_fds()
    event_loop = pyuv.Loop()
    fs.opendir(event_loop, folder, pytest.fail)
    event_loop.queue_work(done.set)
    done.wait(20)
    del event_loop
    gc.collect()
    # The pool may still have been at work; loops are freed with the next ones.
    while open_fds() > before:
        pyuv.Loop().close()


def test_a_folder_that_shrinks_while_it_is_read(loop, tmp_path):
    for number in range(3000):
        (tmp_path / str(number)).touch()
    with fs.opendir(loop, tmp_path) as opened:
        first = fs.readdir(loop, opened, 10)
        for entry in first:
            fs.unlink(loop, tmp_path / entry.name)
        rest = [entry.name for batch in opened for entry in batch]
    assert {entry.name for entry in first} | set(rest) == {str(number) for number in range(3000)}
