"""Process.spawn: its arguments, and what stands in the way of a spawn."""

import collections
import os
import pathlib
import stat
import sys
import types

import pytest
import pyuv
from pyuv import errno
from pyuv.error import ProcessError

from util import Recorder, children, in_child, open_fds, start_child

DUMP = """
import os, sys
for name in "", *sys.argv[1:]:
    sys.stdout.buffer.write(os.fsencode(name) + b"\\0")
for name, value in sorted(os.environb.items()):
    sys.stdout.buffer.write(name + b"=" + value + b"\\0")
sys.stdout.buffer.write(os.getcwdb() + b"\\0")
"""


@pytest.fixture
def run(loop, tmp_path):
    """Run a program to its end and return what it wrote to its standard output."""

    def run(args, **options):
        with open(tmp_path / "output", "w+b") as output:
            ended = Recorder()
            stdio = [
                pyuv.StdIO(),
                pyuv.StdIO(fd=output, flags=pyuv.UV_INHERIT_FD),
                pyuv.StdIO(fd=2, flags=pyuv.UV_INHERIT_FD),
            ]
            pyuv.Process.spawn(loop, args, stdio=stdio, exit_callback=ended, **options)
            loop.run()
            assert [call[1:] for call in ended.calls] == [(0, 0)]
            output.seek(0)
            return output.read()

    return run


@pytest.fixture
def refused(loop):
    """Spawn what cannot be; return the error's code and message. Nothing may be left behind."""

    def refused(args, **options):
        before, own, ended = open_fds(), children(), Recorder()
        with pytest.raises(ProcessError) as error:
            pyuv.Process.spawn(loop, args, exit_callback=ended, **options)
        assert open_fds() == before
        assert loop.run() is False
        assert loop.handles == []
        assert len(ended) == 0
        # Those of other tests may end meanwhile.
        assert children() <= own
        return error.value.args

    return refused


@pytest.mark.parametrize("args", ["pwd", b"pwd", pathlib.Path("pwd"), ["pwd"], ("pwd",), iter(["pwd"])])
def test_args_are_a_name_or_a_sequence(run, args):
    assert run(args) == os.fsencode(os.getcwd()) + b"\n"


def test_arguments_come_through_byte_for_byte(run):
    arguments = ["", " ", "a b", "\u20ac", "\udcff", b"\xff\x01", pathlib.Path("p"), "-"]
    output = run([sys.executable, "-S", "-c", DUMP, *arguments], env={}).split(b"\0")
    assert output[1 : len(arguments) + 1] == [os.fsencode(argument) for argument in arguments]


@pytest.mark.parametrize("executable", ["/bin/sh", b"/bin/sh", pathlib.Path("/bin/sh"), "sh"])
def test_an_executable_may_differ_from_the_first_argument(run, executable):
    assert run(["a shell", "-c", "echo $0"], executable=executable) == b"a shell\n"


def test_an_executable_alone_is_looked_for_in_the_childs_path(run, tmp_path):
    program = tmp_path / "a-program"
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    with pytest.raises(ProcessError):
        run("a-program")
    assert run("a-program", env={"PATH": f"/no/such:{tmp_path}"}) == b"found\n"
    assert run("./a-program", cwd=tmp_path) == b"found\n"


def test_an_environment_replaces_the_parents(run):
    program = [sys.executable, "-S", "-c", DUMP]
    env = {"A": "1", b"B": b"\xff", "C": pathlib.Path("x"), "D": "", "E": "a=b"}
    # Python puts LC_CTYPE in by itself.
    dumped = [item for item in run(program, env=env).split(b"\0")[1:-2] if b"LC_" not in item]
    assert dumped == [b"A=1", b"B=\xff", b"C=x", b"D=", b"E=a=b"]
    assert [item for item in run(program, env={}).split(b"\0")[1:-2] if b"LC_" not in item] == []


@pytest.mark.parametrize(
    "env",
    [
        {"A": "x"},
        types.MappingProxyType({"A": "x"}),
        collections.ChainMap({"A": "x"}, {"A": "y"}),
        collections.UserDict(A="x"),
    ],
)
def test_an_environment_is_any_mapping(run, env):
    assert run(["/bin/sh", "-c", "echo $A"], env=env) == b"x\n"


def test_without_an_environment_the_parents_is_the_childs(run, monkeypatch):
    monkeypatch.setenv("PYUV_TEST", "inherited")
    assert run(["sh", "-c", "echo $PYUV_TEST"]) == b"inherited\n"
    assert run(["sh", "-c", "echo $PYUV_TEST"], env=os.environ) == b"inherited\n"


