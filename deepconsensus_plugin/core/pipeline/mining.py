# SPDX-License-Identifier: GPL-3.0-or-later
"""Mining of hard negatives in a whole set of micrographs.

Features are computed of a limited number of random boxes, so that only the time to read
micrographs grows with their number.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.declared import Declared
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.limits import (
    Count,
    NotNegative,
    NotNegativeInt,
    Side,
)
from deepconsensus_plugin.core.negatives import draw_random_negatives
from deepconsensus_plugin.core.negatives.hard import (
    NegativeKind,
    allocate_quota,
    contaminated_places,
    outlying_singles,
    worst_agreed,
)
from deepconsensus_plugin.core.negatives.sorting import FEATURES, sorting_zscores
from deepconsensus_plugin.core.pipeline.box_statistics import statistics_of_boxes
from deepconsensus_plugin.core.pipeline.centres import Centres
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray, Micrograph

logger = logging.getLogger(__name__)

_MAX_BOXES = 20_000
"""Largest number of examined boxes of each role, on all micrographs together."""

_MIN_AGREED = 50
"""Fewest agreed particles from which their statistics are estimated."""

_PLACES_PER_MICROGRAPH = 128

MINED_KINDS = (NegativeKind.SINGLE_PICKER, NegativeKind.CONTAMINATION)
"""Kinds that are mined besides rejected agreed particles."""


class _Role(Enum):
    AGREED = 0
    SINGLE = 1
    PLACE = 2


@dataclass(frozen=True)
class MiningRules(Declared):
    """Rules for hard negatives: which boxes may become one.

    Parameters
    ----------
    box_size : int
        Pixels. Boxes that are not inside their micrograph are not considered.
    exclusion_radius_px : float
        Except for agreed particles that are sorted out, all are farther than this
        from every agreed particle.
    min_pickers : int
        How many pickers must agree on a particle.
    n_most : int
        How many to return in all: shared evenly by the kinds, worst first.
    kinds : frozenset of NegativeKind
        Which kinds are wanted.
    """

    box_size: Side
    exclusion_radius_px: NotNegative
    min_pickers: Count
    n_most: NotNegativeInt
    kinds: frozenset[NegativeKind] = frozenset([NegativeKind.SORTED_OUT, *MINED_KINDS])


def mine_hard_negatives(
    micrographs: Sequence[Micrograph],
    candidates: Candidates,
    rules: MiningRules,
    *,
    rng: np.random.Generator,
    workers: int,
    progress: Progress,
) -> Centres:
    """Return background that looks like particles.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs that all pickers observed; no others are used.
    candidates : Candidates
        Candidates of these and perhaps more micrographs.
    rules : MiningRules
        Rules of the mining.
    rng : numpy.random.Generator
        Generator of the choice of boxes.
    workers : int
        Threads that read micrographs.
    progress : Progress
        Counts the micrographs.

    Returns
    -------
    Centres
        `kind` holds values of `NegativeKind`.
    """
    centres = _centres_to_look_at(micrographs, candidates, rules, rng)
    order = np.argsort(centres.micrograph, kind="stable")
    centres = centres.take(order)
    features = _features(micrographs, centres, rules.box_size, workers, progress)
    rows = _rows_by_kind(centres.kind, features)
    wanted = {kind: len(rows[kind]) for kind in rows if kind in rules.kinds}
    shares = allocate_quota(wanted, rules.n_most)
    parts = []
    for kind, n in shares.items():
        logger.info("%s: took %d of %d", kind.name, n, len(rows[kind]))
        part = centres.take(rows[kind][:n])
        parts.append(replace(part, kind=np.full(n, kind.value)))
    return Centres.joined(parts)


def _centres_to_look_at(
    micrographs: Sequence[Micrograph],
    candidates: Candidates,
    rules: MiningRules,
    rng: np.random.Generator,
) -> Centres:
    """Return agreed particles, single picks and random places, up to the maximum.

    Single picks and random places keep the exclusion radius from agreed particles.
    """
    agreed = candidates.agreed(rules.min_pickers)
    places = draw_random_negatives(
        micrographs,
        agreed,
        min(_MAX_BOXES, _PLACES_PER_MICROGRAPH * len(micrographs)),
        box_size=rules.box_size,
        exclusion_radius_px=rules.exclusion_radius_px,
        rng=rng,
    )
    singles = candidates.take(candidates.votes == 1).coordinates()
    if len(candidates.pickers) < 2:
        singles = {}
    far_singles = {
        name: picks.take(_are_far(picks.yx, agreed[name].yx, rules.exclusion_radius_px))
        for name, picks in singles.items()
    }
    sets = {_Role.AGREED: agreed, _Role.SINGLE: far_singles, _Role.PLACE: places}
    parts = []
    for role, coordinates in sets.items():
        part = Centres.of(coordinates, micrographs, role)
        part = part.take(part.are_inside(micrographs, rules.box_size))
        chosen = rng.permutation(len(part))[:_MAX_BOXES]
        parts.append(part.take(np.sort(chosen)))
    return Centres.joined(parts)


def _are_far(yx: FloatArray, others: FloatArray, radius_px: float) -> BoolArray:
    if not len(others):
        return np.ones(len(yx), dtype=bool)
    return np.asarray(cKDTree(others).query(yx)[0] > radius_px)


def _features(
    micrographs: Sequence[Micrograph],
    centres: Centres,
    box_size: int,
    workers: int,
    progress: Progress,
) -> FloatArray:
    """Return the features of all boxes; `centres` are sorted by micrograph."""
    rows = rows_of_groups(centres.micrograph, len(micrographs))

    used = [int(index) for index in np.unique(centres.micrograph)]
    items = ((micrographs[i].path, centres.yx[rows[i]]) for i in used)
    look = functools.partial(_statistics, box_size)
    parts = [np.empty((0, len(FEATURES)))]
    with progress.stage("look for hard negatives", len(used)) as advance:
        for part in progress.executor.map(look, items, workers=workers):
            parts.append(part)
            advance(1)
    return np.concatenate(parts)


def _statistics(box_size: int, item: tuple[Path, FloatArray]) -> FloatArray:
    """Return the features of the boxes of a micrograph: its path, and centres."""
    return statistics_of_boxes(*item, box_size)


def _rows_by_kind(
    roles: IntArray, features: FloatArray
) -> dict[NegativeKind, IntArray]:
    """Return the rows of possible hard negatives, worst first."""
    index = {role: np.flatnonzero(roles == role.value) for role in _Role}
    agreed = features[index[_Role.AGREED]]
    if len(agreed) < _MIN_AGREED:
        logger.warning(
            "Only %d agreed particles to compare with: no hard negatives", len(agreed)
        )
        return {}
    agreed_z = sorting_zscores(agreed, agreed)
    single_z = sorting_zscores(features[index[_Role.SINGLE]], agreed)
    places = contaminated_places(features[index[_Role.PLACE]], agreed)
    return {
        NegativeKind.SORTED_OUT: index[_Role.AGREED][worst_agreed(agreed_z)],
        NegativeKind.SINGLE_PICKER: index[_Role.SINGLE][
            outlying_singles(single_z, agreed_z)
        ],
        NegativeKind.CONTAMINATION: index[_Role.PLACE][places],
    }
