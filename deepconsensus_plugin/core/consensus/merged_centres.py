# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks at the merged centres of other pickers: a selection of their candidates.

The centre of a candidate is the mean of the picks that were merged into it. No program
that looks at micrographs finds these means; a network that scored the candidates of an
earlier consensus keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.consensus.finding import find_consensus
from deepconsensus_plugin.core.types import PickerPicks


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
        At least two, without it.
    radius_px : float
        Distance up to which picks of the others are merged, pixels.
    same_px : float
        Distance up to which centres are the same, pixels.

    Returns
    -------
    float
        0 if there are no picks.
    """
    merged = find_consensus(
        others, consensus_radius_px=radius_px, merge_radius_px=radius_px
    ).coordinates()
    n_same = 0
    for name, here in picks.coordinates.items():
        centres = merged.get(name)
        if len(here) and centres is not None and len(centres):
            distance, _ = cKDTree(centres.yx).query(here.yx)
            n_same += int(np.sum(distance <= same_px))
    return n_same / max(len(picks), 1)
