# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of comparisons with the truth: one run, or several of them in one plot."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Sequence
from functools import partial

from pyworkflow.protocol import Protocol
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

from deepconsensus_plugin.plots.precision_recall import (
    EvaluatedPicks,
    draw_precision_recall,
)
from deepconsensus_plugin.protocols.consensus.protocol_evaluate import ProtEvaluatePicks
from deepconsensus_plugin.viewers.background import Background
from deepconsensus_plugin.viewers.frame_window import FrameView
from deepconsensus_plugin.viewers.pane import BACKGROUND
from deepconsensus_plugin.viewers.tabs.plot_pane import PlotPane
from deepconsensus_plugin.viewers.tabs.tab import Plot, PlotTab

_TITLE = "Precision and recall"
_NOTHING_YET = "There are no figures yet; wait until the run has finished."
_HELP = (
    "Precision, recall and F1 at all score thresholds; a dot marks the accepted "
    "picks. The truth is often incomplete, so the precision is a lower bound. The "
    "blind lattice is what regularly spaced picks reach, without looking at any image."
)
_PAD = 6
_LONGEST_NAME, _SHORTEST_NAME = 40, 16
"""Letters of a name that the list makes room for."""


class DeepConsensusEvaluationViewer(Viewer):
    """Precision, recall and F1 of the picks, alone or beside those of other runs."""

    _label = "precision and recall"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtEvaluatePicks]

    def _visualize(self, obj: Protocol, **kwargs) -> list[View]:
        if obj.readFigures() is None:
            return [self.infoMessage(_NOTHING_YET, _TITLE)]
        make_frame = partial(ComparisonFrame, comparisons=self.comparisons(obj))
        title = f"{_TITLE}: {obj.getRunName()}"
        return [FrameView(make_frame, title=title, masterWindow=self.getParent())]

    def comparisons(self, own: ProtEvaluatePicks) -> list[ProtEvaluatePicks]:
        """Return a run, and all other finished ones of the project with its truth."""
        others = [
            run
            for run in self.getProject().getRuns()
            if isinstance(run, ProtEvaluatePicks)
            and run.getObjId() != own.getObjId()
            and run.readFigures() is not None
            and _truthOf(run) == _truthOf(own)
        ]
        return [own, *sorted(others, key=lambda run: run.getObjId())]


def _truthOf(run: ProtEvaluatePicks) -> int | None:
    truth = run.inputTruth.get()
    return None if truth is None else truth.getObjId()


def readComparisons(runs: Sequence[ProtEvaluatePicks]) -> Plot | str:
    """Return the plot of several runs together."""
    if not runs:
        return "Choose one comparison or more in the list."
    sets = [
        EvaluatedPicks(run.getRunName(), run.readFigures(), run.readCurve())
        for run in runs
    ]
    return Plot(partial(draw_precision_recall, sets=sets))


class ComparisonFrame(tk.Frame):
    """A plot, and a list of the runs that can be drawn; the first one is at first.

    Parameters
    ----------
    parent : tk.Misc
        Parent widget.
    comparisons : sequence of ProtEvaluatePicks
        At least one.
    """

    def __init__(self, parent: tk.Misc, comparisons: Sequence[ProtEvaluatePicks]):
        super().__init__(parent, bg=BACKGROUND)
        self.comparisons = comparisons
        self.background = Background(self)
        tab = PlotTab(_TITLE, _HELP, partial(readComparisons, comparisons[:1]))
        self.pane = PlotPane(self, self.background, tab)
        if len(comparisons) > 1:
            self._add_list()
        self.pane.pack(fill=tk.BOTH, expand=True)
        self.pane.open()
        self.bind("<Destroy>", self._close)

    @property
    def is_settled(self) -> bool:
        """Whether all that was asked for is shown."""
        return not self.background.is_busy

    def _add_list(self) -> None:
        side = tk.Frame(self, bg=BACKGROUND)
        side.pack(side=tk.LEFT, fill=tk.Y, padx=_PAD, pady=_PAD)
        tk.Label(side, text="Comparisons to draw", bg=BACKGROUND).pack(anchor=tk.W)
        names = [run.getRunName() for run in self.comparisons]
        width = min(_LONGEST_NAME, max(_SHORTEST_NAME, *map(len, names)))
        self.list = tk.Listbox(
            side, selectmode=tk.MULTIPLE, exportselection=False, width=width
        )
        self.list.insert(tk.END, *names)
        self.list.selection_set(0)
        self.list.bind("<<ListboxSelect>>", lambda _: self._draw_chosen())
        every = tk.Button(side, text="Draw all", command=self.draw_all)
        every.pack(side=tk.BOTTOM, anchor=tk.W, pady=_PAD)
        self.list.pack(fill=tk.BOTH, expand=True)

    def draw_all(self) -> None:
        """Draw every comparison of the list."""
        self.list.selection_set(0, tk.END)
        self._draw_chosen()

    def _draw_chosen(self) -> None:
        chosen = [self.comparisons[number] for number in self.list.curselection()]
        self.pane.show(partial(readComparisons, chosen))

    def _close(self, event: tk.Event) -> None:
        if event.widget is self:
            self.background.close()
