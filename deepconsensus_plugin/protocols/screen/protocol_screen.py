# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: from picks to clean particles on one form, while they come or after."""

from __future__ import annotations

import shutil
from pathlib import Path

from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles
from pwem.protocols import ProtParticles
from pyworkflow.object import Float, Integer
from pyworkflow.protocol import STEPS_SERIAL, ProtStreamingBase

from deepconsensus_plugin.convert import refresh
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.acceptance.table import write_accepted
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.report import ConsensusReport
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.streaming import StreamProgress, read_progress
from deepconsensus_plugin.protocols.consensus.picks_input import OWN_PICKS, ownPicks
from deepconsensus_plugin.protocols.deep_consensus.acceptance import keepAcceptance
from deepconsensus_plugin.protocols.deep_consensus.training_choices import (
    initialFolder,
    startsFromModel,
)
from deepconsensus_plugin.protocols.deep_consensus.training_sets import (
    furtherSets,
    hasStacks,
)
from deepconsensus_plugin.protocols.deep_consensus.unusable_micrographs import (
    warnOfLeftOut,
)
from deepconsensus_plugin.protocols.screen.screen_checks import (
    describeBadForm,
    describeDoubtful,
)
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
from deepconsensus_plugin.protocols.screen.screen_outputs import makeOutputs
from deepconsensus_plugin.protocols.screen.screen_picks import makePicks, picksForMe
from deepconsensus_plugin.protocols.screen.screen_scores import readScores
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
from deepconsensus_plugin.protocols.shared.averages_summary import citedForAverages
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.estimated_diameter import describeDiameter
from deepconsensus_plugin.protocols.shared.parallel_form import defineParallelParams
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs
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
        **dict.fromkeys(OWN_PICKS, SetOfCoordinates),
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
        defineParallelParams(form, threads=4)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        files = {"preliminary": "preliminary", "observed": "observed.json"}
        self._updateFilenamesDict({k: self._getExtraPath(v) for k, v in files.items()})

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        if picksForMe(self):
            self._insertFunctionStep(self.pickStep, form, needsGPU=True)
        for step, needsGPU in (
            (self.followInputStep, True),
            (self.consensusStep, False),
            (self.witnessStep, True),
            (self.negativesStep, False),
            (self.trainStep, True),
            (self.scoreStep, True),
            (self.averageStep, False),
            (self.fuseStep, False),
            (self.createOutputStep, False),
        ):
            self._insertFunctionStep(step, form, needsGPU=needsGPU)

    def pickStep(self, form):
        """Pick the micrographs, where no picks were chosen."""
        makePicks(self)

    def followInputStep(self, form):
        """Work on what comes until all inputs are closed."""
        folder = Path(self._getFileName("preliminary"))
        ScreenFollower(self, folder, form).follow()

    def consensusStep(self, form):
        """Mask the micrographs, find candidates and how many pickers should agree."""
        for pointer in streamedInputs(self):
            refresh(pointer)
        for sentence in self._stages().findCandidates().sentences():
            self.info(sentence)

    def witnessStep(self, form):
        """Ask the general model about the candidates, where scores are combined."""
        self._stages().askGeneralModel(self._candidates())

    def negativesStep(self, form):
        """Draw background to train against."""
        if not self.usesModelAsIs():
            self._stages().drawNegatives(self._candidates(), self.readReport().n_and)

    def trainStep(self, form):
        """Train the networks from the seed, or from the model that was chosen."""
        if self.usesModelAsIs():  # what other choices trained is not of this run
            self._stages().forgetTraining()
        else:
            self._stages().train(
                self._candidates(),
                self.readReport().min_pickers,
                initialFolder(self),
            )

    def scoreStep(self, form):
        """Score every candidate, and cut the particles on the way."""
        candidates = self._candidates()
        warnOfLeftOut(self, candidates, boxFrameOfScreen(self).read_usable())
        self._stages().score(candidates, self.modelFolder())

    def averageStep(self, form):
        """Average the candidates, where scores are combined."""
        self._stages().averageCandidates(self._candidates())

    def fuseStep(self, form):
        """Combine networks, votes and pickers' scores to probabilities."""
        self._stages().fuse(self.modelFolder())

    def createOutputStep(self, form):
        """Write what is accepted, and all that was scored."""
        files = chainFilesOf(self)
        found, report = readScores(self, files)
        outputs = makeOutputs(self, found, observed=self._getFileName("observed"))
        others = (
            *(self.initialModel, self.inputMicrographs, self.subtractCoordinates),
            *(each.pointer for each in furtherSets(self)),
        )
        for pointer in ownPicks(self):  # they stay
            outputs[pointer.getExtended()] = pointer.get()
        registerOutputs(self, outputs, (*self.inputCoordinates, *others))
        write_accepted(
            *(files.table, found.scored, found.networks, found.acceptance),
            *(found.generalModel, found.likeness),
        )
        self.numberLeftOut.set(len(found.candidates) - len(found.positions))
        self._remember(found.summarise(report))
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

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadForm(self)

    def _warnings(self):
        return describeDoubtful(self)

    def _summary(self):
        if self.numberAccepted.get() is None:
            return describeProgress(self.readProgress())
        return [*describeEnd(self), *describeDiameter(self), *describeReport(self)]

    def _methods(self):
        if self.numberAccepted.get() is None:
            return []
        return describeScreening(self)

    def _citations(self):
        cited = ["SanchezGarcia2018", "Chollet2015", "Vargas2013"]
        return [*cited, *citedForAverages(self)]

    # -------------------------- what the steps share --------------------------
    def usesModelAsIs(self) -> bool:
        """Return whether the chosen model scores without being trained on."""
        return startsFromModel(self) and self.skipTraining.get()

    def modelFolder(self) -> Path:
        """Return the folder of the model that scores at the end."""
        if self.usesModelAsIs():
            return Path(self.initialModel.get().getFolder())
        return chainFilesOf(self).model

    def hasExtraPositives(self) -> bool:
        """Return whether there are further sets of particles."""
        return bool(self.extraPositives)

    def hasExtraNegatives(self) -> bool:
        """Return whether there are further sets of background."""
        return bool(self.extraNegatives)

    def hasStacks(self) -> bool:
        """Return whether a set is of particles."""
        return hasStacks(self)

    def readCalibration(self) -> CalibrationReport | None:
        """Return the verdict of a finished run; None if nothing was combined."""
        return chainFilesOf(self).read_calibration()

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs to cut; the form finds CTFs by them."""
        if self.inputCoordinates.isEmpty():
            return self.inputMicrographs.get()
        return micrographsToCut(self, self.inputCoordinates[0])

    def _stages(self) -> ScreenStages:
        """Return the stages of the end."""
        return ScreenStages(self, Path(self._getExtraPath()))

    def _candidates(self) -> Candidates:
        return read_candidates(chainFilesOf(self).candidates)

    def readReport(self) -> ConsensusReport:
        """Return the sizes and choices of the consensus."""
        return chainFilesOf(self).read_consensus()

    def readProgress(self) -> StreamProgress | None:
        """Return how far a run is that follows its inputs; None if nothing came yet."""
        self._createFilenameTemplates()
        return read_progress(progressFile(Path(self._getFileName("preliminary"))))
