# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: split a scored set into kept and rejected, in seconds."""

from __future__ import annotations

from pwem.objects import Particle, SetOfCoordinates, SetOfParticles
from pwem.protocols import ProtParticles
from pyworkflow.object import Float, Integer, Pointer, String

from deepconsensus_plugin.constants import REASON_ATTRIBUTE, SCORE_ATTRIBUTE
from deepconsensus_plugin.convert import set_attribute
from deepconsensus_plugin.core.acceptance.accept import accept
from deepconsensus_plugin.core.acceptance.expectation import check_precision_is_told
from deepconsensus_plugin.core.acceptance.rule import AcceptanceRule
from deepconsensus_plugin.core.acceptance.summary import AcceptanceSummary
from deepconsensus_plugin.core.calibration.report import CalibrationReport
from deepconsensus_plugin.core.calibration.thresholds import ThresholdMode
from deepconsensus_plugin.core.errors import WithheldError
from deepconsensus_plugin.core.reasons import Reason, in_words
from deepconsensus_plugin.protocols.deep_consensus.acceptance import (
    SPACING,
    defineSpacingParams,
    describeBadSpacing,
    keepAcceptance,
    readAcceptance,
    summaryOfEarly,
)
from deepconsensus_plugin.protocols.deep_consensus.coordinates_info import (
    copyCoordinatesInfo,
)
from deepconsensus_plugin.protocols.deep_consensus.select_form import (
    THRESHOLD,
    defineInputParams,
    thresholdMode,
)
from deepconsensus_plugin.protocols.deep_consensus.selection_input import (
    SelectionInput,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import (
    emptyStaleOutputs,
    fingerprint,
)
from deepconsensus_plugin.protocols.shared.report_link import describeReport
from deepconsensus_plugin.set_columns import are_fused, read_ids, read_scores

KEPT, REJECTED = "", "Rejected"
"""Suffixes of the outputs."""


class ProtDeepConsensusSelect(Appearance, ProtParticles):
    """Split scored particles or coordinates into those to keep and the rest.

    No image is read or written, so another cutoff takes seconds. Rejected particles are
    an output too, with their scores.
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

    # -------------------------- steps --------------------------
    def _insertAllSteps(self):
        self._insertFunctionStep(
            self.createOutputStep, fingerprint(self), needsGPU=False
        )

    def createOutputStep(self, form):
        """Write what is kept and what is rejected."""
        source = self._input()
        report = self.readCalibration()
        accepted = accept(
            AcceptanceRule(THRESHOLD.read(self), SPACING.read(self)),
            read_scores(source.candidates),
            source.places(),
            are_probabilities=are_fused(source.candidates),
            report=report,
        )
        self._remember(accepted.summarise(report))
        words = in_words(accepted.reason)
        reasons = dict(zip(read_ids(source.candidates), words, strict=True))
        outputs = self._split(source, reasons)
        filled = {
            name: items
            for name, items in outputs.items()
            if len(items) or self.hasAttribute(name)  # of a run that was continued
        }
        emptyStaleOutputs(self, filled)
        self._defineOutputs(**filled)
        for items in filled.values():
            self._defineSourceRelation(self.scoredItems(), items)

    def _split(
        self, source: SelectionInput, reasons: dict[int, str]
    ) -> dict[str, SetOfParticles | SetOfCoordinates]:
        """Return new sets by output name, given reasons by id; some may be empty."""
        outputs = {}
        for suffix in (KEPT, REJECTED):
            outputs.update(self._createSets(suffix))
        for kind, part in source.parts():
            word = reasons[part.getObjId()]
            target = outputs.get(kind + (REJECTED if word else KEPT))
            if target is not None:
                set_attribute(part, REASON_ATTRIBUTE, String, word)
                if isinstance(part, Particle) and part.hasCoordinate():
                    own = part.getCoordinate()
                    set_attribute(own, REASON_ATTRIBUTE, String, word)
                target.append(part)
        return outputs

    def _createSets(self, suffix: str) -> dict[str, SetOfParticles | SetOfCoordinates]:
        """Return the empty sets of one side, as far as the input allows."""
        sets = {}
        template = self._input().coordinates
        if template is not None:
            micrographs = template.getMicrographs(asPointer=True)
            coordinates = self._createSetOfCoordinates(micrographs, suffix)
            copyCoordinatesInfo(
                coordinates, template, self._getExtraPath("observed.json")
            )
            sets["outputCoordinates" + suffix] = coordinates
        if self.inputParticles.get() is not None:
            particles = self._createSetOfParticles(suffix)
            particles.copyInfo(self.inputParticles.get())
            if template is not None:
                pointer = Pointer(self, extended="outputCoordinates" + suffix)
                particles.setCoordinates(pointer)
            sets["outputParticles" + suffix] = particles
        return sets

    # -------------------------- information --------------------------
    def _validate(self):
        pointer = self.scoredItems()
        if not pointer.hasValue():
            return [
                "Scored particles: choose particles or coordinates of *score "
                "particles*; there is nothing to select from."
            ]
        scored, errors = pointer.get(), []
        if scored is None:  # they are still to come
            errors += SPACING.describe_bad(self)
        elif scored.isEmpty():
            errors.append(
                "Scored particles: the input set is empty; choose another one."
            )
        elif not scored.getFirstItem().hasAttribute(SCORE_ATTRIBUTE):
            errors.append(
                "Scored particles: the input has no scores; run *score particles* on "
                "it first."
            )
        elif thresholdMode(self) is ThresholdMode.MIN_PRECISION and not are_fused(
            scored
        ):
            errors.append(
                "Select by: a target precision needs scores that are probabilities, "
                "and these are the scores of the network. Run *score particles* with "
                "*Combine with pickers*, on candidates of two pickers or more."
            )
        elif (refusal := self._describeRefusal()) is not None:
            errors.append(refusal)
        else:
            errors += describeBadSpacing(self, scored, self._input().micrographs)
        return errors + THRESHOLD.describe_bad(self)

    def _summary(self):
        if self.lowestScore.get() is None:
            return ["Not run yet."]
        summary = self._acceptance().sentences()
        for name, suffix in (("kept", KEPT), ("rejected", REJECTED)):
            if not self._count(suffix):
                summary.append(f"No {self._kind()} {name}, so there is no such output.")
        nAccepted, nKept = self._acceptance().n_accepted, self._count(KEPT)
        if nKept < nAccepted:
            summary.append(
                f"{nAccepted - nKept} of those kept have coordinates but no particle, "
                "since *score particles* wrote none whose box leaves the micrograph."
            )
        return summary + describeReport(self)

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

    def _input(self) -> SelectionInput:
        return SelectionInput.of(self.scoredItems().get())

    def readCalibration(self) -> CalibrationReport | None:
        """Return what the run that gave the scores expects of its candidates.

        None if it is not known, as that of a subset.
        """
        scoredBy = self.scoredItems().getObjValue()
        read = getattr(scoredBy, "readCalibration", None)
        return None if read is None else read()

    def _describeRefusal(self) -> str | None:
        """Return why no precision can be asked for; None if one can, or none is."""
        try:
            check_precision_is_told(THRESHOLD.read(self), self.readCalibration())
        except WithheldError as refusal:
            return str(refusal)
        except ValueError:  # the form says what is wrong with its values
            return None
        return None

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
