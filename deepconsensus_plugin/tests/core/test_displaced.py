# SPDX-License-Identifier: GPL-3.0-or-later
"""Negatives beside particles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from deepconsensus_plugin.core.negatives.displaced import (
    FARTHEST,
    NEAREST,
    draw_displaced,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

BOX = 40
MICROGRAPHS = [Micrograph(name, Path(name), (300, 500), 1.0) for name in ("a", "b")]


def _draw(particles, n, *, others=(), seed=0):
    """Draw on both micrographs; particles and others lie on the first."""
    rows = ScoredCoordinates.from_arrays(particles)
    everything = ScoredCoordinates.from_arrays([*particles, *others])
    drawn = draw_displaced(
        MICROGRAPHS,
        {"a": rows},
        {"a": everything},
        n,
        box_size=BOX,
        rng=np.random.default_rng(seed),
    )
    assert list(drawn) == ["a", "b"]
    assert not len(drawn["b"])
    return drawn["a"].yx


def test_they_lie_beside_particles_inside_and_away_from_every_candidate():
    rng = np.random.default_rng(1)
    everything = rng.uniform((0, 0), (300, 500), (160, 2))
    particles, others = everything[:80], everything[80:]
    yx = _draw(particles, 1000, others=others)
    assert 10 < len(yx) < 80  # some have no room; no particle has two
    assert (cdist(yx, particles).min(axis=1) <= FARTHEST * BOX + 1).all()
    assert cdist(yx, everything).min() >= NEAREST * BOX
    assert (yx >= BOX // 2).all()
    assert (yx <= np.array([300, 500]) - BOX // 2).all()


def test_no_more_than_asked_for_and_the_same_again():
    particles = [(y, x) for y in (60, 150, 240) for x in range(60, 460, 80)]
    first, again, other = (_draw(particles, 7, seed=seed) for seed in (3, 3, 4))
    assert len(first) == len(other) == 7
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("particles", [[], [(2.0, 2.0)]])
def test_none_where_there_is_no_particle_or_no_room(particles):
    assert len(_draw(particles, 5)) == 0
