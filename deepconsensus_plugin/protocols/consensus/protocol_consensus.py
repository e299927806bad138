# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: one set of candidates from the picks of several pickers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pwem.protocols import ProtParticlePicking
from pyworkflow.object import Integer

from deepconsensus_plugin.convert import (
    append_candidates,
    micrographs_from_set,
    observed_in,
    write_observed,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus.report import ConsensusReport
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.types import PickerPicks
from deepconsensus_plugin.core.workflow.candidate_finding import find_candidates
from deepconsensus_plugin.protocols.consensus.consensus_form import (
    defineConsensusParams,
    defineInputParams,
)
from deepconsensus_plugin.protocols.consensus.picker_names import pickerNames
from deepconsensus_plugin.protocols.consensus.picks_input import (
    consensusRules,
    describeBadPicks,
    describeOnePicker,
    describeOtherPixelSizeOfPicks,
    readPicks,
    readUnwanted,
    referenceMicrographs,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.protocols.shared.parallel_form import (
    defineParallelParams,
    describeBadParallel,
)
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs


class ProtDeepConsensusPicks(Appearance, ProtParticlePicking):
    """Find the particles that several pickers agree on.

    *OR* holds every particle that any picker found, once; *AND* those that enough
    pickers agree on, for training. The order of the sets does not matter. On a
    micrograph that a picker was not run on, its vote is not needed.
    """

    _label = "consensus of picks"
    _possibleOutputs = {
        "outputCoordinatesAND": SetOfCoordinates,
        "outputCoordinatesOR": SetOfCoordinates,
    }

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.numberSubtracted = Integer()

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        defineInputParams(form)
        defineConsensusParams(form)
        defineParallelParams(form, threads=2)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "candidates": self._getExtraPath("candidates.h5"),
                "observed": self._getExtraPath("observed.json"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.consensusStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def consensusStep(self, form):
        """Mask the micrographs, find candidates and how many pickers should agree."""
        unwanted, folder = readUnwanted(self), Path(self._getExtraPath())
        found = find_candidates(
            micrographs_from_set(self.getInputMicrographs()),
            self.readPickers(),
            consensusRules(self),
            folder,
            unwanted=unwanted,
            workers=self.numberOfThreads.get(),
            run_job=jobsIn(folder, self),
        )
        self.numberSubtracted.set(None if unwanted is None else found.n_subtracted)
        self._store(self.numberSubtracted)
        self._logSentences(found.report.sentences())

    def _logSentences(self, sentences: Iterable[str]) -> None:
        """Log the sentences, gross findings as warnings."""
        for sentence in sentences:
            log = self.warning if sentence.startswith("WARNING") else self.info
            log(sentence)

    def createOutputStep(self, form):
        """Register AND and OR."""
        candidates = read_candidates(self._getFileName("candidates"))
        report = self.readReport()
        agreed = candidates.take(candidates.is_agreed(report.min_pickers))
        outputs = {
            "outputCoordinatesAND": self._createSet("AND", agreed, report.box_size),
            "outputCoordinatesOR": self._createSet("OR", candidates, report.box_size),
        }
        sources = (*self.inputCoordinates, self.subtractCoordinates)
        registerOutputs(self, outputs, sources)

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
        masks = chainFilesOf(self).masks
        write_observed(
            coordinates,
            self._getFileName("observed"),
            observed_in(candidates, masks=masks),
        )
        return coordinates

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadPicks(self) + describeBadParallel(self)

    def _warnings(self):
        return describeOnePicker(self) + describeOtherPixelSizeOfPicks(self)

    def _summary(self):
        self._createFilenameTemplates()
        if not hasattr(self, "outputCoordinatesOR"):
            return ["Not run yet."]
        summary = self.readReport().sentences()
        if self.numberSubtracted.get() is not None:
            summary.append(
                f"{self.numberSubtracted.get()} picks excluded: within "
                f"{self.mergeRadius.get():g} box sizes of a coordinate of "
                f"{pickerNames([self.subtractCoordinates])[0]}."
            )
        if len(self.inputCoordinates) < 2:
            summary.append(
                "WARNING: there is only one picker, so no pick is confirmed by another."
            )
        return summary

    def _methods(self):
        self._createFilenameTemplates()
        if not hasattr(self, "outputCoordinatesOR"):
            return []
        report = self.readReport()
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
        return referenceMicrographs(self)

    def readPickers(self) -> list[PickerPicks]:
        """Return the picks of every input, in pixels of the reference."""
        return readPicks(self)

    def readCandidates(self) -> Candidates | None:
        """Return the candidates of a finished run; None before that."""
        self._createFilenameTemplates()
        if not self.hasAttribute("outputCoordinatesOR"):
            return None
        return read_candidates(self._getFileName("candidates"))

    def readReport(self) -> ConsensusReport:
        """Return the sizes and choices of a finished run."""
        return chainFilesOf(self).read_consensus()
