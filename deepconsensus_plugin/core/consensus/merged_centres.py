# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks at the merged centres of other pickers: a selection of their candidates.

The centre of a candidate is the mean of the picks that were merged into it. No program
that looks at micrographs finds these means; a network that scored the candidates of an
earlier consensus keeps them.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace

from deepconsensus_plugin.core.consensus.finding import find_consensus
from deepconsensus_plugin.core.consensus.shared_picks import are_near
from deepconsensus_plugin.core.types import PickerPicks

_LOOKED_AT = 50
"""Micrographs, spread evenly over the set, that tell the share."""


def share_at_merged_centres(
    picks: PickerPicks,
    others: Sequence[PickerPicks],
    *,
    radius_px: float,
    same_px: float,
) -> float:
    """Return the share of picks at centres of candidates of other pickers, 0 - 1.

    Parameters
    ----------
    picks : PickerPicks
        Picks of one picker.
    others : sequence of PickerPicks
        At least two, without it. At most fifty micrographs are looked at.
    radius_px : float
        Distance up to which picks of the others are merged, pixels.
    same_px : float
        Distance up to which centres are the same, pixels.

    Returns
    -------
    float
        0 if there are no picks.
    """
    names = sorted(picks.coordinates)
    chosen = set(names[:: -(-len(names) // _LOOKED_AT) or 1])
    mine = _on(picks, chosen)
    merged = find_consensus(
        [_on(each, chosen) for each in others],
        consensus_radius_px=radius_px,
        merge_radius_px=radius_px,
    ).coordinates()
    n_same = sum(
        int(are_near(here.yx, merged[name].yx, same_px).sum())
        for name, here in mine.coordinates.items()
        if name in merged
    )
    return n_same / max(len(mine), 1)


def _on(picks: PickerPicks, names: Container[str]) -> PickerPicks:
    here = {name: each for name, each in picks.coordinates.items() if name in names}
    return replace(picks, coordinates=here)
