# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: score every candidate with a trained network; none is thrown away."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles
from pwem.protocols import ProtParticles
from pyworkflow.object import Float, Integer

from deepconsensus_plugin.convert import (
    BoxFrame,
    candidates_and_items,
    micrographs_from_set,
)
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.acceptance.table import write_accepted
from deepconsensus_plugin.core.calibration.report import CalibrationReport, read_report
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.requests import ScoreRequest, ScoreResult
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import (
    read_candidates,
    read_coordinates,
    write_candidates,
    write_coordinates,
)
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.pipeline.fuse import keep_fused
from deepconsensus_plugin.core.pipeline.fusion_grounds import FusionContext
from deepconsensus_plugin.core.pipeline.witness_request import read_witness
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.witness import ask_about
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    defineOverBorderParam,
    judgeScores,
    keepAcceptance,
    readAcceptance,
    readOverBorder,
    summaryOfEarly,
)
from deepconsensus_plugin.protocols.deep_consensus.candidate_areas import (
    masksOfInput,
    withAreas,
)
from deepconsensus_plugin.protocols.deep_consensus.score_checks import describeBadForm
from deepconsensus_plugin.protocols.deep_consensus.score_form import (
    SCORING,
    STACKS,
    defineCombineParam,
    defineGeneralModelParam,
    defineInputParams,
    defineParticleParams,
    defineSeedParam,
)
from deepconsensus_plugin.protocols.deep_consensus.score_summary import (
    countWithoutParticle,
    describeFusion,
    describeScores,
)
from deepconsensus_plugin.protocols.deep_consensus.scored_sets import (
    ScoredItem,
    appendScored,
    copyCoordinatesInfo,
    createScoredSets,
    iterScored,
    warnOfLeftOut,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import (
    emptyStaleOutputs,
    fingerprint,
)
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.protocols.shared.model_summary import (
    countNetworks,
    describeOtherContrast,
)
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineGpuParams,
    micrographsToCut,
)
from deepconsensus_plugin.protocols.shared.used_devices import describeDevices


