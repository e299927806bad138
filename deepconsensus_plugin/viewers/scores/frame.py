# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of scores in Tk: threshold and button above, three panes below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.pane import BACKGROUND, Pane
from deepconsensus_plugin.viewers.scores.gallery_pane import GalleryPane
from deepconsensus_plugin.viewers.scores.overview import Overview
from deepconsensus_plugin.viewers.scores.panes import PlotsPane, ScoredMicrographPane

_HEIGHT = 560
_WIDTHS = 420, 455, 440
_REFRESH_MS = 40
"""Pictures follow a line that is dragged after this time."""
_STEP = 0.01
_PAD = 6


@dataclass(frozen=True)
class Action:
    """Action of a button at the top of the window.

    Parameters
    ----------
    label : str
        On the button; ``{n_kept}`` stands for what the threshold keeps.
    run : callable
        Called with the threshold; returns a message for the user, at once or, as an
        iterator that another thread goes through, one message after the other.
    """

    label: str
    run: Callable[[float], str | Iterator[str]]


class ScoreFrame(tk.Frame):
    """Scores, particles and a micrograph, and a threshold that all of them follow.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    read : callable
        Returns what is shown; called in another thread.
    actions : sequence of Action
        Actions, one button each.
    threshold : float, optional
        At first; the suggested one if None.
    """

    def __init__(
        self,
        parent: tk.Misc,
        read: Callable[[], Overview],
        *,
        actions: Sequence[Action],
        threshold: float | None = None,
    ):
        super().__init__(parent, bg=BACKGROUND)
        self._actions = actions
        self._pending: str | None = None
        self.threshold = threshold
        self.overview: Overview | None = None
        self.background = Background(self, self._tell_error)
        self._add_bar()
        self._body = tk.PanedWindow(self, sashwidth=6, bg="#DDDDDD", bd=0)
        self._body.pack(fill=tk.BOTH, expand=True)
        self.bind("<Destroy>", self._close)
        self.tell("Reading the scores …")

        def once() -> Iterator[Overview]:
            yield read()

        self.background.ask("scores", once(), self._show)

    # -------------------------- what is there --------------------------
    def _add_bar(self) -> None:
        bar = tk.Frame(self, bg=BACKGROUND)
        bar.pack(fill=tk.X, pady=_PAD)
        tk.Label(bar, text="Score cutoff ≥", bg=BACKGROUND).pack(
            side=tk.LEFT, padx=_PAD
        )
        self.entry = tk.Entry(bar, width=9, justify=tk.RIGHT)
        self.entry.pack(side=tk.LEFT)
        for key, step in (("<Up>", _STEP), ("<Down>", -_STEP)):
            self.entry.bind(key, lambda _, by=step: self._step(by))
        for event in ("<Return>", "<KP_Enter>", "<FocusOut>"):
            self.entry.bind(event, lambda _: self._read_entry())
        self._automatic = tk.Button(bar, text="Auto", command=self.suggest)
        self._automatic.pack(side=tk.LEFT, padx=_PAD)
        self._buttons = [
            tk.Button(bar, text=each.label.format(n_kept="…")) for each in self._actions
        ]
        for number, button in enumerate(self._buttons):
            button.configure(command=partial(self.run_action, number))
            button.pack(side=tk.LEFT, padx=_PAD)
        self._status = tk.Label(self, bg=BACKGROUND, anchor=tk.W, justify=tk.LEFT)
        self._status.pack(fill=tk.X, padx=_PAD)
        self._status.bind(
            "<Configure>", lambda e: self._status.configure(wraplength=e.width)
        )

    def _show(self, overview: Overview) -> None:
        """Fill the window, once the scores are read."""
        if self.threshold is None:
            self.threshold = overview.suggested_threshold
        self._add_next(self._panes(overview))

    def _add_next(self, panes: Iterator[Pane]) -> None:
        """Add one pane, and the next one after the window has drawn it."""
        self._pending = None
        if (pane := next(panes, None)) is None:
            self._share_width()
        else:
            self._body.add(pane, stretch="always")
            self._pending = self.after(1, self._add_next, panes)

    def _share_width(self) -> None:
        """Divide the width between the panes; the first ones may take it all."""
        self._body.update_idletasks()
        width = self._body.winfo_width()
        edges = np.cumsum(_WIDTHS) / sum(_WIDTHS)
        for index in range(len(self._body.panes()) - 1):
            self._body.sash_place(index, round(width * edges[index]), 0)

    def _panes(self, overview: Overview) -> Iterator[Pane]:
        """Make the panes from left to right; the threshold moves once all are there."""
        common = overview, self.background, self.threshold
        plots, gallery, micrograph = (
            {"width": width, "height": _HEIGHT} for width in _WIDTHS
        )
        self.plots = PlotsPane(
            self._body, overview, self.threshold, self.set_threshold, **plots
        )
        yield self.plots
        follow = self._point_at, self._show_only, self.tell
        self.gallery = GalleryPane(self._body, *common, *follow, **gallery)
        yield self.gallery
        self.micrograph = ScoredMicrographPane(self._body, *common, **micrograph)
        yield self.micrograph
        self.overview = overview
        self._show_threshold()
        self.gallery.set_threshold(self.threshold)
        self.tell("Drag the line in the plots, or type a score cutoff.")

    def _point_at(self, row: int) -> None:
        if self.overview is not None:
            self.micrograph.point_at(row)

    def _show_only(self, reason: Reason | None) -> None:
        if self.overview is not None:
            self.micrograph.show_only(reason)

    def tell(self, message: str) -> None:
        """Show a text below the buttons."""
        self._status.configure(text=message)

    def _tell_error(self, error: BaseException) -> None:
        self.tell(f"{type(error).__name__}: {error}")

    def _close(self, event: tk.Event) -> None:
        if event.widget is self:
            self.background.close()
            if self._pending is not None:
                self.after_cancel(self._pending)

    @property
    def is_settled(self) -> bool:
        """Whether all that was asked for is shown."""
        return self._pending is None and not self.background.is_busy

    # -------------------------- the threshold --------------------------
    def set_threshold(self, threshold: float) -> None:
        """Move the threshold: the line at once, pictures a moment later."""
        if self.overview is None:
            return
        self.threshold = threshold
        self._show_threshold()
        self.plots.plots.set_threshold(threshold)
        if self._pending is None:
            self._pending = self.after(_REFRESH_MS, self._refresh)

    def suggest(self) -> None:
        """Move the threshold to the suggested one."""
        if self.overview is None:
            return
        if np.isfinite(self.overview.suggested_threshold):
            self.set_threshold(self.overview.suggested_threshold)
        else:
            self.tell("No candidate is expected to be a particle.")

    def run_action(self, number: int = 0) -> None:
        """Run the action of a button, with the threshold as it is typed."""
        if self.overview is None or not self._read_entry():
            return
        self._buttons[number].configure(state=tk.DISABLED)
        self.update_idletasks()
        try:
            message = self._actions[number].run(self.threshold)
        finally:
            self._buttons[number].configure(state=tk.NORMAL)
        if isinstance(message, str):
            self.tell(message)
        else:
            self.background.ask("action", message, self.tell)

    def _refresh(self) -> None:
        self._pending = None
        self.plots.plots.regroup()
        self.gallery.set_threshold(self.threshold)
        self.micrograph.set_threshold(self.threshold)

    def _step(self, by: float) -> None:
        if self._read_entry():
            self.set_threshold(round(self.threshold + by, 4))

    def _read_entry(self) -> bool:
        """Take over what was typed; return whether it is a number."""
        typed = self.entry.get().strip()
        if self.overview is None or typed == _format(self.threshold):
            return self.overview is not None
        try:
            threshold = float(typed)
        except ValueError:
            threshold = float("nan")
        if np.isnan(threshold):
            self.tell(f"Expected a number as score cutoff, received '{typed}'.")
            return False
        self.set_threshold(threshold)
        return True

    def _show_threshold(self) -> None:
        self.entry.delete(0, tk.END)
        self.entry.insert(0, _format(self.threshold))
        n_kept = f"{int(self.overview.placed.n_kept(self.threshold)):,}"
        for button, action in zip(self._buttons, self._actions, strict=True):
            button.configure(text=action.label.format(n_kept=n_kept))


def _format(threshold: float) -> str:
    return f"{threshold:.4g}"
