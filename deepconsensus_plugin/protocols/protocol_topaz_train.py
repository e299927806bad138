# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: a picker learnt from few labelled particles (Topaz)."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import SetOfMicrographs
from pwem.protocols import EMProtocol

from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.pipeline.picker_requests import (
    PickerTrainResult,
    TopazTrainRequest,
)
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.continuation import fingerprint
from deepconsensus_plugin.protocols.model_summary import describeModel
from deepconsensus_plugin.protocols.picker_form import (
    defineLabelParams,
    defineMicrographParams,
    describeBadLabels,
    learningInput,
)
from deepconsensus_plugin.protocols.shared_forms import (
    defineGpuParams,
    micrographsToCut,
)
from deepconsensus_plugin.protocols.topaz_form import (
    defineTopazParams,
    describeBadTopaz,
    topazParameters,
)

FEW_LABELS = 50
"""Below this a picker depends on which particles were labelled."""


class ProtTopazTrain(EMProtocol):
    """Train a picker from a few hundred particles, marked by hand or agreed upon.

    Places without a label may be particles or not: Topaz learns from positives and
    unlabelled places [Bepler2019].
    """

    _label = "train Topaz picker"
    _possibleOutputs = {"outputModel": ParticleClassifier}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineLabelParams(
            form,
            labels="Some of the particles of some micrographs: a few hundred, marked "
            "by hand, or those that several pickers agree on (*consensus of picks*). "
            "Others on the same micrographs may be without a label.",
        )
        form.addSection(label="Training")
        defineTopazParams(form)
        form.addSection(label="Micrographs")
        defineMicrographParams(form)
        form.addParallelSection(threads=2, mpi=0)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "labels": self._getExtraPath("labels.h5"),
                "negatives": self._getExtraPath("negatives.h5"),
                "job": self._getExtraPath("train_topaz.json"),
                "model": self._getExtraPath("model"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.trainStep, form, needsGPU=True)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def trainStep(self, form):
        """Run the training in its own process."""
        request = TopazTrainRequest(
            learnt=learningInput(
                self,
                labels=Path(self._getFileName("labels")),
                negatives=Path(self._getFileName("negatives")),
                seed=self.seed.get(),
            ),
            parameters=topazParameters(self),
            model=Path(self._getFileName("model")),
        )
        job = self.getJob()
        write_job(job, request)
        Plugin.runCoreJob(self, job)
        result = read_result(job, PickerTrainResult)
        self.info(
            f"Learnt from {result.n_labels} labels on {result.n_micrographs} "
            "micrographs"
        )

    def createOutputStep(self, form):
        """Register the model."""
        model = ParticleClassifier(self._getFileName("model"))
        self._defineOutputs(outputModel=model)
        for pointer in (self.inputCoordinates, self.inputNegatives):
            if pointer.get() is not None:
                self._defineSourceRelation(pointer, model)

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadLabels(self) + describeBadTopaz(self)

    def _warnings(self):
        labels = self.inputCoordinates.get()
        if labels is None or labels.getSize() >= FEW_LABELS:
            return []
        return [
            f"Particles: only {labels.getSize()} labels. The picker will depend on "
            "which they are; mark more if you can."
        ]

    def _summary(self):
        if not self.hasAttribute("outputModel"):
            return ["Not run yet."]
        return describeModel(self.outputModel.getCard())

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

    # -------------------------- what others ask --------------------------
    def getJob(self) -> Path:
        """Return the job file, which says where all others are."""
        self._createFilenameTemplates()
        return Path(self._getFileName("job"))

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs that are learnt from."""
        return micrographsToCut(self, self.inputCoordinates)

    def getModelFolder(self) -> Path:
        """Return where the model is, or will be."""
        self._createFilenameTemplates()
        return Path(self._getFileName("model"))
