# SPDX-License-Identifier: GPL-3.0-or-later
"""Outlines of what is in the way of particles, over the picture of a micrograph."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.plots.colours import AREA

AREA_LABEL = "carbon, ice or padding"
"""Entry of legends."""

_WIDTH = 1.5


def add_area_outlines(axes: Axes, outlines: Sequence[FloatArray]) -> LineCollection:
    """Add the outlines of the unusable area of a micrograph.

    Parameters
    ----------
    axes : Axes
        With the picture, in pixels of the micrograph.
    outlines : sequence of array, shape (n, 2)
        As `UsableArea.outlines` gives them.
    """
    lines = LineCollection(
        [line[:, ::-1] for line in outlines], colors=AREA, linewidths=_WIDTH
    )
    axes.add_collection(lines, autolim=False)
    return lines


def add_area_legend(axes: Axes, *, fontsize: float | None = None) -> Legend:
    """Add what the outlines mean at the bottom right of a picture."""
    entry = Line2D([], [], color=AREA, linewidth=_WIDTH, label=AREA_LABEL)
    legend = Legend(
        axes,
        [entry],
        [AREA_LABEL],
        loc="lower right",
        fontsize=fontsize,
        labelcolor="white",
        facecolor="black",
        framealpha=0.5,
        edgecolor="none",
        fancybox=False,
        handlelength=1.2,
        handletextpad=0.5,
        borderpad=0.3,
    )
    axes.add_artist(legend)
    return legend
