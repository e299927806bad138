# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: a picker that slides a window over the micrograph (DeepEM)."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import SetOfMicrographs
from pwem.protocols import EMProtocol

from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.models.picker_card import DeepEMCard
from deepconsensus_plugin.core.pickers.deepem.parameters import DeepEMRound
from deepconsensus_plugin.core.pipeline.deepem_requests import DeepEMTrainRequest
from deepconsensus_plugin.core.pipeline.picker_requests import PickerTrainResult
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.continuation import fingerprint
from deepconsensus_plugin.protocols.deepem_form import (
    deepEMParameters,
    defineDeepEMParams,
    describeBadDeepEM,
    describeSmallBox,
    withPixelsOfBox,
)
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


class ProtDeepEMTrain(EMProtocol):
    """Train a picker on boxes of particles and of background, in rounds.

    The network tells boxes apart; slid over the micrographs by *pick with a network*,
    it finds particles [Zhu2017]. All particles of some micrographs should be labelled.
    """

    _label = "train DeepEM picker"
    _possibleOutputs = {"outputModel": ParticleClassifier}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineLabelParams(
            form,
            labels="All particles of some micrographs, marked by hand, or those that "
            "several pickers agree on (*consensus of picks*).",
        )
        form.addSection(label="Training")
        defineDeepEMParams(form)
        form.addSection(label="Micrographs")
        defineMicrographParams(form, usual="the box becomes 48 pixels")
        form.addParallelSection(threads=2, mpi=0)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "labels": self._getExtraPath("labels.h5"),
                "negatives": self._getExtraPath("negatives.h5"),
                "job": self._getExtraPath("train_deepem.json"),
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
        learnt = learningInput(
            self,
            labels=Path(self._getFileName("labels")),
            negatives=Path(self._getFileName("negatives")),
            seed=self.seed.get(),
        )
        parameters = deepEMParameters(self)
        request = DeepEMTrainRequest(
            learnt=withPixelsOfBox(learnt, parameters.input_size),
            parameters=parameters,
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
        errors = describeBadLabels(self) + describeBadDeepEM(self)
        if self.inputCoordinates.get() is None or errors:
            return errors
        return describeSmallBox(self)

    def _summary(self):
        if not self.hasAttribute("outputModel"):
            return ["Not run yet."]
        card = self.outputModel.getCard()
        return describeModel(card) + [_describeRound(each) for each in card.rounds]

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


def _describeRound(done: DeepEMRound) -> str:
    """Return what a round learnt from, and what it came to."""
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
