# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a picker's training: its history, and what its thresholds give."""

from __future__ import annotations

from functools import partial

from pyworkflow.protocol import Protocol
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

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
from deepconsensus_plugin.viewers.tabs.frame import TabsView
from deepconsensus_plugin.viewers.tabs.tab import Plot, PlotTab, Tab
from deepconsensus_plugin.viewers.training_tabs import (
    NO_MODEL,
    history_tab,
    model_tab,
)


class DeepConsensusPickerViewer(Viewer):
    """History, precision and recall at every threshold, and card of a picker."""

    _label = "training of a picker"
    _environments = [DESKTOP_TKINTER]
    _targets = [PickerTrainingProtocol]

    def _visualize(self, obj: Protocol, **kwargs) -> list[View]:
        title = f"Training: {obj.getRunName()}"
        return [TabsView(title, PickerTrainingShown(obj).tabs(), self.getParent())]


class PickerTrainingShown:
    """Content of the window of a picker's training, which may be at work.

    Parameters
    ----------
    protocol : PickerTrainingProtocol
        The run.
    """

    def __init__(self, protocol: PickerTrainingProtocol):
        self._protocol = protocol
        self._job = protocol.getJob()

    def tabs(self) -> list[Tab]:
        """Return the tabs of the window."""
        return [
            history_tab(
                "Training loss and average precision at the end of each epoch.",
                self.histories,
                draw_picker_history,
            ),
            PlotTab(
                "Precision and recall",
                "Precision and recall on held-out micrographs, at every threshold. "
                "Where only some of the particles are labelled, precision "
                "is computed from the expected number of particles.",
                self.validation,
            ),
            model_tab(self._protocol),
        ]

    def histories(self) -> tuple[Histories, bool]:
        """Return the histories so far, and whether there will be more."""
        if result_path(self._job).exists():
            return read_result(self._job, PickerTrainResult).history, False
        histories = read_histories(self._protocol.getModelFolder())
        return histories, self._protocol.isActive()

    def validation(self) -> Plot | str:
        """Return what the thresholds give on what was held out."""
        if not result_path(self._job).exists():
            return NO_MODEL
        validation = read_result(self._job, PickerTrainResult).validation
        if validation is None or not validation.curve:
            return "Nothing was held out: too few micrographs have labels."
        return Plot(partial(draw_picker_validation, validation=validation))
