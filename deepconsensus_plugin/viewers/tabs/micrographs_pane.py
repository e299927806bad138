# SPDX-License-Identifier: GPL-3.0-or-later
"""Pane of micrographs with picks in the colours of what they are."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator

from matplotlib.figure import Figure

from deepconsensus_plugin.core.types import DIAMETER_PER_BOX
from deepconsensus_plugin.plots.picture import add_circles, circle_in_legend
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.micrograph_pane import MicrographPane
from deepconsensus_plugin.viewers.micrograph_view import (
    FONT,
    MicrographPicture,
    MicrographView,
)
from deepconsensus_plugin.viewers.pane import BACKGROUND
from deepconsensus_plugin.viewers.tabs.tab import (
    MarkedMicrographs,
    MicrographsTab,
    Picks,
)

_WIDTH, _HEIGHT = 900, 480
_STEPS = {"<Left>": -1, "<Right>": 1, "<Prior>": -1, "<Next>": 1}
"""Steps of the keys."""


class PicksView(MicrographView):
    """A picture with circles, and a legend that counts them.

    Parameters
    ----------
    figure : Figure
        Empty, on its canvas.
    box_size : float
        Box size of the picks, pixels.
    """

    def __init__(self, figure: Figure, *, box_size: float):
        super().__init__(figure, box_size=box_size)
        self._diameter = DIAMETER_PER_BOX * box_size
        self._shown: list = []

    def show_picks(self, picks: Picks) -> None:
        """Draw these instead of those before."""
        for old in self._shown:
            self.overlay.remove(old)
        self._shown = []
        for (_, colour), yx in picks.items():
            circles = add_circles(self.axes, self._diameter, colour)
            circles.set_offsets(yx[:, ::-1])
            self._shown.append(self.overlay.add(circles))
        legend = self.axes.legend(
            handles=[
                circle_in_legend(colour, f"{label} ({len(yx):,})")
                for (label, colour), yx in picks.items()
            ],
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=max(1, len(picks)),
            frameon=False,
            fontsize=FONT,
        )
        self._shown.append(self.overlay.add(legend))
        self.overlay.update()


class MarkedPane(MicrographPane):
    """Micrographs, and a choice of how the picks on them are coloured."""

    view: PicksView

    def __init__(
        self, parent: tk.Misc, marked: MarkedMicrographs, background: Background
    ):
        self._marked = marked
        size = {"width": _WIDTH, "height": _HEIGHT}
        super().__init__(parent, marked.micrographs, background, **size)
        names = [*marked.colourings]
        self.add_label("Colour by")
        self.colouring = self.add_choices(names, names[0], self.show_picks)
        widget = self.canvas.get_tk_widget()
        widget.bind("<Enter>", lambda _: widget.focus_set(), add=True)
        for key, step in _STEPS.items():
            widget.bind(key, lambda _, by=step: self.show(self.shown + by), add=True)

    def make_view(self) -> PicksView:
        """Return a micrograph with circles."""
        return PicksView(self.figure, box_size=self._marked.micrographs.box_size)

    def receive(self, picture: MicrographPicture) -> None:
        """Show a micrograph with its picks."""
        super().receive(picture)
        self.show_picks()

    def show_picks(self) -> None:
        """Colour the picks of the micrograph as chosen."""
        picks_on = self._marked.colourings[self.colouring.get()]
        self.view.show_picks(picks_on(self._marked.micrographs.names[self.shown]))


class MicrographsPane(tk.Frame):
    """A tab of micrographs, whose content comes when it is read."""

    def __init__(self, parent: tk.Misc, background: Background, tab: MicrographsTab):
        super().__init__(parent, bg=BACKGROUND)
        self._background, self._tab = background, tab
        self._label = tk.Label(self, bg=BACKGROUND)
        self._label.pack()
        self.content: MarkedPane | None = None

    def open(self) -> None:
        """Read what is shown."""

        def once() -> Iterator[MarkedMicrographs]:
            yield self._tab.read()

        self._label.configure(text="Reading …")
        self._background.ask(str(self), once(), self._receive, self._fail)

    def _receive(self, marked: MarkedMicrographs) -> None:
        self._label.destroy()
        self.content = MarkedPane(self, marked, self._background)
        self.content.pack(fill=tk.BOTH, expand=True)

    def _fail(self, error: BaseException) -> None:
        self._label.configure(text=f"{type(error).__name__}: {error}")
