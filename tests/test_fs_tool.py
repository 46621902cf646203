"""``python -m pyuv.fs`` as a program."""

import fcntl
import json
import os
import pathlib
import pty
import signal
import struct
import subprocess
import sys
import termios

import pytest
from treeutil import BYTES, FILES, FOLDERS, LINKS, grow, tree_of

from util import redirected

PROGRAM = [sys.executable, "-W", "error", "-m", "pyuv.fs"]


def tool(*arguments, **options):
    """Runs the tool to its end: (exit status, standard output, standard error)."""
    options = {"capture_output": True, "text": True, "timeout": 50} | options
    done = subprocess.run([*PROGRAM, *map(str, arguments)], **options)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def root(tmp_path):
    return grow(tmp_path / "tree")


def test_du_prints_what_a_tree_takes(root):
    shown = subprocess.run(
        ["du", "-s", "--block-size=1", root], stdout=subprocess.PIPE, text=True, check=True
    )
    assert tool("du", "--bytes", root) == (0, shown.stdout, "")
    status, out, _ = tool("du", root)
    assert status == 0
    size, unit = out.split("\t")[0].split()
    assert abs(float(size) * {"KiB": 1024, "MiB": 1 << 20}[unit] / int(shown.stdout.split()[0]) - 1) < 0.06


def test_du_as_json(root):
    status, out, err = tool("du", "--json", "--concurrency", 2, root)
    assert (status, err) == (0, "")
    shown = json.loads(out)
    assert 0 < shown.pop("seconds") < 50
    assert shown.pop("allocated") >= 0
    assert shown == {
        "command": "du",
        "path": str(root),
        "bytes": BYTES,
        "files": FILES,
        "folders": FOLDERS,
        "links": LINKS,
        "others": 0,
        "errors": [],
    }


def test_copy_and_rm(root, tmp_path):
    copy = tmp_path / "copy"
    said = f"{FILES + LINKS:,} files and {FOLDERS} folders\n"
    assert tool("copy", root, copy) == (0, "", f"copied {said}")
    assert tree_of(copy) == tree_of(root)
    status, out, err = tool("copy", "--json", root, copy)
    assert status == 1
    assert json.loads(out)["errors"] == [
        {"path": str(copy), "code": "UV_EEXIST", "reason": "file already exists"}
    ]
    assert err == f"python -m pyuv.fs: {copy}: file already exists\n"
    assert tool("copy", "--quiet", "--overwrite", root, copy) == (0, "", "")
    assert tool("rm", copy) == (0, "", f"removed {said}")
    assert not copy.exists()
    assert tool("rm", "--quiet", root) == (0, "", "")
    assert not root.exists()


def test_a_file_or_link_is_copied_and_removed_too(root, tmp_path):
    file = root / "0" / "0" / "file 9"
    os.utime(file, ns=(1, 1_000_000_000_000_000_001))
    assert tool("copy", file, tmp_path / "copy")[0] == 0
    assert (tmp_path / "copy").read_bytes() == b"x" * 9
    assert os.stat(tmp_path / "copy").st_mtime_ns == 1_000_000_000_000_000_001
    assert tool("copy", file, tmp_path / "copy")[0] == 1
    assert tool("copy", root / "0" / "0" / "link", tmp_path / "link")[0] == 0
    assert os.readlink(tmp_path / "link") == "../../.."
    assert tool("rm", tmp_path / "link") == (0, "", "removed 1 file and 0 folders\n")
    assert root.exists()
    assert json.loads(tool("rm", "--json", tmp_path / "copy")[1])["errors"] == []


def test_what_fails_is_told_and_the_rest_is_done(root, tmp_path):
    os.mkfifo(root / "pipe")
    status, _, err = tool("copy", root, tmp_path / "copy")
    assert status == 1
    assert err.startswith(f"python -m pyuv.fs: {root}/pipe: operation not supported")
    assert f"copied {FILES + LINKS} files" in err
    assert tool("copy", "--stop", root, tmp_path / "stopped")[0] == 1
    assert tool("copy", "--skip-special", "--quiet", root, tmp_path / "other") == (0, "", "")
    for command in ["du", "rm"]:
        missing = (1, "", f"python -m pyuv.fs: {root}/missing: no such file or directory\n")
        assert tool(command, "--quiet", root / "missing") == missing


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["du"],
        ["copy", "one"],
        ["move", "a", "b"],
        ["du", "--concurrency", "0", "."],
        ["du", "--concurrency", "x", "."],
    ],
)
def test_wrong_usage(arguments):
    status, out, err = tool(*arguments)
    assert (status, out) == (2, "")
    assert "usage: python -m pyuv.fs" in err


def test_several_paths(root, tmp_path):
    (tmp_path / "into").mkdir()
    (tmp_path / "file").write_text("text")
    assert tool("copy", "--quiet", root, tmp_path / "file", tmp_path / "into") == (0, "", "")
    assert (tmp_path / "into" / "file").read_text() == "text"
    assert (tmp_path / "into" / "tree" / "0" / "0" / "file 3").exists()
    status, out, err = tool("du", "--json", root, tmp_path / "missing", tmp_path / "into" / "file")
    assert status == 1
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["path"] for line in lines] == [str(root), f"{tmp_path}/missing", f"{tmp_path}/into/file"]
    assert [len(line["errors"]) for line in lines] == [0, 1, 0]
    assert err == f"python -m pyuv.fs: {tmp_path}/missing: no such file or directory\n"
    assert tool("rm", "--quiet", root, tmp_path / "into" / "file") == (0, "", "")
    assert not root.exists()


