"""Trees in one call: what walk, du, copytree, rmtree and read_many do and give."""

import collections
import os
import shutil
import subprocess

import pytest
import pyuv
from pyuv import fs
from pyuv.error import FSError
from treeutil import BYTES, FILES, FOLDERS, LINKS, ask, both, failure, grow, tree_of

from util import Recorder

WAYS = pytest.mark.parametrize("way", ["sync", "async"])


@pytest.fixture
def root(tmp_path):
    return grow(tmp_path / "tree")


@WAYS
@pytest.mark.parametrize("concurrency", [None, 1, 2, 1000])
def test_walk_gives_each_folder_with_its_entries(way, concurrency, root):
    result = both(way, fs.walk, root, concurrency=concurrency)
    assert isinstance(result, fs.walk_result)
    assert result.errors == []
    # A signal may have the system tell of a folder in parts, however small it is.
    entries = collections.defaultdict(list)
    for path, part in result.folders:
        entries[path] += part
    found = {path: sorted(entry.name for entry in whole) for path, whole in entries.items()}
    assert found == {path: sorted(folders + files) for path, folders, files in os.walk(root)}
    assert result.folders[0].path == str(root)
    kinds = {entry.name: entry.type for entry in entries[str(root / "1" / "5")]}
    assert (kinds["link"], kinds["file 3"]) == (fs.UV_DIRENT_LINK, fs.UV_DIRENT_FILE)


@WAYS
def test_walk_gives_batches_as_it_goes(way, root):
    batches = Recorder()
    result = both(way, fs.walk, root, on_batch=batches)
    assert result.folders == []
    folders = [folder for (batch,) in batches.calls for folder in batch]
    assert sorted(folder.path for folder in folders) == sorted(path for path, _, _ in os.walk(root))


@WAYS
def test_du_adds_up_what_is_there(way, root):
    os.mkfifo(root / "pipe")
    os.link(root / "0" / "0" / "file 5", root / "hard link")
    result = both(way, fs.du, root)
    assert isinstance(result, fs.du_result)
    blocks = {}
    for folder, _, files in os.walk(root):
        for status in [os.lstat(folder), *(os.lstat(os.path.join(folder, name)) for name in files)]:
            blocks[status.st_ino] = status.st_blocks
    assert result == (BYTES, sum(blocks.values()) * 512, FILES, FOLDERS, LINKS, 1, [])


@WAYS
def test_du_agrees_with_the_program(way, root):
    shown = subprocess.run(["du", "-s", "--block-size=1", root], stdout=subprocess.PIPE, check=True)
    assert both(way, fs.du, root).allocated == int(shown.stdout.split()[0])


@WAYS
def test_du_of_what_is_no_folder_is_that_of_it_alone(way, root):
    assert both(way, fs.du, root / "0" / "0" / "file 7")[0] == 7
    link = both(way, fs.du, root / "0" / "0" / "link")
    assert (link.bytes, link.links, link.folders) == (len("../../.."), 1, 0)


@WAYS
def test_a_copy_is_like_its_original(way, root, tmp_path):
    (root / "big").write_bytes(os.urandom(5_000_000))
    os.chmod(root / "big", 0o640)
    os.utime(root / "0", ns=(1_000_000_001, 1_234_567_890_123_456_789))
    copy = tmp_path / "new" / "copy"
    result = both(way, fs.copytree, root, copy)
    assert isinstance(result, fs.copytree_result)
    assert result == (FILES + 1, FOLDERS, LINKS, BYTES + 5_000_000, 0, [])
    assert tree_of(copy) == tree_of(root)


def extended(path):
    return {
        name: os.getxattr(path, name, follow_symlinks=False)
        for name in os.listxattr(path, follow_symlinks=False)
    }


@WAYS
def test_extended_attributes_are_copied(way, root, tmp_path):
    file, folder = root / "0" / "0" / "file 7", root / "1"
    try:
        os.setxattr(file, "user.pyuv", b"\0value")
    except OSError:
        pytest.skip("the filesystem has no extended attributes")
    os.setxattr(file, "user.empty", b"")
    os.setxattr(folder, "user.pyuv", b"x" * 3000)
    file.chmod(0o400)
    both(way, fs.copytree, root, tmp_path / "copy")
    copy = tmp_path / "copy"
    assert extended(copy / "0" / "0" / "file 7") == {"user.pyuv": b"\0value", "user.empty": b""}
    assert extended(copy / "1") == {"user.pyuv": b"x" * 3000}
    for original in (file, folder):
        copied = os.stat(copy / original.relative_to(root))
        assert (copied.st_mode, copied.st_mtime_ns) == (original.stat().st_mode, original.stat().st_mtime_ns)


