"""A Rust program that depends on pyuv and is linked without what sends libuv's calls to it."""

import json
import os
import shutil
import subprocess

import pytest
from vendored import ROOT

from util import linux

# The crate is built where that was not done yet, and cargo waits for its turn.
pytestmark = [linux, pytest.mark.timeout(600)]

PROGRAM = """
fn main() {
    match pyuv::Loop::new() {
        Ok(_) => println!("made"),
        Err(error) => println!("{error}"),
    }
}
"""


@pytest.fixture(scope="module")
def library():
    """The crate as cargo has built it for the tests."""
    cargo = ["cargo", "build", "--locked", "--profile", "testing", "-p", "pyuv", "--lib"]
    done = subprocess.run(
        [*cargo, "--message-format", "json"], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE
    )
    for message in map(json.loads, done.stdout.splitlines()):
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == "pyuv":
            return next(name for name in message["filenames"] if name.endswith(".rlib"))
    raise AssertionError(done.stdout)


def run(library, folder, *arguments):
    (folder / "main.rs").write_text(PROGRAM)
    program = folder / "main"
    dependencies = os.path.join(os.path.dirname(library), "deps")
    rustc = [shutil.which("rustc"), "--edition=2024", "--extern", f"pyuv={library}", "-o", program]
    rustc += ["-L", f"dependency={dependencies}", *arguments, folder / "main.rs"]
    subprocess.run(rustc, check=True)
    return subprocess.run([program], check=True, text=True, stdout=subprocess.PIPE).stdout


def test_without_the_arguments_the_first_loop_says_which_are_missing(library, tmp_path):
    told = run(library, tmp_path)
    assert "this program has to be linked with -Wl,--wrap=epoll_pwait,--wrap=sigaction," in told


@pytest.mark.parametrize("linker", ["as rustc has it", "bfd"])
def test_with_them_it_is_made(library, tmp_path, linker):
    argument = run(library, tmp_path).rpartition("linked with ")[2].strip()
    chosen = [] if linker != "bfd" else ["-Clink-arg=-fuse-ld=bfd", "-Clink-self-contained=-linker"]
    assert run(library, tmp_path, f"-Clink-arg={argument}", *chosen) == "made\n"
