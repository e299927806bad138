# SPDX-License-Identifier: GPL-3.0-or-later
"""Pane of the particles: around the threshold, or in the lists of a review."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from typing import Any

from deepconsensus_plugin.core.marks.mark import Verdict
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.pane import LOW_PASSES, Pane
from deepconsensus_plugin.viewers.scores.gallery import Gallery
from deepconsensus_plugin.viewers.scores.micrograph import SHOWN
from deepconsensus_plugin.viewers.scores.overview import Overview, Page
from deepconsensus_plugin.viewers.scores.review import ReviewList
from deepconsensus_plugin.viewers.scores.review_line import HELP, ReviewLine
from deepconsensus_plugin.viewers.scores.tiles import Tiles

_LOW_PASS_AT_FIRST = "30 Å"

_EVERY = "all candidates"
_ONLY = {_EVERY: None, **{reason.label: reason for reason in SHOWN}}
"""Kinds of candidates to show, by their names for users."""

_NEXT = {
    Verdict.NONE: Verdict.GOOD,
    Verdict.GOOD: Verdict.BAD,
    Verdict.BAD: Verdict.NONE,
}
"""What a click with the right button makes of a mark."""
_RIGHT = 3

_POINT_AFTER_MS = 300
"""The micrograph follows when the focus has rested for this time."""

OnRow = Callable[[int], None]
OnReason = Callable[[Reason | None], None]


class GalleryPane(Pane):
    """Particles, best first, around the threshold until one looks elsewhere."""

    def __init__(
        self,
        parent: tk.Misc,
        overview: Overview,
        background: Background,
        threshold: float,
        point_at: OnRow,
        filter_others: OnReason,
        tell: Callable[[str], None] = lambda _: None,
        **size: int,
    ):
        super().__init__(parent, **size)
        self._overview, self._background = overview, background
        self._threshold, self._shift = threshold, 0
        self._tiles = Tiles(overview.images) if overview.images is not None else None
        self._point_at, self._filter, self._tell = point_at, filter_others, tell
        self._listed: IntArray | None = None
        self._focus: int | None = None
        self._pending: str | None = None
        self._page: Page | None = None
        self.gallery = Gallery(self.figure)
        self.review_line: ReviewLine | None = None
        if overview.review is not None:
            self.review_line = ReviewLine(
                self,
                choose=self.look_at,
                mark=self.mark,
                undo=self.undo,
                step=self._step,
                turn=self.turn,
            )
        self.add_button("◀ Better", lambda: self.turn(-1))
        self.add_button("Cutoff", self._to_threshold)
        self.add_button("Worse ▶", lambda: self.turn(1))
        self.add_label("Low-pass")
        self._low_pass = self.add_choices(
            list(LOW_PASSES), _LOW_PASS_AT_FIRST, self._refresh
        )
        line = self.add_line_above()
        self.add_label("Show", line=line)
        self._only = self.add_choices(
            list(_ONLY), _EVERY, lambda: self.show_only(self._only.get()), line=line
        )
        self._ranks = self.add_label(line=line)
        self.canvas.mpl_connect("button_press_event", self._press)
        self.canvas.mpl_connect("scroll_event", self._scroll)
        self.canvas.mpl_connect("resize_event", self._fit)

    # -------------------------- what is shown --------------------------
    def set_threshold(self, threshold: float) -> None:
        """Show the particles around a threshold; a list of a review stays."""
        self._threshold, self._shift = threshold, 0
        if self._listed is None:
            self._refresh()
        else:
            self.gallery.set_threshold(threshold)

    def _to_threshold(self) -> None:
        """Leave the list of a review."""
        if self.review_line is not None:
            self.review_line.choose(ReviewList.SCORE)
        self._listed = None
        self.set_threshold(self._threshold)

    def look_at(self, which: ReviewList) -> None:
        """Show a list of the review from its beginning."""
        if which is ReviewList.SCORE:
            self._to_threshold()
            return
        self.review_line.choose(which)

        def once() -> Iterator[IntArray]:
            yield self._overview.listed(which, self._threshold)

        self._background.ask("list", once(), self._show_list)

    def _show_list(self, rows: IntArray) -> None:
        if self.review_line.chosen is ReviewList.SCORE:
            return  # another choice was quicker
        self._listed, self._shift, self._focus = rows, 0, 0
        self._refresh()
        self.review_line.take_focus()
        self._tell(HELP)

    def turn(self, n_pages: int, *, part: float = 1.0) -> None:
        """Go on by pages, to worse ones if positive, or parts of them."""
        size = self.gallery.size
        shift = self._shift + round(n_pages * part * size)
        if self._listed is not None:
            self._shift = max(0, min(shift, len(self._listed) - 1))
        else:
            rows = self._ranked()
            middle = int((self._overview.table.score[rows] >= self._threshold).sum())
            self._shift = max(-middle, min(shift, len(rows) - middle))
        self._refresh()

    def _ranked(self) -> IntArray:
        return self._overview.ranked(self._threshold, _ONLY[self._only.get()])

    def show_only(self, name: str) -> None:
        """Show candidates of one kind, here and on the micrograph."""
        self._only.set(name)
        self._to_threshold()
        self._filter(_ONLY[name])

    def _refresh(self) -> None:
        size = self.gallery.size
        if self._listed is not None:
            page = self._overview.page_of(self._listed, self._shift, size)
        else:
            page = self._overview.page(
                *(self._threshold, size),
                shift=self._shift,
                only=_ONLY[self._only.get()],
            )
        self._page = page
        self._ranks.configure(text=page.describe())
        self.gallery.show(page, self._threshold)
        self._show_marks()
        if self._tiles is None:
            self.gallery.add_tiles({})
            return
        low_pass_A = LOW_PASSES[self._low_pass.get()]
        tiles = self._tiles.read(page.rows.tolist(), low_pass_A=low_pass_A)
        self._background.ask("particles", tiles, self.gallery.add_tiles)

    def _fit(self, event: Any) -> None:
        if self.gallery.fit():
            self._refresh()

    # -------------------------- marks --------------------------
    def mark(self, verdict: Verdict) -> None:
        """Mark the candidate in focus, and go on to the next one."""
        if (row := self._row_in_focus()) is not None:
            self._set_mark(row, verdict)
            self._step(0, 1)

    def undo(self) -> None:
        """Take back the last mark."""
        review = self._overview.review
        self._tell("" if review.undo() else "There is no mark to take back.")
        self._show_marks()
        self.gallery.refresh()

    def _set_mark(self, row: int, verdict: Verdict) -> None:
        review = self._overview.review
        review.mark(row, verdict, self.review_line.chosen)
        self._show_marks()
        self.gallery.refresh()
        self._tell(review.describe())

    def _show_marks(self) -> None:
        review = self._overview.review
        if review is not None:
            rows = self._page.rows.tolist()
            self.gallery.show_marks([review.verdict(row) for row in rows], self._focus)

    def _row_in_focus(self) -> int | None:
        rows = self._page.rows
        if self._focus is None or not self._focus < len(rows):
            return None
        return int(rows[self._focus])

    def _step(self, by_rows: int, by_columns: int) -> None:
        """Move the focus, to the next or the last page beyond its ends."""
        by = by_rows * self.gallery.n_columns + by_columns
        focus = by + (-by if self._focus is None else self._focus)
        n_shown = len(self._page.rows)
        if not 0 <= focus < n_shown:
            focus = 0 if by > 0 else n_shown - 1
            self._focus = focus
            self.turn(1 if by > 0 else -1)
        self._focus = focus
        self._show_marks()
        self.gallery.refresh()
        if self._pending is not None:
            self.after_cancel(self._pending)
        self._pending = self.after(_POINT_AFTER_MS, self._point_at_focus)

    def _point_at_focus(self) -> None:
        self._pending = None
        if (row := self._row_in_focus()) is not None:
            self._point_at(row)

    def destroy(self) -> None:
        """Take down the pane, with what was still to come."""
        if self._pending is not None:
            self.after_cancel(self._pending)
        super().destroy()

    # -------------------------- the mouse --------------------------
    def _press(self, event: Any) -> None:
        place = self.gallery.place_at(event)
        if place is None:
            return
        self._focus, row = place, int(self._page.rows[place])
        if self.review_line is not None:
            self.review_line.take_focus()
            if event.button == _RIGHT:
                self._set_mark(row, _NEXT[self._overview.review.verdict(row)])
            self._show_marks()
            self.gallery.refresh()
        self._point_at(row)

    def _scroll(self, event: Any) -> None:
        self.turn(-1 if event.step > 0 else 1, part=0.5)
