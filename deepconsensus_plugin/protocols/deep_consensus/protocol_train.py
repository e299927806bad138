# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: train an ensemble of networks to classify particles and background."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import SetOfCTF, SetOfMicrographs
from pwem.protocols import EMProtocol

from deepconsensus_plugin.convert import (
    BoxFrame,
    coordinates_from_set,
    micrographs_from_set,
)
from deepconsensus_plugin.core.deep_consensus.labelled import FEW_BOXES
from deepconsensus_plugin.core.deep_consensus.requests import (
    BoxSource,
    TrainRequest,
    TrainResult,
)
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.plugin import Plugin
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
    describeBadSets,
    describeBadWeights,
    describeDifferentRates,
    describeSharedMicrographs,
    joinMicrographs,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.model_summary import (
    describeMethods,
    describeModel,
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
        form.addParallelSection(threads=4, mpi=0)

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
        """Write the positions of every set for the job."""
        needsCtf = self._ctfs() is not None
        known = {mic.name for mic in self._micrographs() if mic.ctf or not needsCtf}
        for chosen in chosenSets(self):
            found = coordinates_from_set(
                chosen.coordinates,
                micrographs=self.inputMicrographs.get() or chosen.micrographs,
            )
            kept = {name: here for name, here in found.items() if name in known}
            nLeftOut = sum(map(len, found.values())) - sum(map(len, kept.values()))
            if nLeftOut:
                self.warning(
                    f"{chosen.name}: {nLeftOut} coordinates left out, since their "
                    "micrographs have no CTF"
                )
            write_coordinates(self._coordinatesFile(chosen), kept)

    def trainStep(self, form):
        """Run the training in its own process."""
        request = TrainRequest(
            micrographs=self._micrographs(),
            sources=self._sources(),
            box_size=self._boxSize(),
            preprocessing=boxPreprocessing(self, boxSize=self._boxSize()),
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
        errors = describeBadTraining(self)
        if self.inputPositives.get() is None or self.inputNegatives.get() is None:
            return errors  # Scipion reports it
        if (self.testPositives.get() is None) != (self.testNegatives.get() is None):
            errors.append("Test positives, test negatives: choose both or none.")
        for key in ("extraPositives", "extraNegatives"):
            errors += describeBadWeights(self, key)
        if not errors:
            errors += self._validateSets()
        return errors or describeBadStart(self, boxSize=self._boxSize())

    def _validateSets(self) -> list[str]:
        """Return what is wrong with the chosen sets."""
        errors = describeBadSets(chosenSets(self))
        if not self.inputPositives.get().getBoxSize():
            errors.append("Positives: the set has no box size; import it with one.")
        if errors or self.inputMicrographs.get() is not None:
            return errors
        return describeDifferentRates(chosenSets(self))

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

    # -------------------------- what the steps share --------------------------
    def getJob(self) -> Path:
        """Return the job file, which says where all others are."""
        self._createFilenameTemplates()
        return Path(self._getFileName("job"))

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs to cut; the form finds CTFs by them."""
        return micrographsToCut(self, self.inputPositives)

    def _micrographs(self) -> tuple[Micrograph, ...]:
        """Return all micrographs that any chosen set lies on."""
        other = self.inputMicrographs.get()
        sets = [s.micrographs for s in chosenSets(self)] if other is None else [other]
        unique = {micrographs.getFileName(): micrographs for micrographs in sets}
        return joinMicrographs(
            micrographs_from_set(micrographs, ctfs=self._ctfs())
            for micrographs in unique.values()
        )

    def _sources(self) -> tuple[BoxSource, ...]:
        return tuple(
            BoxSource(
                name=chosen.name,
                coordinates=self._coordinatesFile(chosen),
                is_particle=chosen.isParticle,
                weight=chosen.weight,
                role=chosen.role,
                believed=chosen.isBelieved,
            )
            for chosen in chosenSets(self)
        )

    def _coordinatesFile(self, chosen: LabelledSet) -> Path:
        return Path(self._getFileName("coordinates", set=chosen.key))

    def _boxSize(self) -> int:
        """Return the box of the positives, pixels of the micrographs that are cut."""
        return BoxFrame(self.inputPositives.get(), self.getInputMicrographs()).box_size

    def _ctfs(self) -> SetOfCTF | None:
        return self.ctfRelations.get()
