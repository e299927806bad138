# SPDX-License-Identifier: GPL-3.0-or-later
"""Off-centre negatives: boxes so far off a particle that they are no particle.

A network that has seen only particles in the middle of their boxes and empty background
cannot localise a particle in its box: the poolings discard it. A pick between two
molecules, or on what the border leaves of one, then gets a particle's score. Detectors
learn from such near misses for the same reason (Liu *et al.*, SSD, 2016, section 2.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

NEAREST, FARTHEST = 0.3, 0.5
"""Distances from the particle, as parts of the box: beyond where picks are merged, and
where random background begins."""

_ATTEMPTS = 8
"""Directions tried around each particle."""

_TRIED_PER_CENTRE = 8
"""Particles that are looked at for each centre that is wanted, at most."""


def draw_displaced(
    micrographs: Sequence[Micrograph],
    particles: Mapping[str, ScoredCoordinates],
    occupied: Mapping[str, ScoredCoordinates],
    n_displaced: int,
    *,
    box_size: int,
    rng: np.random.Generator,
) -> dict[str, ScoredCoordinates]:
    """Return centres that lie beside particles, at most one for each.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Where to draw; names differ.
    particles : mapping of micrograph name to ScoredCoordinates
        Those to lie beside.
    occupied : mapping of micrograph name to ScoredCoordinates
        All candidates: centres keep `NEAREST` from every one of them.
    n_displaced : int
        Total number, >= 0; fewer if there is no room.
    box_size : int
        Boxes of this side lie inside the micrograph; pixels.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    dict of micrograph name to ScoredCoordinates
        Whole pixels, without scores; all micrographs, in their order.
    """
    nothing = ScoredCoordinates.from_arrays([])
    given = [particles.get(micrograph.name, nothing).yx for micrograph in micrographs]
    found = [
        _beside(
            yx,
            occupied.get(micrograph.name, nothing).yx,
            micrograph.shape,
            box_size,
            rng,
        )
        for micrograph, yx in zip(
            micrographs, _tried(given, n_displaced, rng), strict=True
        )
    ]
    owner = np.repeat(np.arange(len(found)), [len(yx) for yx in found])
    chosen = np.sort(rng.permutation(len(owner))[:n_displaced])
    yx = np.concatenate([np.empty((0, 2)), *found])[chosen]
    rows = rows_of_groups(owner[chosen], len(micrographs))
    return {
        micrograph.name: ScoredCoordinates.from_arrays(yx[here])
        for micrograph, here in zip(micrographs, rows, strict=True)
    }


def _tried(
    given: Sequence[FloatArray], n_displaced: int, rng: np.random.Generator
) -> list[FloatArray]:
    """Return the particles of each micrograph beside which centres are looked for.

    All of them, unless they are many times what is needed.
    """
    sizes = [len(yx) for yx in given]
    n_most = _TRIED_PER_CENTRE * n_displaced
    if sum(sizes) <= n_most:
        return list(given)
    owner = np.repeat(np.arange(len(given)), sizes)
    chosen = np.sort(rng.choice(len(owner), n_most, replace=False))
    yx = np.concatenate([*given])[chosen]
    return [yx[rows] for rows in rows_of_groups(owner[chosen], len(given))]


def _beside(
    particles_yx: FloatArray,
    occupied_yx: FloatArray,
    shape: tuple[int, int],
    box_size: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Return a free centre beside each particle that has one, shape (m, 2)."""
    if not len(particles_yx):
        return np.empty((0, 2))
    size = (len(particles_yx), _ATTEMPTS)
    # Uniform over the ring's area.
    radius = box_size * np.sqrt(rng.uniform(NEAREST**2, FARTHEST**2, size))
    angle = rng.uniform(0, 2 * np.pi, size)
    away = radius[..., None] * np.stack([np.sin(angle), np.cos(angle)], axis=-1)
    tried = np.round(particles_yx[:, None] + away)
    lowest = box_size // 2
    highest = np.array(shape) - box_size + lowest
    is_inside = ((tried >= lowest) & (tried <= highest)).all(axis=-1)
    distance, _ = cKDTree(np.concatenate([particles_yx, occupied_yx])).query(tried)
    is_free = is_inside & (distance >= NEAREST * box_size)
    first = is_free.argmax(axis=1)
    return np.asarray(tried[np.arange(len(tried)), first][is_free.any(axis=1)])
