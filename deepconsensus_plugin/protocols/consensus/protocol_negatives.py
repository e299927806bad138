# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: draw negatives (background) from the whole area of the micrographs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyworkflow.protocol.params as params
from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pwem.protocols import ProtParticlePicking

from deepconsensus_plugin.constants import NEGATIVE_KIND_ATTRIBUTE
from deepconsensus_plugin.convert import (
    append_coordinates,
    candidates_from_set,
    coordinates_from_set,
    masks_of,
    micrographs_from_set,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.jobs import read_result
from deepconsensus_plugin.core.negatives.hard import NegativeKind
from deepconsensus_plugin.core.negatives.user import with_user_negatives
from deepconsensus_plugin.core.pipeline.likely_particles import find_likely_particles
from deepconsensus_plugin.core.pipeline.negatives import NegativesResult
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates
from deepconsensus_plugin.core.workflow.files import ChainFiles
from deepconsensus_plugin.core.workflow.stages import draw_negatives
from deepconsensus_plugin.core.workflow.witness import ask_general_model
from deepconsensus_plugin.protocols.consensus.negatives_form import (
    DRAWING,
    defineDrawingParams,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.chain_files import seenByGeneralModel
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.contrast import DARK, defineContrastParam
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeLost,
)
from deepconsensus_plugin.protocols.shared.parallel_form import (
    defineParallelParams,
    describeBadParallel,
)
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs
from deepconsensus_plugin.set_columns import read_numbers

KIND_LABELS = {
    NegativeKind.RANDOM: "at random",
    NegativeKind.DISPLACED: "off-centre of agreed particles",
    NegativeKind.SORTED_OUT: "agreed particles that look unlike the others",
    NegativeKind.SINGLE_PICKER: "picks of a single picker that look unlike particles",
    NegativeKind.CONTAMINATION: "on carbon, ice or edges",
    NegativeKind.USER: "of your own",
}


class ProtDeepConsensusNegatives(Appearance, ProtParticlePicking):
    """Choose coordinates of background for training, away from every candidate.

    By default, half of them are drawn at random on the micrographs that all pickers
    were run on, and half lie off the centre of agreed particles. Places that are easily
    mistaken for particles can be added.
    """

    _label = "negative picks"
    _possibleOutputs = {"outputCoordinatesNEG": SetOfCoordinates}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._defineInputParams(form)
        defineDrawingParams(form)
        defineContrastParam(
            form,
            "skipInvert",
            "Contrast of the particles in the micrographs, for the general model. "
            "Particles are dark unless the contrast was inverted before.\n"
            f"Default: {DARK}.",
        )
        DRAWING.define(form, "seed")
        defineParallelParams(form, threads=2)

    def _defineInputParams(self, form):
        form.addParam(
            "inputCoordinates",
            params.PointerParam,
            pointerClass="SetOfCoordinates",
            important=True,
            label="Candidates (OR)",
            help="All candidates of the consensus (OR). Random negatives are drawn "
            "away from all of them.",
        )
        form.addParam(
            "inputPositives",
            params.PointerParam,
            pointerClass="SetOfCoordinates",
            allowsNull=True,
            label="Positives (AND)",
            help="Particles to train on (AND). They set the number of negatives, and "
            "show what particles look like.\nAuto (empty): the candidates that most "
            "pickers agree on.",
        )
        form.addParam(
            "extraNegatives",
            params.PointerParam,
            pointerClass="SetOfCoordinates",
            allowsNull=True,
            label="Your own negatives",
            help="Optional coordinates of ice, carbon or contamination. They are "
            "added to the other negatives, and replace the positives that look least "
            "like the others.",
        )

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "job": self._getExtraPath("negatives.json"),
                "negatives": self._getExtraPath("negatives.h5"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.drawStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def drawStep(self, form):
        """Draw the negatives as a job."""
        folder, positives = Path(self._getExtraPath()), self.inputPositives.get()
        micrographs = micrographs_from_set(self.getInputMicrographs())
        candidates = candidates_from_set(self.inputCoordinates.get())
        draw_negatives(
            micrographs,
            candidates,
            folder,
            box_size=self.inputCoordinates.get().getBoxSize(),
            avoid=self._findLikelyParticles(micrographs, candidates),
            parameters=replace(
                DRAWING.read(self), sort_out_agreed=self.extraNegatives.get() is None
            ),
            n_positives=None if positives is None else positives.getSize(),
            masks=masks_of(self.inputCoordinates.get()),
            workers=self.numberOfThreads.get(),
            run_job=jobsIn(folder, self),
        )

    def _findLikelyParticles(
        self, micrographs: Sequence[Micrograph], candidates: Candidates
    ) -> dict[str, ScoredCoordinates]:
        """Return what the general model takes for particles, if it shall be asked."""
        if not self.avoidLikelyParticles:
            return {}
        folder = Path(self._getExtraPath())
        ask_general_model(
            [m for m in micrographs if m.name not in candidates.bad_micrographs],
            candidates.coordinates(),
            folder,
            box_size=self.inputCoordinates.get().getBoxSize(),
            are_particles_dark=not self.skipInvert,
            seen=seenByGeneralModel(),
            workers=self.numberOfThreads.get(),
            run_job=jobsIn(folder, self),
        )
        files = ChainFiles(folder)
        return find_likely_particles(files.witness_peaks, files.null)

    def createOutputStep(self, form):
        """Register the negatives, with the user's own."""
        negatives = read_coordinates(self._getFileName("negatives"))
        micrographs = self.getInputMicrographs()
        extra = self.extraNegatives.get()
        if extra is not None:
            negatives = with_user_negatives(
                negatives, coordinates_from_set(extra, micrographs=micrographs)
            )
        source = self.inputCoordinates.get()
        coordinates = self._createSetOfCoordinates(
            source.getMicrographs(asPointer=True), suffix="NEG"
        )
        coordinates.setBoxSize(source.getBoxSize())
        append_coordinates(
            coordinates,
            micrographs,
            negatives,
            score_attribute=NEGATIVE_KIND_ATTRIBUTE,
        )
        sources = (self.inputCoordinates, self.inputPositives, self.extraNegatives)
        registerOutputs(self, {"outputCoordinatesNEG": coordinates}, sources)

    # -------------------------- information --------------------------
    def _validate(self):
        errors = []
        candidates = self.inputCoordinates.get()
        if candidates is not None and not candidates.getBoxSize():
            errors.append(
                "Candidates (OR): the set has no box size; run the consensus again "
                "with one."
            )
        errors += describeLost("Candidates (OR)", candidates)
        errors += DRAWING.describe_bad(self) + describeBadParallel(self)
        return errors

    def _summary(self):
        output = getattr(self, "outputCoordinatesNEG", None)
        if output is None:
            return ["Not run yet."]
        self._createFilenameTemplates()
        result = read_result(Path(self._getFileName("job")), NegativesResult)
        summary = [
            f"{output.getSize()} negatives on the {result.n_micrographs} micrographs "
            "that all pickers were run on.",
            *self._describeKinds(output),
        ]
        nDrawn = sum(result.counts.values())
        if nDrawn < result.n_requested:
            summary.append(
                f"WARNING: there was room for only {nDrawn} of {result.n_requested} "
                "negatives; a smaller exclusion radius leaves more room."
            )
        return summary

    def _describeKinds(self, output: SetOfCoordinates) -> list[str]:
        counts = Counter(read_numbers(output, NEGATIVE_KIND_ATTRIBUTE)[:, 0].tolist())
        return [
            f"{counts[kind.value]} {label}."
            for kind, label in KIND_LABELS.items()
            if counts[kind.value]
        ]

    def _methods(self):
        output = getattr(self, "outputCoordinatesNEG", None)
        if output is None:
            return []
        return [
            f"{output.getSize()} coordinates of background were chosen, random ones "
            f"farther than {self.exclusionRadius.get():g} of the box from every "
            "candidate [SanchezGarcia2018]."
        ]

    def _citations(self):
        sortedOut = self.mineHardNegatives or self.extraNegatives.get() is None
        mined = ["Vargas2013"] if sortedOut else []
        return ["SanchezGarcia2018", *mined]

    # -------------------------- shared --------------------------
    def getInputMicrographs(self) -> SetOfMicrographs:
        """Return the micrographs of the candidates."""
        return self.inputCoordinates.get().getMicrographs()
