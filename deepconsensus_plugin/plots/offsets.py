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

_LEFT_INCHES, _ABOVE_BELOW_INCHES = 0.6, 1.1
"""What the labels and the title of a plot take."""

_LETTER_INCHES = 0.066
"""Width of a letter of a title."""


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
    sides = {n: _side(figure, len(offsets), n) for n in range(1, len(offsets) + 1)}
    columns = max(sides, key=sides.__getitem__)
    letters = max(20, int(sides[columns] / _LETTER_INCHES))
    grid = figure.subplots(-(-len(offsets) // columns), columns, squeeze=False)
    for axes in grid.flat[len(offsets) :]:
        axes.set_axis_off()
    for axes, each in zip(grid.flat, offsets, strict=False):
        _draw_panel(axes, each, consensus_radius_px)
        verdict = "WARNING: " if each.misalignment.is_gross else ""
        sentence = textwrap.fill(verdict + each.misalignment.describe(), letters)
        axes.set_title(sentence, fontsize="small", loc="left")


def _side(figure: Figure, n: int, columns: int) -> float:
    """Return the side of `n` square plots in so many columns, inches."""
    width, height = figure.get_size_inches()
    rows = -(-n // columns)
    return min(width / columns - _LEFT_INCHES, height / rows - _ABOVE_BELOW_INCHES)


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
