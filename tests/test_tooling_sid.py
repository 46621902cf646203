"""Packages of Debian sid: where they are kept, which versions are taken, and what is said."""

import dataclasses
import os

import pytest
import sid

PACKAGES = sid.Packages("test", ("tool",), "amd64")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache, an empty folder for records, and an archive of one package that is never asked."""
    monkeypatch.setenv("PYUV_CACHE", os.fspath(tmp_path / "cache"))
    monkeypatch.setattr(sid, "REQUIREMENTS", tmp_path)
    monkeypatch.setattr(sid, "_Archive", Archive)
    Archive.unpacked = 0
    return tmp_path


class Archive:
    """Has version 2 of everything."""

    unpacked = 0

    def __init__(self, home, architecture, suite):
        pass

    def unpack(self, names, recorded, root):
        root.mkdir(parents=True)
        Archive.unpacked += 1
        return dict.fromkeys([*names, "library"], "2")


def test_the_cache_is_the_users_unless_it_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("PYUV_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(tmp_path))
    assert sid.cache() == tmp_path / "pyuv"
    monkeypatch.setenv("PYUV_CACHE", os.fspath(tmp_path / "other"))
    assert sid.cache() == tmp_path / "other"


def test_a_second_time_nothing_is_fetched(home):
    first = sid.fetch(PACKAGES)
    assert sid.fetch(PACKAGES) == first
    assert first.versions == {"tool": "2", "library": "2"}
    assert Archive.unpacked == 1


def test_what_was_not_finished_is_fetched_again(home):
    def fail(folder):
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - any will do
        sid.fetch(dataclasses.replace(PACKAGES, finish=fail))
    finished = []
    folder = sid.fetch(dataclasses.replace(PACKAGES, finish=finished.append))
    assert finished == [folder.path]
    assert Archive.unpacked == 2


def test_what_is_recorded_is_read_again(home):
    PACKAGES.write_record({"tool": "2", "library": "1:2-3"})
    assert PACKAGES.recorded() == {"tool": "2", "library": "1:2-3"}


def test_a_version_that_has_gone_is_named_each_time(home, capsys):
    PACKAGES.write_record({"tool": "1", "library": "2"})
    for _ in range(2):
        sid.fetch(PACKAGES)
        said = capsys.readouterr().err.splitlines()
        assert said == ["sid: tool 1 has gone from Debian sid; 2 is taken"]


def test_another_record_is_another_folder(home):
    first = sid.fetch(PACKAGES)
    PACKAGES.write_record({"tool": "2"})
    assert sid.fetch(PACKAGES).path != first.path


def test_the_newest_are_fetched_whatever_is_recorded(home, capsys):
    PACKAGES.write_record({"tool": "1"})
    assert sid.fetch(PACKAGES, newest=True).versions["tool"] == "2"
    assert capsys.readouterr().err == ""


def test_another_suite_has_another_folder_and_another_record(home, capsys):
    old = dataclasses.replace(PACKAGES, suite="bullseye")
    old.write_record({"tool": "1"})
    PACKAGES.write_record({"tool": "2"})
    assert sid.fetch(old).path.name.startswith("bullseye-test-")
    assert sid.fetch(PACKAGES).path.name.startswith("sid-test-")
    assert capsys.readouterr().err == "sid: tool 1 has gone from Debian bullseye; 2 is taken\n"
