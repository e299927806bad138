# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks near something that is no particle, left out before the consensus."""

from __future__ import annotations

from dataclasses import replace

from deepconsensus_plugin.core.consensus import subtract_picks
from deepconsensus_plugin.core.types import PickerPicks


def withoutPicks(
    picks: PickerPicks, unwanted: PickerPicks, *, radiusPx: float
) -> PickerPicks:
    """Return the picks that are not in `unwanted`, matched one to one.

    Parameters
    ----------
    picks, unwanted : PickerPicks
        In pixels of the same micrographs.
    radiusPx : float
        Pairs at this distance or closer match; > 0.

    Returns
    -------
    PickerPicks
        On all micrographs of `picks`. Where nobody looked for the unwanted, all stay.
    """
    left = subtract_picks(picks, unwanted, radius_px=radiusPx)
    return replace(picks, coordinates={**picks.coordinates, **left.coordinates})
