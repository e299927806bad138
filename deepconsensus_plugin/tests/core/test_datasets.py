# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import h5py
import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.datasets import (
    CLIPPED,
    LARGEST_DEVIATION,
    LabelledCoordinates,
    augment,
    join_coordinates,
    read_boxes,
    write_boxes,
)
from deepconsensus_plugin.core.deep_consensus.splits import (
    limit_per_label,
    split_by_micrograph,
)
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.preprocessing import normalise_background


def _rows(labels, micrograph, name: str = "set") -> LabelledCoordinates:
    n = len(labels)
    return LabelledCoordinates(
        sources=(name,),
        micrographs=tuple(f"mic{i}.mrc" for i in range(20)),
        is_particle=np.array(labels, bool),
        weight=np.ones(n, np.float32),
        source=np.zeros(n, int),
        micrograph=np.array(micrograph, int),
        yx=np.arange(2 * n, dtype=float).reshape(n, 2),
    )


def test_boxes_round_trip_with_their_provenance(tmp_path):
    rows = _rows([1, 0, 1], [0, 0, 3])
    boxes = np.random.default_rng(0).normal(size=(3, 8, 8)).astype(np.float32)
    parts = iter([boxes[:2], boxes[2:]])
    write_boxes(tmp_path / "b.h5", rows, parts, size=8, attributes={"box_size": 90})
    read = read_boxes(tmp_path / "b.h5")
    np.testing.assert_array_equal(read.boxes, boxes.astype(np.float16))
    for name in ("is_particle", "weight", "source", "micrograph", "yx"):
        np.testing.assert_array_equal(getattr(read.rows, name), getattr(rows, name))
    assert read.rows.sources == ("set",)
    assert read.rows.micrographs == rows.micrographs


def test_boxes_are_rounded_to_the_nearest(tmp_path):
    """HDF5 itself halves some values just below a power of two."""
    rng = np.random.default_rng(0)
    boxes = rng.normal(size=(18, 64, 64)).astype(np.float32)
    boxes[:, 0, 0] = -0.9999961853027344
    rows = _rows([0, 1] * 9, range(18))
    parts = iter([boxes[:7], boxes[7:]])
    write_boxes(tmp_path / "b.h5", rows, parts, size=64, attributes={})
    stored = read_boxes(tmp_path / "b.h5").boxes
    np.testing.assert_array_equal(stored, boxes.astype(np.float16))


def _beads() -> np.ndarray:
    """Return a bright bead, a dark one, noise, and one that is just stored."""
    rng = np.random.default_rng(0)
    raw = rng.normal(0, 0.001, (4, 16, 16)).astype(np.float32)
    raw[0, 7:9, 7:9], raw[1, 7:9, 7:9], raw[3, 7:9, 7:9] = 100, -100, 9
    return normalise_background(raw, invert=False)


def test_beads_are_clipped_and_counted(tmp_path, caplog):
    boxes = _beads()
    path = tmp_path / "b.h5"
    rows = _rows([1, 0, 1, 0], [0, 0, 3, 3])
    parts = iter([boxes[:2], boxes[2:]])
    write_boxes(path, rows, parts, size=16, attributes={"box_size": 16})
    stored = read_boxes(path).boxes
    assert np.abs(boxes).max() > np.finfo(np.float16).max
    assert stored[0].max() == -stored[1].min() == LARGEST_DEVIATION
    # Nothing else is touched, to the bit.
    small = np.abs(boxes) <= LARGEST_DEVIATION
    np.testing.assert_array_equal(stored[small], boxes[small].astype(np.float16))
    assert small[2:].all() and (~small).sum() == 8
    with h5py.File(path) as file:
        assert file.attrs[CLIPPED] == 2
    assert "2 of 4 boxes have pixels more than 10000 deviations" in caplog.text


def test_ordinary_boxes_are_not_clipped(tmp_path, caplog):
    boxes = np.random.default_rng(0).normal(size=(2, 8, 8)).astype(np.float32)
    rows = _rows([1, 0], [0, 0])
    write_boxes(tmp_path / "b.h5", rows, iter([boxes]), size=8, attributes={})
    with h5py.File(tmp_path / "b.h5") as file:
        assert file.attrs[CLIPPED] == 0
    assert caplog.text == ""