@pytest.mark.parametrize("path", [".", "/", "..", "tree/..", "tree/."])
@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_what_cannot_be_removed_is_said_in_a_line(root, path, json_too):
    status, out, err = tool("rm", *json_too, path, cwd=root.parent)
    assert status == 1
    assert err == f"python -m pyuv.fs: {path}: only a name in a folder can be removed, not ., .. or /\n"
    if json_too:
        (error,) = json.loads(out)["errors"]
        assert error["code"] == "UV_EINVAL"
    else:
        assert out == ""
    assert (root / "0" / "0" / "file 3").exists()


def test_what_is_in_the_way_of_a_copy_is_named(root, tmp_path):
    (tmp_path / "there").touch()
    file = root / "0" / "0" / "file 3"
    for source in (file, root, root / "0" / "0" / "link"):
        status, out, err = tool("copy", "--json", source, tmp_path / "there")
        assert status == 1
        assert err == f"python -m pyuv.fs: {tmp_path}/there: file already exists\n"
        assert (json.loads(out)["files"], json.loads(out)["folders"]) == (0, 0)
    assert tool("copy", "--overwrite", "--quiet", root / "0" / "0" / "link", tmp_path / "there") == (
        0,
        "",
        "",
    )


def test_a_tree_into_itself_and_a_pipe_are_not_copied(root, tmp_path):
    status, _, err = tool("copy", "--quiet", root, root / "sub")
    assert (status, err) == (1, f"python -m pyuv.fs: {root}/sub: a tree is not copied into itself\n")
    os.mkfifo(tmp_path / "pipe")
    status, _, err = tool("copy", "--quiet", tmp_path / "pipe", tmp_path / "copy")
    assert status == 1
    assert err.startswith(f"python -m pyuv.fs: {tmp_path}/pipe: operation not supported")
    assert err.endswith(": pipes, sockets and devices are not copied\n")


def test_it_is_a_program_too(root):
    script = pathlib.Path(sys.executable).with_name("pyuv-fs")
    done = subprocess.run([script, "du", "--bytes", root], capture_output=True, text=True, check=True)
    assert done.stdout == tool("du", "--bytes", root)[1]


def test_names_that_are_no_text(tmp_path):
    name = os.fsencode(tmp_path) + b"/not \xff text"
    os.mkdir(name)
    os.mkfifo(name + b"/pipe")
    done = subprocess.run(
        [*PROGRAM, "copy", "--json", name, name + b" copy"], capture_output=True, timeout=50
    )
    assert done.returncode == 1
    (error,) = json.loads(done.stdout)["errors"]
    assert os.fsencode(error["path"]) == name + b"/pipe"
    assert b"not \\xff text/pipe" in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(number, status):
    # The signal comes as soon as it is waited for.
    code = f"""
import os, sys
from pyuv.fs import __main__, _command

class Signal(_command.pyuv.Signal):
    def start(self, callback, number):
        super().start(callback, number)
        if number == {int(number)}:
            os.kill(os.getpid(), number)

_command.pyuv.Signal = Signal
sys.exit(__main__.main(["du", "/"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stdout) == (status, ""), done.stderr
    assert done.stderr.startswith("python -m pyuv.fs: interrupted: ")


def test_nobody_reads(root):
    reader, writer = os.pipe()
    os.close(reader)
    assert tool("du", root, stdout=writer, stderr=subprocess.PIPE, capture_output=False)[0] == 141
    os.close(writer)


def test_a_full_disk_is_said(root):
    with open("/dev/full", "w") as full:
        status, _, err = tool("du", root, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (status, err) == (1, "python -m pyuv.fs: [Errno 28] No space left on device\n")


def test_no_standard_output(root):
    done = subprocess.run(
        redirected(">&-", [*PROGRAM, "rm", root]), stderr=subprocess.PIPE, text=True, timeout=50
    )
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(root)


def on_terminal(*arguments, **options):
    """The exit status, and what the tool drew on the terminal that is its standard error."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 25, 100, 0, 0))
    program = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=terminal, **options
    )
    os.close(terminal)
    drawn = b""
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:
            break
        if not part:
            break
        drawn += part
    os.close(controller)
    return program.wait(50), drawn.decode()


def test_a_bar_on_a_terminal(root, tmp_path):
    status, drawn = on_terminal("copy", root, tmp_path / "copy")
    assert status == 0
    assert "entries found" in drawn
    assert "100%" in drawn
    assert drawn.endswith(f"copied {FILES + LINKS} files and {FOLDERS} folders\r\n")
    status, drawn = on_terminal("rm", tmp_path / "copy")
    assert status == 0
    assert "100%" in drawn
    assert on_terminal("du", "--quiet", root) == (0, "")


def test_no_bar_without_tqdm_and_a_hint(root, tmp_path):
    (tmp_path / "tqdm.py").write_text("raise ImportError\n")
    status, drawn = on_terminal("du", root, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    assert (status, drawn.splitlines()[0]) == (0, "pip install tqdm for a progress bar")
    status, drawn = on_terminal("rm", root, env=os.environ | {"PYTHONPATH": str(tmp_path)})
    removed = f"removed {FILES + LINKS} files and {FOLDERS} folders"
    assert (status, drawn.splitlines()) == (0, ["pip install tqdm for a progress bar", removed])
