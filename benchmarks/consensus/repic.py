# SPDX-License-Identifier: GPL-3.0-or-later
"""REPIC's rule (Cameron *et al.*, Communications Biology, 2023), as a baseline.

Boxes of different pickers that overlap by more than 0.3 are neighbours; a *clique* has
at most one box a picker, all neighbours of each other. An integer programme takes the
cliques of largest total weight, no box twice. REPIC takes cliques of all pickers; ours
may also take smaller ones. A clique's weight is the median confidence of its boxes
times the median overlap of its pairs; its place is the box that overlaps most with the
others.

Confidences are each picker's own, stretched to 0 - 1 over all its picks, since those
of different pickers share no scale; 1 where a picker gave none. Where smaller cliques
count, the weight is multiplied by the number of boxes less one: otherwise four boxes
of one particle would be worth more as two pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

Floats = NDArray[np.floating]
Clique = tuple[int, ...]

MIN_OVERLAP = 0.3
"""Intersection over union of two boxes that show one particle."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of all pickers on one micrograph, n.

    Parameters
    ----------
    yx : array, shape (n, 2)
        Centres, in boxes.
    picker : array, shape (n,), int
        Whose they are.
    confidence : array, shape (n,)
        0 - 1.
    """

    yx: Floats
    picker: NDArray[np.intp]
    confidence: Floats

    def overlap(self, a: int, b: int) -> float:
        """Return the intersection over union of two boxes."""
        (y, x), (other_y, other_x) = self.yx[a], self.yx[b]
        shared = max(1 - abs(y - other_y), 0) * max(1 - abs(x - other_x), 0)
        return float(shared / (2 - shared))


def repic_consensus(
    pickers: Sequence[PickerPicks], *, box_size: float, min_pickers: int
) -> dict[str, ScoredCoordinates]:
    """Return the consensus on micrographs that all pickers observed.

    Parameters
    ----------
    pickers : sequence of PickerPicks
        k of them.
    box_size : float
        Pixels.
    min_pickers : int
        Smallest clique that counts, 2 - k; k is REPIC's.

    Returns
    -------
    dict of ScoredCoordinates
        Scores are the cliques' weights.
    """
    if not 2 <= min_pickers <= len(pickers):
        raise ValueError(
            f"min_pickers must be 2 to {len(pickers)}, received {min_pickers}"
        )
    scales = [_confidence_scale(picks) for picks in pickers]
    observed = set.intersection(*(set(picks.coordinates) for picks in pickers))
    consensus = {}
    for name in sorted(observed):
        found = [picks.coordinates[name] for picks in pickers]
        boxes = Boxes(
            np.concatenate([each.yx for each in found]) / box_size,
            np.repeat(np.arange(len(found)), [len(each) for each in found]),
            np.concatenate(
                [
                    _confidences(each.scores, scale)
                    for each, scale in zip(found, scales, strict=True)
                ]
            ),
        )
        places, weights = choose_cliques(boxes, min_pickers=min_pickers)
        yx = boxes.yx[places] * box_size
        consensus[name] = ScoredCoordinates.from_arrays(yx, weights)
    return consensus


def choose_cliques(
    boxes: Boxes, *, min_pickers: int
) -> tuple[NDArray[np.intp], Floats]:
    """Return the box that stands for each chosen clique, and the cliques' weights."""
    neighbours = find_neighbours(boxes)
    cliques = [c for c in find_cliques(boxes, neighbours) if len(c) >= min_pickers]
    weights = np.array([_weight(boxes, clique) for clique in cliques])
    n_extra = np.array([len(clique) - 1.0 for clique in cliques])
    chosen = _pack(cliques, weights * n_extra, len(boxes.yx))
    places = [_most_central(boxes, cliques[index]) for index in chosen]
    return np.array(places, dtype=np.intp), weights[chosen]


def find_neighbours(boxes: Boxes) -> list[set[int]]:
    """Return, for each box, those of later pickers that overlap enough with it."""
    least_shared = 2 * MIN_OVERLAP / (1 + MIN_OVERLAP)
    neighbours: list[set[int]] = [set() for _ in boxes.yx]
    if len(boxes.yx):
        # One axis alone may shift boxes by so much; the other then by nothing.
        pairs = cKDTree(boxes.yx).query_pairs(1 - least_shared, p=np.inf)
        for a, b in pairs:
            if boxes.picker[a] != boxes.picker[b] and boxes.overlap(a, b) > MIN_OVERLAP:
                first, second = sorted((a, b), key=lambda box: boxes.picker[box])
                neighbours[first].add(second)
    return neighbours


def find_cliques(boxes: Boxes, neighbours: Sequence[set[int]]) -> list[Clique]:
    """Return every clique of two boxes or more, in the order of the pickers."""
    cliques: list[Clique] = []
    growing = [((box,), neighbours[box]) for box in range(len(boxes.yx))]
    while growing:
        clique, common = growing.pop()
        if len(clique) > 1:
            cliques.append(clique)
        growing += [((*clique, box), common & neighbours[box]) for box in common]
    return sorted(cliques)


def _weight(boxes: Boxes, clique: Clique) -> float:
    overlaps = [boxes.overlap(a, b) for a, b in combinations(clique, 2)]
    return median(boxes.confidence[list(clique)].tolist()) * median(overlaps)


def _most_central(boxes: Boxes, clique: Clique) -> int:
    shared = [sum(boxes.overlap(a, b) for b in clique) for a in clique]
    return clique[int(np.argmax(shared))]


def _pack(cliques: Sequence[Clique], weights: Floats, n_boxes: int) -> NDArray[np.intp]:
    """Return the cliques of the largest total weight that share no box."""
    if not cliques:
        return np.empty(0, dtype=np.intp)
    box = np.concatenate([np.array(clique) for clique in cliques])
    column = np.repeat(np.arange(len(cliques)), [len(clique) for clique in cliques])
    uses = csr_matrix((np.ones(len(box)), (box, column)), shape=(n_boxes, len(cliques)))
    solution = milp(
        -weights,
        constraints=LinearConstraint(uses, ub=1),
        integrality=np.ones(len(weights)),
        bounds=Bounds(0, 1),
    )
    if solution.x is None:
        raise RuntimeError(f"{len(weights)} cliques: {solution.message}")
    return np.flatnonzero(solution.x > 0.5)


def _confidence_scale(picks: PickerPicks) -> tuple[float, float]:
    """Return the least score of a picker's picks, and the range of all of them."""
    scores = np.concatenate([each.scores for each in picks.coordinates.values()])
    known = scores[~np.isnan(scores)]
    if not len(known):
        return 0.0, 0.0
    return float(known.min()), float(np.ptp(known))


def _confidences(scores: Floats, scale: tuple[float, float]) -> Floats:
    least, width = scale
    if not width:
        return np.ones(len(scores))
    return np.where(np.isnan(scores), 1.0, (scores - least) / width)
