# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: score every candidate with a trained network; none is thrown away."""

from __future__ import annotations

from pwem.objects import SetOfCoordinates, SetOfMicrographs, SetOfParticles
from pwem.protocols import ProtParticles
from pyworkflow.object import Float, Integer

from deepconsensus_plugin.convert import ItemRows
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.acceptance.table import write_accepted
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.pipeline.witness_request import read_witness
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    defineOverBorderParam,
    judgeScores,
    keepAcceptance,
    readAcceptance,
    readOverBorder,
    summaryOfEarly,
)
from deepconsensus_plugin.protocols.deep_consensus.particle_cutting import (
    ParticleCutting,
)
from deepconsensus_plugin.protocols.deep_consensus.score_checks import describeBadForm
from deepconsensus_plugin.protocols.deep_consensus.score_form import (
    LABELS,
    defineAllStacksParam,
    defineCombineParam,
    defineFeedbackParams,
    defineInputParams,
    defineSeedParam,
    defineStackOptions,
    defineWitnessParams,
)
from deepconsensus_plugin.protocols.deep_consensus.score_outputs import makeOutputs
from deepconsensus_plugin.protocols.deep_consensus.score_particles import (
    ParticleScoreStages,
    makeParticleOutput,
)
from deepconsensus_plugin.protocols.deep_consensus.score_stages import (
    ScoreStages,
    cuttingOfScoring,
)
from deepconsensus_plugin.protocols.deep_consensus.score_summary import (
    countWithoutParticle,
    describeFusion,
    describeScores,
)
from deepconsensus_plugin.protocols.deep_consensus.scored_rows import scoredRows
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.averages_summary import (
    citedForAverages,
    describeAveraging,
    describeAveragingMethods,
)
from deepconsensus_plugin.protocols.shared.chain_files import (
    chainFilesOf,
    readAveraged,
)
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.model_summary import (
    countNetworks,
    describeOtherContrast,
)
from deepconsensus_plugin.protocols.shared.parallel_form import (
    defineParallelParams,
    describeBadParallel,
)
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs
from deepconsensus_plugin.protocols.shared.shared_forms import (
    defineGpuParams,
    micrographsToCut,
)
from deepconsensus_plugin.protocols.shared.used_devices import describeDevices
from deepconsensus_plugin.set_columns import read_id_array


