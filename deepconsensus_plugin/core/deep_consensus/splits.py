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

    Micrographs are added in random order until they hold `fraction` of the boxes of
    each label. A micrograph is skipped if it would exceed twice that of a label, or if
    it adds nothing to a label that is short of it. Boxes of one micrograph share noise,
    ice and defocus, so that a split of single boxes would overestimate the network;
    single boxes are split only if whole micrographs do not suffice. Both parts hold
    both labels; there must be two boxes of each.
    """
    labels = (rows.is_particle, ~rows.is_particle)
    numbers, index = np.unique(rows.micrograph, return_inverse=True)
    index = index.reshape(-1)
    counts = np.stack(
        [np.bincount(index[label], minlength=len(numbers)) for label in labels], axis=1
    )
    chosen = _choose_micrographs(counts, fraction, rng.permutation(len(numbers)))
    held_out = np.asarray(chosen[index])
    if any(not (held_out & label).any() for label in labels):
        held_out = _hold_out_boxes(labels, fraction, rng)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def split_at_random(
    rows: LabelledCoordinates, fraction: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Return row indices for training and for validation, boxes drawn at random.

    As the paper does (section 2.2); boxes of one micrograph may be in both parts. Each
    part holds both labels; there must be two boxes of each.
    """
    held_out = _hold_out_boxes((rows.is_particle, ~rows.is_particle), fraction, rng)
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _choose_micrographs(
    counts: IntArray, fraction: float, order: IntArray
) -> BoolArray:
    """Return the micrographs to hold out, tried in `order`.

    A micrograph must add to a label that is short without exceeding either limit.

    Parameters
    ----------
    counts : array, shape (m, 2), int
        Boxes of each label on each micrograph.
    fraction : float
        Fraction of the boxes of each label, to hold out.
    order : array, shape (m,), int
        Rows of `counts`.
    """
    totals = counts.sum(axis=0)
    wanted = np.maximum(1, fraction * totals)
    most = np.minimum(2 * wanted, totals - 1)
    chosen, taken = np.zeros(len(counts), dtype=bool), np.zeros(2, dtype=np.int64)
    for row in order.tolist():
        here = counts[row]
        adds = ((taken < wanted) & (here > 0)).any()
        if adds and (taken + here <= most).all():
            chosen[row] = True
            taken += here
    return chosen


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
