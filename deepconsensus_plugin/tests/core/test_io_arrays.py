# SPDX-License-Identifier: GPL-3.0-or-later
"""NumPy's files: what lies in its header, is packed small, or would run code."""

from __future__ import annotations

import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.arrays import (
    opened_arrays,
    read_array_file,
    texts_of,
    write_array,
)
from deepconsensus_plugin.core.workflow.files import ChainFiles

HUGE = 10**11


def header(shape: tuple[int, ...], kind: str = "<f8") -> bytes:
    """Return the header of an array."""
    fields = str({"descr": kind, "fortran_order": False, "shape": shape})
    text = fields.encode().ljust(117) + b"\n"
    return npy.magic(1, 0) + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize("array", [np.arange(5), np.array([0.5, np.nan]), np.zeros(0)])
def test_an_array_is_read_as_it_was_written(tmp_path, array):
    write_array(tmp_path / "a.npy", array)
    found = read_array_file(tmp_path / "a.npy", "numbers")
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        header((HUGE,)),
        header((-3,)) + bytes(8),
        header((2,)) + bytes(15),
        header((1,)) + bytes(16),
        header((1, 1)) + bytes(8),
        header((1,), "<U2") + bytes(8),
        header((1,), "|O") + bytes(8),
        header((HUGE,), "|V0"),
        b"\x93NUMPY\x09\x00" + bytes(64),
    ],
)
def test_an_array_that_is_none_is_refused_without_memory(tmp_path, content):
    path = tmp_path / "a.npy"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(FileFormatError, match=r"a\.npy: expected numbers, received"):
        read_array_file(path, "numbers")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e7


def test_a_list_of_another_length_is_refused(tmp_path):
    write_array(tmp_path / "a.npy", np.arange(5))
    assert len(read_array_file(tmp_path / "a.npy", "scores", n=5)) == 5
    with pytest.raises(FileFormatError, match="expected 4 scores, received 5"):
        read_array_file(tmp_path / "a.npy", "scores", n=4)


@pytest.mark.parametrize("rows", [[0, 2, 2], [3, -1]])
def test_rows_of_candidates_are_each_there_once(tmp_path, rows):
    files = ChainFiles(tmp_path)
    write_array(files.positions, np.array([4, 0, 7]))
    assert files.read_positions().tolist() == [4, 0, 7]
    write_array(files.positions, np.array(rows))
    with pytest.raises(FileFormatError, match=r"positions\.npy: expected rows of cand"):
        files.read_positions()


class TestArchives:
    def test_arrays_and_texts(self, tmp_path):
        path, columns = (
            tmp_path / "a.npz",
            np.asfortranarray(np.arange(6).reshape(2, 3)),
        )
        names = np.array(["mic_1", "é"])
        for save in (np.savez, np.savez_compressed):
            save(path, names=names, columns=columns, none=np.array([], dtype=np.str_))
            with opened_arrays(path, "arrays") as found:
                assert found.names == ["names", "columns", "none"]
                assert texts_of(found["names"]) == ("mic_1", "é")
                assert texts_of(found["none"]) == ()
                np.testing.assert_array_equal(found["columns"], columns)

    def refuse(self, path, name, match):
        tracemalloc.start()
        with (
            pytest.raises(FileFormatError, match=match) as refused,
            opened_arrays(path, "arrays") as found,
        ):
            texts_of(found[name])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert refused.value.path == path
        assert peak < 1e7

    def test_what_would_take_memory_is_refused(self, tmp_path):
        path = tmp_path / "a.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("huge.npy", header((HUGE,)))
            archive.writestr("bomb.npy", bytes(2**20))
        content = path.read_bytes()
        entry = content.rindex(b"PK\x01\x02")
        size = (2**30).to_bytes(4, "little")
        path.write_bytes(content[: entry + 24] + size + content[entry + 28 :])
        self.refuse(path, "huge", "in a file of 128 bytes")
        self.refuse(path, "bomb", "1073741824 bytes when unpacked")
        self.refuse(path, "none", "no none")

    def test_what_is_damaged_or_would_run_code_is_refused(self, tmp_path):
        path = tmp_path / "a.npz"
        np.savez(path, names=np.array([{}], dtype=object), numbers=np.arange(3))
        self.refuse(path, "names", "an array of shape")
        self.refuse(path, "numbers", "not texts")
        content = path.read_bytes()
        for damaged in (content[: len(content) // 2], b"", b"text"):
            path.write_bytes(damaged)
            self.refuse(path, "names", "expected arrays, received")
        with (
            pytest.raises(FileNotFoundError, match=r"none\.npz: arrays is not there"),
            opened_arrays(tmp_path / "none.npz", "arrays"),
        ):
            pass
