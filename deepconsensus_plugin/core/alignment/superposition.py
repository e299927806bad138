# SPDX-License-Identifier: GPL-3.0-or-later
"""Search for the shift, scale and mirroring between two pickers' points.

If two pickers saw the same particles, the differences between their points pile up at
one place, the shift; everything else spreads evenly. Mirrored or exchanged axes are
tried one by one. A scale shows as a pile of ratios between the distances from the
corner of points seen in the same direction from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.spatial import cKDTree
from scipy.special import pdtrc

from deepconsensus_plugin.core.alignment.placement import (
    Orientation,
    Placement,
    PointPairs,
)
from deepconsensus_plugin.core.types import FloatArray

_REACH = 1.0
"""Largest shift that is searched along either axis, boxes."""

_BINS_PER_BOX = 20
_PILE = 3
"""Width of the peak in the histogram of differences, bins (0.15 of the box)."""

_COMMON_SCALES = (1 / 8, 1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 2, 2.0, 3.0, 4.0, 8.0)
"""Binnings; tried with every shift, where other scales must have a small one."""

_SIMPLE_IF_WITHIN = 0.003
"""Relative tolerance within which a fitted scale is replaced by 1 or a common
binning."""

_LEAST_LOG_STRETCH = 0.02
"""Less is told by the shift, or is none."""

_MAX_LOG_SCALE = np.log(10.0)
_LOG_SCALE_BINS = 1200


def best_placements(
    pairs: Sequence[PointPairs], placement: Placement, box_size: float
) -> list[Placement]:
    """Return the two shifts at which most points pile up, best first.

    Parameters
    ----------
    pairs : sequence of PointPairs
        By micrograph; no set empty.
    placement : Placement
        Its orientation and scale are kept.
    box_size : float
        Pixels of a. Shifts up to one box are looked at; the two differ by 0.3 of it.
    """
    reach = _REACH * box_size
    n_bins = int(2 * _REACH * _BINS_PER_BOX)
    dy, dx = differences_within(pairs, placement, reach).T
    counts, edges, _ = np.histogram2d(dy, dx, n_bins, [[-reach, reach]] * 2)
    expected = max(float(counts.mean()) * _PILE**2, 1e-3)
    piles = uniform_filter(counts, _PILE, mode="constant") * _PILE**2
    found = []
    for _ in range(2):
        best = np.unravel_index(int(piles.argmax()), piles.shape)
        pile = round(float(piles[best]))
        centre = (edges[1:] + edges[:-1])[list(best)] / 2
        placed = replace(
            placement,
            shift_yx=tuple(centre.tolist()),
            fraction=max(0.0, pile - expected) / _smaller(pairs),
            chance=float(pdtrc(max(pile - 1, 0), expected)),
        )
        found.append(placed)
        offsets = np.abs((edges[1:] + edges[:-1])[:, None] / 2 - centre)
        near_y, near_x = (offsets < 0.3 * box_size).T
        piles = np.where(near_y[:, None] & near_x, 0.0, piles)
    return found


def _smaller(pairs: Sequence[PointPairs]) -> int:
    return min(sum(len(p.a) for p in pairs), sum(len(p.b) for p in pairs))


def differences_within(
    pairs: Sequence[PointPairs], placement: Placement, reach: float
) -> FloatArray:
    """Return b - a of all pairs of points within reach along both axes, shape (n, 2).

    Pixels of a, which is oriented as `placement` says; its shift is not applied.
    """
    parts = [np.empty((0, 2))]
    for each in pairs:
        a, b = placement.oriented(each)
        near = cKDTree(a).sparse_distance_matrix(
            cKDTree(b), reach, p=np.inf, output_type="ndarray"
        )
        parts.append(b[near["j"]] - a[near["i"]])
    return np.concatenate(parts)


def other_placements(
    pairs: Sequence[PointPairs], box_size: float
) -> Iterator[Placement]:
    """Yield the best placements of every orientation and scale worth a trial."""
    for flags in product((False, True), repeat=3):
        turned = Placement(Orientation(*flags))
        scales = {1.0, *_COMMON_SCALES, _estimate_scale(pairs, turned, box_size)}
        for scale in sorted(scales):
            yield from best_placements(pairs, replace(turned, scale=scale), box_size)
    yield from _stretched_placements(pairs, box_size)


def _stretched_placements(
    pairs: Sequence[PointPairs], box_size: float
) -> Iterator[Placement]:
    """Yield placements in which one axis, or both, were scaled to another shape."""
    along_y, along_x = (_estimate_along(pairs, axis, 0.1 * box_size) for axis in (0, 1))
    rows, columns = pairs[0].shape
    square = Placement(stretch_x=rows / columns)
    square = replace(square, scale=_estimate_scale(pairs, square, box_size))
    for tried in (
        Placement(stretch_x=along_x),
        Placement(scale=along_y, stretch_x=1 / along_y),
        square,
    ):
        if abs(np.log(tried.stretch_x)) > _LEAST_LOG_STRETCH:
            yield from best_placements(pairs, tried, box_size)


def _estimate_along(
    pairs: Sequence[PointPairs], axis: int, tolerance_px: float
) -> float:
    """Return the ratio along an axis that most points level on the other share."""
    edges = np.linspace(-_MAX_LOG_SCALE, _MAX_LOG_SCALE, _LOG_SCALE_BINS + 1)
    counts = np.zeros(_LOG_SCALE_BINS)
    for each in pairs:
        a, b = np.maximum(each.a, 1e-9), np.maximum(each.b, 1e-9)
        level = np.abs(b[None, :, 1 - axis] - a[:, None, 1 - axis]) < tolerance_px
        ratios = np.log(b[None, :, axis] / a[:, None, axis])[level]
        counts += np.histogram(ratios, edges)[0]
    peak = int(uniform_filter(counts, 3, mode="constant").argmax())
    return float(np.exp((edges[peak] + edges[peak + 1]) / 2))


def _estimate_scale(
    pairs: Sequence[PointPairs], placement: Placement, box_size: float
) -> float:
    """Return the ratio that most points seen in one direction from the corner share."""
    edges = np.linspace(-_MAX_LOG_SCALE, _MAX_LOG_SCALE, _LOG_SCALE_BINS + 1)
    counts = np.zeros(_LOG_SCALE_BINS)
    for each in pairs:
        a, b = placement.oriented(each)
        counts += np.histogram(_log_ratios(a, b, 0.1 * box_size), edges)[0]
    peak = int(uniform_filter(counts, 3, mode="constant").argmax())
    return float(np.exp((edges[peak] + edges[peak + 1]) / 2))


def _log_ratios(a: FloatArray, b: FloatArray, tolerance_px: float) -> FloatArray:
    """Return log |b| / |a| of all points in the same direction, but for tolerance."""
    angle_a, angle_b = (np.arctan2(*points.T) for points in (a, b))
    length_a, length_b = (np.hypot(*points.T) + 1e-9 for points in (a, b))
    order = np.argsort(angle_b)
    slack = np.minimum(tolerance_px / length_a, 0.1)
    first = np.searchsorted(angle_b[order], angle_a - slack)
    last = np.searchsorted(angle_b[order], angle_a + slack)
    each_a = np.repeat(np.arange(len(a)), last - first)
    starts = np.repeat(first - np.cumsum(last - first) + (last - first), last - first)
    each_b = order[starts + np.arange(len(each_a))]
    return np.asarray(np.log(length_b[each_b] / length_a[each_a]))


def refine_placement(
    pairs: Sequence[PointPairs], placement: Placement, box_size: float
) -> tuple[Placement, float]:
    """Fit scale and shift to the points that match, by least squares.

    Returns
    -------
    placement : Placement
        With the fitted scale and shift; `fraction` is the share of the smaller set
        that then has its mutually nearest point within 0.1 of the box.
    error_px : float
        Standard error of the shift along one axis; infinite with fewer than 3 matches.
    """
    fitted, error = _fit(pairs, placement, box_size)
    simple = min((1.0, *_COMMON_SCALES), key=lambda s: abs(np.log(s / fitted.scale)))
    if abs(np.log(simple / fitted.scale)) < _SIMPLE_IF_WITHIN:
        rounded = replace(fitted, scale=simple)
        kept, error = _fit(pairs, rounded, box_size, fits_scale=False)
        if kept.fraction > 0.95 * fitted.fraction:
            return kept, error
    return fitted, error


def matched_share(pairs: Sequence[PointPairs], box_size: float) -> float:
    """Return the share of the smaller set that matches in place: within 0.1 box."""
    return _matches(pairs, Placement(), 0.1 * box_size)[2]


def _fit(
    pairs: Sequence[PointPairs],
    placement: Placement,
    box_size: float,
    *,
    fits_scale: bool = True,
) -> tuple[Placement, float]:
    for tolerance in (0.25, 0.15, 0.15):
        a, b, _ = _matches(pairs, placement, tolerance * box_size)
        if len(a) < 3:
            return replace(placement, fraction=0.0), np.inf
        if fits_scale and placement.stretch_x != 1:
            b = b * (1.0, placement.stretch_x)
            along_y, along_x = (
                _fitted_scale(a[:, [axis]], b[:, [axis]], placement.scale)
                for axis in (0, 1)
            )
            stretch_x = along_x / along_y
            placement = replace(placement, scale=along_y, stretch_x=stretch_x)
            b = placement.unstretched(b)
        elif fits_scale:
            fitted = _fitted_scale(a, b, placement.scale)
            placement = replace(placement, scale=fitted)
        shift = (b / placement.scale - a).mean(axis=0)
        placement = replace(placement, shift_yx=tuple(shift.tolist()))
    a, b, fraction = _matches(pairs, placement, 0.1 * box_size)
    spread = (b / placement.scale - a).std(axis=0).max() if len(a) > 2 else np.inf
    return replace(placement, fraction=fraction), float(spread / np.sqrt(len(a) or 1))


def _fitted_scale(a: FloatArray, b: FloatArray, start: float) -> float:
    centred = a - a.mean(axis=0)
    spread = float((centred**2).sum())
    return float((centred * (b - b.mean(axis=0))).sum()) / spread if spread else start


def _matches(
    pairs: Sequence[PointPairs], placement: Placement, tolerance_px: float
) -> tuple[FloatArray, FloatArray, float]:
    """Return oriented a, unstretched b of mutually nearest points, and their share."""
    parts_a, parts_b = [np.empty((0, 2))], [np.empty((0, 2))]
    for each in pairs:
        a, b = placement.oriented(each)
        moved = a + placement.shift_yx
        distance, nearest_b = cKDTree(b).query(moved)
        _, nearest_a = cKDTree(moved).query(b)
        mutual = nearest_a[nearest_b] == np.arange(len(a))
        mutual &= distance <= tolerance_px
        parts_a.append(a[mutual])
        parts_b.append(placement.unstretched(each.b[nearest_b[mutual]]))
    matched_a, matched_b = np.concatenate(parts_a), np.concatenate(parts_b)
    return matched_a, matched_b, len(matched_a) / max(1, _smaller(pairs))
