# SPDX-License-Identifier: GPL-3.0-or-later
"""The three parts of the window of scores, each a figure with its buttons below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from tkinter import ttk
from typing import Any

from matplotlib.backends.backend_tkagg import FigureCanvasTkAgg
from matplotlib.figure import Figure

from deepconsensus_plugin.viewers.scores.background import Background
from deepconsensus_plugin.viewers.scores.gallery import Gallery
from deepconsensus_plugin.viewers.scores.micrograph import (
    MicrographPicture,
    MicrographPlot,
)
from deepconsensus_plugin.viewers.scores.overview import Overview
from deepconsensus_plugin.viewers.scores.plots import ScorePlots
from deepconsensus_plugin.viewers.scores.tiles import Tiles

BACKGROUND = "white"
_DPI = 100
_LOW_PASSES = {"none": 0.0, **{f"{p} Å": float(p) for p in (10, 20, 30, 40, 60)}}
_LOW_PASS_AT_FIRST = "30 Å"
_PAD = 4

OnRow = Callable[[int], None]


class Pane(tk.Frame):
    """A figure that takes all the room, above a line of buttons."""

    def __init__(self, parent: tk.Misc, *, width: int, height: int):
        super().__init__(parent, bg=BACKGROUND)
        self.figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        self.canvas = FigureCanvasTkAgg(self.figure, self)
        self.canvas.get_tk_widget().configure(highlightthickness=0)
        self.buttons = tk.Frame(self, bg=BACKGROUND)
        self.buttons.pack(side=tk.BOTTOM, fill=tk.X, pady=_PAD)
        self.canvas.get_tk_widget().pack(fill=tk.BOTH, expand=True)

    def add_button(self, text: str, command: Callable[[], object]) -> tk.Button:
        """Add a button on the left of the line."""
        button = tk.Button(self.buttons, text=text, command=command)
        button.pack(side=tk.LEFT, padx=_PAD)
        return button

    def add_label(self, text: str = "") -> tk.Label:
        """Add a text on the left of the line."""
        label = tk.Label(self.buttons, text=text, bg=BACKGROUND)
        label.pack(side=tk.LEFT, padx=_PAD)
        return label

    def add_choices(
        self, choices: list[str], chosen: str, command: Callable[[], object]
    ) -> ttk.Combobox:
        """Add a list of choices on the left of the line."""
        width = max(map(len, choices)) + 2
        box = ttk.Combobox(self.buttons, values=choices, state="readonly", width=width)
        box.set(chosen)
        box.bind("<<ComboboxSelected>>", lambda _: command())
        box.pack(side=tk.LEFT, padx=_PAD)
        return box


class PlotsPane(Pane):
    """Histogram and curves; the line of the threshold follows the mouse."""

    def __init__(
        self,
        parent: tk.Misc,
        overview: Overview,
        threshold: float,
        choose: Callable[[float], None],
        **size: int,
    ):
        super().__init__(parent, **size)
        self.plots = ScorePlots(self.figure, overview, threshold=threshold)
        self._choose = choose
        names = list(overview.table.groupings)
        self.add_label("Bars by")
        self._grouping = self.add_choices(names, names[0], self._regroup)
        # Probabilities crowd at their ends.
        self.is_log = tk.BooleanVar(self, overview.expectation is not None)
        log = tk.Checkbutton(
            self.buttons,
            text="log scale",
            variable=self.is_log,
            command=self._rescale,
            bg=BACKGROUND,
            highlightthickness=0,
        )
        log.pack(side=tk.LEFT, padx=_PAD)
        self._rescale()
        for event in ("button_press_event", "motion_notify_event"):
            self.canvas.mpl_connect(event, self._follow)

    def _regroup(self) -> None:
        self.plots.set_grouping(self._grouping.get())

    def _rescale(self) -> None:
        self.plots.set_log(self.is_log.get())

    def _follow(self, event: Any) -> None:
        score = self.plots.threshold_at(event)
        if event.button == 1 and score is not None:
            self._choose(score)


class GalleryPane(Pane):
    """Particles, best first, around the threshold until one looks elsewhere."""

    def __init__(
        self,
        parent: tk.Misc,
        overview: Overview,
        background: Background,
        threshold: float,
        point_at: OnRow,
        **size: int,
    ):
        super().__init__(parent, **size)
        self._overview, self._background = overview, background
        self._threshold, self._shift = threshold, 0
        self._tiles = Tiles(overview.images) if overview.images is not None else None
        self._point_at = point_at
        self.gallery = Gallery(self.figure)
        self.add_button("◀ better", lambda: self.turn(-1))
        self.add_button("threshold", lambda: self.set_threshold(self._threshold))
        self.add_button("worse ▶", lambda: self.turn(1))
        self.add_label("Low-pass")
        self._low_pass = self.add_choices(
            list(_LOW_PASSES), _LOW_PASS_AT_FIRST, self._refresh
        )
        self._ranks = tk.Label(self, bg=BACKGROUND)
        self._ranks.pack(side=tk.TOP, before=self.canvas.get_tk_widget())
        self.canvas.mpl_connect("button_press_event", self._press)
        self.canvas.mpl_connect("scroll_event", self._scroll)
        self.canvas.mpl_connect("resize_event", self._fit)

    def set_threshold(self, threshold: float) -> None:
        """Show the particles around a threshold."""
        self._threshold, self._shift = threshold, 0
        self._refresh()

    def turn(self, n_pages: int, *, part: float = 1.0) -> None:
        """Go on by pages, to worse ones if positive, or parts of them."""
        n_ranked, size = len(self._overview.ranking), self.gallery.size
        middle = int(self._overview.ranking.n_kept(self._threshold))
        shift = self._shift + round(n_pages * part * size)
        self._shift = max(-middle, min(shift, n_ranked - middle))
        self._refresh()

    def _refresh(self) -> None:
        page = self._overview.page(
            self._threshold, self.gallery.size, shift=self._shift
        )
        self._ranks.configure(text=page.describe(self._overview.ranking.n_candidates))
        self.gallery.show(page, self._threshold)
        if self._tiles is None:
            self.gallery.add_tiles({})
            return
        low_pass_A = _LOW_PASSES[self._low_pass.get()]
        tiles = self._tiles.read(page.rows.tolist(), low_pass_A=low_pass_A)
        self._background.ask("particles", tiles, self.gallery.add_tiles)

    def _fit(self, event: Any) -> None:
        if self.gallery.fit():
            self._refresh()

    def _press(self, event: Any) -> None:
        if (row := self.gallery.row_at(event)) is not None:
            self._point_at(row)

    def _scroll(self, event: Any) -> None:
        self.turn(-1 if event.step > 0 else 1, part=0.5)


class MicrographPane(Pane):
    """One micrograph after the other."""

    def __init__(
        self,
        parent: tk.Misc,
        overview: Overview,
        background: Background,
        threshold: float,
        **size: int,
    ):
        super().__init__(parent, **size)
        micrographs = overview.table.micrographs
        self._overview, self._background = overview, background
        self._threshold = threshold
        self._n_micrographs = len(micrographs.names) if micrographs else 0
        self._micrographs = micrographs
        box_size = micrographs.box_size if micrographs else 1.0
        self.plot = MicrographPlot(self.figure, box_size=box_size or 1.0)
        self.add_button("◀ previous", lambda: self.show(self._shown - 1))
        self.add_button("next ▶", lambda: self.show(self._shown + 1))
        self._place = self.add_label()
        self.add_button("show all", self.plot.show_all)
        for event, follow in (
            ("scroll_event", self.plot.zoom),
            ("button_press_event", self.plot.grab),
            ("motion_notify_event", self.plot.drag),
            ("button_release_event", self.plot.let_go),
        ):
            self.canvas.mpl_connect(event, follow)
        self._shown = overview.most_mixed_micrograph(threshold)
        self.show(self._shown)

    def set_threshold(self, threshold: float) -> None:
        """Colour the picks by a threshold."""
        self._threshold = threshold
        self.plot.set_threshold(threshold)

    def show(self, number: int, *, then_point_at: int | None = None) -> None:
        """Show a micrograph, and mark one of its candidates."""
        if self._micrographs is None or not self._n_micrographs:
            self._place.configure(text="The micrographs are not known")
            return
        self._shown = number % self._n_micrographs
        self._place.configure(text=f"{self._shown + 1:,} of {self._n_micrographs:,}")

        def receive(picture: MicrographPicture) -> None:
            picks = self._overview.picks_on(self._shown)
            self.plot.show(picture, picks, self._threshold)
            if then_point_at is not None:
                self.plot.point_at(then_point_at)

        self._background.ask("micrograph", self._read(self._shown), receive)

    def point_at(self, row: int) -> None:
        """Mark a candidate on its micrograph."""
        number = int(self._overview.table.micrograph_index[row])
        if number == self._shown:
            self.plot.point_at(row)
        elif number >= 0:
            self.show(number, then_point_at=row)

    def _read(self, number: int) -> Iterator[MicrographPicture]:
        shown = self._micrographs
        yield MicrographPicture.read(
            shown.names[number], shown.paths[number], shown.sampling_rate
        )
