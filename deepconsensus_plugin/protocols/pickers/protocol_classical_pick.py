# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: picks from the micrographs alone, by a method that needs no training."""

from __future__ import annotations

import math
from pathlib import Path

import pyworkflow.protocol.params as params
from pwem.objects import SetOfCoordinates
from pwem.protocols import ProtParticlePicking

from deepconsensus_plugin.convert import (
    micrographs_from_set,
)
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.pickers.classical.correlation import Reference
from deepconsensus_plugin.core.pickers.classical.picking import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.classical.working_image import MIN_DIAMETER_PX
from deepconsensus_plugin.core.pipeline.pick import PickRequest, PickResult
from deepconsensus_plugin.core.types import BOX_PER_DIAMETER, PickerPicks
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.picks_output import createPicksSet

METHODS = {0: PickMethod.GAUSSIANS, 1: PickMethod.CORRELATION}
REFERENCES = {0: Reference.LEARNT, 1: Reference.DISC, 2: Reference.RING}
"""Choices by their number on the form, which never changes."""

METHOD_LABELS = ("difference of Gaussians", "rotational correlation")
REFERENCE_LABELS = ("learnt from the micrographs", "disc", "ring")


class ProtClassicalPick(ProtParticlePicking):
    """Pick particles of a known diameter; nothing is trained, no reference is needed.

    Two methods that work on different principles, so that a consensus of both means
    something: a difference of Gaussians finds contrast at the size of the particle, a
    normalised correlation finds its rotationally averaged shape.
    """

    _label = "pick without training"
    _possibleOutputs = {"outputCoordinates": SetOfCoordinates}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._defineInputParams(form)
        self._defineThresholdParams(form)
        self._defineMicrographParams(form)
        form.addParallelSection(threads=2, mpi=0)

    def _defineInputParams(self, form):
        form.addParam(
            "inputMicrographs",
            params.PointerParam,
            pointerClass="SetOfMicrographs",
            important=True,
            label="Micrographs",
            help="All of them are picked.",
        )
        form.addParam(
            "method",
            params.EnumParam,
            choices=list(METHOD_LABELS),
            default=0,
            label="Method",
            help="*difference of Gaussians*: places darker (or whiter) than their "
            "surroundings, of the particle's size [Voss2009].\n"
            "*rotational correlation*: places that look like the rotational average "
            "of the particle [Roseman2003].\n"
            "It sees hollow particles better.",
        )
        form.addParam(
            "particleDiameter",
            params.FloatParam,
            allowsNull=True,
            important=True,
            label="Particle diameter (Å)",
            help="Of a long particle, the mean of its axes is a good start.",
        )
        form.addParam(
            "reference",
            params.EnumParam,
            choices=list(REFERENCE_LABELS),
            default=0,
            condition="method==1",
            expertLevel=params.LEVEL_ADVANCED,
            label="Reference",
            help="*learnt*: a disc picks first; the mean radial profile of what it "
            "finds picks again, until it stays as it is. Nobody has to mark anything.",
        )
        form.addParam(
            "boxSize",
            params.IntParam,
            allowsNull=True,
            expertLevel=params.LEVEL_ADVANCED,
            label="Box size (px)",
            help="Empty: one and a half diameters, to an even number.",
        )

    def _defineThresholdParams(self, form):
        group = form.addGroup("Thresholds", expertLevel=params.LEVEL_ADVANCED)
        group.addParam(
            "threshold",
            params.FloatParam,
            allowsNull=True,
            expertLevel=params.LEVEL_ADVANCED,
            label="Threshold",
            help="Peaks scored this or better are picks.\n"
            "Difference of Gaussians: in noise units (deviations of the filtered "
            "micrograph).\n"
            "Correlation: 0 to 1.\n"
            "Empty: found in the scores of all micrographs, where they show peaks of "
            "particles and of background apart.\n"
            "Another threshold takes seconds (*Continue*): peaks are kept.",
        )
        group.addParam(
            "upperThreshold",
            params.FloatParam,
            allowsNull=True,
            expertLevel=params.LEVEL_ADVANCED,
            label="Upper threshold",
            help="Peaks scored better are left out: gold, ice and aggregates have more "
            "contrast than particles. Empty: found in the scores of difference of "
            "Gaussians, if carbon and ice are avoided; correlation has none.",
        )
        group.addParam(
            "minDistance",
            params.FloatParam,
            default=PickParameters.min_distance,
            expertLevel=params.LEVEL_ADVANCED,
            label="Least distance (diameters)",
            help="Of two peaks this close or closer, the better one is kept.",
        )

    def _defineMicrographParams(self, form):
        group = form.addGroup("Micrographs")
        group.addParam(
            "particlesDark",
            params.BooleanParam,
            default=True,
            label="Are particles dark?",
            help="*Yes* for micrographs as they come from the microscope.",
        )
        group.addParam(
            "avoidContamination",
            params.BooleanParam,
            default=True,
            label="Avoid carbon and ice?",
            help="Leave out places whose mean or deviation is unusual on their "
            "micrograph. Padded borders are always left out.",
        )

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "job": self._getExtraPath("pick.json"),
                "peaks": self._getExtraPath("peaks"),
                "picks": self._getExtraPath("picks.h5"),
                "observed": self._getExtraPath("observed.json"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.pickStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def pickStep(self, form):
        """Pick all micrographs as a job."""
        request = PickRequest(
            micrographs=micrographs_from_set(self.inputMicrographs.get()),
            parameters=self._parameters(),
            peaks=Path(self._getFileName("peaks")),
            result=Path(self._getFileName("picks")),
            threshold=self.threshold.get(),
            upper_threshold=self.upperThreshold.get(),
            workers=self.numberOfThreads.get(),
        )
        job = Path(self._getFileName("job"))
        write_job(job, request)
        Plugin.runCoreJob(self, job)

    def _parameters(self) -> PickParameters:
        return PickParameters(
            diameter_A=self.particleDiameter.get(),
            method=METHODS[self.method.get()],
            reference=REFERENCES[self.reference.get()],
            min_distance=self.minDistance.get(),
            particles_dark=self.particlesDark.get(),
            avoid_contamination=self.avoidContamination.get(),
        )

    def createOutputStep(self, form):
        """Register the picks with their scores."""
        picks = PickerPicks(
            METHOD_LABELS[self.method.get()],
            self._boxSize(),
            read_coordinates(self._getFileName("picks")),
        )
        coordinates = createPicksSet(
            self, picks, observed=self._getFileName("observed")
        )
        self._defineOutputs(outputCoordinates=coordinates)
        self._defineSourceRelation(self.inputMicrographs, coordinates)

    def _boxSize(self) -> int:
        """Return the box: the given one, or one and a half diameters, even."""
        if self.boxSize.get() is not None:
            return self.boxSize.get()
        return 2 * math.ceil(BOX_PER_DIAMETER * self._diameterPx() / 2)

    def _diameterPx(self) -> float:
        rate = self.inputMicrographs.get().getSamplingRate()
        return self.particleDiameter.get() / rate

    # -------------------------- information --------------------------
    def _validate(self):
        errors = self._validateDiameter()
        if self.boxSize.get() is not None and self.boxSize.get() < 1:
            errors.append(
                "Box size: it must be 1 px or more; leave it empty for one and a half "
                "diameters."
            )
        low, high = self.threshold.get(), self.upperThreshold.get()
        if low is not None and high is not None and low > high:
            errors.append("Upper threshold: it must not be below the threshold.")
        if not self.minDistance.get() > 0:
            errors.append("Least distance: it must be above 0; 0.6 is usual.")
        if self.numberOfThreads.get() < 1:
            errors.append("Threads: there must be 1 or more.")
        return errors

    def _validateDiameter(self) -> list[str]:
        if self.particleDiameter.get() is None or not self.particleDiameter.get() > 0:
            return ["Particle diameter: give it in Å, above 0."]
        if self.inputMicrographs.get() is None:
            return []  # Scipion reports it
        if self._diameterPx() < MIN_DIAMETER_PX:
            return [
                f"Particle diameter: it is {self._diameterPx():.1f} px here, and must "
                f"be {MIN_DIAMETER_PX} px or more; is it in Å, and is the sampling "
                "rate right?"
            ]
        return []

    def _summary(self):
        output = getattr(self, "outputCoordinates", None)
        if output is None:
            return ["Not run yet."]
        self._createFilenameTemplates()
        result = read_result(Path(self._getFileName("job")), PickResult)
        nMicrographs = self.inputMicrographs.get().getSize()
        upper = result.upper_threshold
        scored = "or better" if upper is None else f"to {upper:.3g}"
        summary = [
            f"{output.getSize()} picks on {nMicrographs} micrographs, box "
            f"{output.getBoxSize()} px: of {result.n_peaks} peaks, those scored "
            f"{result.threshold:.3g} {scored}."
        ]
        if self.threshold.get() is None and not result.is_separated:
            summary.append(
                "WARNING: the scores do not tell particles from background, so every "
                "peak is a pick. Look at them, and choose a threshold."
            )
        return summary

    def _methods(self):
        output = getattr(self, "outputCoordinates", None)
        if output is None:
            return []
        cited = ", ".join(f"[{key}]" for key in self._citations())
        return [
            f"{output.getSize()} particles of {self.particleDiameter.get():g} Å were "
            f"picked by {METHOD_LABELS[self.method.get()]} {cited}."
        ]

    def _citations(self):
        isGaussian = METHODS[self.method.get()] is PickMethod.GAUSSIANS
        method = "Voss2009" if isGaussian else "Roseman2003"
        return [method, "Ashman1994"] if self.threshold.get() is None else [method]
