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
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.classical.working_image import MIN_DIAMETER_PX
from deepconsensus_plugin.core.pipeline.pick import PickRequest, PickResult
from deepconsensus_plugin.core.types import (
    BOX_PER_DIAMETER,
    OutputBox,
    PickerPicks,
)
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.contrast import shownAsContrast
from deepconsensus_plugin.protocols.shared.estimated_diameter import (
    AUTO,
    chosenDiameter,
    describeDiameter,
    diameterOf,
)
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeBadMicrographs,
    describeLargeBox,
    describeOtherPixelSize,
)
from deepconsensus_plugin.protocols.shared.parallel_form import (
    defineParallelParams,
    describeBadParallel,
)
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown
from deepconsensus_plugin.protocols.shared.picker_summary import (
    describeNull,
    describeRows,
)
from deepconsensus_plugin.protocols.shared.picks_output import createPicksSet

PICKING = ParameterForm(
    PickParameters,
    first=("method", "diameter_A", "reference"),
    diameter_A=Shown(
        "particleDiameter", default=None, auto=AUTO, options={"important": True}
    ),
    method=Shown(
        choices={
            PickMethod.GAUSSIANS: "difference of Gaussians",
            PickMethod.CORRELATION: "rotational correlation",
        }
    ),
    reference=Shown(
        choices={
            Reference.LEARNT: "learnt from the micrographs",
            Reference.DISC: "disc",
            Reference.RING: "ring",
        }
    ),
    shortest_diameter_A=Shown("shortestDiameter"),
    particles_dark=shownAsContrast(),
)
THRESHOLDS = ParameterForm(PickRequest)
BOX = ParameterForm(
    OutputBox,
    box_size=Shown(auto="one and a half diameters, to an even number"),
)


class ProtClassicalPick(Appearance, ProtParticlePicking):
    """Pick particles of one diameter, without training and without a reference.

    The diameter is estimated where none is given. There are two methods of different
    principles, so that a consensus of both is meaningful: a difference of Gaussians
    finds contrast at the size of the particle, and a normalised correlation finds its
    rotationally averaged shape.
    """

    _label = "pick without training"
    _possibleOutputs = {"outputCoordinates": SetOfCoordinates}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        self._defineInputParams(form)
        self._defineThresholdParams(form)
        self._defineMicrographParams(form)
        defineParallelParams(form, threads=2)

    def _defineInputParams(self, form):
        form.addParam(
            "inputMicrographs",
            params.PointerParam,
            pointerClass="SetOfMicrographs",
            important=True,
            label="Micrographs",
            help="Micrographs to pick.",
        )
        PICKING.define(form, "method", "diameter_A", "reference")
        BOX.define(form)

    def _defineThresholdParams(self, form):
        group = form.addGroup("Thresholds", expertLevel=params.LEVEL_ADVANCED)
        THRESHOLDS.define(group)
        PICKING.define(group, "min_distance", "shortest_diameter_A")

    def _defineMicrographParams(self, form):
        PICKING.define(
            form.addGroup("Micrographs"), "particles_dark", "avoid_contamination"
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
        micrographs = micrographs_from_set(self.inputMicrographs.get())
        areDark = PICKING.value_of("particles_dark", self)
        diameter = diameterOf(self, micrographs, areDark=areDark)
        request = THRESHOLDS.read(
            self,
            micrographs=micrographs,
            parameters=PICKING.read(self, diameter_A=diameter),
            peaks=Path(self._getFileName("peaks")),
            result=Path(self._getFileName("picks")),
            workers=self.numberOfThreads.get(),
        )
        job = Path(self._getFileName("job"))
        write_job(job, request)
        Plugin.runCoreJob(self, job)

    def createOutputStep(self, form):
        """Register the picks with their scores."""
        picks = PickerPicks(
            self._methodLabel(),
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

    def _methodLabel(self) -> str:
        return self.getParam("method").choices[self.method.get()]

    def _diameterPx(self) -> float:
        return chosenDiameter(self) / self.inputMicrographs.get().getSamplingRate()

    # -------------------------- information --------------------------
    def _validate(self):
        return [
            *describeBadMicrographs(self.inputMicrographs.get()),
            *self._describeDiameter(),
            *PICKING.describe_bad(self),
            *BOX.describe_bad(self),
            *describeLargeBox(
                "Box size", self.boxSize.get(), self.inputMicrographs.get()
            ),
            *THRESHOLDS.describe_bad(self),
            *describeBadParallel(self),
        ]

    def _warnings(self):
        return describeOtherPixelSize(self.inputMicrographs.get())

    def _describeDiameter(self) -> list[str]:
        """Return a sentence if the micrographs are too coarse or too small for it."""
        micrographs = self.inputMicrographs.get()
        if not self.particleDiameter.get() or describeBadMicrographs(micrographs):
            return []  # told elsewhere, or estimated
        if micrographs is None:
            return []
        diameter = self._diameterPx()
        if too_large := describeLargeBox("Particle diameter", diameter, micrographs):
            return too_large
        if not 0 < self._diameterPx() < MIN_DIAMETER_PX:
            return []
        return [
            f"Particle diameter: it is {self._diameterPx():.1f} px on these "
            f"micrographs, and must be {MIN_DIAMETER_PX} px or more. Check that it is "
            "in Å, and that the pixel size is right."
        ]

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
            f"{output.getBoxSize()} px: the peaks, of {result.n_peaks}, with a score "
            f"of {result.threshold:.3g} {scored}."
        ]
        summary += [*describeNull(result.null), *describeDiameter(self)]
        summary += describeRows(result, areLeftOut=self.leaveOutFilaments.get())
        if result.is_from_null:
            summary.append(
                "The scores do not separate particles from background; picks are the "
                "peaks from the score on at which half are in excess of noise."
            )
        elif self.threshold.get() is None and not result.is_separated:
            summary.append(
                "WARNING: the scores do not separate particles from background, so "
                "every peak is a pick. Look at the picks, and choose a minimum score."
            )
        return summary

    def _methods(self):
        output = getattr(self, "outputCoordinates", None)
        if output is None:
            return []
        cited = ", ".join(f"[{key}]" for key in self._citations())
        return [
            f"{output.getSize()} particles of {chosenDiameter(self):.4g} Å were "
            f"picked by {self._methodLabel()} {cited}."
        ]

    def _citations(self):
        method = PICKING.value_of("method", self)
        cited = "Voss2009" if method is PickMethod.GAUSSIANS else "Roseman2003"
        return [cited, "Ashman1994"] if self.threshold.get() is None else [cited]
