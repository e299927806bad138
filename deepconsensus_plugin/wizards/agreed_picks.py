# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks of one micrograph and the places that pickers agree on, to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.radius import RadiusStudy
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class AgreedPicks:
    """Picks of one micrograph, and the n candidates that they make.

    Parameters
    ----------
    picks : dict of str to array, shape (p, 2)
        Centres ``yx`` by picker, pixels.
    yx : array, shape (n, 2)
        Where the pickers agree that candidates are, pixels.
    agreement : array, shape (n,), int
        How many pickers agree.
    """

    picks: dict[str, FloatArray]
    yx: FloatArray
    agreement: IntArray

    @classmethod
    def of_micrograph(
        cls, study: RadiusStudy, candidates: Candidates, name: str
    ) -> AgreedPicks:
        """Return the picks of a micrograph of a study, and what they agree on."""
        here = candidates.on_micrograph(name)
        picks = {
            p.picker: p.coordinates[name].yx
            for p in study.pickers
            if name in p.coordinates
        }
        return cls(picks, here.agreed_yx, here.agreement)

    def links(self, *, reach_px: float) -> FloatArray:
        """Return lines from picks to the nearest agreed places, yx, shape (l, 2, 2).

        Parameters
        ----------
        reach_px : float
            No line is longer; places where a picker is alone get none.
        """
        shared: BoolArray = self.agreement > 1
        picks = [yx for yx in self.picks.values() if len(yx)]
        if not shared.any() or not picks:
            return np.empty((0, 2, 2))
        ends = self.yx[shared]
        starts = np.concatenate(picks)
        distance, nearest = cKDTree(ends).query(starts)
        near = distance <= reach_px
        return np.stack([starts[near], ends[nearest[near]]], axis=1)