@pytest.mark.parametrize("kind", [str, os.fsencode, pathlib.Path])
def test_a_working_directory(run, tmp_path, kind):
    folder = tmp_path / "a folder"
    folder.mkdir()
    assert run("pwd", cwd=kind(folder)) == os.fsencode(folder) + b"\n"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"args": []}, ValueError),
        ({"args": ()}, ValueError),
        ({"args": "a\0b"}, ValueError),
        ({"args": ["ls", "a\0b"]}, ValueError),
        ({"args": ["ls", b"a\0b"]}, ValueError),
        ({"args": ["ls", "\ud800"]}, UnicodeEncodeError),
        ({"args": 1}, TypeError),
        ({"args": None}, TypeError),
        ({"args": ["ls", 1]}, TypeError),
        ({"args": ["ls", None]}, TypeError),
        ({"args": bytearray(b"ls")}, TypeError),
        ({"executable": "a\0b"}, ValueError),
        ({"executable": 1}, TypeError),
        ({"env": [("A", "B")]}, TypeError),
        ({"env": "A=B"}, TypeError),
        ({"env": {"A": 1}}, TypeError),
        ({"env": {1: "A"}}, TypeError),
        ({"env": {"A\0": "B"}}, ValueError),
        ({"env": {"A": "B\0"}}, ValueError),
        ({"env": {"A=": "B"}}, ValueError),
        ({"env": {"": "B"}}, ValueError),
        ({"cwd": "a\0b"}, ValueError),
        ({"cwd": 1}, TypeError),
        ({"uid": "root"}, TypeError),
        ({"uid": 2**32}, ValueError),
        ({"uid": 2**70}, ValueError),
        ({"gid": -(2**31) - 1}, ValueError),
        ({"flags": pyuv.UV_PROCESS_SETUID}, ValueError),
        ({"flags": pyuv.UV_PROCESS_SETGID, "uid": 0}, ValueError),
        ({"flags": 1 << 30}, ValueError),
        ({"flags": -1}, ValueError),
        ({"flags": "1"}, TypeError),
        ({"stdio": 1}, TypeError),
        ({"stdio": [1]}, TypeError),
        ({"stdio": [None]}, TypeError),
        ({"exit_callback": 1}, TypeError),
        ({"loop": None}, TypeError),
    ],
    ids=repr,
)
def test_wrong_arguments_are_refused(loop, options, kind):
    with pytest.raises(kind) as error:
        pyuv.Process.spawn(**{"loop": loop, "args": ["true"]} | options)
    assert error.type is kind
    assert loop.handles == []


def test_an_exception_of_an_argument_is_raised(loop):
    class Broken(dict):
        def items(self):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pyuv.Process.spawn(loop, "true", env=Broken())
    with pytest.raises(ZeroDivisionError):
        pyuv.Process.spawn(loop, ("true" if n else 1 / n for n in [1, 0]))


@pytest.mark.parametrize("name", ["/no/such/program", "no-such-program", ""])
def test_a_missing_executable(refused, name):
    code, message = refused([name])
    assert code == errno.UV_ENOENT
    assert name in message
    assert refused([name], uid=os.getuid())[0] == errno.UV_ENOENT


def test_a_missing_dev_null(tmp_path):
    code = """
    import ctypes, os, sys, pyuv

    libc = ctypes.CDLL(None)
    executable = os.path.realpath(sys.executable)
    namespaces = 0x00020000 | (0x10000000 if os.getuid() else 0)
    if libc.unshare(namespaces) or libc.mount(None, b"/", None, 0x44000, None):
        raise SystemExit("refused")
    if libc.mount(b"tmpfs", b"/dev", b"tmpfs", 0, None):
        raise SystemExit("refused")
    loop = pyuv.Loop()
    try:
        pyuv.Process.spawn(loop, [executable, "-c", ""])
    except pyuv.error.ProcessError as error:
        print(error.args[1] == f"no such file or directory: /dev/null, for {executable} (spawn)", error)
    """
    child = start_child(code)
    out, err = child.communicate(timeout=40)
    if err == "refused\n":
        pytest.skip("the system refuses namespaces")
    assert out.startswith("True"), (out, err)


