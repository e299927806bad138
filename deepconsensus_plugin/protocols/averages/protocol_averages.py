# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: averages of candidates, and what they tell of each candidate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pwem.objects import (
    SetOfAverages,
    SetOfClasses2D,
    SetOfCoordinates,
    SetOfMicrographs,
    SetOfParticles,
)
from pwem.protocols import ProtClassify2D
from pyworkflow.object import Boolean, Integer, Pointer

from deepconsensus_plugin.convert import AveragedItems
from deepconsensus_plugin.core.averages.stacks import write_resized
from deepconsensus_plugin.core.averages.table import (
    AveragesTable,
    read_averages,
)
from deepconsensus_plugin.core.io.arrays import read_array_file
from deepconsensus_plugin.core.io.tables import write_coordinates
from deepconsensus_plugin.protocols.averages.averages_form import (
    AVERAGING,
    BOXES,
    defineAveragesParams,
    describeBadAveraging,
)
from deepconsensus_plugin.protocols.averages.averages_images import (
    averagedInput,
    averagesImages,
)
from deepconsensus_plugin.protocols.averages.averages_outputs import AveragesOutputs
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.averages_summary import describeAverages
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.core_jobs import jobsIn
from deepconsensus_plugin.protocols.shared.parallel_form import defineParallelParams
from deepconsensus_plugin.protocols.shared.registered_outputs import registerOutputs
from deepconsensus_plugin.protocols.shared.shared_forms import micrographsToCut


class ProtDeepConsensusAverages(Appearance, ProtClassify2D):
    """Average candidates without a reference, and tell what each looks like.

    Candidates are aligned and sorted into averages in two independent halves, so that
    each average has a resolution that noise does not pass. Every candidate gets the
    number of its average, how much its box holds of it, and its offset from the centre.
    """

    _label = "average candidates"
    _possibleOutputs = {
        "outputClasses": SetOfClasses2D,
        "outputAverages": SetOfAverages,
        "outputParticles": SetOfParticles,
        "outputCoordinates": SetOfCoordinates,
    }

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.numberLeftOut = Integer()
        self.usedImages = Boolean(False)

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        defineAveragesParams(form)
        defineParallelParams(form, threads=2)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        files = {
            "coordinates": "coordinates.h5",
            "ids": "ids.npy",
            "averages": "averages.h5",
            "images": "averages.mrcs",
            "particles": "particles.mrcs",
            "representatives": "representatives.mrcs",
            "observed": "observed.json",
        }
        self._updateFilenamesDict({k: self._getExtraPath(v) for k, v in files.items()})

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        for step in (self.convertInputStep, self.averageStep, self.createOutputStep):
            self._insertFunctionStep(step, form, needsGPU=False)

    def convertInputStep(self, form):
        """Write the candidates for the job, in the order of its rows."""
        given = averagedInput(self)
        places, ids = given.place()
        write_coordinates(self._path("coordinates"), places)
        np.save(self._path("ids"), ids)
        self.numberLeftOut.set(given.items.getSize() - len(ids))
        self.usedImages.set(averagesImages(self))
        self._store(self.numberLeftOut, self.usedImages)

    def averageStep(self, form):
        """Average the candidates as a job."""
        given = averagedInput(self)
        request = BOXES.read(
            self,
            micrographs=given.read_usable(),
            coordinates=self._path("coordinates"),
            box_size=given.cut_box,
            averages=self._path("averages"),
            parameters=AVERAGING.read(self),
            workers=self.numberOfThreads.get(),
            particles=self._path("particles") if given.keeps_boxes else None,
        )
        jobsIn(Path(self._getExtraPath()), self)(request)

    def createOutputStep(self, form):
        """Register classes, averages, and the items with their evidence."""
        given = averagedInput(self)
        averaged = AveragedItems.read(
            *(self._path("averages"), self._path("coordinates")),
            read_array_file(Path(self._path("ids")), "ids", kinds="iu"),
            pixel_size_A=given.cut_pixel_A,
            picked_pixel_A=given.picked_pixel_A,
        )
        if given.particles is not None:
            rate = given.particles.getSamplingRate()
            write_resized(self._path("representatives"), averaged.table, rate)
        outputs = AveragesOutputs(self, given, averaged).make()
        sources = (self.averagedItems(), self.inputMicrographs, self.ctfRelations)
        registerOutputs(self, outputs, sources)

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadAveraging(self)

    def _summary(self):
        if not self.hasAttribute("outputClasses"):
            return ["Not run yet."]
        lines = describeAverages(
            self.readTable(),
            path=self._getFileName("images"),
            pixelSize=self._cutPixelSize(),
            nLeftOut=self.numberLeftOut.get(),
        )
        if self.usedImages:
            lines.append(
                "The images of the particles themselves were averaged, since their "
                "boxes could not be cut from micrographs."
            )
        elif self.refineCentres:
            lines.append("The output coordinates were moved to the centres found.")
        return lines

    def _methods(self):
        if not self.hasAttribute("outputClasses"):
            return []
        table = self.readTable()
        finest_A = 2 * self._cutPixelSize()
        aligned_A = AVERAGING.read(self).aligned_A(table.extent_A, finest_A)
        return [
            f"{table.n_members.sum()} candidate particles were aligned, without a "
            f"reference and to {aligned_A:.0f} Å, and sorted into "
            f"{len(table.images)} averages, in two independent halves [Scheres2012]."
        ]

    def _citations(self):
        return ["Scheres2012"]

    # -------------------------- shared --------------------------
    def averagedItems(self) -> Pointer:
        """Return the pointer to what is averaged: particles before coordinates."""
        hasParticles = self.inputParticles.hasValue()
        return self.inputParticles if hasParticles else self.inputCoordinates

    def getInputMicrographs(self) -> SetOfMicrographs | None:
        """Return the micrographs to cut; the form finds CTFs by them."""
        if self.inputParticles.get() is None:
            return micrographsToCut(self, self.inputCoordinates)
        return micrographsToCut(self, self.inputParticles.get()._coordsPointer)

    def hasStacks(self) -> bool:
        """Return whether images of particles are averaged as they are."""
        return averagesImages(self)

    def readTable(self) -> AveragesTable:
        """Return the averages of a finished run."""
        self._createFilenameTemplates()
        return read_averages(self._path("averages"))

    def _cutPixelSize(self) -> float:
        cut = self.getInputMicrographs()
        return (self.inputParticles.get() if self.usedImages else cut).getSamplingRate()

    def _path(self, name: str) -> Path:
        return Path(self._getFileName(name))
