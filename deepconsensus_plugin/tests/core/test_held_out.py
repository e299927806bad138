# SPDX-License-Identifier: GPL-3.0-or-later
"""Predictions on held-out boxes, on four boxes worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.datasets import LabelledCoordinates
from deepconsensus_plugin.core.deep_consensus.held_out import (
    HeldOut,
    read_held_out,
    write_held_out,
)
from deepconsensus_plugin.core.errors import FileFormatError

ROWS = LabelledCoordinates(
    sources=("AND", "NEG"),
    micrographs=("a.mrc", "b ü.mrc"),
    is_particle=np.array([True, True, False, False, True]),
    weight=np.ones(5, np.float32),
    source=np.array([0, 0, 1, 1, 0]),
    micrograph=np.array([0, 0, 0, 1, 1]),
    yx=np.arange(10.0).reshape(5, 2),
)
PARTS = [
    (np.array([0, 1, 2]), np.array([0.9, 0.2, 0.6])),
    (np.array([1, 3]), np.array([0.4, 0.8])),
]


def test_boxes_that_all_networks_learnt_from_are_left_out(tmp_path):
    held_out = HeldOut.of(ROWS, PARTS)
    np.testing.assert_allclose(held_out.mean_score, [0.9, 0.3, 0.6, 0.8])
    assert held_out.rows.yx[:, 0].tolist() == [0, 2, 4, 6]
    write_held_out(tmp_path / "held_out.npz", held_out)
    read = read_held_out(tmp_path / "held_out.npz")
    assert read.rows.micrographs == ROWS.micrographs
    np.testing.assert_array_equal(read.scores, held_out.scores)


def test_the_worst_mistakes_come_first():
    held_out = HeldOut.of(ROWS, PARTS)
    assert held_out.worst(is_particle=True, n=5).tolist() == [1]
    assert held_out.worst(is_particle=False, n=5).tolist() == [3, 2]
    assert held_out.worst(is_particle=False, n=1).tolist() == [3]


def test_another_file_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", scores=np.zeros(3))
    with pytest.raises(FileFormatError, match="is_particle"):
        read_held_out(tmp_path / "other.npz")
