# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of scored sets: see the scores, move the threshold, launch the selection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from pwem.objects import SetOfParticles
from pyworkflow.object import Pointer
from pyworkflow.protocol import Protocol
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    fillSpacing,
    readAcceptance,
    spacingOf,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_score import (
    ProtDeepConsensusScore,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_select import (
    ProtDeepConsensusSelect,
)
from deepconsensus_plugin.protocols.screen.protocol_screen import (
    ProtDeepConsensusScreen,
)
from deepconsensus_plugin.protocols.shared.run_averages import findAveragingRun
from deepconsensus_plugin.viewers.frame_window import FrameWindow
from deepconsensus_plugin.viewers.opened_report import open_report
from deepconsensus_plugin.viewers.refit_marks import NO_REFIT, marksOf, tellRefit
from deepconsensus_plugin.viewers.scores.frame import Action, ScoreFrame
from deepconsensus_plugin.viewers.scores.overview import Overview
from deepconsensus_plugin.viewers.scores.reading import locate, read_overview
from deepconsensus_plugin.viewers.viewer_averages import NO_AVERAGES, AveragesMarks

_TITLE = "Scores"

_DIGITS = 1e12

_SCORERS = (ProtDeepConsensusScore, ProtDeepConsensusScreen)
"""Protocols that give scores, and an expectation with them."""


class ScoreWindow(FrameWindow):
    """A window of Scipion's around a `ScoreFrame`."""

    def __init__(
        self, read: Callable[[], Overview], *, title: str, masterWindow=None, **options
    ):
        make_frame = partial(ScoreFrame, read=read, **options)
        super().__init__(make_frame, title=title, masterWindow=masterWindow)


class ScoresView(View):
    """View that opens a `ScoreWindow` with these arguments."""

    def __init__(self, **arguments):
        self._arguments = arguments

    def show(self) -> None:
        """Open the window."""
        ScoreWindow(**self._arguments).show(center=False)


class DeepConsensusScoresViewer(Viewer):
    """Scores, particles around the threshold, a micrograph, and the selection."""

    _label = "scores and threshold"
    _environments = [DESKTOP_TKINTER]
    _targets = [*_SCORERS, ProtDeepConsensusSelect]

    def _visualize(self, obj: Protocol, **kwargs) -> list[View]:
        self.protocol = obj
        if fault := self.describeFault():
            return [self.infoMessage(fault, _TITLE)]
        view = ScoresView(
            read=self.reader(),
            title=f"{_TITLE}: {obj.getRunName()}",
            masterWindow=self.getParent(),
            actions=[
                Action("Create particle set ({n_kept} kept)", self._select),
                Action("Averages", self._show_averages),
                Action("Report", self._report_on_selection),
                Action("Refit with marks", self._refit),
            ],
            threshold=self.initialThreshold(),
        )
        return [view]

    def describeFault(self) -> str:
        """Return why there is nothing to look at; empty if there is something."""
        scored = self._scored()
        if scored is None:
            return "There are no scores yet; wait until the run has finished."
        if not scored.get().getFirstItem().hasAttribute(SCORE_ATTRIBUTE):
            return "The input has no scores; run *score particles* on it first."
        return ""

    def reader(self, spacing: Spacing | None = None) -> Callable[[], Overview]:
        """Return what reads the scores; any thread can call it.

        `spacing` is where particles may lie; that of the run if None.
        """
        source = locate(
            self._scored().get(),
            folder=Path(self.getProject().getPath()).absolute(),
            spacing=spacing or spacingOf(self.protocol),
            report=self._report(),
            marks=self.marksFile(),
        )
        return partial(read_overview, source)

    def initialThreshold(self) -> float | None:
        """Return the threshold that the run itself applied; None if it has none."""
        if (kept := readAcceptance(self.protocol)) is not None:
            applied = kept.threshold  # to the last digit
        elif isinstance(self.protocol, ProtDeepConsensusSelect):
            applied = self.protocol.lowestScore.get()
        else:
            applied = self.protocol.suggestedThreshold.get()
        return applied if applied is not None and np.isfinite(applied) else None

    def selectAtThreshold(
        self, threshold: float, *, wait: bool = False
    ) -> ProtDeepConsensusSelect:
        """Add a selection with a fixed threshold to the project and start it.

        Its other criteria are those of the run that is looked at.

        Parameters
        ----------
        threshold : float
            Lowest score that is kept.
        wait : bool
            Whether to return only when it has finished.
        """
        project = self.getProject()
        selection = project.newProtocol(ProtDeepConsensusSelect)
        selection.setObjLabel(f"select by score >= {threshold:.4g}")
        scored = self._scored()
        are_particles = isinstance(scored.get(), SetOfParticles)
        name = "inputParticles" if are_particles else "inputCoordinates"
        getattr(selection, name).copy(scored)
        # Scipion's database keeps 15 digits: it must not round up, over a score.
        selection.threshold.set(np.floor(threshold * _DIGITS) / _DIGITS)
        fillSpacing(selection, spacingOf(self.protocol))
        project.launchProtocol(selection, wait=wait)
        return selection

    def _select(self, threshold: float) -> str:
        return f"'{self.selectAtThreshold(threshold).getRunName()}' was started."

    def averages(self, threshold: float) -> AveragesMarks | None:
        """Return the averages of the run that scored; None if it made none.

        What is accepted is what a threshold keeps.
        """
        run = findAveragingRun(self._scored(), self.getProject())
        if run is None:
            return None
        spacing = spacingOf(self.protocol)
        return AveragesMarks(
            self.getProject(), run, spacing=spacing, threshold=threshold
        )

    def _show_averages(self, threshold: float) -> str:
        found = self.averages(threshold)
        if found is None:
            return NO_AVERAGES
        found.view(self.getParent()).open()
        return ""

    def _report_on_selection(self, _: float) -> str | Iterator[str]:
        return open_report(self.getProject(), self.protocol)

    def marksFile(self) -> Path | None:
        """Return the file of the marks of the candidates; None if nobody scored them.

        It lies beside the scores, so that selections of one run share it.
        """
        run = self._scoringRun()
        if run is None:
            return None
        return Path(self.getProject().getPath()).absolute() / marksOf(run)

    def _refit(self, _: float) -> str | Iterator[str]:
        run = self._scoringRun()
        return NO_REFIT if run is None else tellRefit(run)

    # -------------------------- what is looked at --------------------------
    def _scored(self) -> Pointer | None:
        """Return a pointer to all scored items; None before there are any.

        Those of a selection are its input, since its outputs are parts of them.
        """
        if isinstance(self.protocol, ProtDeepConsensusSelect):
            pointers = [self.protocol.scoredItems()]
        else:
            pointers = [
                Pointer(self.protocol, extended=f"output{kind}{suffix}")
                for suffix in ("Scored", "")  # *deep consensus* has both
                for kind in ("Particles", "Coordinates")
            ]
        return next((p for p in pointers if p.get() is not None and len(p.get())), None)

    def _report(self) -> CalibrationReport | None:
        """Return what the run that scored the items expects of its candidates."""
        run = self._scoringRun()
        return None if run is None else run.readCalibration()

    def _scoringRun(self) -> Protocol | None:
        """Return the run that scored the items; None if it is no such run."""
        run = self.protocol
        if isinstance(run, ProtDeepConsensusSelect):
            run = self.getProject().getProtocol(self._scored().get().getObjParentId())
        return run if isinstance(run, _SCORERS) else None
