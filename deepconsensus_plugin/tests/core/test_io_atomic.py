# SPDX-License-Identifier: GPL-3.0-or-later
import errno
import os
import subprocess
import sys

import pytest

from deepconsensus_plugin.core.io.atomic import whole_file, write_text


def test_text_is_written_whole_and_alone(tmp_path):
    write_text(tmp_path / "a.txt", "Å\n")
    assert (tmp_path / "a.txt").read_bytes() == "Å\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), whole_file(target) as partial:
        partial.write_text("half of the n")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path):
    killed = subprocess.Popen([sys.executable, "-c", ""])
    killed.wait()
    (tmp_path / f".partial.{killed.pid}.a.txt").write_text("half")
    other = tmp_path / f".partial.{os.getpid()}.b.txt"
    other.write_text("of another file, being written")
    write_text(tmp_path / "a.txt", "whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [other.name, "a.txt"]


def test_what_is_written_to_has_the_same_extension(tmp_path):
    with whole_file(tmp_path / "model.keras") as partial:
        assert partial.suffix == ".keras"
        partial.touch()


@pytest.mark.parametrize("is_lasting", [True, False])
def test_a_lasting_file_is_on_the_disk_before_its_name_and_then_the_name(
    tmp_path, monkeypatch, is_lasting
):
    synced = []

    def note(handle):
        synced.append((os.readlink(f"/proc/self/fd/{handle}"), target.exists()))

    monkeypatch.setattr(os, "fsync", note)
    target = tmp_path / "a.txt"
    write_text(target, "x", is_lasting=is_lasting)
    partial = str(tmp_path / f".partial.{os.getpid()}.a.txt")
    assert synced == ([(partial, False), (str(tmp_path), True)] if is_lasting else [])


def test_an_error_of_a_full_disk_names_the_file(tmp_path):
    target = tmp_path / "a.txt"
    with pytest.raises(OSError, match=f"No space left on device: '{target}'"):
        with whole_file(target):
            raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(OSError, match="other"), whole_file(target):
        raise OSError("other")
    assert list(tmp_path.iterdir()) == []