@WAYS
def test_holes_stay_holes(way, tmp_path):
    root = tmp_path / "tree"
    root.mkdir()
    with open(root / "holes", "wb") as file:
        file.seek(5 << 20)
        file.write(b"middle" * 30_000)
        file.seek(50 << 20)
        file.write(b"near the end")
        file.truncate(90 << 20)
    with open(root / "nothing", "wb") as file:
        file.truncate(7 << 20)
    original = os.stat(root / "holes")
    if original.st_blocks * 512 > 1 << 20:
        pytest.skip("the filesystem has no holes")
    result = both(way, fs.copytree, root, tmp_path / "copy")
    assert result.bytes == 97 << 20
    for name in ("holes", "nothing"):
        assert (tmp_path / "copy" / name).read_bytes() == (root / name).read_bytes()
        assert os.stat(tmp_path / "copy" / name).st_blocks <= os.stat(root / name).st_blocks + 64
    loop = pyuv.Loop()
    fs.copyfile(loop, root / "holes", tmp_path / "single")
    assert (tmp_path / "single").read_bytes() == (root / "holes").read_bytes()
    assert os.stat(tmp_path / "single").st_blocks <= original.st_blocks + 64


@WAYS
@pytest.mark.parametrize("size", [10, 3 << 20])
def test_hard_links_stay_hard_links(way, size, root, tmp_path):
    (root / "first").write_bytes(b"x" * size)
    outside = tmp_path / "outside"
    os.link(root / "first", outside)
    names = ["empty/second", *(f"{number % 4}/{number}/further" for number in range(40))]
    for name in names:
        os.link(root / "first", root / name)
    os.link(root / "0" / "0" / "file 3", root / "0" / "pair")
    before = both(way, fs.du, root)
    result = both(way, fs.copytree, root, tmp_path / "copy")
    copy = tmp_path / "copy"
    inodes = {os.stat(copy / name).st_ino for name in ["first", *names]}
    assert len(inodes) == 1
    assert inodes != {os.stat(outside).st_ino}
    assert os.stat(copy / "first").st_nlink == 1 + len(names)
    assert (copy / names[7]).read_bytes() == b"x" * size
    assert os.path.samefile(copy / "0" / "0" / "file 3", copy / "0" / "pair")
    assert both(way, fs.du, copy)[:5] == before[:5]
    assert result.bytes == before.bytes
    assert result.files == FILES + 2 + len(names)
    assert result.errors == []
    # Times of folders too, into which names came last.
    for name in ("empty", "0", "0/0"):
        assert os.stat(copy / name).st_mtime_ns == os.stat(root / name).st_mtime_ns
    again = both(way, fs.copytree, root, copy, exist_ok=True)
    assert again[:4] == result[:4]
    assert os.stat(copy / "first").st_nlink == 1 + len(names)


@WAYS
def test_a_copy_is_what_the_program_makes(way, root, tmp_path):
    os.link(root / "0" / "0" / "file 5", root / "hard link")
    (root / "1" / "1" / "file 2").chmod(0o6751)
    os.utime(root / "2", ns=(1, 1_700_000_000_123_456_789))
    subprocess.run(["cp", "-a", root, tmp_path / "program"], check=True)
    both(way, fs.copytree, root, tmp_path / "copy")

    def everything(root):
        for folder, folders, files in os.walk(root):
            for name in [*folders, *files]:
                path = os.path.join(folder, name)
                status = os.lstat(path)
                size = 0 if os.path.isdir(path) else status.st_size
                kind = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, size)
                nlink = 0 if os.path.isdir(path) else status.st_nlink
                yield os.path.relpath(path, root), (*kind, nlink, extended(path))

    assert dict(everything(tmp_path / "copy")) == dict(everything(tmp_path / "program"))


