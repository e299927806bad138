# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: pick with a trained model of any kind."""

from __future__ import annotations

from pathlib import Path

from pwem.objects import SetOfCoordinates
from pwem.protocols import ProtParticlePicking

from deepconsensus_plugin.convert import (
    coordinates_from_set,
    micrographs_from_set,
)
from deepconsensus_plugin.core.errors import FileFormatError, IncompatibleModelError
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.methods import find_method
from deepconsensus_plugin.core.pick_files.layouts import write_picks_folder
from deepconsensus_plugin.core.pick_files.picks import PickFormat
from deepconsensus_plugin.core.pipeline.network_pick_requests import (
    NetworkPickRequest,
    NetworkPickResult,
    masks_beside,
)
from deepconsensus_plugin.core.types import Micrograph, PickerPicks
from deepconsensus_plugin.objects import ParticleClassifier
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.pickers.model_conditions import (
    isValidated,
    kindOf,
)
from deepconsensus_plugin.protocols.pickers.network_pick_form import (
    AREA,
    BOX,
    MERGE_RADIUS,
    THRESHOLD,
    boxExtent,
    chosenThreshold,
    defineInputParams,
    defineThresholdParams,
    describeUnusedPrecision,
    expectedPicks,
)
from deepconsensus_plugin.protocols.pickers.network_pick_summary import (
    describePicks,
    pickerName,
)
from deepconsensus_plugin.protocols.pickers.pick_options import (
    chosenOptions,
    definePickOptions,
    describeBadOptions,
    needsDiameter,
    optionsToCheck,
    pickOptions,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.estimated_diameter import (
    describeDiameter,
    diameterOf,
)
from deepconsensus_plugin.protocols.shared.input_checks import (
    describeBadMicrographs,
    describeLargeBox,
    describeLost,
    describeOtherPixelSize,
)
from deepconsensus_plugin.protocols.shared.parallel_form import (
    defineParallelParams,
    describeBadParallel,
)
from deepconsensus_plugin.protocols.shared.picks_output import createPicksSet
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs
from deepconsensus_plugin.protocols.shared.shared_forms import defineGpuParams
from deepconsensus_plugin.protocols.shared.used_devices import describeDevices


class ProtNetworkPick(Appearance, ProtParticlePicking):
    """Pick micrographs with a trained picker, or with a network of Deep Consensus.

    All peaks are kept with their scores, so that another threshold takes seconds. If
    known coordinates are given, the picks far from all of them are a second output.
    """

    _label = "pick with a network"
    _possibleOutputs = {
        "outputCoordinates": SetOfCoordinates,
        "outputCoordinatesMissed": SetOfCoordinates,
    }

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineGpuParams(form)
        form.addSection(label="Input")
        defineInputParams(form)
        definePickOptions(form)
        defineThresholdParams(form)
        defineParallelParams(form, threads=2)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "job": self._getExtraPath("network_pick.json"),
                "found": self._getExtraPath("found"),
                "known": self._getExtraPath("known.h5"),
                "picks": self._getExtraPath("picks.h5"),
                "missed": self._getExtraPath("missed.h5"),
                "boxFiles": self._getExtraPath("eman2"),
                "observed": self._getExtraPath("observed.json"),
                "observedMissed": self._getExtraPath("observed_missed.json"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.pickStep, form, needsGPU=True)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def pickStep(self, form):
        """Pick all micrographs as a job."""
        micrographs = self.inputMicrographs.get()
        known = self.knownCoordinates.get()
        if known is not None:
            found = coordinates_from_set(known, micrographs=micrographs)
            write_coordinates(self._getFileName("known"), found)
        usable = self._usableMicrographs()
        if needsDiameter(self):
            areDark = chosenOptions(self).are_particles_dark is not False
            diameterOf(self, usable, areDark=areDark)
        request = NetworkPickRequest(
            micrographs=usable,
            model=Path(self.inputModel.get().getFolder()),
            found=Path(self._getFileName("found")),
            result=Path(self._getFileName("picks")),
            threshold=chosenThreshold(self),
            n_expected=expectedPicks(self),
            known=None if known is None else Path(self._getFileName("known")),
            missed=None if known is None else Path(self._getFileName("missed")),
            known_radius_px=MERGE_RADIUS * self._boxSize(),
            workers=self.numberOfThreads.get(),
            options=pickOptions(self),
            **AREA.values(self),
        )
        job = Path(self._getFileName("job"))
        write_job(job, request)
        Plugin.runCoreJob(self, job)

    def _usableMicrographs(self) -> tuple[Micrograph, ...]:
        """Return the micrographs that the model can look at; others are warned of."""
        ctfs = self.ctfRelations.get()
        found = micrographs_from_set(self.inputMicrographs.get(), ctfs=ctfs)
        if not self.inputModel.get().getCard().needs_ctf:
            return found
        usable = tuple(each for each in found if each.ctf is not None)
        if not usable:
            raise ValueError(
                f"CTF estimation: expected CTFs of these {len(found)} micrographs, "
                "which the model needs, received none"
            )
        if len(usable) < len(found):
            self.warning(
                f"{len(found) - len(usable)} of {len(found)} micrographs have no CTF, "
                "which the model needs; they are not picked"
            )
        return usable

    def createOutputStep(self, form):
        """Register the picks, and those that were not known; write EMAN2's files."""
        write_picks_folder(
            self._getFileName("boxFiles"),
            read_coordinates(self._getFileName("picks")),
            box_size=self._boxSize(),
            pick_format=PickFormat.BOX,
        )
        outputs = {"outputCoordinates": self._makeSet("picks", "observed")}
        if self.knownCoordinates.get() is not None:
            outputs["outputCoordinatesMissed"] = self._makeSet(
                "missed", "observedMissed"
            )
        registerOutputs(
            self,
            outputs,
            (self.inputMicrographs, self.inputModel, self.knownCoordinates),
        )

    def _makeSet(self, name: str, observed: str) -> SetOfCoordinates:
        found = read_coordinates(self._getFileName(name))
        picks = PickerPicks(pickerName(self), self._boxSize(), found)
        return createPicksSet(
            self,
            picks,
            observed=self._getFileName(observed),
            suffix="" if name == "picks" else "Missed",
            probability=self.readResult().calibration.probability,
            masks=masks_beside(Path(self._getFileName("found"))),
        )

    def readResult(self) -> NetworkPickResult:
        """Return what the job found; for a finished run."""
        self._createFilenameTemplates()
        return read_result(Path(self._getFileName("job")), NetworkPickResult)

    def _boxSize(self) -> int:
        """Return the box: the given one, or the model's, even."""
        if self.boxSize.get() is not None:
            return self.boxSize.get()
        extent = boxExtent(self)
        return 2 * round(extent / self.inputMicrographs.get().getSamplingRate() / 2)

    # -------------------------- information --------------------------
    def _validate(self):
        errors = THRESHOLD.describe_bad(self) + BOX.describe_bad(self)
        errors += describeBadParallel(self)
        errors += describeLost("Known coordinates", self.knownCoordinates.get())
        micrographs = self.inputMicrographs.get()
        errors += describeBadMicrographs(micrographs)
        errors += describeLargeBox("Box size", self.boxSize.get(), micrographs)
        if self.inputModel.get() is None or micrographs is None or errors:
            return errors  # Scipion reports what is missing
        return errors + self._validateModel(self.inputModel.get())

    def _validateModel(self, model: ParticleClassifier) -> list[str]:
        """Return why the model cannot look at these micrographs."""
        try:
            card = model.getCard()
        except (OSError, FileFormatError) as error:
            return [f"Model: {error}"]
        errors = describeBadOptions(self)
        if errors:
            return errors
        try:
            card.check_can_pick(
                sampling_rate=self.inputMicrographs.get().getSamplingRate(),
                has_ctfs=self.ctfRelations.get() is not None,
                options=optionsToCheck(self),
            )
        except IncompatibleModelError as error:
            return [str(error)]
        return describeUnusedPrecision(self)

    # -------------------------- what conditions of the form name ------------------
    def modelKind(self) -> str:
        """Return the kind of the model; empty without one that can be read."""
        return kindOf(self)

    def isValidated(self) -> bool:
        """Return whether figures on held-out micrographs can give a threshold."""
        options = chosenOptions(self) if kindOf(self) else None
        return isValidated(self, options)

    def _warnings(self):
        return describeOtherPixelSize(self.inputMicrographs.get())

    def _summary(self):
        if not self.hasAttribute("outputCoordinates"):
            return ["Not run yet."]
        self._createFilenameTemplates()
        summary = describePicks(self, self.readResult()) + describeDiameter(self)
        files = f"Picks as EMAN2 .box files: {self._getFileName('boxFiles')}."
        return [*summary, *describeDevices(self), files]

    def _methods(self):
        if not self.hasAttribute("outputCoordinates"):
            return []
        return [
            f"{self.outputCoordinates.getSize()} particles were picked by a "
            f"{pickerName(self)} [{self._citations()[0]}]."
        ]

    def _citations(self):
        if self.inputModel.get() is None:
            return []
        try:
            return [find_method(self.inputModel.get().getKind()).citation]
        except (OSError, FileFormatError):
            return []  # the model's folder is gone
