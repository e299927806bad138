# SPDX-License-Identifier: GPL-3.0-or-later
"""Candidates of one micrograph in groups by the pickers that found them, coloured."""

from __future__ import annotations

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.plots.colours import AMBER, PINK, SKY, colour_of_votes
from deepconsensus_plugin.viewers.tabs.tab import Picks


def centres_by_votes(candidates: Candidates) -> Picks:
    """Return centres by the number of pickers that found them, few first."""
    k = len(candidates.pickers)
    return {
        (f"found by {votes} of {k}", colour_of_votes(votes, k)): candidates.yx[
            candidates.votes == votes
        ]
        for votes in range(1, k + 1)
    }


def centres_by_picker(candidates: Candidates, picker: str) -> Picks:
    """Return centres that `picker` found with others or alone, and that it did not."""
    by_it = candidates.found[:, candidates.pickers.index(picker)]
    alone = candidates.votes == 1
    return {
        (f"{picker} and others", SKY): candidates.yx[by_it & ~alone],
        (f"{picker} alone", PINK): candidates.yx[by_it & alone],
        ("others only", AMBER): candidates.yx[~by_it],
    }