@WAYS
def test_copytree_into_what_exists_is_refused_unless_asked_for(way, root, tmp_path):
    copy = tmp_path / "copy"
    (copy / "0" / "0").mkdir(parents=True)
    (copy / "own").write_text("stays")
    (copy / "0" / "0" / "file 3").write_text("is overwritten")
    outside = tmp_path / "outside"
    outside.write_text("stays")
    (copy / "0" / "0" / "file 4").symlink_to(outside)
    code, message = failure(way, fs.copytree, root, copy)
    assert code == pyuv.errno.UV_EEXIST
    assert message is None or str(copy) in message
    both(way, fs.copytree, root, copy, exist_ok=True)
    assert (copy / "own").read_text() == "stays"
    assert outside.read_text() == "stays"
    (copy / "own").unlink()
    os.utime(copy, ns=(0, os.stat(root).st_mtime_ns))
    assert tree_of(copy) == tree_of(root)


@WAYS
def test_an_original_is_not_overwritten_by_its_copy(way, root, tmp_path):
    file = root / "0" / "0" / "file 9"
    (tmp_path / "copy" / "0" / "0").mkdir(parents=True)
    os.link(file, tmp_path / "copy" / "0" / "0" / "file 9")
    os.mkfifo(tmp_path / "copy" / "0" / "0" / "file 8")
    result = both(way, fs.copytree, root, tmp_path / "copy", exist_ok=True, on_error="continue")
    assert sorted(result.errors) == [
        (str(root / "0" / "0" / "file 8"), pyuv.errno.UV_ENXIO),
        (str(file), pyuv.errno.UV_EINVAL),
    ]
    assert file.read_bytes() == b"x" * 9


@WAYS
@pytest.mark.parametrize("to", ["tree", "tree/0/new/copy", "link/copy", "tree/../tree/copy"])
def test_a_tree_is_not_copied_into_itself(way, to, root, tmp_path):
    (tmp_path / "link").symlink_to(root)
    before = tree_of(root)
    assert failure(way, fs.copytree, root, tmp_path / to, exist_ok=True)[0] == pyuv.errno.UV_EINVAL
    assert tree_of(root) == before


@WAYS
def test_pipes_are_errors_of_a_copy_or_passed_over(way, root, tmp_path):
    os.mkfifo(root / "pipe")
    result = both(way, fs.copytree, root, tmp_path / "copy", on_error="continue")
    assert result.errors == [(str(root / "pipe"), pyuv.errno.UV_ENOTSUP)]
    assert result.files == FILES
    result = both(way, fs.copytree, root, tmp_path / "other", special="skip")
    assert (result.skipped, result.errors) == (1, [])


