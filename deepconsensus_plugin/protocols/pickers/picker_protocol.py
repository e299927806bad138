# SPDX-License-Identifier: GPL-3.0-or-later
"""Base protocol of all trainings of pickers."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import SetOfMicrographs
from pwem.protocols import EMProtocol
from pyworkflow.object import Pointer

from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.pickers.trained.requests import (
    LearningInput,
    PickerTrainResult,
)
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.pickers.picker_form import (
    LEARNING,
    learningInput,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.model_summary import describeModel
from deepconsensus_plugin.protocols.shared.shared_forms import micrographsToCut
from deepconsensus_plugin.protocols.shared.used_devices import describeDevices


class PickerTrainingProtocol(Appearance, EMProtocol):
    """Base of all trainings of pickers; a method adds its form and its request."""

    _possibleOutputs = {"outputModel": ParticleClassifier}
    _hasDiameter = True
    """Whether its form asks for one diameter, *particleDiameter*."""
    _learning = LEARNING
    """Part of its form with the micrographs that are learnt from."""

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "labels": self._getExtraPath("labels.h5"),
                "negatives": self._getExtraPath("negatives.h5"),
                "job": self._getExtraPath("train.json"),
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
        job = self.getJob()
        write_job(job, self._makeRequest(self.getModelFolder()))
        Plugin.runCoreJob(self, job)
        result = read_result(job, PickerTrainResult)
        self.info(
            f"Trained on {result.n_labels} labels on {result.n_micrographs} micrographs"
        )

    def _makeRequest(self, model: Path) -> object:
        """Return the request, its labels written to files."""
        learnt = learningInput(
            self,
            labels=Path(self._getFileName("labels")),
            negatives=Path(self._getFileName("negatives")),
            seed=self.seed.get(),
            learning=self._learning,
        )
        return self._request(learnt, model)

    def _request(self, learnt: LearningInput, model: Path) -> object:
        """Return the request of the method."""
        raise NotImplementedError

    def createOutputStep(self, form):
        """Register the model."""
        model = ParticleClassifier(self._getFileName("model"))
        self._defineOutputs(outputModel=model)
        for pointer in self._sources():
            if pointer.get() is not None:
                self._defineSourceRelation(pointer, model)

    def _sources(self) -> list[Pointer]:
        """Return the inputs that the model comes from; some may be empty."""
        return [self.inputCoordinates, self.inputNegatives]

    # -------------------------- information --------------------------
    def _summary(self):
        if not self.hasAttribute("outputModel"):
            return ["Not run yet."]
        lines = describeModel(self.outputModel.getCard())
        return [*lines, *describeDevices(self)]

    # -------------------------- what others ask --------------------------
    def getJob(self) -> Path:
        """Return the job file, which says where all others are."""
        self._createFilenameTemplates()
        return Path(self._getFileName("job"))

    def getModelFolder(self) -> Path:
        """Return where the model is, or will be."""
        self._createFilenameTemplates()
        return Path(self._getFileName("model"))

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs that are learnt from."""
        return micrographsToCut(self, self.inputCoordinates)


def trainingsWithDiameter() -> list[type[PickerTrainingProtocol]]:
    """Return the trainings, defined so far, whose form asks for one diameter."""
    return [
        training
        for training in PickerTrainingProtocol.__subclasses__()
        if training._hasDiameter
    ]
