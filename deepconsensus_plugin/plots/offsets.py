# SPDX-License-Identifier: GPL-3.0-or-later
"""Plot of offsets between pickers: off-centre means a shift, no peak a mirror."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from deepconsensus_plugin.core.alignment import Offsets
from deepconsensus_plugin.plots.colours import AMBER, BLUE, ORANGE

PANEL_INCHES = (4.2, 4.9)
"""Width and height that a plot of one picker takes."""

_COLUMNS = 3
_TITLE_WIDTH = 46


def offsets_size(n: int) -> tuple[float, float]:
    """Return width and height, inches, of a figure of `n` pickers."""
    columns = max(1, min(_COLUMNS, n))
    rows = max(1, -(-n // _COLUMNS))
    return columns * PANEL_INCHES[0], rows * PANEL_INCHES[1]


def draw_offsets(
    figure: Figure, offsets: Sequence[Offsets], *, consensus_radius_px: float
) -> None:
    """Draw where each picker's picks lie relative to the reference's.

    Parameters
    ----------
    figure : Figure
        Empty; gets a plot for each picker but the reference.
    offsets : sequence of Offsets
        One or more.
    consensus_radius_px : float
        Picks this close agree; drawn as a circle.
    """
    figure.set_layout_engine("constrained")
    columns = min(_COLUMNS, len(offsets))
    grid = figure.subplots(-(-len(offsets) // columns), columns, squeeze=False)
    for axes in grid.flat[len(offsets) :]:
        axes.set_axis_off()
    for axes, each in zip(grid.flat, offsets, strict=False):
        _draw_panel(axes, each, consensus_radius_px)


def _draw_panel(axes: Axes, offsets: Offsets, radius_px: float) -> None:
    found = offsets.misalignment
    reach = found.box_size
    # Few points are drawn boldly; many, so that their pile shows.
    size = float(np.clip(4000 / max(1, len(offsets.yx)), 2, 20))
    style = {"s": size, "linewidths": 0, "alpha": 0.5}
    axes.scatter(*offsets.yx.T[::-1], color=BLUE, label="as imported", **style)
    if offsets.mended_yx is not None:
        axes.scatter(
            *offsets.mended_yx.T[::-1], color=AMBER, label="corrected", **style
        )
        axes.legend(loc="upper right", markerscale=3, framealpha=0.9)
    axes.add_patch(Circle((0, 0), radius_px, fill=False, color="black"))
    if found.is_significant:
        y, x = found.shift_yx
        axes.plot(x, y, "+", color=ORANGE, markersize=16, markeredgewidth=2)
    axes.set(xlim=(-reach, reach), ylim=(reach, -reach), aspect="equal")
    axes.set_xlabel(f"x offset from {found.reference} (px)")
    axes.set_ylabel(f"y offset from {found.reference} (px)")
    verdict = "WARNING: " if found.is_gross else ""
    sentence = textwrap.fill(verdict + found.describe(), _TITLE_WIDTH)
    axes.set_title(sentence, fontsize="small", loc="left")