@WAYS
def test_rmtree_removes_the_tree_and_no_more(way, root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (root / "0" / "out").symlink_to(outside)
    result = both(way, fs.rmtree, root)
    assert isinstance(result, fs.rmtree_result)
    assert result == (FILES + LINKS + 1, FOLDERS, [])
    assert not root.exists()
    assert (outside / "file").exists()


@WAYS
def test_a_link_to_a_folder_is_not_followed(way, root, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(root)
    assert failure(way, fs.rmtree, link)[0] == pyuv.errno.UV_ENOTDIR
    assert failure(way, fs.walk, link)[0] == pyuv.errno.UV_ELOOP
    assert failure(way, fs.copytree, link, tmp_path / "copy")[0] == pyuv.errno.UV_ELOOP
    assert both(way, fs.du, link)[4] == 1
    assert len(both(way, fs.walk, f"{link}/").folders) == FOLDERS


@WAYS
@pytest.mark.parametrize("path", ["/", ".", "..", "some/.", "some/../"])
def test_rmtree_refuses_what_is_no_name_in_a_folder(way, path):
    loop = pyuv.Loop()
    with pytest.raises(FSError) as raised:
        fs.rmtree(loop, path, callback=print if way == "async" else None)
    assert raised.value.args[0] == pyuv.errno.UV_EINVAL


@WAYS
def test_read_many_gives_contents_in_order(way, tmp_path):
    paths = []
    for number in range(100):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(bytes([number]) * number * 100)
    result = both(way, fs.read_many, iter(paths))
    assert isinstance(result, fs.read_many_result)
    assert result.contents == [path.read_bytes() for path in paths]
    assert result.errors == []
    assert both(way, fs.read_many, []) == ([], [])


@WAYS
def test_read_many_tells_of_what_it_cannot_read(way, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    paths = [tmp_path / "missing", os.fsencode(tmp_path), "/dev/zero", tmp_path / "pipe", "/proc/self/status"]
    result = both(way, fs.read_many, paths, on_error="continue", concurrency=1)
    assert result.contents[:4] == [None] * 4
    assert result.contents[4].startswith(b"Name:")
    assert result.errors == [
        (str(tmp_path / "missing"), pyuv.errno.UV_ENOENT),
        (os.fsencode(tmp_path), pyuv.errno.UV_EISDIR),
        ("/dev/zero", pyuv.errno.UV_EINVAL),
        (str(tmp_path / "pipe"), pyuv.errno.UV_EINVAL),
    ]
    code, message = failure(way, fs.read_many, paths, concurrency=1)
    assert code == pyuv.errno.UV_ENOENT
    assert message is None or str(tmp_path / "missing") in message


@WAYS
def test_undecodable_names_come_back_as_they_were_asked_for(way, tmp_path):
    root = os.fsencode(tmp_path / "tree")
    name = b"not \xff text"
    os.makedirs(os.path.join(root, name, name))
    for given, as_given in [(root, bytes), (os.fsdecode(root), os.fsdecode)]:
        result = both(way, fs.walk, given)
        path = as_given(os.path.join(root, name))
        assert [path for path, _ in result.folders][1:] == [path, os.path.join(path, as_given(name))]
        assert result.folders[0].entries[0].name == as_given(name)
    os.mkfifo(os.path.join(root, name, b"\xfe"))
    for given, as_given in [(root, bytes), (os.fsdecode(root), os.fsdecode)]:
        result = both(way, fs.copytree, given, tmp_path / "copy", on_error="continue", exist_ok=True)
        assert result.errors[0][0] == as_given(os.path.join(root, name, b"\xfe"))
    assert both(way, fs.rmtree, root).folders == 3


@WAYS
def test_progress_is_told(way, root):
    progress = Recorder()
    both(way, fs.du, root, progress=progress)
    (last,) = progress.calls[-1]
    assert isinstance(last, fs.tree_progress)
    assert last == (FILES + LINKS, FOLDERS, BYTES, 0)
    assert len(progress) == 1 or progress.calls[0] <= progress.calls[-1]


def test_a_request_tells_of_its_job(root, tmp_path):
    loop = pyuv.Loop()
    request = ask(loop, fs.copytree, root, tmp_path / "copy")
    assert isinstance(request, fs.FSRequest)
    assert (request.loop, request.path, request.path2, request.fd) == (loop, root, tmp_path / "copy", None)
    assert request.progress == (FILES + LINKS, FOLDERS, request.result.bytes, 0)
    assert request.error is None
    request.note = "an attribute of one's own"
    loop.close()


@pytest.mark.parametrize("call", [fs.walk, fs.du, fs.rmtree])
@WAYS
def test_a_missing_path_is_the_error_of_the_whole(way, call, tmp_path):
    for on_error in ["stop", "continue"]:
        code, message = failure(way, call, tmp_path / "missing", on_error=on_error)
        assert code == pyuv.errno.UV_ENOENT
        assert message is None or str(tmp_path / "missing") in message


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"concurrency": 0}, ValueError),
        ({"concurrency": -1}, ValueError),
        ({"concurrency": "2"}, TypeError),
        ({"on_error": "ignore"}, ValueError),
        ({"on_error": None}, TypeError),
        ({"progress": 1}, TypeError),
        ({"callback": 1}, TypeError),
        ({"unknown": 1}, TypeError),
    ],
)
def test_wrong_options_are_python_errors(options, error, root):
    for call in [fs.walk, fs.du, fs.rmtree, fs.read_many]:
        with pytest.raises(error):
            call(pyuv.Loop(), [root] if call is fs.read_many else root, **options)
    assert root.exists()


def test_wrong_arguments_are_python_errors(root, tmp_path):
    loop = pyuv.Loop()
    with pytest.raises(ValueError, match="special"):
        fs.copytree(loop, root, tmp_path / "copy", special="whatever")
    with pytest.raises(ValueError, match="NUL"):
        fs.copytree(loop, root, "a\0b")
    for paths in ["one path", b"one path", 5, [5]]:
        with pytest.raises(TypeError):
            fs.read_many(loop, paths)


@pytest.mark.parametrize("number", range(3))
def test_shutil_and_copytree_make_the_same(number, root, tmp_path):
    shutil.copytree(root, tmp_path / "theirs", symlinks=True)
    fs.copytree(pyuv.Loop(), root, tmp_path / "ours", concurrency=number + 1)
    assert tree_of(tmp_path / "theirs") == tree_of(tmp_path / "ours")
