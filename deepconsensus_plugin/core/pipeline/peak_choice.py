# SPDX-License-Identifier: GPL-3.0-or-later
"""Choice of picks among the peaks of a picker: scores, and rows as on filaments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepconsensus_plugin.core.consensus.straight_rows import find_straight_rows
from deepconsensus_plugin.core.types import ScoredCoordinates


def choose_peaks(
    peaks: Mapping[str, ScoredCoordinates],
    *,
    threshold: float,
    upper_threshold: float | None,
    spacing_px: float,
    leave_out_rows: bool,
) -> tuple[dict[str, ScoredCoordinates], int]:
    """Return the picks, and how many peaks with their scores lie in straight rows.

    Parameters
    ----------
    peaks : mapping of micrograph name to ScoredCoordinates
        All peaks.
    threshold, upper_threshold : float
        Lowest and highest score of a pick, both included; no highest for None.
    spacing_px : float
        How far apart picks are along a filament, about.
    leave_out_rows : bool
        Whether picks in straight rows are left out.
    """
    highest = np.inf if upper_threshold is None else upper_threshold
    chosen, n_in_rows = {}, 0
    for name, found in peaks.items():
        is_scored = (found.scores >= threshold) & (found.scores <= highest)
        picks = found.take(is_scored)
        in_row = find_straight_rows(picks.yx, diameter_px=spacing_px)
        n_in_rows += int(in_row.sum())
        chosen[name] = picks.take(~in_row) if leave_out_rows else picks
    return chosen, n_in_rows
