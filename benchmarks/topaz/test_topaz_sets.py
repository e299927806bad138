# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the labels that are drawn from the truth, the same for a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.topaz.sets import LearningSet, draw_labels, load_set
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates


@pytest.fixture
def learning():
    rng = np.random.default_rng(0)
    micrographs = tuple(
        Micrograph(f"{i}.mrc", Path(f"{i}.mrc"), (100, 100), 1.0) for i in range(4)
    )
    truth = {
        micrograph.name: ScoredCoordinates.from_arrays(rng.uniform(0, 100, (n, 2)))
        for micrograph, n in zip(micrographs, (30, 0, 10, 50), strict=True)
    }
    return LearningSet("set", micrographs[:3], micrographs[3:], truth, 20.0, 30, 1)


def drawn_of(labels):
    return {(name, *yx) for name, drawn in labels.items() for yx in drawn.yx}


def test_labels_are_true_centres_to_learn_from(learning):
    truth = drawn_of({each.name: learning.truth[each.name] for each in learning.train})
    labels = draw_labels(learning, 12, seed=3)

    assert sum(map(len, labels.values())) == len(drawn_of(labels)) == 12
    assert drawn_of(labels) < truth
    assert drawn_of(draw_labels(learning, 40, seed=0)) == truth


def test_a_seed_tells_the_labels_and_more_contain_fewer(learning):
    few = drawn_of(draw_labels(learning, 5, seed=1))

    assert few == drawn_of(draw_labels(learning, 5, seed=1))
    assert few != drawn_of(draw_labels(learning, 5, seed=2))
    assert few < drawn_of(draw_labels(learning, 9, seed=1))


def test_every_particle_is_equally_likely(learning):
    n_on_first = [
        len(draw_labels(learning, 4, seed).get("0.mrc", ())) for seed in range(300)
    ]
    assert np.mean(n_on_first) == pytest.approx(3.0, abs=0.2)


def test_no_more_labels_than_particles(learning):
    with pytest.raises(ValueError, match="n_labels must be 1 to 40"):
        draw_labels(learning, 41, seed=0)


def test_what_a_user_knows(learning):
    assert learning.n_particles == pytest.approx(40 / 3)
    assert learning.suppression_radius_px == 10.0


def test_sets_have_names(tmp_path):
    with pytest.raises(ValueError, match="expected one of"):
        load_set("empiar", tmp_path)
