# SPDX-License-Identifier: GPL-3.0-or-later
"""Pane of micrographs in Tk, one at a time, each read in the background."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Iterator

from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.micrograph_view import (
    MicrographPicture,
    MicrographView,
)
from deepconsensus_plugin.viewers.pane import LOW_PASSES, Pane
from deepconsensus_plugin.viewers.shown_micrographs import ShownMicrographs

_LOW_PASS_AT_FIRST = "20 Å"


class MicrographPane(Pane):
    """A view of one micrograph, with buttons for the others.

    Subclasses say by `make_view` what is drawn, and by `receive` what comes with a
    micrograph that was read.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    micrographs : ShownMicrographs or None
        None where they are not known.
    background : Background
        Reads them.
    first : int
        First micrograph to show.
    moves_with : int
        Button of the mouse that moves the picture, 1 for the left one.
    """

    def __init__(
        self,
        parent: tk.Misc,
        micrographs: ShownMicrographs | None,
        background: Background,
        *,
        first: int = 0,
        moves_with: int = 1,
        **size: int,
    ):
        super().__init__(parent, **size)
        self._micrographs, self._background = micrographs, background
        self._n_micrographs = len(micrographs.names) if micrographs else 0
        self.view = self.make_view()
        self.add_button("◀", lambda: self.show(self.shown - 1))
        self._place = self.add_label()
        self.add_button("▶", lambda: self.show(self.shown + 1))
        self.add_button("Show all", self.view.show_all)
        self.add_label("Low-pass")
        self._low_pass = self.add_choices(
            [*LOW_PASSES], _LOW_PASS_AT_FIRST, lambda: self.show(self.shown)
        )
        self._follow_mouse(moves_with)
        self.shown = first
        self.show(first)

    def make_view(self) -> MicrographView:
        """Return what the micrographs are drawn by, in the empty figure."""
        box_size = self._micrographs.box_size if self._micrographs else 0
        return MicrographView(self.figure, box_size=box_size or 1.0)

    def set_micrographs(
        self, micrographs: ShownMicrographs | None, first: int = 0
    ) -> None:
        """Show other micrographs, one of them at first."""
        self._micrographs = micrographs
        self._n_micrographs = len(micrographs.names) if micrographs else 0
        self.show(first)

    def receive(self, picture: MicrographPicture) -> None:
        """Show a micrograph that was read: the one with the number `shown`."""
        self.view.set_picture(picture)

    def _follow_mouse(self, moves_with: int) -> None:
        def grab(event):
            if event.button == moves_with or event.dblclick:
                self.view.grab(event)

        for event, follow in (
            ("scroll_event", self.view.zoom),
            ("button_press_event", grab),
            ("motion_notify_event", self.view.drag),
            ("button_release_event", self.view.let_go),
        ):
            self.canvas.mpl_connect(event, follow)

    def show(self, number: int) -> None:
        """Show a micrograph; the numbers wrap around."""
        if self._micrographs is None or not self._n_micrographs:
            self._place.configure(text="Micrographs unknown")
            return
        self.shown = number % self._n_micrographs
        self._place.configure(text=f"{self.shown + 1:,} of {self._n_micrographs:,}")
        low_pass_A = LOW_PASSES[self._low_pass.get()]
        self._background.ask(
            "micrograph", self._read(self.shown, low_pass_A), self.receive
        )

    def _read(self, number: int, low_pass_A: float) -> Iterator[MicrographPicture]:
        shown = self._micrographs
        yield MicrographPicture.read(
            shown.names[number],
            shown.paths[number],
            shown.sampling_rate,
            low_pass_A=low_pass_A,
            masks=shown.masks,
        )
