# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: split a scored set into kept and rejected, in seconds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pwem.objects import (
    Coordinate,
    SetOfCoordinates,
    SetOfMicrographs,
    SetOfParticles,
)
from pwem.protocols import ProtParticles
from pyworkflow.object import Float, Integer, Pointer

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE
from deepconsensus_plugin.convert import scaled_item
from deepconsensus_plugin.core.calibration.expected import expected_figures
from deepconsensus_plugin.core.calibration.thresholds import (
    ThresholdMode,
    choose_threshold,
    select,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.protocols.deep_consensus.scored_sets import (
    copyCoordinatesInfo,
)
from deepconsensus_plugin.protocols.deep_consensus.select_form import (
    THRESHOLD,
    defineInputParams,
    thresholdMode,
)
from deepconsensus_plugin.protocols.deep_consensus.spacing import (
    areSpaced,
    defineSpacingParams,
    describeBadSpacing,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import (
    emptyStaleOutputs,
    fingerprint,
)
from deepconsensus_plugin.protocols.shared.report_link import describeReport
from deepconsensus_plugin.set_columns import are_fused, read_scores

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
        items = self.scoredItems().get()
        scores, isFused = read_scores(items), are_fused(items)
        rule = THRESHOLD.read(self).for_scores(are_probabilities=isFused)
        isGoodEnough = select(scores, rule)
        isKept = areSpaced(self, items, self._micrographs(), isGoodEnough)
        self.lowestScore.set(choose_threshold(scores, rule))
        self.numberNotIsolated.set(int((isGoodEnough & ~isKept).sum()))
        self._remember(scores, isKept, isFused)
        outputs = self._split(isKept)
        filled = {
            name: items
            for name, items in outputs.items()
            if len(items) or self.hasAttribute(name)  # of a run that was continued
        }
        emptyStaleOutputs(self, filled)
        self._defineOutputs(**filled)
        for items in filled.values():
            self._defineSourceRelation(self.scoredItems(), items)

    def _split(self, isKept: BoolArray) -> dict[str, SetOfParticles | SetOfCoordinates]:
        """Return new sets by output name; some may be empty."""
        outputs = {}
        for suffix in (KEPT, REJECTED):
            outputs.update(self._createSets(suffix))
        scale = self._scaleOfCoordinates()
        items = self.scoredItems().get().iterItems()
        for item, keep in zip(items, isKept.tolist(), strict=True):
            suffix = KEPT if keep else REJECTED
            for kind, part in self._parts(item, scale):
                if (target := outputs.get(kind + suffix)) is not None:
                    target.append(part)
        return outputs

    def _parts(self, item, scale: float) -> Iterator[tuple[str, object]]:
        """Yield what is stored of an item, by output: itself, and its coordinate.

        A particle's coordinate is in the pixels of the particle; times `scale`, in
        those of the micrographs that it was picked on.
        """
        if isinstance(item, Coordinate):
            yield "outputCoordinates", item
            return
        yield "outputParticles", item
        if (coordinate := item.getCoordinate()) is not None:
            if scale != 1:
                coordinate = scaled_item(coordinate, scale)
            coordinate.setObjId(item.getObjId())
            score = item.getAttributeValue(SCORE_ATTRIBUTE)
            setattr(coordinate, SCORE_ATTRIBUTE, Float(score))
            yield "outputCoordinates", coordinate

    def _scaleOfCoordinates(self) -> float:
        """Return the pixels of the coordinates per pixel of the particles."""
        particles, template = self.inputParticles.get(), self._inputCoordinates()
        if particles is None or template is None:
            return 1.0
        if (micrographs := template.getMicrographs()) is None:
            return 1.0
        return particles.getSamplingRate() / micrographs.getSamplingRate()

    def _createSets(self, suffix: str) -> dict[str, SetOfParticles | SetOfCoordinates]:
        """Return the empty sets of one side, as far as the input allows."""
        sets = {}
        template = self._inputCoordinates()
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
        scored = self.scoredItems().get()
        if scored is None:
            return [
                "Scored particles: choose particles or coordinates of *score "
                "particles*; there is nothing to select from."
            ]
        errors = []
        if scored.isEmpty():
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
        else:
            errors += describeBadSpacing(self, scored, self._micrographs())
        return errors + THRESHOLD.describe_bad(self)

    def _summary(self):
        if self.lowestScore.get() is None:
            return ["Not run yet."]
        nKept, nRejected = self._count(KEPT), self._count(REJECTED)
        nAll = nKept + nRejected
        summary = [
            f"Kept {nKept} of {nAll} ({nKept / nAll:.0%}), score at least "
            f"{self.lowestScore.get():.3g}; rejected {nRejected}.",
        ]
        summary += [
            f"No {self._kind()} {name}, so there is no such output."
            for name, n in (("kept", nKept), ("rejected", nRejected))
            if n == 0
        ]
        if self.expectedPrecision.get() is not None:
            summary.append(
                f"Expected precision {self.expectedPrecision.get():.2f}, expected "
                f"recall {self.expectedRecall.get():.2f} of the particles in the input."
            )
        if self.numberNotIsolated.get():
            summary.append(
                f"{self.numberNotIsolated.get()} with a sufficient score rejected, "
                "since they are too close to the edge or to another."
            )
        if self.numberWithoutScore.get():
            summary.append(f"{self.numberWithoutScore.get()} without a score rejected.")
        summary += describeReport(self)
        return summary

    def _methods(self):
        if self.lowestScore.get() is None:
            return []
        nKept = self._count(KEPT)
        return [
            f"{nKept} of {nKept + self._count(REJECTED)} {self._kind()} with a deep "
            f"consensus score of at least {self.lowestScore.get():.3g} were kept "
            "[SanchezGarcia2018]."
        ]

    def _citations(self):
        return ["SanchezGarcia2018"]

    # -------------------------- what the steps share --------------------------
    def scoredItems(self) -> Pointer:
        """Return the pointer to what is selected from."""
        if self.inputParticles.get() is not None:
            return self.inputParticles
        return self.inputCoordinates

    def _inputCoordinates(self) -> SetOfCoordinates | None:
        """Return the set that describes the coordinates, if there is one."""
        particles = self.inputParticles.get()
        return (
            self.inputCoordinates.get()
            if particles is None
            else (particles.getCoordinates())
        )

    def _micrographs(self) -> SetOfMicrographs | None:
        coordinates = self._inputCoordinates()
        return None if coordinates is None else coordinates.getMicrographs()

    def _kind(self) -> str:
        return "coordinates" if self.inputParticles.get() is None else "particles"

    def _count(self, suffix: str) -> int:
        name = f"output{self._kind().capitalize()}{suffix}"
        return len(getattr(self, name, None) or ())

    def _remember(self, scores: FloatArray, isKept: BoolArray, isFused: bool) -> None:
        """Store for the summary what no output holds."""
        self.numberWithoutScore.set(int(np.isnan(scores).sum()))
        precision, recall = (
            expected_figures(scores, isKept) if isFused else (None, None)
        )
        self.expectedPrecision.set(precision)
        self.expectedRecall.set(recall)
        self._store()
