# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of comparisons with the truth: one run, or all of them in one plot."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pyworkflow.protocol.params import LabelParam, StringParam
from pyworkflow.viewer import DESKTOP_TKINTER, ProtocolViewer, View

from deepconsensus_plugin.plots.precision_recall import (
    EvaluatedPicks,
    draw_precision_recall,
)
from deepconsensus_plugin.protocols.consensus.protocol_evaluate import ProtEvaluatePicks
from deepconsensus_plugin.viewers.figures import figure_view

_TITLE = "Precision and recall"
_SIZE = (10, 6)


class DeepConsensusEvaluationViewer(ProtocolViewer):
    """Precision, recall and F1 of the picks, alone or beside those of other runs."""

    _label = "precision and recall"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtEvaluatePicks]

    def _defineParams(self, form):
        form.addSection(label="Precision and recall")
        form.addParam(
            "showRun",
            LabelParam,
            important=True,
            label="This comparison",
            help="Precision over recall, and F1, at all thresholds of the score; what "
            "is accepted is a dot. The truth is often incomplete, so the precision is "
            "at least this. A blind lattice is what picks reach that never saw an "
            "image.",
        )
        form.addParam(
            "runNames",
            StringParam,
            default="*",
            label="Comparisons to draw",
            help="Names of runs of *compare with truth*, separated by commas; * stands "
            "for anything. Only those with the truth of this run are drawn.",
        )
        form.addParam(
            "showRuns",
            LabelParam,
            label="All of these together",
            help="Every finished comparison of the project with a name that fits.",
        )

    def _getVisualizeDict(self):
        return {"showRun": self._showRun, "showRuns": self._showRuns}

    def _showRun(self, paramName=None) -> list[View]:
        return self._draw([self.protocol])

    def _showRuns(self, paramName=None) -> list[View]:
        patterns = [name.strip() for name in self.runNames.get("").split(",")]
        runs = [
            run
            for run in self.getProject().getRuns()
            if isinstance(run, ProtEvaluatePicks)
            and any(fnmatchcase(run.getRunName(), pattern) for pattern in patterns)
            and run.readFigures() is not None
            and self._hasSameTruth(run)
        ]
        if not runs:
            message = "No finished comparison with the same truth has such a name."
            return [self.infoMessage(message, _TITLE)]
        return self._draw(sorted(runs, key=lambda run: run.getObjId()))

    def _hasSameTruth(self, run: ProtEvaluatePicks) -> bool:
        own, other = self.protocol.inputTruth.get(), run.inputTruth.get()
        return other is not None and own.getObjId() == other.getObjId()

    def _draw(self, runs: list[ProtEvaluatePicks]) -> list[View]:
        view = figure_view(_SIZE, _TITLE)
        draw_precision_recall(view.getFigure(), [_evaluated(run) for run in runs])
        return [view]

    def _validate(self):
        if self.protocol.readFigures() is None:
            return ["There are no figures yet: wait until the run has finished."]
        return []


def _evaluated(run: ProtEvaluatePicks) -> EvaluatedPicks:
    return EvaluatedPicks(run.getRunName(), run.readFigures(), run.readCurve())
