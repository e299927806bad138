# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: score every candidate with a trained network; none is thrown away."""

from __future__ import annotations

from itertools import compress
from pathlib import Path

import numpy as np
from pwem.objects import (
    SetOfCoordinates,
    SetOfMicrographs,
    SetOfParticles,
)
from pwem.protocols import ProtParticles
from pyworkflow.object import Integer, Pointer

from deepconsensus_plugin.convert import Cut, candidates_and_items
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores import EnsembleScores, read_scores
from deepconsensus_plugin.core.io.scores_csv import write_scores_csv
from deepconsensus_plugin.core.io.tables import (
    read_candidates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.pipeline.requests import (
    ScoreRequest,
    ScoreResult,
    StackOptions,
)
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.continuation import (
    emptyStaleOutputs,
    fingerprint,
)
from deepconsensus_plugin.protocols.model_summary import (
    countNetworks,
    describeMisfit,
    describeMissingCtf,
    describeOtherContrast,
)
from deepconsensus_plugin.protocols.score_form import (
    defineInputParams,
    defineParticleParams,
)
from deepconsensus_plugin.protocols.scored_sets import (
    appendScored,
    copyCoordinatesInfo,
    iterScored,
)
from deepconsensus_plugin.protocols.shared_forms import (
    defineGpuParams,
    micrographsToCut,
)

PUBLISHED_THRESHOLD = 0.5
"""For the counts in the summary and ``accepted`` in the table; selects nothing."""


class ProtDeepConsensusScore(ProtParticles):
    """Give every candidate the score of a trained network, 0 to 1.

    All candidates are kept, so that another threshold is a matter of seconds
    (*select by score*), not of a new run. Particle stacks are written on the way.
    """

    _label = "score particles"
    _possibleOutputs = {
        "outputCoordinates": SetOfCoordinates,
        "outputParticles": SetOfParticles,
    }

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.numberAccepted = Integer()
        self.numberLeftOut = Integer()

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineInputParams(form)
        form.addSection(label="Particles")
        defineParticleParams(form)
        form.addParallelSection(threads=4, mpi=0)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        files = {
            "candidates": "candidates.h5",
            "positions": "positions.npy",
            "observed": "observed.json",
            "coordinates": "coordinates.h5",
            "job": "score.json",
            "scores": "scores.h5",
            "table": "scores.csv",
            "stacks": "particles",
        }
        self._updateFilenamesDict({k: self._getExtraPath(v) for k, v in files.items()})

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.convertInputStep, form, needsGPU=False)
        self._insertFunctionStep(self.scoreStep, form, needsGPU=True)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def convertInputStep(self, form):
        """Write the candidates for the job, in the order of its rows."""
        candidates, positions = candidates_and_items(self.inputCoordinates.get())
        cut = self._cut()
        found = cut.read_micrographs()
        usable = {mic.name for mic in found if mic.ctf or cut.ctfs is None}
        names = candidates.micrographs
        isKept = np.array([name in usable for name in names], dtype=bool)
        for name in compress(names, ~isKept):
            self.warning(
                f"{name}: it has no CTF, or is not among the *Other micrographs*; its "
                "candidates are left out"
            )
        chosen = isKept[candidates.micrograph_index]
        candidates = candidates.take(chosen)
        write_candidates(self._getFileName("candidates"), candidates)
        positionsToCut = candidates.coordinates(scale=cut.scale)
        write_coordinates(
            self._getFileName("coordinates"),
            {name: here for name, here in positionsToCut.items() if name in usable},
        )
        np.save(self._getFileName("positions"), positions[chosen])

    def scoreStep(self, form):
        """Run the network, and cut the particles on the way."""
        cut = self._cut()
        stacks = StackOptions(
            Path(self._getFileName("stacks")),
            normalise=self.doNormalise.get(),
            invert=self.doInvert.get(),
        )
        request = ScoreRequest(
            micrographs=cut.read_micrographs(),
            coordinates=Path(self._getFileName("coordinates")),
            box_size=cut.box_size,
            model=Path(self.inputModel.get().getFolder()),
            scores=Path(self._getFileName("scores")),
            stacks=stacks if self.writeStacks else None,
            batch_size=self.batchSize.get(),
            workers=self.numberOfThreads.get(),
        )
        job = Path(self._getFileName("job"))
        write_job(job, request)
        Plugin.runCoreJob(self, job)
        result = read_result(job, ScoreResult)
        self.info(f"{result.n_scored} candidates scored")

    def createOutputStep(self, form):
        """Write the scored sets and the table of scores."""
        candidates = read_candidates(self._getFileName("candidates"))
        positions = np.load(self._getFileName("positions"))
        scores = read_scores(Path(self._getFileName("scores")))
        cut = self._cut()
        outputs = self._createSets()
        appendScored(
            iterScored(cut.coordinates, candidates, positions, scores),
            outputs["outputCoordinates"],
            outputs.get("outputParticles"),
            stacks=Path(self._getFileName("stacks")),
            scale=cut.scale,
            ctfs=cut.read_ctfs(),
        )
        emptyStaleOutputs(self, outputs)
        self._defineOutputs(**outputs)
        for items in outputs.values():
            self._defineSourceRelation(self.inputCoordinates, items)
            self._defineSourceRelation(self.inputModel, items)
            if self.inputMicrographs.get() is not None:
                self._defineSourceRelation(self.inputMicrographs, items)
        self._writeTable(candidates, scores)
        self._remember(scores)

    def _createSets(self) -> dict[str, SetOfCoordinates | SetOfParticles]:
        """Return the empty outputs."""
        candidates = self.inputCoordinates.get()
        micrographs = self.getInputMicrographs()
        coordinates = self._createSetOfCoordinates(
            candidates.getMicrographs(asPointer=True)
        )
        copyCoordinatesInfo(coordinates, candidates, self._getFileName("observed"))
        if not self.writeStacks:
            return {"outputCoordinates": coordinates}
        particles = self._createSetOfParticles()
        particles.setAcquisition(micrographs.getAcquisition())
        particles.setSamplingRate(micrographs.getSamplingRate())
        particles.setHasCTF(self.ctfRelations.get() is not None)
        particles.setIsPhaseFlipped(
            self.inputModel.get().getCard().preprocessing.phase_flip
        )
        particles.setCoordinates(Pointer(self, extended="outputCoordinates"))
        return {"outputCoordinates": coordinates, "outputParticles": particles}

    def _writeTable(self, candidates: Candidates, scores: EnsembleScores) -> None:
        write_scores_csv(
            self._getFileName("table"),
            candidates,
            score=scores.mean,
            network_score=scores.mean,
            spread=scores.spread,
            accepted=scores.mean >= PUBLISHED_THRESHOLD,
        )

    def _remember(self, scores: EnsembleScores) -> None:
        """Keep for the summary what no output tells."""
        self.numberAccepted.set(int((scores.mean >= PUBLISHED_THRESHOLD).sum()))
        nLeftOut = self.inputCoordinates.get().getSize() - len(scores.mean)
        self.numberLeftOut.set(nLeftOut)
        self._store(self.numberAccepted, self.numberLeftOut)

    # -------------------------- information --------------------------
    def _validate(self):
        errors = []
        candidates = self.inputCoordinates.get()
        if candidates is None or self.inputModel.get() is None:
            return []  # Scipion tells
        if candidates.isEmpty():
            errors.append("Candidates: the set is empty; choose one with coordinates.")
        if not candidates.getBoxSize():
            errors.append(
                "Candidates: the set has no box size; import the coordinates again "
                "with one."
            )
        elif candidates.getMicrographs() is None:
            errors.append(
                "Candidates: the set has lost its micrographs; choose the set of the "
                "protocol that made it."
            )
        else:
            errors += self._validateModel()
        if self.batchSize.get() < 1:
            errors.append("Batch size: it must be 1 or more.")
        return errors

    def _validateModel(self) -> list[str]:
        """Return why the model cannot be used on these candidates."""
        misfit = describeMisfit(
            self.inputModel.get(),
            boxSize=self._cut().box_size,
            samplingRate=self.getInputMicrographs().getSamplingRate(),
        )
        if misfit:
            return [f"Model: {misfit}"]
        return describeMissingCtf(self.inputModel.get(), self.ctfRelations.get())

    def _warnings(self):
        if self.inputModel.get() is None or not self.writeStacks:
            return []
        return describeOtherContrast(self.inputModel.get(), self.doInvert.get())

    def _summary(self):
        if self.numberAccepted.get() is None:
            return ["Not run yet."]
        nScored = self.outputCoordinates.getSize()
        nAccepted = self.numberAccepted.get()
        share = f" ({nAccepted / nScored:.0%})" if nScored else ""
        summary = [
            f"{nScored} candidates scored and kept; {nAccepted}{share} have a score of "
            f"{PUBLISHED_THRESHOLD} or more. Choose a threshold in the viewer."
        ]
        if self.numberLeftOut.get():
            summary.append(
                f"{self.numberLeftOut.get()} candidates left out: their micrographs "
                "have no CTF, or are not among those to cut (see the log)."
            )
        return summary

    def _methods(self):
        if self.numberAccepted.get() is None:
            return []
        return [
            f"{countNetworks(self.inputModel.get().getCard())} [SanchezGarcia2018] "
            f"scored {self.outputCoordinates.getSize()} candidate particles."
        ]

    def _citations(self):
        return ["SanchezGarcia2018"]

    # -------------------------- what the steps share --------------------------
    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs to cut; the form finds CTFs by them."""
        return micrographsToCut(self, self.inputCoordinates)

    def _cut(self) -> Cut:
        return Cut(
            self.inputCoordinates.get(),
            self.getInputMicrographs(),
            self.ctfRelations.get(),
        )
