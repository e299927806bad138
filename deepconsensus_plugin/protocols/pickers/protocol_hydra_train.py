# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: a detector with a head for each data set (HydraPicker)."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import SetOfMicrographs
from pyworkflow.object import Pointer

from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.request import HydraTrainRequest
from deepconsensus_plugin.protocols.pickers.hydra_form import (
    FROM_MODEL,
    HYDRA,
    LEARNING,
    baseModel,
    defineHydraInput,
    describeBadHydra,
    hydraParameters,
    learningInputs,
)
from deepconsensus_plugin.protocols.pickers.picker_form import defineMicrographParams
from deepconsensus_plugin.protocols.pickers.picker_protocol import (
    PickerTrainingProtocol,
)
from deepconsensus_plugin.protocols.shared.as_published import (
    defineAsPublishedParam,
)
from deepconsensus_plugin.protocols.shared.shared_forms import defineGpuParams


class ProtHydraTrain(PickerTrainingProtocol):
    """Train a picker on several data sets, or tune the general one on few micrographs.

    The data sets share the body of the network, and each has its own head. A general
    head picks particles that the model has never seen [MasoumzadehTork2019].
    """

    _hasDiameter = False  # one for each data set
    _label = "train HydraPicker"

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineHydraInput(form)
        form.addSection(label="Training")
        defineAsPublishedParam(
            form, *HYDRA.describe_published(), paper="MasoumzadehTork2019"
        )
        HYDRA.define(form)
        form.addSection(label="Micrographs")
        defineMicrographParams(form, LEARNING)
        form.addParallelSection(threads=2, mpi=0)

    # -------------------------- steps --------------------------
    def _makeRequest(self, model: Path) -> HydraTrainRequest:
        """Return what the job is to do, labels written to files."""
        return HydraTrainRequest(
            sets=learningInputs(self, Path(self._getExtraPath())),
            parameters=hydraParameters(self),
            model=model,
            base=baseModel(self),
        )

    def _sources(self) -> list[Pointer]:
        given = [self.inputModel] if self.startFrom.get() == FROM_MODEL else []
        return [*self.inputCoordinates, *given]

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadHydra(self)

    def _methods(self):
        if not self.hasAttribute("outputModel"):
            return []
        card = self.outputModel.getCard(HydraCard)
        n_labels = sum(each.n_boxes for each in card.training_sets)
        learnt = "New heads of a" if card.base else "A"
        return [
            f"{learnt} HydraPicker [MasoumzadehTork2019] were trained with Keras "
            f"[Chollet2015] on {n_labels} particles of {len(card.training_sets)} data "
            "sets."
        ]

    def _citations(self):
        return ["MasoumzadehTork2019", "Chollet2015"]

    # -------------------------- what others ask --------------------------
    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs of the first data set."""
        pointers = list(self.inputCoordinates)
        return pointers[0].get().getMicrographs() if pointers else None
