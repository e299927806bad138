# SPDX-License-Identifier: GPL-3.0-or-later
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
