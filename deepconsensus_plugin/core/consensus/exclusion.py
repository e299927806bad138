# SPDX-License-Identifier: GPL-3.0-or-later
"""Exclusion of picks that lie near unwanted ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deepconsensus_plugin.core.consensus.finding import subtract_picks
from deepconsensus_plugin.core.types import PickerPicks


def without_picks(
    pickers: Sequence[PickerPicks], unwanted: PickerPicks | None, *, radius_px: float
) -> list[PickerPicks]:
    """Return pickers without the picks that are in `unwanted`, matched one to one.

    Where the unwanted were not looked for, all stay; and all if it is None.

    Parameters
    ----------
    pickers, unwanted
        Picks in pixels of the same micrographs; each picker by itself.
    radius_px : float
        Pairs at this distance or closer match; > 0.
    """
    if unwanted is None:
        return list(pickers)
    left = [subtract_picks(picks, unwanted, radius_px=radius_px) for picks in pickers]
    return [
        replace(picks, coordinates={**picks.coordinates, **fewer.coordinates})
        for picks, fewer in zip(pickers, left, strict=True)
    ]
