# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a picker's training: its history, and what its thresholds give."""

from __future__ import annotations

from pyworkflow.viewer import View

from deepconsensus_plugin.core.jobs import read_result, result_path
from deepconsensus_plugin.core.networks.history import read_histories
from deepconsensus_plugin.core.pickers.trained.requests import PickerTrainResult
from deepconsensus_plugin.plots.picker_training import (
    draw_picker_history,
    draw_picker_validation,
)
from deepconsensus_plugin.plots.training import Histories
from deepconsensus_plugin.protocols.pickers.picker_protocol import (
    PickerTrainingProtocol,
)
from deepconsensus_plugin.viewers.figures import figure_view
from deepconsensus_plugin.viewers.live_history import LiveHistory
from deepconsensus_plugin.viewers.training_window import TITLE, TrainingWindow


class DeepConsensusPickerViewer(TrainingWindow):
    """History, precision and recall at every threshold, and card of a picker."""

    _label = "training of a picker"
    _targets = [PickerTrainingProtocol]
    _entries = (
        (
            "showHistory",
            "Loss and average precision",
            "At the end of each epoch. While the run is at work the plot follows it.",
        ),
        (
            "showValidation",
            "Precision and recall",
            "On micrographs that the picker did not learn from, at every threshold. "
            "Where few particles are labelled, precision follows from how many there "
            "should be.",
        ),
    )

    def _showHistory(self, paramName=None) -> list[View]:
        view = figure_view((7.5, 6), TITLE)
        LiveHistory(view.getFigure(), self._readHistories, draw_picker_history)
        return [view]

    def _readHistories(self) -> tuple[Histories, bool]:
        """Return the histories so far, and whether there will be more."""
        job = self.protocol.getJob()
        if result_path(job).exists():
            return read_result(job, PickerTrainResult).history, False
        histories = read_histories(self.protocol.getModelFolder())
        return histories, self.protocol.isActive()

    def _showValidation(self, paramName=None) -> list[View]:
        job = self.protocol.getJob()
        if not result_path(job).exists():
            return self._say("There is no model yet: wait until the run has finished.")
        validation = read_result(job, PickerTrainResult).validation
        if validation is None or not validation.curve:
            return self._say("Nothing was held out: too few micrographs have labels.")
        view = figure_view((10, 4.8), TITLE)
        draw_picker_validation(view.getFigure(), validation)
        return [view]
