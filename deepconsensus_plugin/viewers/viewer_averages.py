# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of averages: their members, marks, and the coordinates that these select."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pwem.objects import SetOfParticles
from pyworkflow.gui.gui import Window
from pyworkflow.object import Pointer
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.averages.marks import Marks, describe_numbers
from deepconsensus_plugin.protocols.averages.protocol_averages import (
    ProtDeepConsensusAverages,
)
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    readAcceptance,
    spacingOf,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_select_averages import (
    ProtDeepConsensusSelectAverages,
)
from deepconsensus_plugin.protocols.shared.run_averages import (
    averagedCoordinates,
    averagedItems,
    findAveragingRun,
    hasAverages,
)
from deepconsensus_plugin.viewers.averages.frame import AveragesFrame
from deepconsensus_plugin.viewers.averages.reading import locate_averages, read_shown
from deepconsensus_plugin.viewers.averages.shown import AveragesShown
from deepconsensus_plugin.viewers.frame_window import FrameView

_TITLE = "Averages"
NO_AVERAGES = (
    "This run has no averages: its candidates were not averaged, or are too few."
)
NO_COORDINATES = (
    "These averages are of particles without coordinates: choose among the classes of "
    "the run instead."
)


class AveragesMarks:
    """Averages of a run, and what is made of their marks.

    Parameters
    ----------
    project : Project
        Loaded.
    run : Protocol
        A run that `hasAverages`.
    spacing : Spacing, optional
        Where accepted particles may lie; anywhere if None.
    threshold : float, optional
        Lowest score that is accepted; None where nothing is accepted yet.
    """

    def __init__(
        self,
        project: Project,
        run: Protocol,
        *,
        spacing: Spacing | None = None,
        threshold: float | None = None,
    ):
        self._project, self._run = project, run
        self._spacing, self._threshold = spacing or Spacing(), threshold

    def view(self, master: Window | None) -> FrameView:
        """Return the window of the averages."""
        make_frame = partial(AveragesFrame, read=self.reader(), create=self._start)
        title = f"{_TITLE}: {self._run.getRunName()}"
        return FrameView(make_frame, title=title, masterWindow=master)

    def reader(self) -> Callable[[], AveragesShown]:
        """Return what reads the averages; any thread can call it."""
        source = locate_averages(
            self._run,
            folder=Path(self._project.getPath()).absolute(),
            spacing=self._spacing,
            threshold=self._threshold,
        )
        return partial(read_shown, source)

    def select(
        self, marks: Marks, *, wait: bool = False
    ) -> ProtDeepConsensusSelectAverages:
        """Add a selection by marks to the project and start it.

        Parameters
        ----------
        marks : Marks
            Good and bad averages.
        wait : bool
            Whether to return only when it has finished.
        """
        selection = self._project.newProtocol(
            ProtDeepConsensusSelectAverages,
            goodAverages=describe_numbers(marks.good),
            badAverages=describe_numbers(marks.bad),
        )
        chosen = averagedCoordinates(self._run)
        outputs = self._run.iterOutputAttributes()
        name = next(name for name, items in outputs if items is chosen)
        selection.inputCoordinates.copy(Pointer(self._run, extended=name))
        self._project.launchProtocol(selection, wait=wait)
        return selection

    def _start(self, marks: Marks) -> str:
        if isinstance(averagedItems(self._run), SetOfParticles):
            return NO_COORDINATES
        return f"'{self.select(marks).getRunName()}' was started."


class DeepConsensusAveragesViewer(Viewer):
    """Averages of a run, or those that a selection was made from.

    The window of scores has a button for them.
    """

    _label = "averages"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtDeepConsensusAverages, ProtDeepConsensusSelectAverages]

    def _visualize(self, obj: Protocol, **kwargs) -> list[View]:
        run: Protocol | None = obj
        if not hasAverages(obj):
            run = findAveragingRun(obj.inputCoordinates, self.getProject())
        if run is None:
            return [self.infoMessage(NO_AVERAGES, _TITLE)]
        kept = readAcceptance(run)
        averages = AveragesMarks(
            self.getProject(),
            run,
            spacing=spacingOf(run) if kept is not None else None,
            threshold=None if kept is None else kept.threshold,
        )
        return [averages.view(self.getParent())]
