# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: train an ensemble of networks to classify particles and background."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pwem.objects import SetOfCTF, SetOfMicrographs, SetOfParticles
from pwem.protocols import EMProtocol

from deepconsensus_plugin.convert import BoxFrame
from deepconsensus_plugin.core.deep_consensus.labelled import FEW_BOXES
from deepconsensus_plugin.core.deep_consensus.requests import TrainRequest, TrainResult
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.deep_consensus.labelled_boxes import (
    BoxReader,
    canFlipAll,
    describeBadStacks,
    sourceOf,
)
from deepconsensus_plugin.protocols.deep_consensus.train_form import (
    TRAINING,
    defineExtraParams,
    defineInputParams,
    defineKeepParam,
    defineTrainingParams,
)
from deepconsensus_plugin.protocols.deep_consensus.training_choices import (
    boxPreprocessing,
    describeBadStart,
    describeBadTraining,
    initialFolder,
)
from deepconsensus_plugin.protocols.deep_consensus.training_sets import (
    LabelledSet,
    chosenSets,
    countToLearnFrom,
    describeBadFurther,
    describeBadSets,
    describeDifferentRates,
    describeSharedMicrographs,
    hasStacks,
    joinMicrographs,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.model_summary import (
    describeMethods,
    describeModel,
)
from deepconsensus_plugin.protocols.shared.parallel_form import (
    defineParallelParams,
    describeBadParallel,
)
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineGpuParams,
    micrographsToCut,
)
from deepconsensus_plugin.protocols.shared.used_devices import describeDevices


