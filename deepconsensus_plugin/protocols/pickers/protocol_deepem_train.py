# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: a picker that slides a window over the micrograph (DeepEM)."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.core.pickers.deepem.card import DeepEMCard
from deepconsensus_plugin.core.pickers.deepem.parameters import DeepEMRound
from deepconsensus_plugin.core.pickers.deepem.request import DeepEMTrainRequest
from deepconsensus_plugin.core.pickers.trained.requests import LearningInput
from deepconsensus_plugin.protocols.pickers.deepem_form import (
    DEEPEM,
    LEARNING,
    deepEMParameters,
    describeSmallBox,
    scaledToBox,
)
from deepconsensus_plugin.protocols.pickers.picker_form import (
    defineLabelParams,
    defineMicrographParams,
    describeBadLabels,
)
from deepconsensus_plugin.protocols.pickers.picker_protocol import (
    PickerTrainingProtocol,
)
from deepconsensus_plugin.protocols.shared.as_published import (
    defineAsPublishedParam,
)
from deepconsensus_plugin.protocols.shared.shared_forms import defineGpuParams


class ProtDeepEMTrain(PickerTrainingProtocol):
    """Train a picker on boxes of particles and of background, in rounds.

    The network classifies boxes; *pick with a network* scans micrographs with it
    [Zhu2017]. All particles of the training micrographs should be labelled.
    """

    _label = "train DeepEM picker"
    _learning = LEARNING

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineLabelParams(
            form,
            labels="Coordinates of all particles of some micrographs, picked by "
            "hand, or those that several pickers agree on (*consensus of picks*).",
        )
        form.addSection(label="Training")
        defineAsPublishedParam(
            form,
            *DEEPEM.describe_published(),
            *LEARNING.describe_published(),
            paper="Zhu2017",
        )
        DEEPEM.define(form)
        form.addSection(label="Micrographs")
        defineMicrographParams(form, LEARNING)
        form.addParallelSection(threads=2, mpi=0)

    # -------------------------- steps --------------------------
    def _request(self, learnt: LearningInput, model: Path) -> DeepEMTrainRequest:
        """Return what the job is to do."""
        parameters = deepEMParameters(self)
        return DeepEMTrainRequest(
            learnt=scaledToBox(learnt, parameters.input_size),
            parameters=parameters,
            model=model,
        )

    # -------------------------- information --------------------------
    def _validate(self):
        errors = describeBadLabels(self) + DEEPEM.describe_bad(self)
        if self.inputCoordinates.get() is None or errors:
            return errors
        return describeSmallBox(self)

    def _summary(self):
        if not self.hasAttribute("outputModel"):
            return ["Not run yet."]
        rounds = self.outputModel.getCard().rounds
        return super()._summary() + [_describeRound(each) for each in rounds]

    def _methods(self):
        if not self.hasAttribute("outputModel"):
            return []
        card: DeepEMCard = self.outputModel.getCard()
        return [
            f"A DeepEM picker [Zhu2017] was trained with Keras [Chollet2015] on "
            f"{card.training_sets[0].n_boxes} particles in {len(card.rounds)} rounds, "
            f"on micrographs of {card.preprocessing.pixel_size_A:.3g} Å/px."
        ]

    def _citations(self):
        return ["Zhu2017", "Chollet2015"]


def _describeRound(done: DeepEMRound) -> str:
    """Return the training boxes and the result of a round, as one line."""
    learnt = (
        f"Round {done.number}: {done.n_particles} boxes of particles and "
        f"{done.n_others} others"
    )
    best = done.operating_point
    if best is None:
        return f"{learnt}; found no particle."
    return (
        f"{learnt}; best F2 {best.f2:.3f} (precision {best.precision:.3f}, recall "
        f"{best.recall:.3f}) at log-odds {best.threshold:.2f}."
    )
