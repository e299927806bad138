# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: split coordinates by the averages that they belong to."""

from __future__ import annotations

import numpy as np
import pyworkflow.protocol.params as params
from pwem.objects import SetOfCoordinates
from pwem.protocols import ProtParticlePicking

from deepconsensus_plugin.convert import ItemRows, append_rows
from deepconsensus_plugin.core.averages.marks import (
    Mark,
    Marks,
    describe_numbers,
    numbers_in,
)
from deepconsensus_plugin.protocols.deep_consensus.coordinates_info import (
    copyCoordinatesInfo,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs
from deepconsensus_plugin.protocols.shared.run_averages import (
    averagedCoordinates,
    countAverages,
    findAveragingRun,
    readRunAverages,
)
from deepconsensus_plugin.set_columns import read_id_array, read_ids

KEPT, GOOD, BAD = "", "Good", "Bad"
"""Suffixes of the outputs."""


class ProtDeepConsensusSelectAverages(Appearance, ProtParticlePicking):
    """Split coordinates by the averages that they belong to, as 2-D classes are chosen.

    The window of averages fills in this form and starts it. Members of bad averages are
    removed. Members of good and of bad averages are outputs of their own, to train on:
    as positives, and as negatives of your own.
    """

    _label = "select by averages"
    _possibleOutputs = {
        "outputCoordinates": SetOfCoordinates,
        "outputCoordinatesGood": SetOfCoordinates,
        "outputCoordinatesBad": SetOfCoordinates,
    }

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "inputCoordinates",
            params.PointerParam,
            pointerClass="SetOfCoordinates",
            important=True,
            label="Averaged coordinates",
            help="Coordinates of *score particles* or *deep consensus*, or what "
            "*select by score* kept of them. The run must have averaged its "
            "candidates.",
        )
        form.addParam(
            "goodAverages",
            params.StringParam,
            default="",
            label="Good averages",
            help="Numbers of the averages that show particles, as in the window of "
            "averages: for example 1-3, 7.\nDefault: none.",
        )
        form.addParam(
            "badAverages",
            params.StringParam,
            default="",
            label="Bad averages",
            help="Numbers of the averages that show something else, such as carbon, "
            "ice, or broken or touching particles.\nDefault: none.",
        )

    # -------------------------- steps --------------------------
    def _insertAllSteps(self):
        self._insertFunctionStep(
            self.createOutputStep, fingerprint(self), needsGPU=False
        )

    def createOutputStep(self, form):
        """Write what is kept, and the members of good and of bad averages."""
        source, averageOf = self.inputCoordinates.get(), self._averages()
        ids = read_id_array(source)
        marks = self.readMarks()
        mark = np.array([marks.of(averageOf[each]) for each in ids.tolist()], object)
        isGood, isBad = mark == Mark.GOOD, mark == Mark.BAD
        outputs = {}
        for suffix, chosen in ((KEPT, ~isBad), (GOOD, isGood), (BAD, isBad)):
            outputs[suffix] = self._createSet(source, suffix)
            append_rows(outputs[suffix], ItemRows.of_set(source, ids[chosen]))
        filled = {
            f"outputCoordinates{suffix}": items
            for suffix, items in outputs.items()
            if len(items) or self.hasAttribute(f"outputCoordinates{suffix}")
        }
        registerOutputs(self, filled, (self.inputCoordinates,))

    def _createSet(self, source: SetOfCoordinates, suffix: str) -> SetOfCoordinates:
        items = self._createSetOfCoordinates(
            source.getMicrographs(asPointer=True), suffix
        )
        copyCoordinatesInfo(items, source, self._getExtraPath("observed.json"))
        return items

    def readMarks(self) -> Marks:
        """Return the averages that the form calls good and bad.

        Raises
        ------
        ValueError
            If a line holds something else than numbers, or both hold the same one.
        """
        return Marks(
            numbers_in(self.goodAverages.get("")), numbers_in(self.badAverages.get(""))
        )

    def _averages(self) -> dict[int, int]:
        """Return the average of each item, by its id; -1 for none."""
        run = findAveragingRun(self.inputCoordinates, self.getProject())
        ids = read_ids(averagedCoordinates(run))
        average = readRunAverages(run).table.average
        return dict(zip(ids, average.tolist(), strict=True))

    # -------------------------- information --------------------------
    def _validate(self):
        errors = self._describeBadNumbers()
        source = self.inputCoordinates.get()
        if source is None:
            return errors
        run = findAveragingRun(self.inputCoordinates, self.getProject())
        if run is not None:
            errors += errors or self._describeUnknown(countAverages(run))
        else:
            errors.append(
                "Averaged coordinates: the run that scored them has made no averages; "
                "run it again with *Average the candidates*."
            )
        return errors

    def _describeBadNumbers(self) -> list[str]:
        errors = []
        for label, line in (
            ("Good averages", self.goodAverages),
            ("Bad averages", self.badAverages),
        ):
            try:
                numbers_in(line.get(""))
            except ValueError as error:
                errors.append(f"{label}: {error}.")
        if errors:
            return errors
        both = {*numbers_in(self.goodAverages.get(""))}
        both &= {*numbers_in(self.badAverages.get(""))}
        if both:
            errors.append(
                f"Bad averages: {describe_numbers(both)} cannot be good and bad."
            )
        return errors

    def _describeUnknown(self, nAverages: int) -> list[str]:
        """Return a sentence for each line with a number that no average has."""
        marks = self.readMarks()
        return [
            f"{label}: there are {nAverages} averages, received {unknown}."
            for label, numbers in (
                ("Good averages", marks.good),
                ("Bad averages", marks.bad),
            )
            if (unknown := describe_numbers(n for n in numbers if n >= nAverages))
        ]

    def _summary(self):
        if not self.isFinished():
            return ["Not run yet."]
        nAll = self.inputCoordinates.get().getSize()
        return [
            f"{self._count(KEPT)} kept of {nAll} candidates.",
            f"{self._count(GOOD)} belong to good averages, {self._count(BAD)} to bad "
            "ones.",
        ]

    def _methods(self):
        if not self.isFinished():
            return []
        return [
            "Candidates were aligned and averaged without a reference, and "
            f"{self._count(BAD)} of them removed, whose averages show no particle."
        ]

    def _count(self, suffix: str) -> int:
        return len(getattr(self, f"outputCoordinates{suffix}", None) or ())
