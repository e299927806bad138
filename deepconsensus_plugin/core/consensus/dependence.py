# SPDX-License-Identifier: GPL-3.0-or-later
"""Dependence of pickers: votes that are no evidence beside those of another picker.

A copy of a picker, another version of the same program, and a picker that was trained
on the picks of others agree with those whatever the picks are. Two good pickers on easy
micrographs agree nearly everywhere too, but their centres differ, and so do the few
picks that nobody else confirms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.consensus.merged_centres import (
    share_at_merged_centres,
)
from deepconsensus_plugin.core.consensus.shared_picks import (
    are_near,
    mutual_distances,
    on_micrographs,
    places_on,
    some_common_micrographs,
)
from deepconsensus_plugin.core.types import PickerPicks

MOST_IDENTICAL = 0.7
"""Share of the smaller picker's picks that may lie at the very places of another's. At
most .09 do on real picks of different programs; in boxes of 20 - 40 px, more may."""

MOST_SHARED = 0.98
"""Share of the smaller picker's picks that may be found by the other. On real picks it
is .93 at most, .99 for two versions of one program and, at other centres, for pickers
without training on crowded simulated micrographs."""

_SAME_PLACE = 0.01
"""Distance of identical centres, as a part of the box, but at least `_ROUNDING_PX`."""
_ROUNDING_PX = 0.75
"""Distance between a centre and itself with both coordinates rounded, pixels."""

_CLOSE = 0.04
"""Median distance of shared picks of one program, as a part of the box, at most: .028
for two versions of one, .03 - .09 for different ones on real micrographs."""

_LARGEST_RATIO = 1.5
"""Ratio of the numbers of picks up to which a shared share tells: a picker that takes
nearly everything contains all others."""

_MOST_PICKS = 50_000
"""Picks that tell shares to .005, on micrographs that are spread evenly."""

_FEWEST_PICKS = 50
"""Fewest picks of the smaller one for a comparison."""

_FEWEST_DOUBTFUL, _MOST_DOUBTFUL = 20, 0.8
"""Picks that no third picker confirms, fewer of which show no dependence, and the share
of them that the other picker may have found: of six real pickers, .9 for two versions
of one program, .6 at most for different ones."""


@dataclass(frozen=True)
class Dependence:
    """Picker whose votes are counted with those of another.

    Parameters
    ----------
    picker, other : str
        Its name, and the name of the other.
    reason : str
        What shows it, as a clause.
    """

    picker: str
    other: str
    reason: str

    def describe(self) -> str:
        """Return what follows from it, as a sentence."""
        return (
            f"WARNING: {self.picker} is no independent picker: {self.reason}. Its "
            f"votes are counted as one with those of {self.other}."
        )


def find_dependences(
    pickers: Sequence[PickerPicks],
    *,
    box_size: float,
    radius_px: float,
    ignored: Sequence[str] = (),
) -> list[Dependence]:
    """Return the pickers that depend on others, in order of their names.

    Parameters
    ----------
    pickers : sequence of PickerPicks
        In any order; names differ.
    box_size : float
        Box, pixels.
    radius_px : float
        Distance up to which picks are of one particle, pixels.
    ignored : sequence of str
        Micrographs that are not looked at.
    """
    left_out = frozenset(ignored)
    looked_at = [
        on_micrographs(each, [n for n in each.coordinates if n not in left_out])
        for each in pickers
    ]
    ranked = sorted(looked_at, key=lambda each: (-len(each), each.picker))
    independent: list[PickerPicks] = []
    found = []
    for picks in ranked:
        others = [each for each in independent if picks.picker not in each.trained_on]
        dependence = _trained(picks, ranked, radius_px)
        for other in others if dependence is None else ():
            third = [each for each in ranked if each not in (picks, other)]
            dependence = _alike(picks, other, third, box_size, radius_px)
            if dependence is not None:
                break
        if dependence is None:
            independent.append(picks)
        else:
            found.append(dependence)
    for picks in independent:
        others = [each for each in independent if each is not picks]
        if dependence := _selected(picks, others, box_size, radius_px):
            found.append(dependence)
    return sorted(found, key=lambda each: each.picker)


def group_votes(
    names: Sequence[str], dependences: Sequence[Dependence]
) -> tuple[str, ...]:
    """Return the picker with which each one's votes are counted; empty if its own."""
    if not dependences:
        return ()
    other = {each.picker: each.other for each in dependences}
    groups = []
    for name in names:
        seen = {name}
        while name in other and other[name] not in seen:
            name = other[name]
            seen.add(name)
        groups.append(name)
    return tuple(groups)


