# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: split a scored set into kept and rejected, in seconds."""

from __future__ import annotations

from pwem.objects import SetOfCoordinates, SetOfParticles
from pwem.protocols import ProtParticles
from pyworkflow.object import Float, Integer, Pointer

from deepconsensus_plugin.core.acceptance.accept import accept
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    SPACING,
    defineSpacingParams,
    keepAcceptance,
    readAcceptance,
    summaryOfEarly,
)
from deepconsensus_plugin.protocols.deep_consensus.particle_cutting import (
    ParticleCutting,
    cutParticles,
    cuttingOf,
)
from deepconsensus_plugin.protocols.deep_consensus.select_checks import describeBadForm
from deepconsensus_plugin.protocols.deep_consensus.select_form import (
    THRESHOLD,
    defineInputParams,
    defineStacksParam,
)
from deepconsensus_plugin.protocols.deep_consensus.select_outputs import (
    KEPT,
    REJECTED,
    splitCandidates,
)
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.parallel_form import (
    defineParallelParams,
    describeBadParallel,
)
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs
from deepconsensus_plugin.protocols.shared.report_link import describeReport
from deepconsensus_plugin.set_columns import (
    are_fused,
    read_id_array,
    read_looks,
    read_scores,
)


class ProtDeepConsensusSelect(Appearance, ProtParticles):
    """Split scored particles or coordinates into those to keep and the rest.

    The particles that are kept are cut out, unless they were before. What is rejected
    is an output too, with its scores, so that another cutoff takes seconds.
    """

    _label = "select by score"
    _possibleOutputs = {
        "outputParticles": SetOfParticles,
        "outputCoordinates": SetOfCoordinates,
        "outputParticlesRejected": SetOfParticles,
        "outputCoordinatesRejected": SetOfCoordinates,
    }

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.lowestScore = Float()
        self.numberWithoutScore = Integer()
        self.expectedPrecision = Float()
        self.expectedRecall = Float()
        self.numberNotIsolated = Integer()

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        defineInputParams(form)
        THRESHOLD.define(form)
        defineSpacingParams(form)
        defineStacksParam(form)
        defineParallelParams(form, threads=4)

    # -------------------------- steps --------------------------
    def _insertAllSteps(self):
        self._insertFunctionStep(
            self.createOutputStep, fingerprint(self), needsGPU=False
        )

    def createOutputStep(self, form):
        """Write what is kept and what is rejected."""
        source = SelectionInput.of(self.scoredItems().get())
        report = self.readCalibration()
        accepted = accept(
            AcceptanceRule(THRESHOLD.read(self), SPACING.read(self)),
            read_scores(source.candidates),
            source.places(),
            are_probabilities=are_fused(source.candidates),
            report=report,
        )
        self._remember(accepted.summarise(report, read_looks(source.candidates)))
        outputs = splitCandidates(self, source, accepted.reason)
        if (cutting := self.findCutting()) is not None:
            ids = read_id_array(source.candidates)[accepted.accepted]
            outputs["outputParticles"] = cutParticles(self, cutting, ids)
        filled = {
            name: items
            for name, items in outputs.items()
            if len(items) or self.hasAttribute(name)  # of a run that was continued
        }
        registerOutputs(self, filled, (self.scoredItems(),))

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadForm(self) + describeBadParallel(self)

    def _summary(self):
        if self.lowestScore.get() is None:
            return ["Not run yet."]
        summary = self._acceptance().sentences()
        for name, suffix in (("kept", KEPT), ("rejected", REJECTED)):
            if not self._count(suffix):
                summary.append(f"No {self._kind()} {name}, so there is no such output.")
        summary += self._describeWithoutParticle()
        return summary + describeReport(self)

    def _describeWithoutParticle(self) -> list[str]:
        """Return a sentence if some that are kept have no particle."""
        nAccepted, written = self._acceptance().n_accepted, len(self._particles())
        if not written and not self.inputParticles.hasValue():
            if self.writeStacks and self.findCutting() is None:
                return [
                    "No particles were cut out: the coordinates do not come from "
                    "*score particles*."
                ]
            return []
        if written >= nAccepted:
            return []
        return [
            f"{nAccepted - written} of those kept have coordinates but no particle, "
            "since none is written whose box leaves the micrograph."
        ]

    def _particles(self) -> SetOfParticles | tuple[()]:
        return getattr(self, "outputParticles", None) or ()

    def _methods(self):
        if self.lowestScore.get() is None:
            return []
        accepted = self._acceptance()
        return [
            "Particles were selected by their deep consensus score "
            "[SanchezGarcia2018].",
            accepted.describe(),
            *accepted.describe_criteria(),
        ]

    def _citations(self):
        return ["SanchezGarcia2018"]

    # -------------------------- what the steps share --------------------------
    def scoredItems(self) -> Pointer:
        """Return the pointer to what is selected from."""
        hasParticles = self.inputParticles.hasValue()
        return self.inputParticles if hasParticles else self.inputCoordinates

    def readCalibration(self) -> CalibrationReport | None:
        """Return what the run that gave the scores expects of its candidates.

        None if it is not known, as that of a subset.
        """
        scoredBy = self.scoredItems().getObjValue()
        read = getattr(scoredBy, "readCalibration", None)
        return None if read is None else read()

    def findCutting(self) -> ParticleCutting | None:
        """Return how the particles that are kept are cut; None if they are not."""
        if self.inputParticles.hasValue() or not self.writeStacks:
            return None
        return cuttingOf(self.inputCoordinates)

    def _kind(self) -> str:
        return "coordinates" if self.inputParticles.get() is None else "particles"

    def _count(self, suffix: str) -> int:
        name = f"output{self._kind().capitalize()}{suffix}"
        return len(getattr(self, name, None) or ())

    def _acceptance(self) -> AcceptanceSummary:
        """Return what a finished run accepted."""
        if (kept := readAcceptance(self)) is not None:
            return kept
        nKept, expected = self._count(KEPT), self.expectedPrecision.get()
        return summaryOfEarly(
            nAll=nKept + self._count(REJECTED),
            nKept=nKept,
            threshold=self.lowestScore.get(),
            nWithoutScore=self.numberWithoutScore.get(0),
            nOther=self.numberNotIsolated.get(0),
            expected=expected and (expected, self.expectedRecall.get()),
        )

    def _remember(self, accepted: AcceptanceSummary) -> None:
        """Keep for the summary what no output holds."""
        keepAcceptance(self, accepted)
        self.lowestScore.set(accepted.threshold)
        self.numberWithoutScore.set(accepted.n_for(Reason.NO_SCORE))
        self.numberNotIsolated.set(accepted.n_good_enough - accepted.n_accepted)
        if (expected := accepted.expected) is not None:
            self.expectedPrecision.set(expected.precision.value)
            self.expectedRecall.set(expected.recall.value)
        self._store()
