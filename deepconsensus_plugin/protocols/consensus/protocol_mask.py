# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: masks of micrographs, and coordinates without those on carbon or ice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pwem.objects import SetOfCoordinates, SetOfMicrographs
from pwem.protocols import EMProtocol
from pyworkflow.object import Integer

from deepconsensus_plugin.convert import (
    ItemRows,
    append_masks,
    append_rows,
    are_on,
    distances_to_unusable,
    micrographs_from_set,
    observed_by_all,
    picks_from_set,
    read_observed,
    with_area_distance,
    write_observed,
)
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.pipeline.mask import MaskResult
from deepconsensus_plugin.core.usable_area.parameters import AreaChoice
from deepconsensus_plugin.core.usable_area.permitting import are_permitted
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.consensus.mask_form import (
    AREA,
    MASKING,
    defineMaskParams,
    describeBadMasking,
)
from deepconsensus_plugin.protocols.consensus.picker_names import pickerNames
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.input_checks import describeOtherPixelSize
from deepconsensus_plugin.protocols.shared.parallel_form import defineParallelParams
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs
from deepconsensus_plugin.protocols.shared.skipped_micrographs import (
    describeLeftOut,
    leftOutOf,
)
from deepconsensus_plugin.set_columns import read_id_array


class ProtDeepConsensusMask(Appearance, EMProtocol):
    """Mask what is in the way of particles: carbon, ice, padding, dead areas.

    Each micrograph gets a mask, which later steps and windows of the plugin use, and
    which other programs can read. Coordinates on masked area are removed from a set,
    if one is given.
    """

    _label = "mask micrographs"
    _possibleOutputs = {
        "outputMasks": SetOfMicrographs,
        "outputCoordinates": SetOfCoordinates,
    }

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.numberRemoved = Integer()

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineMaskParams(form)
        defineParallelParams(form, threads=2)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "job": self._getExtraPath("mask.json"),
                "masks": self._getExtraPath("masks"),
                "observed": self._getExtraPath("observed.json"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.maskStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def maskStep(self, form):
        """Make the masks as a job."""
        given = self.inputMicrographs.get()
        request = MASKING.read(
            self,
            micrographs=micrographs_from_set(given, left_out=leftOutOf(self, given)),
            folder=self.getMasks(),
            workers=self.numberOfThreads.get(),
        )
        job = Path(self._getFileName("job"))
        write_job(job, request)
        Plugin.runCoreJob(self, job)

    def createOutputStep(self, form):
        """Register the masks, and the coordinates that they permit."""
        masks = self._createSetOfMicrographs(suffix="_masks")
        given = self.inputMicrographs.get()
        append_masks(masks, given, self.getMasks(), left_out=leftOutOf(self, given))
        outputs = {"outputMasks": masks}
        self.numberRemoved.set(None)
        if self.inputCoordinates.get() is not None:
            outputs |= self._cleaned()
        self._store(self.numberRemoved)
        registerOutputs(self, outputs, (self.inputMicrographs,))
        if "outputCoordinates" in outputs:
            cleaned = outputs["outputCoordinates"]
            self._defineSourceRelation(self.inputCoordinates, cleaned)

    def _cleaned(self) -> dict[str, SetOfCoordinates]:
        """Return the coordinates that are left, by output; nothing if none is."""
        source, micrographs = self.inputCoordinates.get(), self.inputMicrographs.get()
        distance = distances_to_unusable(source, micrographs, self.getMasks())
        permitted = are_permitted(
            distance, avoid_contamination=self.readChoice().avoid_contamination
        )
        left_out = leftOutOf(self, micrographs)
        permitted &= ~are_on(source, micrographs, left_out)
        self.numberRemoved.set(int((~permitted).sum()))
        if not permitted.any() and not self.hasAttribute("outputCoordinates"):
            return {}
        target = self._createSetOfCoordinates(source.getMicrographs(asPointer=True))
        target.copyInfo(source)
        ids = read_id_array(source)
        left = ItemRows.of_set(source, ids[permitted])
        append_rows(target, with_area_distance(left, distance[permitted]))
        known = read_observed(source)
        if known is None:
            (picker,) = pickerNames([self.inputCoordinates])
            own = source.getMicrographs()
            picks = picks_from_set(source, picker=picker, micrographs=own)
            known = observed_by_all([picks])
        seen = {k: v for k, v in known.observed.items() if k not in left_out}
        known = replace(known, observed=seen, masks=str(self.getMasks()))
        write_observed(target, self._getFileName("observed"), known)
        return {"outputCoordinates": target}

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadMasking(self)

    def _warnings(self):
        return describeOtherPixelSize(self.inputMicrographs.get())

    def _summary(self):
        output = getattr(self, "outputMasks", None)
        if output is None:
            return ["Not run yet."]
        result = self.readResult()
        shares = [*result.share_unusable.values()]
        summary = [
            *describeLeftOut(self),
            f"Masks of {output.getSize()} micrographs: {np.mean(shares):.1%} of their "
            f"area is masked; {self._getFileName('masks')}/*.mask.mrc.",
        ]
        if self.numberRemoved.get() is not None:
            summary.append(self._describeRemoved())
        if result.bad_micrographs:
            bad = ", ".join(result.bad_micrographs[:3])
            more = " …" if len(result.bad_micrographs) > 3 else ""
            summary.append(
                f"WARNING: {len(result.bad_micrographs)} of the micrographs are "
                f"masked for the most part: {bad}{more}"
            )
        return summary

    def _describeRemoved(self) -> str:
        nRemoved = self.numberRemoved.get()
        if not self.hasAttribute("outputCoordinates"):
            return (
                f"All {nRemoved} coordinates lie on masked area, so there is no such "
                "output."
            )
        nLeft = self.outputCoordinates.getSize()
        return (
            f"{nRemoved} of {nRemoved + nLeft} coordinates removed, since they lie on "
            f"masked area; {nLeft} left."
        )

    def _methods(self):
        output = getattr(self, "outputMasks", None)
        if output is None:
            return []
        methods = [
            f"Padding, areas without signal, carbon and ice were masked on "
            f"{output.getSize()} micrographs by their local mean and variance, in "
            f"windows in proportion to the particle of {self.particleDiameter.get():g} "
            "Å."
        ]
        if self.numberRemoved.get() is not None:
            methods.append(
                f"{self.numberRemoved.get()} coordinates there were removed."
            )
        return methods

    # -------------------------- shared --------------------------
    def getMasks(self) -> Path:
        """Return the folder of the masks."""
        self._createFilenameTemplates()
        return Path(self._getFileName("masks"))

    def getInputMicrographs(self) -> SetOfMicrographs:
        """Return the micrographs that are masked."""
        return self.inputMicrographs.get()

    def readResult(self) -> MaskResult:
        """Return the result of the job of a finished run."""
        self._createFilenameTemplates()
        return read_result(Path(self._getFileName("job")), MaskResult)

    def readChoice(self) -> AreaChoice:
        """Return the choice whether contaminated area counts as masked."""
        return AREA.read(self)