def test_a_missing_interpreter(refused, tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    code, message = refused([script])
    assert code == errno.UV_ENOENT
    assert f"interpreter of {script}" in message
    assert (
        refused(["./script"], cwd=tmp_path)[1]
        == "no such file or directory: the interpreter of ./script (spawn)"
    )


def test_a_file_that_cannot_be_executed(refused, tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    for path in plain, tmp_path:
        assert refused([path]) == (errno.UV_EACCES, f"permission denied: {path} (spawn)")
    plain.chmod(0o755)
    plain.write_bytes(b"\x7fELF, or rather not")
    assert refused([plain])[0] == errno.UV_ENOEXEC


def test_a_program_that_is_being_written(refused, tmp_path):
    program = tmp_path / "program"
    with open(program, "wb") as file, open("/bin/true", "rb") as true:
        file.write(true.read())
        program.chmod(0o755)
        assert refused([program]) == (errno.UV_ETXTBSY, f"text file is busy: {program} (spawn)")


def test_a_missing_working_directory_is_told_from_a_missing_executable(refused, tmp_path):
    file = tmp_path / "file"
    file.touch()
    missing = tmp_path / "missing"
    assert refused("ls", cwd=missing) == (
        errno.UV_ENOENT,
        f"no such file or directory: working directory {missing} (spawn)",
    )
    assert refused("ls", cwd=file) == (errno.UV_ENOTDIR, f"not a directory: working directory {file} (spawn)")
    loop_of_links = tmp_path / "loop"
    loop_of_links.symlink_to(loop_of_links)
    code, message = refused("ls", cwd=loop_of_links)
    assert code == errno.UV_ELOOP
    assert message.endswith(f": working directory {loop_of_links} (spawn)")
    long = tmp_path / ("x" * 300)
    assert refused("ls", cwd=long) == (
        errno.UV_ENAMETOOLONG,
        f"name too long: working directory {long} (spawn)",
    )
    assert refused("/no/such", cwd=tmp_path)[1] == "no such file or directory: /no/such (spawn)"


def test_too_long_arguments_and_environments(refused):
    for options in [
        {"args": ["true", "x" * 3_000_000]},
        {"args": ["true", *["x" * 1000] * 10_000]},
        {"args": "true", "env": {"A": "x" * 3_000_000}},
        {"args": ["true"], "env": {f"A{n}": "x" * 1000 for n in range(10_000)}},
    ]:
        code, message = refused(**options)
        assert code == errno.UV_E2BIG
        assert message == "argument list too long: arguments and environment of true (spawn)"
    assert refused("x" * 300)[0] == errno.UV_ENAMETOOLONG


def test_without_descriptors_nothing_is_spawned():
    code = """
        import os, pyuv, resource
        loop = pyuv.Loop()
        loop.run()
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        held = []
        try:
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            pass
        stdio = [pyuv.StdIO(), pyuv.StdIO(), pyuv.StdIO(fd=1, flags=pyuv.UV_INHERIT_FD)]
        for options in {"stdio": stdio}, {"uid": os.getuid(), "stdio": stdio[:1]}:
            try:
                pyuv.Process.spawn(loop, "true", **options)
            except pyuv.error.ProcessError as error:
                print(error.args[0] == pyuv.errno.UV_EMFILE)
        os.close(held.pop())
        os.close(held.pop())
        for options in {"stdio": stdio}, {"uid": os.getuid(), "stdio": stdio[:1]}:
            pyuv.Process.spawn(loop, "true", **options, exit_callback=lambda *end: print(end[1:]))
            loop.run()
    """
    assert in_child(code) == ["True", "True", "(0, 0)", "(0, 0)"]


@pytest.mark.skipif(os.getuid() != 0, reason="root alone can become another user")
class TestAsRoot:
    """What only root can ask for: other users."""

    def test_a_process_can_run_as_somebody_else(self, run):
        program = ["/bin/sh", "-c", "id -u; id -g; id -G"]
        assert run(program, uid=65534, gid=65533, cwd="/") == b"65534\n65533\n65533\n"
        flags = pyuv.UV_PROCESS_SETUID | pyuv.UV_PROCESS_SETGID
        assert run(program, uid=65534, gid=65533, cwd="/", flags=flags) == b"65534\n65533\n65533\n"
        assert run(["/bin/sh", "-c", "id -u; id -g"], gid=65533, cwd="/") == b"0\n65533\n"

    def test_a_program_that_the_user_cannot_execute(self, refused, tmp_path):
        program = tmp_path / "program"
        program.write_text("#!/bin/sh\n")
        program.chmod(stat.S_IRWXU)
        code, message = refused([program], uid=65534)
        assert (code, str(program) in message) == (errno.UV_EACCES, True)

    def test_a_number_that_no_user_can_have(self, refused):
        assert refused("true", uid=-1) == (
            errno.UV_EINVAL,
            "invalid argument: true (uid 4294967295, gid as before) (spawn)",
        )

    def test_others_may_not_become_root(self):
        code = """
            import os, pyuv
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            loop = pyuv.Loop()
            for options in {"uid": 0}, {"gid": 0}, {"uid": 1, "gid": 1}:
                try:
                    pyuv.Process.spawn(loop, "/bin/true", **options)
                except pyuv.error.ProcessError as error:
                    print(error.args)
            pyuv.Process.spawn(
                loop, "/bin/true", uid=65534, gid=65534, exit_callback=lambda *end: print(end[1:])
            )
            loop.run()
        """
        assert in_child(code) == [
            f"({errno.UV_EPERM}, 'operation not permitted: /bin/true (uid 0, gid as before) (spawn)')",
            f"({errno.UV_EPERM}, 'operation not permitted: /bin/true (uid as before, gid 0) (spawn)')",
            f"({errno.UV_EPERM}, 'operation not permitted: /bin/true (uid 1, gid 1) (spawn)')",
            "(0, 0)",
        ]

    def test_a_user_with_too_many_processes(self):
        code = """
            import os, pyuv, resource
            os.setgroups([])
            os.setgid(64321)
            os.setuid(64321)
            resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
            loop = pyuv.Loop()
            loop.run()
            before = os.listdir("/proc/self/fd")
            try:
                pyuv.Process.spawn(loop, "/bin/true")
            except pyuv.error.ProcessError as error:
                print(error.args[0] == pyuv.errno.UV_EAGAIN, error.args[1])
            print(loop.run(), os.listdir("/proc/self/fd") == before)
        """
        assert in_child(code) == [
            "True resource temporarily unavailable: /bin/true (spawn)",
            "False True",
        ]
