# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: a picker learnt from few labelled particles (Topaz)."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.core.pickers.topaz.request import TopazTrainRequest
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.protocols.pickers.picker_form import (
    defineLabelParams,
    defineMicrographParams,
    describeBadLabels,
)
from deepconsensus_plugin.protocols.pickers.picker_protocol import (
    PickerTrainingProtocol,
)
from deepconsensus_plugin.protocols.pickers.topaz_form import LEARNING, TOPAZ
from deepconsensus_plugin.protocols.shared.as_published import (
    defineAsPublishedParam,
)
from deepconsensus_plugin.protocols.shared.shared_forms import defineGpuParams

FEW_LABELS = 50
"""Labels below which a picker depends on which particles were labelled."""


class ProtTopazTrain(PickerTrainingProtocol):
    """Train a picker on a few hundred particles, picked by hand or by consensus.

    Topaz is trained on positives and on places without a label, which may be particles
    or not [Bepler2019].
    """

    _label = "train Topaz picker"
    _learning = LEARNING

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineLabelParams(
            form,
            labels="Coordinates of a few hundred particles, picked by hand, or those "
            "that several pickers agree on (*consensus of picks*). "
            "Others on the same micrographs may be without a label.",
        )
        form.addSection(label="Training")
        defineAsPublishedParam(
            form,
            *TOPAZ.describe_published(),
            *LEARNING.describe_published(),
            paper="Bepler2019",
        )
        TOPAZ.define(form)
        form.addSection(label="Micrographs")
        defineMicrographParams(form, LEARNING)
        form.addParallelSection(threads=2, mpi=0)

    # -------------------------- steps --------------------------
    def _request(self, learnt: LearningInput, model: Path) -> TopazTrainRequest:
        """Return what the job is to do."""
        return TopazTrainRequest(learnt, TOPAZ.read(self), model)

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadLabels(self) + TOPAZ.describe_bad(self)

    def _warnings(self):
        labels = self.inputCoordinates.get()
        if labels is None or labels.getSize() >= FEW_LABELS:
            return []
        return [
            f"Particles: there are only {labels.getSize()} labels, so the picker will "
            "depend on which they are. Pick more if you can."
        ]

    def _methods(self):
        if not self.hasAttribute("outputModel"):
            return []
        card = self.outputModel.getCard()
        return [
            f"A Topaz picker [Bepler2019] was trained with Keras [Chollet2015] on "
            f"{card.training_sets[0].n_boxes} labelled particles, on micrographs of "
            f"{card.preprocessing.pixel_size_A:.3g} Å/px."
        ]

    def _citations(self):
        return ["Bepler2019", "Chollet2015"]
