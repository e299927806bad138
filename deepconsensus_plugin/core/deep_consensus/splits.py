# SPDX-License-Identifier: GPL-3.0-or-later
"""Split of labelled boxes into training and validation, by micrograph."""

from __future__ import annotations

import numpy as np

from deepconsensus_plugin.core.deep_consensus.datasets import LabelledCoordinates
from deepconsensus_plugin.core.types import BoolArray, IntArray


def limit_per_label(
    rows: LabelledCoordinates, max_boxes: int, rng: np.random.Generator
) -> LabelledCoordinates:
    """Return at most `max_boxes` rows of each label, drawn at random, in order."""
    chosen = [
        rng.choice(index, min(len(index), max_boxes), replace=False)
        for index in (
            np.flatnonzero(rows.is_particle),
            np.flatnonzero(~rows.is_particle),
        )
    ]
    return rows.take(np.sort(np.concatenate(chosen)))


def split_by_micrograph(
    rows: LabelledCoordinates, fraction: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Return row indices for training and for validation, on separate micrographs.

    Micrographs are taken in random order until they hold `fraction` of the boxes of
    each label; one that would take more than twice that of a label, or that adds
    nothing to a label still wanting, is passed over. Boxes of one micrograph share its
    noise, its ice and its defocus, so that a split of single boxes would flatter the
    network; only where whole micrographs cannot do it are single boxes split. Both
    parts hold both labels; there must be two boxes of each.
    """
    labels = (rows.is_particle, ~rows.is_particle)
    held_out = np.zeros(len(rows), dtype=bool)
    for micrograph in rng.permutation(np.unique(rows.micrograph)):
        here = rows.micrograph == micrograph
        if _helps(held_out, here, labels, fraction):
            held_out |= here
    if any(not (held_out & label).any() for label in labels):
        held_out = _hold_out_boxes(labels, fraction, rng)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _helps(
    held_out: BoolArray,
    here: BoolArray,
    labels: tuple[BoolArray, BoolArray],
    fraction: float,
) -> bool:
    """Return whether a micrograph adds to a label that lacks boxes, without excess."""
    adds = False
    for label in labels:
        n_wanted = max(1, fraction * label.sum())
        n_before, n_here = (held_out & label).sum(), (here & label).sum()
        if n_before + n_here > min(2 * n_wanted, label.sum() - 1):
            return False
        adds |= n_before < n_wanted and n_here > 0
    return bool(adds)


def _hold_out_boxes(
    labels: tuple[BoolArray, BoolArray], fraction: float, rng: np.random.Generator
) -> BoolArray:
    """Hold out single boxes, at least one and not all of each label."""
    held_out = np.zeros(len(labels[0]), dtype=bool)
    for label in labels:
        index = rng.permutation(np.flatnonzero(label))
        n = min(max(1, round(fraction * len(index))), len(index) - 1)
        held_out[index[:n]] = True
    return held_out
