# SPDX-License-Identifier: GPL-3.0-or-later
"""Okabe and Ito's colours, which the colour-blind can distinguish."""

from __future__ import annotations

from deepconsensus_plugin.core.reasons import Reason

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
SKY, AMBER, PINK = "#56B4E9", "#E69F00", "#CC79A7"
YELLOW = "#F0E442"
GREY, LIGHT_GREY = "#999999", "#DDDDDD"
AREA = GREEN
"""Colour of outlines of what is in the way, and of candidates that lie on it."""

SERIES = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY)
"""Colours of a series; they repeat if there are more items."""

_BY_VOTES = (ORANGE, AMBER, "#F0E442", GREEN, SKY, BLUE)
"""Colours from few pickers to many."""


def colour_of_votes(votes: int, k: int) -> str:
    """Return a colour that is the last one where all k pickers agree."""
    last = len(_BY_VOTES) - 1
    return _BY_VOTES[round(last * (votes - 1) / max(1, k - 1))]


REASON_COLOURS = {
    Reason.ACCEPTED: SKY,
    Reason.SCORE: AMBER,
    Reason.BORDER: PINK,
    Reason.NEIGHBOUR: YELLOW,
    Reason.AREA: AREA,
    Reason.MICROGRAPH: "#666666",
    Reason.NO_SCORE: GREY,
    Reason.OTHER: LIGHT_GREY,
}
"""Colours of what becomes of candidates, in the order of legends."""


def colour_of(index: int) -> str:
    """Return the colour of the thing with this number, from 0."""
    return SERIES[index % len(SERIES)]