class ProtDeepConsensusScore(Appearance, ProtParticles):
    """Give every candidate a score, 0 to 1: the probability that it is a particle.

    The score of a trained network, the votes of the pickers and their scores are
    combined, without any truth; precision and recall of every picker are estimated too.
    All candidates are kept, so that another cutoff takes seconds (*select by score*).
    Particle stacks can be written.
    """

    _label = "score particles"
    _possibleOutputs = {
        "outputCoordinates": SetOfCoordinates,
        "outputParticles": SetOfParticles,
    }

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.suggestedThreshold = Float()
        self.numberAccepted = Integer()
        self.numberLeftOut = Integer()

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineInputParams(form)
        defineCombineParam(form)
        defineGeneralModelParam(form)
        defineSeedParam(form)
        form.addSection(label="Particles")
        defineParticleParams(form)
        defineOverBorderParam(form)
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
            "witness": "witness.h5",
            "score": "score.npy",
            "calibration": "calibration.json",
            "table": "scores.csv",
            "stacks": "particles",
        }
        self._updateFilenamesDict({k: self._getExtraPath(v) for k, v in files.items()})

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.convertInputStep, form, needsGPU=False)
        self._insertFunctionStep(self.scoreStep, form, needsGPU=True)
        self._insertFunctionStep(self.witnessStep, form, needsGPU=True)
        self._insertFunctionStep(self.fuseStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def convertInputStep(self, form):
        """Write the candidates for the job, in the order of its rows."""
        candidates, positions = candidates_and_items(self.inputCoordinates.get())
        frame = self._boxFrame()
        micrographs = frame.read_usable()
        usable = {micrograph.name for micrograph in micrographs}
        warnOfLeftOut(self, candidates, usable)
        candidates = withAreas(self, candidates, micrographs)
        chosen = candidates.are_on(usable)
        candidates = candidates.take(chosen)
        write_candidates(self._getFileName("candidates"), candidates)
        scaledPositions = candidates.coordinates(scale=frame.scale)
        write_coordinates(
            self._getFileName("coordinates"),
            {name: here for name, here in scaledPositions.items() if name in usable},
        )
        np.save(self._getFileName("positions"), positions[chosen])

    def scoreStep(self, form):
        """Run the network, and cut the particles on the way."""
        frame = self._boxFrame()
        stacks = STACKS.read(self, folder=Path(self._getFileName("stacks")))
        request = ScoreRequest(
            micrographs=frame.read_micrographs(),
            coordinates=Path(self._getFileName("coordinates")),
            box_size=frame.box_size,
            model=Path(self.inputModel.get().getFolder()),
            scores=Path(self._getFileName("scores")),
            stacks=stacks if self.writeStacks else None,
            workers=self.numberOfThreads.get(),
            **SCORING.values(self),
        )
        job = Path(self._getFileName("job"))
        write_job(job, request)
        Plugin.runCoreJob(self, job)
        self.info(f"{read_result(job, ScoreResult).n_scored} candidates scored")

    def witnessStep(self, form):
        """Ask the general model about the candidates, where scores are combined."""
        frame = self._boxFrame()
        ask_about(
            read_candidates(self._getFileName("candidates")),
            read_coordinates(self._getFileName("coordinates")),
            frame.read_usable(),
            Path(self._getExtraPath()),
            is_wanted=bool(self.combineEvidence and self.askGeneralModel),
            box_size=frame.box_size,
            are_particles_dark=self._preprocessing().invert,
            workers=self.numberOfThreads.get(),
            run_job=jobsIn(Path(self._getExtraPath()), self),
        )

    def fuseStep(self, form):
        """Combine networks, votes and pickers' scores to probabilities."""
        candidates = read_candidates(self._getFileName("candidates"))
        report = keep_fused(
            candidates,
            read_scores(Path(self._getFileName("scores"))).mean,
            ChainFiles(Path(self._getExtraPath())).find_opinion(candidates),
            seed=self.seed.get() if self.combineEvidence else None,
            score=Path(self._getFileName("score")),
            calibration=Path(self._getFileName("calibration")),
            context=FusionContext.of(
                micrographs_from_set(self.inputCoordinates.get().getMicrographs()),
                Path(self.inputModel.get().getFolder()),
                ChainFiles(Path(self._getExtraPath())).null,
            ),
        )
        for line in report.describe_pickers() if report else ():
            self.info(line)

    def createOutputStep(self, form):
        """Write the scored sets and the table of scores."""
        candidates = read_candidates(self._getFileName("candidates"))
        networks = read_scores(Path(self._getFileName("scores")))
        generalModel = read_witness(Path(self._getFileName("witness")), candidates)
        report = self.readCalibration()
        accepted, isWhole = judgeScores(
            AcceptanceRule(spacing=readOverBorder(self)),
            candidates,
            np.load(self._getFileName("score")),
            self.inputCoordinates.get().getMicrographs(),
            boxSize=self.inputCoordinates.get().getBoxSize(),
            report=report,
        )
        positions = np.load(self._getFileName("positions"))
        scored = iterScored(
            *(self.inputCoordinates.get(), candidates, positions, accepted.score),
            networks,
            isWhole=isWhole,
            generalModel=generalModel,
        )
        self._define(self._makeOutputs(scored, candidates))
        self._remember(accepted.summarise(report))
        write_accepted(
            *(self._getFileName("table"), candidates, networks, accepted),
            general_model=generalModel,
        )

    def _makeOutputs(self, scored: Iterable[ScoredItem], candidates: Candidates):
        """Return the outputs by name, filled."""
        frame = self._boxFrame()
        coordinates = self._createSetOfCoordinates(
            frame.coordinates.getMicrographs(asPointer=True)
        )
        observed = self._getFileName("observed")
        masks = masksOfInput(self)
        copyCoordinatesInfo(coordinates, frame.coordinates, observed, candidates, masks)
        flipped = self._preprocessing().phase_flip
        outputs = createScoredSets(self, coordinates, phaseFlipped=flipped)
        appendScored(
            scored,
            coordinates,
            outputs.get("outputParticles"),
            stacks=Path(self._getFileName("stacks")),
            scale=frame.scale,
            ctfs=frame.read_ctfs(),
        )
        return outputs

    def _define(self, outputs) -> None:
        """Register outputs, and what they were made from."""
        emptyStaleOutputs(self, outputs)
        self._defineOutputs(**outputs)
        for items in outputs.values():
            self._defineSourceRelation(self.inputCoordinates, items)
            self._defineSourceRelation(self.inputModel, items)
            if self.inputMicrographs.get() is not None:
                self._defineSourceRelation(self.inputMicrographs, items)

    def _remember(self, accepted: AcceptanceSummary) -> None:
        """Keep for the summary what no output holds."""
        keepAcceptance(self, accepted)
        self.suggestedThreshold.set(accepted.threshold)
        self.numberAccepted.set(accepted.n_accepted)
        nAll = self.inputCoordinates.get().getSize()
        self.numberLeftOut.set(nAll - accepted.n_candidates)
        self._store(self.suggestedThreshold, self.numberAccepted, self.numberLeftOut)

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadForm(self)

    def _warnings(self):
        if self.inputModel.get() is None or not self.writeStacks:
            return []
        return describeOtherContrast(self.inputModel.get(), self.doInvert.get())

    def _summary(self):
        if self.numberAccepted.get() is None:
            return ["Not run yet."]
        accepted = readAcceptance(self) or summaryOfEarly(
            nAll=self.outputCoordinates.getSize(),
            nKept=self.numberAccepted.get(),
            threshold=self.suggestedThreshold.get(),
        )
        without = self.numberLeftOut.get(), countWithoutParticle(self)
        lines = describeScores(accepted, *without, self.readCalibration())
        return [*lines, *describeDevices(self)]

    def _methods(self):
        if self.numberAccepted.get() is None:
            return []
        methods = [
            f"{countNetworks(self.inputModel.get().getCard())} [SanchezGarcia2018] "
            f"scored {self.outputCoordinates.getSize()} candidate particles."
        ]
        report = self.readCalibration()
        return methods if report is None else [*methods, describeFusion(report)]

    def _citations(self):
        return ["SanchezGarcia2018"]

    # -------------------------- what the steps share --------------------------
    def readCalibration(self) -> CalibrationReport | None:
        """Return the verdict of a finished run; None if nothing was combined."""
        self._createFilenameTemplates()
        path = Path(self._getFileName("calibration"))
        return read_report(path) if path.exists() else None

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs to cut; the form finds CTFs by them."""
        return micrographsToCut(self, self.inputCoordinates)

    def _preprocessing(self) -> BoxPreprocessing:
        return self.inputModel.get().getCard(EnsembleCard).preprocessing

    def _boxFrame(self) -> BoxFrame:
        return BoxFrame(
            self.inputCoordinates.get(),
            self.getInputMicrographs(),
            self.ctfRelations.get(),
        )