class ProtDeepConsensusScore(Appearance, ProtParticles):
    """Give every candidate a score, 0 to 1: the probability that it is a particle.

    The score of a trained network, the votes of the pickers and their scores are
    combined, without any truth; precision and recall of every picker are estimated too.
    All candidates are kept, so that another cutoff takes seconds; *select by score*
    writes the particles that it keeps.
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
        defineWitnessParams(form)
        defineFeedbackParams(form)
        defineSeedParam(form)
        form.addSection(label="Particles")
        defineAllStacksParam(form)
        defineStackOptions(form)
        defineOverBorderParam(form)
        defineParallelParams(form, threads=4)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        files = {  # beside those of the chain
            "observed": "observed.json",
            "coordinates": "coordinates.h5",
            "job": "score.json",
            "stacks": "particles",
        }
        self._updateFilenamesDict({k: self._getExtraPath(v) for k, v in files.items()})

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form, images = fingerprint(self), fingerprint(self, without=LABELS)
        self._insertFunctionStep(self.convertInputStep, images, needsGPU=False)
        self._insertFunctionStep(self.scoreStep, images, needsGPU=True)
        self._insertFunctionStep(self.witnessStep, images, needsGPU=True)
        self._insertFunctionStep(self.averageStep, images, needsGPU=False)
        self._insertFunctionStep(self.fuseStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def convertInputStep(self, form):
        """Write the candidates for the job, in the order of its rows."""
        self._stages().takeIn()

    def scoreStep(self, form):
        """Run the network, and cut the particles on the way."""
        self.info(f"{self._stages().score()} candidates scored")

    def witnessStep(self, form):
        """Ask the general model about the candidates, where scores are combined."""
        self._stages().askGeneralModel()

    def averageStep(self, form):
        """Average the candidates, where scores are combined."""
        self._stages().averageCandidates()

    def fuseStep(self, form):
        """Combine networks, votes and pickers' scores to probabilities."""
        report = self._stages().fuse()
        for line in report.describe_pickers() if report else ():
            self.info(line)

    def createOutputStep(self, form):
        """Write the scored sets and the table of scores."""
        if self.hasStacks():
            accepted, particles = makeParticleOutput(self)
            sources = (self.inputCoordinates, self.inputModel)
            registerOutputs(self, {"outputParticles": particles}, sources)
            self._remember(accepted.summarise())
            return
        files, items = chainFilesOf(self), self.inputCoordinates.get()
        candidates = read_candidates(files.candidates)
        positions, networks = files.read_scores()
        score, report = files.read_score()
        generalModel = read_witness(files.witness, candidates)
        accepted, isWhole = judgeScores(
            AcceptanceRule(spacing=readOverBorder(self)),
            *(candidates, score, items.getMicrographs()),
            boxSize=items.getBoxSize(),
            report=report,
        )
        averaged = readAveraged(files, len(candidates), ScoreStages(self).frame)
        scored = scoredRows(
            ItemRows.of_set(items, read_id_array(items)),
            *(candidates, positions, accepted.score, networks),
            isWhole=isWhole,
            generalModel=generalModel,
            averaged=averaged,
        )
        registerOutputs(
            self,
            makeOutputs(self, scored, candidates),
            (self.inputCoordinates, self.inputModel, self.inputMicrographs),
        )
        likeness = averaged and averaged.likeness(candidates, accepted.score)
        self._remember(accepted.summarise(report, likeness and likeness.kind))
        write_accepted(
            *(files.table, candidates, networks, accepted), generalModel, likeness
        )

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
        return describeBadForm(self) + describeBadParallel(self)

    def _warnings(self):
        if self.inputModel.get() is None or self.hasStacks():
            return []
        return describeOtherContrast(self.inputModel.get(), self.doInvert.get())

    def _summary(self):
        if self.numberAccepted.get() is None:
            return ["Not run yet."]
        accepted = readAcceptance(self) or summaryOfEarly(
            nAll=self._scored().getSize(),
            nKept=self.numberAccepted.get(),
            threshold=self.suggestedThreshold.get(),
        )
        without = self.numberLeftOut.get(), countWithoutParticle(self)
        lines = describeScores(accepted, *without, self.readCalibration())
        averages = describeAveraging(self, accepted.n_candidates)
        return [*lines, *averages, *describeDevices(self)]

    def _methods(self):
        if self.numberAccepted.get() is None:
            return []
        methods = [
            f"{countNetworks(self.inputModel.get().getCard())} [SanchezGarcia2018] "
            f"scored {self._scored().getSize()} candidate particles."
        ]
        report = self.readCalibration()
        fusion = [] if report is None else [describeFusion(report)]
        return [*methods, *fusion, *describeAveragingMethods(self)]

    def _citations(self):
        return ["SanchezGarcia2018", *citedForAverages(self)]

    # -------------------------- what the steps share --------------------------
    def readCalibration(self) -> CalibrationReport | None:
        """Return the verdict of a finished run; None if nothing was combined."""
        return chainFilesOf(self).read_calibration()

    def hasStacks(self) -> bool:
        """Return whether given particles are scored, in their stacks."""
        return isinstance(self.inputCoordinates.get(), SetOfParticles)

    def writesParticles(self) -> bool:
        """Return whether particles are cut out and written."""
        return self.writeStacks.get() and not self.hasStacks()

    def _stages(self) -> ScoreStages:
        kind = ParticleScoreStages if self.hasStacks() else ScoreStages
        return kind(self)

    def _scored(self) -> SetOfCoordinates | SetOfParticles:
        """Return all that was scored."""
        return self.outputParticles if self.hasStacks() else self.outputCoordinates

    def getParticleCutting(self) -> ParticleCutting | None:
        """Return how particles are cut at the scored coordinates, if that is known."""
        if self.inputModel.get() is None or self.getInputMicrographs() is None:
            return None
        return cuttingOfScoring(self)

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs to cut; the form finds CTFs by them."""
        return micrographsToCut(self, self.inputCoordinates)
