# SPDX-License-Identifier: GPL-3.0-or-later
"""Tabs of a window, without the window: what is read, and what is drawn of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure

from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs

Picks = dict[tuple[str, str], FloatArray]
"""Centres ``yx``, shape (n, 2), pixels, by label and colour."""


@dataclass(frozen=True, eq=False)
class Plot:
    """A plot that was read and can be drawn.

    Parameters
    ----------
    draw : callable
        Draws into an empty figure.
    content : object, optional
        What it shows; a plot with the same content is not drawn again.
    is_final : bool
        Whether it stays as it is; if not, it is read again after a moment.
    """

    draw: Callable[[Figure], None]
    content: Any = None
    is_final: bool = True


@dataclass(frozen=True, eq=False)
class PlotTab:
    """A tab with one plot, or with a text.

    Parameters
    ----------
    title : str
        Title of the tab.
    help : str
        What the plot shows, below it.
    read : callable
        Returns the plot, or the text; called in another thread.
    """

    title: str
    help: str
    read: Callable[[], Plot | str]


@dataclass(frozen=True, eq=False)
class MarkedMicrographs:
    """Micrographs with picks on them, which can be coloured in several ways.

    Parameters
    ----------
    micrographs : ShownMicrographs
        At least one.
    colourings : mapping of str to callable
        Gives the picks of a micrograph, by its name; the first one is shown at first.
    """

    micrographs: ShownMicrographs
    colourings: Mapping[str, Callable[[str], Picks]]


@dataclass(frozen=True, eq=False)
class MicrographsTab:
    """A tab with one micrograph after the other.

    Parameters
    ----------
    title : str
        Title of the tab.
    read : callable
        Returns what is shown; called in another thread.
    """

    title: str
    read: Callable[[], MarkedMicrographs]


Tab = PlotTab | MicrographsTab
