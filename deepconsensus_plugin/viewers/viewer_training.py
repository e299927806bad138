# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a training: its history, its validation and its largest errors."""

from __future__ import annotations

import numpy as np
from pyworkflow.viewer import View

from deepconsensus_plugin.core.deep_consensus.held_out import HeldOut
from deepconsensus_plugin.plots.gallery import draw_gallery, gallery_size
from deepconsensus_plugin.plots.training import Histories, draw_validation
from deepconsensus_plugin.protocols.deep_consensus.protocol_train import (
    ProtDeepConsensusTrain,
)
from deepconsensus_plugin.protocols.shared.training_record import TrainingRecord
from deepconsensus_plugin.viewers.figures import figure_view
from deepconsensus_plugin.viewers.live_history import LiveHistory
from deepconsensus_plugin.viewers.mistakes import worst_mistakes
from deepconsensus_plugin.viewers.training_window import TITLE, TrainingWindow

_N_MISTAKES, _N_COLUMNS = 20, 10
_NOT_KEPT = (
    "What the networks said of held-out boxes is not there: the run has not finished, "
    "or an earlier version of the plugin made it."
)


class DeepConsensusTrainViewer(TrainingWindow):
    """History, validation, worst mistakes and card of a model."""

    _label = "training"
    _targets = [ProtDeepConsensusTrain]
    _entries = (
        (
            "showHistory",
            "Loss, accuracy, average precision and learning rate",
            "Of every network at each validation, on the micrographs that it does not "
            "learn from. While the run is at work the plot follows it.",
        ),
        (
            "showValidation",
            "ROC and precision-recall",
            "Of every network on the micrographs that it did not learn from. The "
            "labels are the pickers' agreement, not the truth: a network can be right "
            "where it is counted wrong.",
        ),
        (
            "showMistakes",
            "Worst mistakes",
            "Held-out boxes whose score is farthest from their label. Particles among "
            "the background, or the other way round, are labels to doubt.",
        ),
    )

    def _showHistory(self, paramName=None) -> list[View]:
        view = figure_view((7.5, 8), TITLE)
        LiveHistory(view.getFigure(), self._readHistories)
        return [view]

    def _readHistories(self) -> tuple[Histories, bool]:
        """Return the histories so far, and whether there will be more."""
        record = self._record()
        isRunning = self.protocol.isActive() and not record.is_finished()
        return record.histories(), isRunning

    def _showValidation(self, paramName=None) -> list[View]:
        held_out = self._record().held_out()
        if held_out is None:
            return self._say(_NOT_KEPT)
        view = figure_view((10, 5), TITLE)
        draw_validation(view.getFigure(), _by_network(held_out))
        return [view]

    def _showMistakes(self, paramName=None) -> list[View]:
        held_out = self._record().held_out()
        if held_out is None:
            return self._say(_NOT_KEPT)
        request = self._record().request()
        rows = worst_mistakes(
            held_out,
            {micrograph.name: micrograph for micrograph in request.micrographs},
            box_size=request.box_size,
            n=_N_MISTAKES,
        )
        if not rows:
            return self._say("All held-out boxes are on the right side of 0.5.")
        view = figure_view(gallery_size(_N_COLUMNS, rows), TITLE)
        draw_gallery(
            view.getFigure(),
            rows,
            n_columns=_N_COLUMNS,
            sampling_rate=request.micrographs[0].sampling_rate,
        )
        return [view]

    def _record(self) -> TrainingRecord:
        return TrainingRecord(self.protocol.getJob())


def _by_network(held_out: HeldOut) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return labels and scores of what each network held out."""
    known = ~np.isnan(held_out.scores)
    return [
        (held_out.rows.is_particle[rows], held_out.scores[rows, network])
        for network, rows in enumerate(known.T)
    ]