def test_nan_is_refused_by_the_name_of_its_micrograph(tmp_path):
    boxes = np.zeros((3, 8, 8), np.float32)
    boxes[2, 3, 3] = np.nan
    rows = _rows([1, 0, 1], [0, 4, 7])
    parts = iter([boxes[:1], boxes[1:]])
    with pytest.raises(ValueError, match=r"^mic7\.mrc: .* received NaN in 1: pixels"):
        write_boxes(tmp_path / "b.h5", rows, parts, size=8, attributes={})
    assert list(tmp_path.iterdir()) == []


def test_half_written_file_does_not_appear(tmp_path):
    def broken():
        yield np.zeros((1, 8, 8), np.float32)
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_boxes(
            tmp_path / "b.h5", _rows([1, 0], [0, 0]), broken(), size=8, attributes={}
        )
    assert list(tmp_path.iterdir()) == []


def test_other_hdf5_files_are_refused(tmp_path):
    h5py.File(tmp_path / "x.h5", "w").close()
    with pytest.raises(FileFormatError, match="labelled boxes, received no"):
        read_boxes(tmp_path / "x.h5")


def test_split_keeps_micrographs_whole():
    rng = np.random.default_rng(0)
    micrograph = np.sort(rng.integers(0, 20, 400))
    rows = _rows(rng.random(400) < 0.5, micrograph)
    for seed in range(20):
        training, held_out = split_by_micrograph(rows, 0.1, np.random.default_rng(seed))
        assert not set(micrograph[training]) & set(micrograph[held_out])
        assert sorted([*training, *held_out]) == list(range(400))
        assert 0.08 < len(held_out) / 400 < 0.21
        for part in (training, held_out):
            assert set(rows.is_particle[part]) == {True, False}


def test_split_of_one_micrograph_falls_back_to_boxes():
    rows = _rows([1, 0] * 50, [4] * 100)
    training, held_out = split_by_micrograph(rows, 0.2, np.random.default_rng(1))
    for part in (training, held_out):
        assert set(rows.is_particle[part]) == {True, False}
    assert len(training) > len(held_out)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_split_of_few_boxes_leaves_both_labels_in_both_parts(n):
    rows = _rows([1] * n + [0] * n, [0] * (2 * n))
    for seed in range(30):
        for part in split_by_micrograph(rows, 0.1, np.random.default_rng(seed)):
            assert set(rows.is_particle[part]) == {True, False}


def test_split_does_not_throw_the_training_set_away():
    uneven = _rows([1, 0] * 50, [0] * 95 + [1] * 5)
    rare = _rows([1] * 190 + [0] * 10, sorted([*range(19)] * 10) + [19] * 10)
    for rows in (uneven, rare):
        for seed in range(30):
            _, held_out = split_by_micrograph(rows, 0.1, np.random.default_rng(seed))
            assert len(held_out) <= 0.2 * len(rows) + 2


def test_limit_is_per_label_and_keeps_the_order():
    rows = _rows([1] * 30 + [0] * 5, sorted([0, 1, 2, 3, 4] * 7))
    limited = limit_per_label(rows, 10, np.random.default_rng(0))
    assert limited.is_particle.sum() == 10
    assert (~limited.is_particle).sum() == 5
    assert (np.diff(limited.yx[:, 0]) > 0).all()


def test_join_sorts_by_micrograph_and_keeps_sources_apart():
    first, second = _rows([1, 1], [0, 2], "AND"), _rows([0, 0], [1, 2], "NEG")
    joined = join_coordinates([first, second])
    assert joined.sources == ("AND", "NEG")
    np.testing.assert_array_equal(joined.micrograph, [0, 1, 2, 2])
    np.testing.assert_array_equal(joined.source, [0, 1, 0, 1])
    np.testing.assert_array_equal(joined.is_particle, [True, False, True, False])


def test_augmentation_turns_half_of_the_boxes_by_a_symmetry_of_the_square():
    batch = np.random.default_rng(0).normal(size=(400, 6, 6, 1)).astype(np.float32)
    result = augment(batch, np.random.default_rng(1))
    seen = set()
    for before, after in zip(batch, result, strict=True):
        symmetries = [np.rot90(before, k) for k in range(4)]
        symmetries += [turned[::-1] for turned in symmetries]
        seen.add(next(i for i, s in enumerate(symmetries) if np.array_equal(s, after)))
    assert seen == set(range(8))
    changed = (batch != result).any(axis=(1, 2, 3))
    assert 0.4 < changed.mean() < 0.6
