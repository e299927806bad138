# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: one set of candidates from the picks of several pickers."""

from __future__ import annotations

from pathlib import Path
from statistics import median_high

import pyworkflow.protocol.params as params
from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pwem.protocols import ProtParticlePicking

from deepconsensus_plugin.convert import (
    append_candidates,
    micrographs_from_set,
    observed_in,
    picks_from_set,
    write_observed,
)
from deepconsensus_plugin.core.alignment import find_misalignments
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import choose_min_pickers, find_consensus
from deepconsensus_plugin.core.consensus.report import (
    ConsensusReport,
    report_consensus,
)
from deepconsensus_plugin.core.io.tables import read_candidates, write_candidates
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import PickerPicks
from deepconsensus_plugin.protocols.picker_names import pickerNames


class ProtDeepConsensusPicks(ProtParticlePicking):
    """Find out which particles several pickers agree on.

    *OR* holds every particle that any picker found, once; *AND* those that enough
    pickers agree on, for training. The result does not depend on the order of the
    sets. A picker that was not run on a micrograph is not counted against it.
    """

    _label = "consensus of picks"
    _possibleOutputs = {
        "outputCoordinatesAND": SetOfCoordinates,
        "outputCoordinatesOR": SetOfCoordinates,
    }

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._defineInputParams(form)
        self._defineConsensusParams(form)

    def _defineInputParams(self, form):
        form.addParam(
            "inputCoordinates",
            params.MultiPointerParam,
            pointerClass="SetOfCoordinates",
            minNumObjects=1,
            important=True,
            label="Picks",
            help="One set per picker, two or more. Results lie on the micrographs of "
            "the first set; the others are matched by name and scaled.",
        )
        form.addParam(
            "boxSize",
            params.IntParam,
            allowsNull=True,
            expertLevel=params.LEVEL_ADVANCED,
            label="Box size (px)",
            help="Pixels of the micrographs of the first set. Empty: that of the sets "
            "(the upper median where they differ).",
        )

    def _defineConsensusParams(self, form):
        group = form.addGroup("Consensus")
        group.addParam(
            "consensusRadius",
            params.FloatParam,
            default=0.1,
            label="Consensus radius (boxes)",
            help="Pickers agree on a particle if their centres are this close, as a "
            "part of the box.",
        )
        group.addParam(
            "mergeRadius",
            params.FloatParam,
            default=0.3,
            expertLevel=params.LEVEL_ADVANCED,
            label="Merge radius (boxes)",
            help="Picks this close are one candidate of OR, as a part of the box. At "
            "least the consensus radius.",
        )
        group.addParam(
            "minPickers",
            params.IntParam,
            default=0,
            label="Pickers that must agree",
            help="For AND. 0: the largest number that leaves enough particles for "
            "training. On micrographs where fewer pickers were run, all of those.",
        )
        group.addParam(
            "minPositives",
            params.IntParam,
            default=500,
            condition="minPickers == 0",
            expertLevel=params.LEVEL_ADVANCED,
            label="Enough particles",
            help="How many agreed particles training needs.",
        )

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "candidates": self._getExtraPath("candidates.h5"),
                "report": self._getExtraPath("consensus.json"),
                "observed": self._getExtraPath("observed.json"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        inputs = [pointer.getUniqueId() for pointer in self.inputCoordinates]
        self._insertFunctionStep(
            self.consensusStep,
            ",".join(inputs),
            self.boxSize.get(),
            self.consensusRadius.get(),
            self.mergeRadius.get(),
            self.minPickers.get(),
            self.minPositives.get(),
            needsGPU=False,
        )
        self._insertFunctionStep(self.createOutputStep, needsGPU=False)

    def consensusStep(
        self, inputs, boxSize, consensusRadius, mergeRadius, minPickers, minPositives
    ):
        """Find the candidates and how many pickers should agree."""
        pickers = self._readPickers()
        box = boxSize or median_high(round(picker.box_size) for picker in pickers)
        candidates = find_consensus(
            pickers,
            consensus_radius_px=consensusRadius * box,
            merge_radius_px=mergeRadius * box,
        )
        report = report_consensus(
            pickers,
            candidates,
            box_size=box,
            n_micrographs=self.getInputMicrographs().getSize(),
            min_pickers=minPickers
            or choose_min_pickers(candidates, min_positives=minPositives),
            min_positives=None if minPickers else minPositives,
            misalignments=find_misalignments(pickers, self._shapes(), box_size=box),
        )
        write_candidates(self._getFileName("candidates"), candidates)
        write_json(Path(self._getFileName("report")), to_plain(report))
        for sentence in report.sentences():
            self.info(sentence)

    def _readPickers(self) -> list[PickerPicks]:
        micrographs = self.getInputMicrographs()
        return [
            picks_from_set(pointer.get(), picker=name, micrographs=micrographs)
            for pointer, name in zip(
                self.inputCoordinates, pickerNames(self.inputCoordinates), strict=True
            )
        ]

    def _shapes(self) -> dict[str, tuple[int, int]]:
        micrographs = micrographs_from_set(self.getInputMicrographs())
        return {micrograph.name: micrograph.shape for micrograph in micrographs}

    def createOutputStep(self):
        """Register AND and OR."""
        candidates = read_candidates(self._getFileName("candidates"))
        report = self._report()
        agreed = candidates.take(candidates.is_agreed(report.min_pickers))
        outputs = {
            "outputCoordinatesAND": self._createSet("AND", agreed, report.box_size),
            "outputCoordinatesOR": self._createSet("OR", candidates, report.box_size),
        }
        self._defineOutputs(**outputs)
        for coordinates in outputs.values():
            for pointer in self.inputCoordinates:
                self._defineSourceRelation(pointer, coordinates)

    def _createSet(self, kind: str, candidates: Candidates, box: int):
        first = self.inputCoordinates[0].get()
        coordinates = self._createSetOfCoordinates(
            first.getMicrographs(asPointer=True), suffix=kind
        )
        coordinates.setBoxSize(box)
        append_candidates(
            coordinates,
            self.getInputMicrographs(),
            candidates,
            at_agreed_centre=kind == "AND",
        )
        write_observed(
            coordinates, self._getFileName("observed"), observed_in(candidates)
        )
        return coordinates

    # -------------------------- information --------------------------
    def _validate(self):
        errors = []
        for pointer in self.inputCoordinates:
            errors += self._validateSet(pointer.get(), str(pointer.getObjValue()))
        if self.boxSize.get() is not None and self.boxSize.get() < 1:
            errors.append("Box size: it must be 1 px or more, or empty.")
        if not 0 < self.consensusRadius.get() <= self.mergeRadius.get():
            errors.append(
                "Consensus radius: it must be above 0 and at most the merge radius "
                f"({self.mergeRadius.get():g} boxes); 0.1 and 0.3 are usual."
            )
        if not 0 <= self.minPickers.get() <= len(self.inputCoordinates):
            errors.append(
                "Pickers that must agree: it must be 0 (automatic) to "
                f"{len(self.inputCoordinates)}, the number of sets."
            )
        return errors

    def _validateSet(self, coordinates: SetOfCoordinates, name: str) -> list[str]:
        if coordinates is None:
            return []  # Scipion tells
        if coordinates.getMicrographs() is None:
            return [
                f"Picks: {name} has lost its micrographs; choose the set of the "
                "protocol that made it."
            ]
        if not coordinates.getBoxSize() and self.boxSize.get() is None:
            return [f"Picks: {name} has no box size; give one (advanced)."]
        return []

    def _summary(self):
        self._createFilenameTemplates()
        if not hasattr(self, "outputCoordinatesOR"):
            return ["Not run yet."]
        summary = self._report().sentences()
        if len(self.inputCoordinates) < 2:
            summary.append("WARNING: one picker only; nobody confirms its picks.")
        return summary

    def _methods(self):
        self._createFilenameTemplates()
        if not hasattr(self, "outputCoordinatesOR"):
            return []
        report = self._report()
        return [
            f"The picks of {len(report.pickers)} pickers were combined to "
            f"{report.n_or} candidates; on {report.n_and} of them at least "
            f"{report.min_pickers} pickers agreed within "
            f"{self.consensusRadius.get():g} of the box [SanchezGarcia2018]."
        ]

    def _citations(self):
        return ["SanchezGarcia2018"]

    # -------------------------- shared --------------------------
    def getInputMicrographs(self) -> SetOfMicrographs:
        """Return the reference: the micrographs of the first set."""
        return self.inputCoordinates[0].get().getMicrographs()

    def _report(self) -> ConsensusReport:
        path = Path(self._getFileName("report"))
        return from_plain(read_json(path), ConsensusReport, path=path)