def _trained(
    picks: PickerPicks, pickers: Sequence[PickerPicks], radius_px: float
) -> Dependence | None:
    """Return the dependence of a picker that was trained on others that are there."""
    teachers = [each for each in pickers if each.picker in picks.trained_on]
    if not teachers:
        return None
    names = " and ".join(sorted(each.picker for each in teachers))
    nearest = _nearest(picks, teachers, radius_px)
    return Dependence(picks.picker, nearest, f"it was trained on picks of {names}")


def _selected(
    picks: PickerPicks,
    others: Sequence[PickerPicks],
    box_size: float,
    radius_px: float,
) -> Dependence | None:
    """Return the dependence of a picker that selects candidates of others."""
    if len(others) < 2 or len(picks) < _FEWEST_PICKS:
        return None
    share = share_at_merged_centres(
        picks, others, radius_px=radius_px, same_px=_same_px(box_size)
    )
    if share <= MOST_IDENTICAL:
        return None
    nearest = _nearest(picks, others, radius_px)
    return Dependence(
        picks.picker,
        nearest,
        f"{share:.0%} of its picks are at the centres of candidates of the others",
    )


def _nearest(
    picks: PickerPicks, others: Sequence[PickerPicks], radius_px: float
) -> str:
    """Return the name of the picker that shares most picks."""
    shared = [len(mutual_distances(picks, each, radius_px)) for each in others]
    return others[int(np.argmax(shared))].picker


def _same_px(box_size: float) -> float:
    """Return the distance up to which centres are the same, pixels."""
    return max(_SAME_PLACE * box_size, _ROUNDING_PX)


def _alike(
    smaller: PickerPicks,
    larger: PickerPicks,
    third: Sequence[PickerPicks],
    box_size: float,
    radius_px: float,
) -> Dependence | None:
    """Return the dependence of a picker on one with at least as many picks."""
    names = some_common_micrographs(smaller, larger, n_picks=_MOST_PICKS)
    smaller, larger = on_micrographs(smaller, names), on_micrographs(larger, names)
    n, m = len(smaller), len(larger)
    if n < _FEWEST_PICKS:
        return None
    distances = mutual_distances(smaller, larger, radius_px)
    identical = int((distances <= _same_px(box_size)).sum()) / n
    shared = len(distances) / n
    pair = smaller.picker, larger.picker
    if identical > MOST_IDENTICAL:
        return Dependence(
            *pair, f"{identical:.0%} of its picks are at the places of {pair[1]}'s"
        )
    if shared < MOST_SHARED or m > _LARGEST_RATIO * n:
        return None
    if np.median(distances) > _CLOSE * box_size:
        return None
    if _differ_where_in_doubt(smaller, larger, third, radius_px):
        return None
    return Dependence(*pair, f"{shared:.0%} of its picks are picks of {pair[1]} too")


def _differ_where_in_doubt(
    smaller: PickerPicks,
    larger: PickerPicks,
    third: Sequence[PickerPicks],
    radius_px: float,
) -> bool:
    """Return whether picks that no third picker confirms are seldom found by both.

    Where a third picker confirms nearly all, they agree since there are particles.
    """
    if not third:
        return False
    n_doubtful = n_shared = 0
    for name, picks in smaller.coordinates.items():
        looked = [each for each in third if name in each.coordinates]
        yx = picks.yx if looked else np.empty((0, 2))
        for each in looked:
            yx = yx[~are_near(yx, places_on(each, name), radius_px)]
        n_doubtful += len(yx)
        n_shared += int(are_near(yx, places_on(larger, name), radius_px).sum())
    if n_doubtful < _FEWEST_DOUBTFUL:
        return True
    return n_shared < _MOST_DOUBTFUL * n_doubtful
