# SPDX-License-Identifier: GPL-3.0-or-later
"""Systematic errors between two pickers: corners for centres, mirrored, binned.

An import that is wrong in this way leaves no agreement. It must be reported, instead of
ending in a silently empty consensus; and pickers that merely disagree must raise no
alarm. So other explanations are tried only where agreement in place is poor, and one
must be far from chance and clearly better than the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from deepconsensus_plugin.core.alignment.confinement import measure_extent
from deepconsensus_plugin.core.alignment.misalignment import SMALL_SHIFT, Misalignment
from deepconsensus_plugin.core.alignment.placement import Placement, PointPairs
from deepconsensus_plugin.core.alignment.superposition import (
    best_placements,
    matched_share,
    other_placements,
    refine_placement,
)
from deepconsensus_plugin.core.types import PickerPicks

__all__ = ["Misalignment", "find_misalignments", "measure_misalignment"]

MIN_PICKS = 20
"""Fewest picks of each picker for a search."""

_ENOUGH_PICKS = 1500
_ENOUGH_TO_SEARCH = 500
"""Micrographs are compared, those with most picks first, up to so many picks; fewer
where hundreds of explanations are tried."""

_IN_PLACE = 0.25
"""Points that pile up within this part of the box of no shift agree in place."""

_CHANCE_IN_PLACE = 1e-6
_CHANCE_ELSEWHERE = 1e-12
"""Low enough for the hundreds of thousands of places that are looked at."""

_GOOD_AGREEMENT = 0.5
_MIN_FRACTION = 0.2
_CLEARLY = 2.0
"""The right explanation gathers so many times as many points as any other."""


def measure_misalignment(
    reference: PickerPicks,
    other: PickerPicks,
    shapes: Mapping[str, tuple[int, int]],
    *,
    box_size: float,
) -> Misalignment:
    """Return how `other` lies relative to `reference`.

    Parameters
    ----------
    reference, other : PickerPicks
        Compared on the micrographs that both observed and `shapes` holds, those with
        most picks.
    shapes : mapping of micrograph name to (rows, columns)
        Pixels.
    box_size : float
        Pixels of the micrographs, > 0.

    Returns
    -------
    Misalignment
        Not significant if there are fewer than 20 picks to compare, if the picks agree
        in place with a shift below 0.025 of the box, or if no explanation stands out.
    """
    if not 0 < box_size < np.inf:
        raise ValueError(f"box_size must be > 0, received {box_size}")
    pairs = points_to_compare(reference, other, shapes)
    n_compared = min(sum(len(p.a) for p in pairs), sum(len(p.b) for p in pairs))
    placement, is_significant = (
        Placement(fraction=matched_share(pairs, box_size)),
        False,
    )
    if n_compared >= MIN_PICKS:
        placement, is_significant = _explain(pairs, box_size)
    return Misalignment(
        reference=reference.picker,
        other=other.picker,
        box_size=float(box_size),
        n_compared=n_compared,
        matched_fraction=placement.fraction,
        shift_yx=placement.shift_yx,
        scale=placement.scale,
        flip_y=placement.orientation.flip_y,
        flip_x=placement.orientation.flip_x,
        swapped_xy=placement.orientation.swapped_xy,
        is_significant=is_significant,
        stretch_x=placement.stretch_x,
    )


def points_to_compare(
    reference: PickerPicks, other: PickerPicks, shapes: Mapping[str, tuple[int, int]]
) -> list[PointPairs]:
    """Return the points of both on micrographs that both know, those with most first.

    Up to the number that a systematic error needs; none where a picker found nothing.
    """
    common = []
    for name in sorted(set(reference.coordinates) & set(other.coordinates)):
        a, b = reference.coordinates[name].yx, other.coordinates[name].yx
        if len(a) and len(b) and name in shapes:
            common.append(PointPairs(a, b, shapes[name]))
    common.sort(key=lambda p: -min(len(p.a), len(p.b)))
    return _first_with(common, _ENOUGH_PICKS)


def _first_with(pairs: list[PointPairs], n_picks: int) -> list[PointPairs]:
    """Return the first that together have so many picks of either picker, or all."""
    so_far = np.cumsum([min(len(p.a), len(p.b)) for p in pairs])
    return pairs[: int((so_far < n_picks).sum()) + 1]


def _explain(pairs: list[PointPairs], box_size: float) -> tuple[Placement, bool]:
    """Return the placement that explains the picks, and whether it is significant."""
    here, next_best = best_placements(pairs, Placement(), box_size)
    agrees = (
        here.chance < _CHANCE_IN_PLACE
        and here.fraction > _CLEARLY * next_best.fraction
        and float(np.hypot(*here.shift_yx)) <= _IN_PLACE * box_size
    )
    if agrees and here.fraction >= _GOOD_AGREEMENT:
        return _small_shift(pairs, here, box_size)
    some = _first_with(pairs, _ENOUGH_TO_SEARCH)
    tried = sorted(other_placements(some, box_size), key=lambda p: -p.fraction)
    best = tried[0]
    rivals = [p for p in tried if not p.is_like(best, box_size=box_size)]
    stands_out = best.chance < _CHANCE_ELSEWHERE and best.fraction > _MIN_FRACTION
    stands_out &= all(best.fraction > _CLEARLY * rival.fraction for rival in rivals)
    if agrees and best.is_like(here, box_size=box_size):
        return _small_shift(pairs, max(here, best, key=_fraction), box_size)
    if agrees and not stands_out:
        return _small_shift(pairs, here, box_size)
    if not stands_out:
        return Placement(fraction=matched_share(pairs, box_size)), False
    return refine_placement(pairs, best, box_size)[0], True


def _small_shift(
    pairs: Sequence[PointPairs], here: Placement, box_size: float
) -> tuple[Placement, bool]:
    placement, error = refine_placement(pairs, here, box_size)
    shift = float(np.hypot(*placement.shift_yx))
    rows, columns = pairs[0].shape
    drift = max(
        abs(placement.scale - 1) * rows / 2,
        abs(placement.scale * placement.stretch_x - 1) * columns / 2,
    )
    return placement, max(shift, drift) > max(SMALL_SHIFT * box_size, 4 * error)


def _fraction(placement: Placement) -> float:
    return placement.fraction


def find_misalignments(
    pickers: Sequence[PickerPicks],
    shapes: Mapping[str, tuple[int, int]],
    *,
    box_size: float,
) -> list[Misalignment]:
    """Return the significant misalignments among pickers, gross ones first.

    Each picker is compared with the one that agrees best with all others in place, so
    that one picker that is wrong is reported once, and by its own name.

    Parameters
    ----------
    pickers : sequence of PickerPicks
        In any order; names differ.
    shapes, box_size
        As for `measure_misalignment`.
    """
    found = [
        measure_misalignment(reference, other, shapes, box_size=box_size)
        for reference, other in pairs_to_compare(pickers, shapes, box_size=box_size)
    ]
    significant = [each for each in found if each.is_significant]
    return sorted(significant, key=lambda each: (not each.is_gross, each.other))


def pairs_to_compare(
    pickers: Sequence[PickerPicks],
    shapes: Mapping[str, tuple[int, int]],
    *,
    box_size: float,
) -> list[tuple[PickerPicks, PickerPicks]]:
    """Return each picker, by name, behind the one that agrees best with all others.

    That one is not among those whose extents tell a wrong scale, if any is not; of two
    that agree as well with all others, it is the one that fits its micrographs better.
    """
    pickers = sorted(pickers, key=lambda p: p.picker)
    agreement = np.zeros(len(pickers))
    for i, j in combinations(range(len(pickers)), 2):
        pairs = points_to_compare(pickers[i], pickers[j], shapes)
        agreement[[i, j]] += matched_share(pairs, box_size)
    # The extents of the picks tell the wrong one of two.
    extents = [measure_extent(each, shapes) for each in pickers]
    suspect = [each is not None and each.is_suspect for each in extents]
    if not all(suspect):
        agreement[suspect] = -1
    reference = int(agreement.argmax()) if len(pickers) else 0
    for index, each in enumerate(extents):
        best = extents[reference]
        if agreement[index] == agreement[reference] and each and best:
            unsure = max(best.tolerance, each.tolerance)
            if best.deviation - each.deviation > unsure:
                reference = index
    return [
        (pickers[reference], other)
        for index, other in enumerate(pickers)
        if index != reference
    ]