class ProtDeepConsensusTrain(Appearance, EMProtocol):
    """Train an ensemble of networks to tell particles from background.

    The model records its training data, and its accuracy on held-out micrographs.
    """

    _label = "train network"
    _possibleOutputs = {"outputModel": ParticleClassifier}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineInputParams(form)
        defineKeepParam(form)
        form.addSection(label="Extra sets")
        defineExtraParams(form)
        form.addSection(label="Training")
        defineTrainingParams(form)
        defineParallelParams(form, threads=4)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "coordinates": self._getExtraPath("coordinates_%(set)s.h5"),
                "job": self._getExtraPath("train.json"),
                "boxes": (self._getExtraPath if self.keepBoxes else self._getTmpPath)(
                    "boxes.h5"
                ),
                "model": self._getExtraPath("model"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.convertInputStep, form, needsGPU=False)
        self._insertFunctionStep(self.trainStep, form, needsGPU=True)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def convertInputStep(self, form):
        """Write the boxes of every set for the job."""
        reader = self._reader()
        for chosen in chosenSets(self):
            reader.write(self, chosen, self._boxesFile(chosen))

    def trainStep(self, form):
        """Run the training in its own process."""
        sets, frame = chosenSets(self), self._frame()
        request = TrainRequest(
            micrographs=joinMicrographs(self._reader().micrographs(sets)),
            sources=tuple(sourceOf(each, self._boxesFile(each)) for each in sets),
            box_size=frame["boxSize"],
            preprocessing=boxPreprocessing(self, **frame),
            parameters=TRAINING.read(self),
            dataset=Path(self._getFileName("boxes")),
            model=Path(self._getFileName("model")),
            initial_model=initialFolder(self),
            workers=self.numberOfThreads.get(),
        )
        job = Path(self._getFileName("job"))
        write_job(job, request)
        Plugin.runCoreJob(self, job)
        result = read_result(job, TrainResult)
        self.info(f"Learnt from {result.n_positives} + {result.n_negatives} boxes")

    def createOutputStep(self, form):
        """Register the model."""
        model = ParticleClassifier(self._getFileName("model"))
        self._defineOutputs(outputModel=model)
        for chosen in chosenSets(self):
            self._defineSourceRelation(chosen.pointer, model)
        if initialFolder(self) is not None:
            self._defineSourceRelation(self.initialModel, model)

    # -------------------------- information --------------------------
    def _validate(self):
        errors = describeBadTraining(self) + describeBadParallel(self)
        if self.inputPositives.get() is None or self.inputNegatives.get() is None:
            return errors  # Scipion reports it
        errors += self._validateSets()
        return errors or describeBadStart(self, **self._frame())

    def _validateSets(self) -> list[str]:
        """Return what is wrong with the chosen sets."""
        errors = describeBadFurther(self)
        sets = [] if errors else chosenSets(self)
        errors += describeBadSets(sets)
        if not self._arePositivesParticles() and not (
            self.inputPositives.get().getBoxSize()
        ):
            errors.append("Positives: the set has no box size; import it with one.")
        if errors:
            return errors
        if self.inputMicrographs.get() is None:
            errors = describeDifferentRates(sets)
        return errors or describeBadStacks(
            sets, extentA=self._extentA(), flipsPhases=self._frame()["flipsPhases"]
        )

    def _warnings(self):
        return [
            f"{what}: there are only {n} coordinates, so scores will depend on the "
            "random seed. Look at their spread, and at particles near the cutoff."
            for what, isParticle in (("Positives", True), ("Negatives", False))
            if (n := countToLearnFrom(self, isParticle=isParticle)) < FEW_BOXES
        ] + describeSharedMicrographs(chosenSets(self))

    def _summary(self):
        if not self.hasAttribute("outputModel"):
            return ["Not run yet."]
        lines = describeModel(self.outputModel.getCard())
        return [*lines, *describeDevices(self)]

    def _methods(self):
        if not self.hasAttribute("outputModel"):
            return []
        return [describeMethods(self.outputModel.getCard())]

    def _citations(self):
        return ["SanchezGarcia2018", "Chollet2015"]

    # -------------------------- what conditions of the form name ------------------
    def hasExtraPositives(self) -> bool:
        """Return whether there are further sets of particles."""
        return bool(self.extraPositives)

    def hasExtraNegatives(self) -> bool:
        """Return whether there are further sets of background."""
        return bool(self.extraNegatives)

    def hasStacks(self) -> bool:
        """Return whether a set is of particles."""
        return hasStacks(self, "inputPositives", "inputNegatives")

    # -------------------------- what the steps share --------------------------
    def getJob(self) -> Path:
        """Return the job file, which says where all others are."""
        self._createFilenameTemplates()
        return Path(self._getFileName("job"))

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs to cut; the form finds CTFs by them."""
        return micrographsToCut(self, self.inputPositives)

    def _reader(self) -> BoxReader:
        return BoxReader(
            self._extentA(),
            self.inputMicrographs.get(),
            self._ctfs(),
            self._frame()["flipsPhases"],
            areStacksDark=self.stacksDark.get(),
            areMicrographsDark=not self.skipInvert,
        )

    def _frame(self) -> dict[str, Any]:
        """Return box and pixel size of the positives, and whether phases are flipped.

        Pixels are those of the images, or of the micrographs that are cut.
        """
        positives = self.inputPositives.get()
        if self._arePositivesParticles():
            box, rate = positives.getXDim(), positives.getSamplingRate()
        else:
            frame = BoxFrame(positives, self.getInputMicrographs())
            box, rate = frame.box_size, frame.micrographs.getSamplingRate()
        flips = canFlipAll(chosenSets(self), self._ctfs())
        return {"boxSize": box, "samplingRate": rate, "flipsPhases": flips}

    def _extentA(self) -> float:
        frame = self._frame()
        return frame["boxSize"] * frame["samplingRate"]

    def _arePositivesParticles(self) -> bool:
        return isinstance(self.inputPositives.get(), SetOfParticles)

    def _boxesFile(self, chosen: LabelledSet) -> Path:
        return Path(self._getFileName("coordinates", set=chosen.key))

    def _ctfs(self) -> SetOfCTF | None:
        return self.ctfRelations.get()
