# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewer of a training: how it goes, how well it did, and what it got wrong."""

from __future__ import annotations

import textwrap

import numpy as np
from pyworkflow.protocol.params import LabelParam
from pyworkflow.viewer import DESKTOP_TKINTER, ProtocolViewer, View

from deepconsensus_plugin.core.pipeline.held_out import HeldOut
from deepconsensus_plugin.plots.gallery import draw_gallery, gallery_size
from deepconsensus_plugin.plots.training import Histories, draw_validation
from deepconsensus_plugin.protocols.model_summary import describeModel
from deepconsensus_plugin.protocols.protocol_train import ProtDeepConsensusTrain
from deepconsensus_plugin.protocols.training_record import TrainingRecord
from deepconsensus_plugin.viewers.figures import figure_view
from deepconsensus_plugin.viewers.live_history import LiveHistory
from deepconsensus_plugin.viewers.mistakes import worst_mistakes

_TITLE = "Training"
_N_MISTAKES, _N_COLUMNS = 20, 10
_WIDTH = 80
"""Letters in a line of a message; Scipion makes room for as many lines as it gets."""

_NOT_KEPT = (
    "What the networks said of held-out boxes is not there: the run has not finished, "
    "or an earlier version of the plugin made it."
)


class DeepConsensusTrainViewer(ProtocolViewer):
    """History, validation, worst mistakes and card of a model."""

    _label = "training"
    _environments = [DESKTOP_TKINTER]
    _targets = [ProtDeepConsensusTrain]

    def _defineParams(self, form):
        form.addSection(label="Training")
        for name, label, help_ in (
            (
                "showHistory",
                "Loss, accuracy, average precision and learning rate",
                "Of every network at each validation, on the micrographs that it does "
                "not learn from. While the run is at work the plot follows it.",
            ),
            (
                "showValidation",
                "ROC and precision-recall",
                "Of every network on the micrographs that it did not learn from. The "
                "labels are the pickers' agreement, not the truth: a network can be "
                "right where it is counted wrong.",
            ),
            (
                "showMistakes",
                "Worst mistakes",
                "Held-out boxes whose score is farthest from their label. Particles "
                "among the background, or the other way round, are labels to doubt.",
            ),
            (
                "showCard",
                "The model in words",
                "What it was made from, and its figures.",
            ),
        ):
            form.addParam(name, LabelParam, label=label, help=help_)

    def _getVisualizeDict(self):
        return {
            "showHistory": self._showHistory,
            "showValidation": self._showValidation,
            "showMistakes": self._showMistakes,
            "showCard": self._showCard,
        }

    def _showHistory(self, paramName=None) -> list[View]:
        view = figure_view((7.5, 8), _TITLE)
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
        view = figure_view((10, 5), _TITLE)
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
        view = figure_view(gallery_size(_N_COLUMNS, rows), _TITLE)
        draw_gallery(
            view.getFigure(),
            rows,
            n_columns=_N_COLUMNS,
            sampling_rate=request.micrographs[0].sampling_rate,
        )
        return [view]

    def _showCard(self, paramName=None) -> list[View]:
        if not self.protocol.hasAttribute("outputModel"):
            return self._say("There is no model yet: wait until the run has finished.")
        card = self.protocol.outputModel.getCard()
        versions = ", ".join(f"{name} {v}" for name, v in card.versions.items())
        lines = [*describeModel(card), f"Made with {versions}."]
        return self._say("\n".join(textwrap.fill(line, _WIDTH) for line in lines))

    def _record(self) -> TrainingRecord:
        return TrainingRecord(self.protocol.getJob())

    def _say(self, message: str) -> list[View]:
        return [self.infoMessage(message, _TITLE)]


def _by_network(held_out: HeldOut) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return labels and scores of what each network held out."""
    known = ~np.isnan(held_out.scores)
    return [
        (held_out.rows.is_particle[rows], held_out.scores[rows, network])
        for network, rows in enumerate(known.T)
    ]
