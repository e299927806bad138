# SPDX-License-Identifier: GPL-3.0-or-later
"""Plots of the tabs of windows, drawn without a display."""

from __future__ import annotations

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from deepconsensus_plugin.viewers.tabs.tab import Plot

_SIZE = 13, 5.5
"""Inches of a plot on a screen of 1366 × 768."""


def drawn(plot: Plot) -> Figure:
    """Return a figure with the plot; all of it lies within the figure."""
    canvas = FigureCanvasAgg(Figure(_SIZE, dpi=100))
    plot.draw(canvas.figure)
    canvas.draw()
    box = canvas.figure.get_tightbbox()
    assert box.x0 > -0.02 and box.y0 > -0.02, box
    assert box.x1 < _SIZE[0] + 0.02 and box.y1 < _SIZE[1] + 0.02, box
    return canvas.figure
