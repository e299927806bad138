# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: from picks to clean particles on one form, while they come or after."""

from __future__ import annotations

import shutil
from pathlib import Path

from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles
from pwem.protocols import ProtParticles
from pyworkflow.object import Float, Integer, Pointer
from pyworkflow.protocol import STEPS_SERIAL, ProtStreamingBase

from deepconsensus_plugin.convert import micrographs_from_set, refresh
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.acceptance.table import write_accepted
from deepconsensus_plugin.core.calibration.report import CalibrationReport, read_report
from deepconsensus_plugin.core.consensus.report import ConsensusReport
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.jobs import result_path
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.pipeline.fusion_grounds import FusionContext
from deepconsensus_plugin.core.pipeline.witness_request import read_witness
from deepconsensus_plugin.core.serialisation import from_plain, read_json
from deepconsensus_plugin.core.streaming import StreamProgress, read_progress
from deepconsensus_plugin.core.workflow.candidate_stages import (
    find_candidates,
    fuse_scored,
)
from deepconsensus_plugin.protocols.consensus.picks_input import (
    consensusRules,
    describeOtherPixelSizeOfPicks,
    readPicks,
    readUnwanted,
    referenceMicrographs,
)
from deepconsensus_plugin.protocols.deep_consensus.acceptance import keepAcceptance
from deepconsensus_plugin.protocols.deep_consensus.score_form import fusionSeed
from deepconsensus_plugin.protocols.deep_consensus.scored_sets import warnOfLeftOut
from deepconsensus_plugin.protocols.deep_consensus.select_form import THRESHOLD
from deepconsensus_plugin.protocols.deep_consensus.training_choices import (
    initialFolder,
    startsFromModel,
)
from deepconsensus_plugin.protocols.screen.screen_checks import describeBadForm
from deepconsensus_plugin.protocols.screen.screen_following import (
    ScreenFollower,
    progressFile,
    streamedInputs,
)
from deepconsensus_plugin.protocols.screen.screen_form import (
    defineInputParams,
    defineStageParams,
    defineStreamingParams,
)
from deepconsensus_plugin.protocols.screen.screen_outputs import (
    ScreenScores,
    judgeForm,
    makeOutputs,
)
from deepconsensus_plugin.protocols.screen.screen_stages import (
    ScreenStages,
    boxFrameOfScreen,
)
from deepconsensus_plugin.protocols.screen.screen_summary import (
    describeEnd,
    describeProgress,
    describeScreening,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import (
    emptyStaleOutputs,
    fingerprint,
)
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.protocols.shared.model_summary import describeOtherContrast
from deepconsensus_plugin.protocols.shared.report_link import describeReport
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineGpuParams,
    micrographsToCut,
)


