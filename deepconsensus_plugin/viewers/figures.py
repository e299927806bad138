# SPDX-License-Identifier: GPL-3.0-or-later
"""Window with one figure that arranges itself."""

from __future__ import annotations

from pyworkflow.gui.plotter import Plotter


def figure_view(size: tuple[float, float], title: str) -> Plotter:
    """Return a view with an empty figure.

    Parameters
    ----------
    size : tuple of float
        Width and height, inches.
    title : str
        Title of the window.
    """
    view = Plotter(figsize=size, windowTitle=title)
    view.tightLayoutOn = False  # the figure arranges itself
    return view
