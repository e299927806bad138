# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import fields

import h5py
import numpy as np
import pytest

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.tables import (
    read_candidates,
    read_coordinates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.types import ScoredCoordinates


def make_candidates(n, m=3, k=2):
    rng = np.random.default_rng(1)
    return Candidates(
        micrographs=tuple(f"Å_{i}.mrc" for i in range(m)),
        pickers=tuple(f"p{i}" for i in range(k)),
        observed=rng.random((m, k)) < 0.5,
        micrograph_index=np.sort(rng.integers(0, m, n)) if m else np.zeros(0, int),
        yx=rng.random((n, 2)) * 4000,
        found=rng.random((n, k)) < 0.5,
        picker_scores=np.where(rng.random((n, k)) < 0.3, np.nan, rng.random((n, k))),
        agreement=rng.integers(0, k + 1, n),
        agreed_yx=rng.random((n, 2)) * 4000,
    )


@pytest.mark.parametrize("sizes", [[], [0], [3], [2, 0, 5, 0]])
def test_coordinates_round_trip(tmp_path, sizes):
    rng = np.random.default_rng(0)
    coordinates = {
        f"mic {9 - i}.mrc": ScoredCoordinates.from_arrays(
            rng.random((n, 2)) * 4000, np.where(rng.random(n) < 0.5, np.nan, 0.1)
        )
        for i, n in enumerate(sizes)
    }
    write_coordinates(tmp_path / "a.h5", coordinates)
    again = read_coordinates(tmp_path / "a.h5")
    assert list(again) == list(coordinates)
    for name, picks in coordinates.items():
        np.testing.assert_array_equal(again[name].yx, picks.yx)
        np.testing.assert_array_equal(again[name].scores, picks.scores)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (1, 1), (50, 3)])
def test_candidates_round_trip(tmp_path, n, m):
    candidates = make_candidates(n, m)
    write_candidates(tmp_path / "a.h5", candidates)
    again = read_candidates(tmp_path / "a.h5")
    for field in fields(Candidates):
        expected, received = (getattr(c, field.name) for c in (candidates, again))
        np.testing.assert_array_equal(received, expected)
        assert np.asarray(received).dtype == np.asarray(expected).dtype


def test_a_million_rows_are_a_few_datasets(tmp_path):
    half = ScoredCoordinates.from_arrays(np.ones((500_000, 2)))
    write_coordinates(tmp_path / "a.h5", {"a": half, "b": half})
    with h5py.File(tmp_path / "a.h5") as file:
        assert sorted(file) == ["micrographs", "offsets", "scores", "yx"]
        assert dict(file.attrs) == {"kind": "coordinates", "schema": 1}
    assert sum(map(len, read_coordinates(tmp_path / "a.h5").values())) == 1_000_000


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    with pytest.raises(FileNotFoundError, match="coordinates"):
        read_coordinates(path)
    path.write_bytes(b"no HDF5")
    with pytest.raises(FileFormatError, match=r"a\.h5"):
        read_coordinates(path)
    write_coordinates(path, {})
    with pytest.raises(FileFormatError, match=r"candidates, schema 1.*coordinates"):
        read_candidates(path)
    with h5py.File(path, "a") as file:
        file.attrs["schema"] = 2
    with pytest.raises(FileFormatError, match="schema 2"):
        read_coordinates(path)
    with h5py.File(path, "w") as file:
        file.attrs["kind"] = "coordinates"
    with pytest.raises(FileFormatError, match="schema"):
        read_coordinates(path)


def test_a_file_that_was_damaged_is_refused_before_its_library_reads_it(tmp_path):
    path = tmp_path / "c.h5"
    write_coordinates(path, {"a.mrc": ScoredCoordinates.from_arrays([[1, 2]])})
    content = path.read_bytes()
    for at in range(0, len(content) - 24, 97):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(FileFormatError, match="changed or damaged"):
            read_coordinates(path)
    path.write_bytes(content[:-24])  # as early versions wrote it
    assert read_coordinates(path)["a.mrc"].yx.tolist() == [[1, 2]]


def test_a_heap_of_texts_without_end_is_refused(tmp_path):
    path = tmp_path / "c.h5"
    write_coordinates(path, {"a.mrc": ScoredCoordinates.from_arrays([[1, 2]])})
    content = bytearray(path.read_bytes()[:-24])
    at = content.index(b"GCOL") + 16
    content[at : at + 2] = bytes(2)  # free, and of no length
    content[at + 8 : at + 16] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match="damaged heap"):
        read_coordinates(path)