class ProtDeepConsensusScreen(Appearance, ProtParticles, ProtStreamingBase):
    """Turn the picks of several pickers into one clean set of particles.

    Networks are trained on the picks that pickers agree on and on background, and score
    every candidate. Scores and votes give the probability that each is a particle, and
    the cutoff is chosen automatically. This is the same as *consensus of picks*,
    *negative picks*, *train network*, *score particles* and *select by score* one after
    another.

    While pickers are still running, preliminary outputs grow with the micrographs. When
    all inputs are closed, training, scoring and selection are repeated, so that the
    result is that of a run on the complete input.
    """

    _label = "deep consensus"
    _possibleOutputs = {
        "outputParticles": SetOfParticles,
        "outputCoordinates": SetOfCoordinates,
        "outputParticlesScored": SetOfParticles,
        "outputCoordinatesScored": SetOfCoordinates,
    }
    # One thing at a time: jobs use all threads, and steps follow without a pause.
    stepsExecutionMode = STEPS_SERIAL

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.suggestedThreshold = Float()
        self.numberScored = Integer()
        self.numberAccepted = Integer()
        self.numberLeftOut = Integer()
        self.numberNotIsolated = Integer()

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        defineInputParams(form)
        defineStageParams(form)
        defineStreamingParams(form)
        form.addParallelSection(threads=4, mpi=0)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        files = {
            "preliminary": "preliminary",
            "candidates": "candidates.h5",
            "report": "consensus.json",
            "observed": "observed.json",
            "calibration": "calibration.json",
            "table": "scores.csv",
        }
        self._updateFilenamesDict({k: self._getExtraPath(v) for k, v in files.items()})

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        for step, needsGPU in (
            (self.followInputStep, True),
            (self.consensusStep, False),
            (self.witnessStep, True),
            (self.negativesStep, False),
            (self.trainStep, True),
            (self.scoreStep, True),
            (self.fuseStep, False),
            (self.createOutputStep, False),
        ):
            self._insertFunctionStep(step, form, needsGPU=needsGPU)

    def followInputStep(self, form):
        """Work on what comes until all inputs are closed."""
        folder = Path(self._getFileName("preliminary"))
        ScreenFollower(self, folder, form).follow()

    def consensusStep(self, form):
        """Mask the micrographs, find candidates and how many pickers should agree."""
        for pointer in streamedInputs(self):
            refresh(pointer)
        folder = Path(self._getExtraPath())
        found = find_candidates(
            micrographs_from_set(referenceMicrographs(self)),
            readPicks(self),
            consensusRules(self),
            folder,
            unwanted=readUnwanted(self),
            cut_from=boxFrameOfScreen(self).read_micrographs(),
            workers=self.numberOfThreads.get(),
            run_job=jobsIn(folder, self),
        )
        for sentence in found.report.sentences():
            self.info(sentence)

    def witnessStep(self, form):
        """Ask the general model about the candidates, where scores are combined."""
        self._stages().askGeneralModel(
            self._candidates(), areDark=self._areParticlesDark()
        )

    def negativesStep(self, form):
        """Draw background to train against."""
        if not self.usesModelAsIs():
            self._stages().drawNegatives(self._candidates(), self.readReport().n_and)

    def trainStep(self, form):
        """Train the networks from the seed, or from the model that was chosen."""
        if self.usesModelAsIs():  # what other choices trained is not of this run
            result_path(Path(self._getExtraPath("train.json"))).unlink(missing_ok=True)
        else:
            self._stages().train(
                self._candidates(),
                self.readReport().min_pickers,
                initialFolder(self),
            )

    def scoreStep(self, form):
        """Score every candidate, and cut the particles on the way."""
        candidates = self._candidates()
        usable = {
            micrograph.name for micrograph in boxFrameOfScreen(self).read_usable()
        }
        warnOfLeftOut(self, candidates, usable)
        self._stages().score(candidates, self.modelFolder())

    def fuseStep(self, form):
        """Combine networks, votes and pickers' scores to probabilities."""
        fuse_scored(
            self._candidates(),
            Path(self._getExtraPath()),
            seed=fusionSeed(self),
            context=FusionContext.of(
                micrographs_from_set(referenceMicrographs(self)),
                self.modelFolder(),
                self._stages().files.null,
            ),
        )

    def createOutputStep(self, form):
        """Write what is accepted, and all that was scored."""
        candidates = self._candidates()
        files = self._stages().files
        positions, networks = files.read_scores()
        score, calibration = files.read_score()
        scored = candidates.take(positions)
        generalModel = read_witness(files.witness, scored)
        accepted, isWhole = judgeForm(
            *(self, scored, score, THRESHOLD.read(self)),
            report=calibration,
        )
        card = load_card_of(self.modelFolder(), EnsembleCard)
        outputs = makeOutputs(
            self,
            ScreenScores(
                *(candidates, positions, networks, accepted, isWhole),
                generalModel=generalModel,
            ),
            phaseFlipped=card.preprocessing.phase_flip,
            observed=self._getFileName("observed"),
        )
        emptyStaleOutputs(self, outputs)
        self._defineOutputs(**outputs)
        for items in outputs.values():
            for pointer in self._usedPointers():
                self._defineSourceRelation(pointer, items)
        write_accepted(
            *(self._getFileName("table"), scored, networks, accepted, generalModel)
        )
        self.numberLeftOut.set(len(candidates) - len(score))
        self._remember(accepted.summarise(calibration))
        shutil.rmtree(self._getFileName("preliminary"), ignore_errors=True)

    def _remember(self, accepted: AcceptanceSummary) -> None:
        """Keep for the summary what no output holds."""
        keepAcceptance(self, accepted)
        self.suggestedThreshold.set(accepted.threshold)
        self.numberScored.set(accepted.n_candidates)
        self.numberAccepted.set(accepted.n_accepted)
        self.numberNotIsolated.set(accepted.n_good_enough - accepted.n_accepted)
        self._store(
            *(self.suggestedThreshold, self.numberScored, self.numberAccepted),
            *(self.numberLeftOut, self.numberNotIsolated),
        )

    def _usedPointers(self) -> list[Pointer]:
        others = (self.initialModel, self.inputMicrographs, self.subtractCoordinates)
        used = [pointer for pointer in others if pointer.get() is not None]
        return [*self.inputCoordinates, *used]

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadForm(self)

    def _warnings(self):
        warnings = describeOtherPixelSizeOfPicks(self)
        if not self.usesModelAsIs() or self.initialModel.get() is None:
            return warnings
        return warnings + describeOtherContrast(
            self.initialModel.get(), not self.skipInvert
        )

    def _summary(self):
        if self.numberAccepted.get() is None:
            return describeProgress(self.readProgress())
        return [*describeEnd(self), *describeReport(self)]

    def _methods(self):
        if self.numberAccepted.get() is None:
            return []
        return describeScreening(self)

    def _citations(self):
        return ["SanchezGarcia2018", "Chollet2015", "Vargas2013"]

    # -------------------------- what the steps share --------------------------
    def usesModelAsIs(self) -> bool:
        """Return whether the chosen model scores without being trained on."""
        return startsFromModel(self) and self.skipTraining.get()

    def modelFolder(self) -> Path:
        """Return the folder of the model that scores at the end."""
        if self.usesModelAsIs():
            return Path(self.initialModel.get().getFolder())
        return self._stages().files.model

    def readCalibration(self) -> CalibrationReport | None:
        """Return the verdict of a finished run; None if nothing was combined."""
        self._createFilenameTemplates()
        path = Path(self._getFileName("calibration"))
        return read_report(path) if path.exists() else None

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs to cut; the form finds CTFs by them."""
        if self.inputCoordinates.isEmpty():
            return self.inputMicrographs.get()
        return micrographsToCut(self, self.inputCoordinates[0])

    def _areParticlesDark(self) -> bool:
        if not self.usesModelAsIs():
            return not self.skipInvert
        return load_card_of(self.modelFolder(), EnsembleCard).preprocessing.invert

    def _stages(self) -> ScreenStages:
        """Return the stages of the end."""
        return ScreenStages(self, Path(self._getExtraPath()))

    def _candidates(self):
        return read_candidates(self._getFileName("candidates"))

    def readReport(self) -> ConsensusReport:
        """Return the sizes and choices of the consensus."""
        self._createFilenameTemplates()
        path = Path(self._getFileName("report"))
        return from_plain(read_json(path), ConsensusReport, path=path)

    def readProgress(self) -> StreamProgress | None:
        """Return how far a run is that follows its inputs; None if nothing came yet."""
        self._createFilenameTemplates()
        return read_progress(progressFile(Path(self._getFileName("preliminary"))))
