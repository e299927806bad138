# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a training: its history, its validation and its largest errors."""

from __future__ import annotations

from functools import partial

import numpy as np
from pyworkflow.protocol import Protocol
from pyworkflow.viewer import DESKTOP_TKINTER, View, Viewer

from deepconsensus_plugin.core.deep_consensus.held_out import HeldOut
from deepconsensus_plugin.plots.gallery import draw_gallery
from deepconsensus_plugin.plots.training import (
    Histories,
    draw_history,
    draw_validation,
)
from deepconsensus_plugin.protocols.deep_consensus.protocol_train import (
    ProtDeepConsensusTrain,
)
from deepconsensus_plugin.protocols.shared.training_record import TrainingRecord
from deepconsensus_plugin.viewers.mistakes import worst_mistakes
from deepconsensus_plugin.viewers.tabs.frame import TabsView
from deepconsensus_plugin.viewers.tabs.tab import Plot, PlotTab, Tab
from deepconsensus_plugin.viewers.training_tabs import history_tab, model_tab

_N_MISTAKES, _N_COLUMNS = 20, 10
_NOT_KEPT = (
    "What the networks said of held-out boxes is not there: the run has not finished, "
    "or an earlier version of the plugin made it."
)


class DeepConsensusTrainViewer(Viewer):
    """History, validation, worst mistakes and card of a model."""

    _label = "training"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtDeepConsensusTrain]

    def _visualize(self, obj: Protocol, **kwargs) -> list[View]:
        title = f"Training: {obj.getRunName()}"
        return [TabsView(title, TrainingShown(obj).tabs(), self.getParent())]


class TrainingShown:
    """Content of the window of a training, which may be at work.

    Parameters
    ----------
    protocol : ProtDeepConsensusTrain
        The run.
    """

    def __init__(self, protocol: ProtDeepConsensusTrain):
        self._protocol = protocol
        self._record = TrainingRecord(protocol.getJob())

    def tabs(self) -> list[Tab]:
        """Return the tabs of the window."""
        return [
            history_tab(
                "Loss, accuracy, average precision and learning rate of every network "
                "at each validation, on its held-out micrographs.",
                self.histories,
                draw_history,
            ),
            PlotTab(
                "Validation",
                "ROC and precision-recall of every network on its held-out "
                "micrographs. The labels are the agreement of the pickers, not the "
                "truth, so a network can be right where it is counted wrong.",
                self.validation,
            ),
            PlotTab(
                "Worst mistakes",
                "Held-out boxes whose score is farthest from their label. Particles "
                "among the background, and vice versa, have doubtful labels.",
                self.mistakes,
            ),
            model_tab(self._protocol),
        ]

    def histories(self) -> tuple[Histories, bool]:
        """Return the histories so far, and whether there will be more."""
        isRunning = self._protocol.isActive() and not self._record.is_finished()
        return self._record.histories(), isRunning

    def validation(self) -> Plot | str:
        """Return the curves on what was held out."""
        held_out = self._record.held_out()
        if held_out is None:
            return _NOT_KEPT
        return Plot(partial(draw_validation, networks=_by_network(held_out)))

    def mistakes(self) -> Plot | str:
        """Return the boxes with the largest errors."""
        held_out = self._record.held_out()
        if held_out is None:
            return _NOT_KEPT
        request = self._record.request()
        rows = worst_mistakes(
            held_out,
            {micrograph.name: micrograph for micrograph in request.micrographs},
            box_size=request.box_size,
            n=_N_MISTAKES,
        )
        if not rows:
            return "All held-out boxes are on the right side of 0.5."
        draw = partial(
            draw_gallery,
            rows=rows,
            n_columns=_N_COLUMNS,
            sampling_rate=request.micrographs[0].sampling_rate,
        )
        return Plot(draw)


def _by_network(held_out: HeldOut) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return labels and scores of what each network held out."""
    known = ~np.isnan(held_out.scores)
    return [
        (held_out.rows.is_particle[rows], held_out.scores[rows, network])
        for network, rows in enumerate(known.T)
    ]
