# SPDX-License-Identifier: GPL-3.0-or-later
"""Okabe and Ito's colours, which the colour-blind can distinguish."""

from __future__ import annotations

from deepconsensus_plugin.core.reasons import Reason

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"
SKY, AMBER, PINK = "#56B4E9", "#E69F00", "#CC79A7"
YELLOW = "#F0E442"
GREY, LIGHT_GREY = "#999999", "#DDDDDD"

SERIES = (BLUE, ORANGE, GREEN, PINK, AMBER, SKY)
"""Colours of a series; they repeat if there are more items."""


REASON_COLOURS = {
    Reason.ACCEPTED: SKY,
    Reason.SCORE: AMBER,
    Reason.BORDER: PINK,
    Reason.NEIGHBOUR: YELLOW,
    Reason.NO_SCORE: GREY,
    Reason.OTHER: LIGHT_GREY,
}
"""Colours of what becomes of candidates, in the order of legends."""


def colour_of(index: int) -> str:
    """Return the colour of the thing with this number, from 0."""
    return SERIES[index % len(SERIES)]
