# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of scored sets: see the scores, move the threshold, launch the selection."""

from __future__ import annotations

from pyworkflow.gui.plotter import Plotter
from pyworkflow.object import Pointer, Set
from pyworkflow.protocol.params import FloatParam, LabelParam
from pyworkflow.viewer import DESKTOP_TKINTER, MessageView, ProtocolViewer, View

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE
from deepconsensus_plugin.core.thresholds import PUBLISHED_THRESHOLD
from deepconsensus_plugin.protocols.protocol_score import ProtDeepConsensusScore
from deepconsensus_plugin.protocols.protocol_select import ProtDeepConsensusSelect
from deepconsensus_plugin.set_columns import read_scores
from deepconsensus_plugin.viewers.score_histogram import (
    describe_selection,
    draw_score_histogram,
)


class DeepConsensusScoresViewer(ProtocolViewer):
    """Histogram of the scores, what a threshold keeps, and its selection."""

    _label = "scores and threshold"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtDeepConsensusScore, ProtDeepConsensusSelect]

    def _defineParams(self, form):
        form.addSection(label="Scores")
        form.addParam(
            "threshold",
            FloatParam,
            default=self._initialThreshold(),
            label="Threshold (score)",
            help="Candidates with this score or a higher one are kept. Change it and "
            "look at the histogram again; nothing is computed anew.",
        )
        form.addParam(
            "showHistogram",
            LabelParam,
            important=True,
            label="Histogram of the scores",
            help="Kept and rejected candidates, and how many any other threshold "
            "would keep.",
        )
        form.addParam(
            "showCounts",
            LabelParam,
            label="How many are kept",
            help="The number and the share of candidates that reach the threshold.",
        )
        form.addParam(
            "launchSelection",
            LabelParam,
            label="Select with this threshold",
            help="Adds a run of *select by score* with this threshold to the project "
            "and starts it. It takes seconds and gives the kept and the rejected "
            "particles.",
        )

    def _getVisualizeDict(self):
        return {
            "showHistogram": self._showHistogram,
            "showCounts": self._showCounts,
            "launchSelection": self._launchSelection,
        }

    def _showHistogram(self, paramName=None) -> list[View]:
        plotter = Plotter(figsize=(7, 5), windowTitle="Scores")
        plotter.tightLayoutOn = False  # the figure arranges itself
        draw_score_histogram(
            plotter.getFigure(), self._scores(), threshold=self.threshold.get()
        )
        return [plotter]

    def _showCounts(self, paramName=None) -> list[View]:
        return [self._message(describe_selection(self._scores(), self.threshold.get()))]

    def _launchSelection(self, paramName=None) -> list[View]:
        protocol = self.selectAtThreshold()
        return [self._message(f"*{protocol.getRunName()}* was added and started.")]

    def selectAtThreshold(self, *, wait: bool = False) -> ProtDeepConsensusSelect:
        """Add a selection with the viewer's threshold to the project and start it.

        Parameters
        ----------
        wait : bool
            Whether to return only when it has finished.
        """
        project = self.getProject()
        selection = project.newProtocol(ProtDeepConsensusSelect)
        selection.setObjLabel(f"select by score >= {self.threshold.get():.3g}")
        scored = self._scored()
        name = "inputParticles" if _isParticles(scored) else "inputCoordinates"
        getattr(selection, name).copy(scored)
        selection.threshold.set(self.threshold.get())
        project.launchProtocol(selection, wait=wait)
        return selection

    def _validate(self):
        scored = self._scored()
        if scored is None:
            return ["There are no scores yet: wait until the run has finished."]
        if not scored.get().getFirstItem().hasAttribute(SCORE_ATTRIBUTE):
            return ["The input was never scored: run *score particles* on it."]
        return []

    # -------------------------- what is looked at --------------------------
    def _scored(self) -> Pointer | None:
        """Return a pointer to all scored items; None before there are any.

        Those of a selection are its input, since its outputs are parts of them.
        """
        if isinstance(self.protocol, ProtDeepConsensusSelect):
            pointers = [self.protocol.scoredItems()]
        else:
            names = ("outputParticles", "outputCoordinates")
            pointers = [Pointer(self.protocol, extended=name) for name in names]
        return next((p for p in pointers if p.get() is not None and len(p.get())), None)

    def _scores(self):
        return read_scores(self._scored().get())

    def _initialThreshold(self) -> float:
        if isinstance(self.protocol, ProtDeepConsensusSelect):
            return self.protocol.lowestScore.get(PUBLISHED_THRESHOLD)
        return self.protocol.suggestedThreshold.get(PUBLISHED_THRESHOLD)

    def _message(self, text: str) -> MessageView:
        return self.infoMessage(text, "Scores")


def _isParticles(pointer: Pointer) -> bool:
    scored: Set = pointer.get()
    return scored.getClassName() == "SetOfParticles"
