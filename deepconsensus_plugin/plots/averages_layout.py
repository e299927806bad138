# SPDX-License-Identifier: GPL-3.0-or-later
"""Layout of averages: mostly accepted ones first, the largest first among either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.averages.membership import Membership
from deepconsensus_plugin.core.types import FloatArray, IntArray

BAR, HEADING = 0.055, 0.26
"""Height of the bar of a picker, and of a title, in pictures."""
_TEXT = 0.36
"""The same of the two lines of text."""


@dataclass(frozen=True, eq=False)
class AveragesPanel:
    """Averages under a title.

    Parameters
    ----------
    title : str
        Title.
    chosen : array, shape (c,), int
        The averages, in their order.
    """

    title: str
    chosen: IntArray


def panels_of(members: Membership) -> list[AveragesPanel]:
    """Return the averages of mostly accepted members, and of mostly rejected ones.

    A panel without averages is left out. Where nothing is accepted yet, all are one.
    """
    order = members.accepted_first()
    if members.n_accepted is None:
        return [AveragesPanel("Averages", order)]
    is_accepted = members.is_mostly_accepted[order]
    panels = [
        AveragesPanel("Most members accepted", order[is_accepted]),
        AveragesPanel("Most members rejected", order[~is_accepted]),
    ]
    return [panel for panel in panels if len(panel.chosen)]


@dataclass(frozen=True, eq=False)
class AveragesLayout:
    """Places of averages in lines; the unit is the distance of two of them.

    Parameters
    ----------
    averages : array, shape (c,), int
        The averages, in the order of their places.
    left, top : array, shape (c,)
        Corner of each, with x to the right and y downwards.
    headings : dict of str to float
        Top of each title.
    width, height : float
        Extent of all.
    """

    averages: IntArray
    left: FloatArray
    top: FloatArray
    headings: Mapping[str, float]
    width: float
    height: float

    def at(self, x: float | None, y: float | None) -> int | None:
        """Return the average whose picture is at a place, or None."""
        if x is None or y is None:
            return None
        inside = (self.left <= x) & (x < self.left + 1)
        inside &= (self.top <= y) & (y < self.top + 1)
        found = self.averages[inside]
        return int(found[0]) if len(found) else None


def lay_out(
    panels: Sequence[AveragesPanel], *, n_columns: int, n_pickers: int
) -> AveragesLayout:
    """Return the places of the averages of panels, one panel below the other."""
    line = 1 + BAR * n_pickers + _TEXT
    headings, left, top, below = {}, [], [], 0.0
    for panel in panels:
        headings[panel.title] = below
        places = np.arange(len(panel.chosen))
        left.append(places % n_columns)
        top.append(below + HEADING + line * (places // n_columns))
        below += HEADING + line * -(-len(panel.chosen) // n_columns)
    return AveragesLayout(
        np.concatenate([panel.chosen for panel in panels]),
        np.concatenate(left).astype(float),
        np.concatenate(top),
        headings,
        float(n_columns),
        below,
    )
