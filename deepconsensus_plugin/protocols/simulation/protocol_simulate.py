# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: simulate micrographs with known particles."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

from pwem.objects import SetOfCoordinates, SetOfCTF, SetOfMicrographs
from pwem.protocols import EMProtocol
from pyworkflow.object import Pointer

from deepconsensus_plugin.convert import (
    acquisition_of,
    append_coordinates,
    append_simulated,
    with_optics_group,
)
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.jobs import read_result, write_job
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest, SimulateResult
from deepconsensus_plugin.plugin import Plugin
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint
from deepconsensus_plugin.protocols.shared.parallel_form import (
    defineParallelParams,
    describeBadParallel,
)
from deepconsensus_plugin.protocols.simulation import simulate_form
from deepconsensus_plugin.protocols.simulation.simulation_choices import (
    describeBadSimulation,
    simulationParameters,
)


class ProtSimulateMicrographs(Appearance, EMProtocol):
    """Simulate micrographs with known particles, to try or to test a workflow.

    Structures are projected in random orientations, in ice of uneven thickness, with
    the contrast transfer function of the microscope and the noise of the detector.
    Carbon, ice crystals, ethane, gold, aggregates, broken particles and a second
    protein mislead pickers as in real micrographs.
    """

    _label = "simulate micrographs"
    _possibleOutputs = {
        "outputMicrographs": SetOfMicrographs,
        "outputCoordinates": SetOfCoordinates,
        "outputCTF": SetOfCTF,
    }

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Micrographs")
        simulate_form.defineMicrographParams(form)
        form.addSection(label="Particles")
        simulate_form.defineParticleParams(form)
        simulate_form.defineCrowdParams(form)
        form.addSection(label="Microscope")
        simulate_form.defineMicroscopeParams(form)
        simulate_form.defineExposureParams(form)
        form.addSection(label="Ice")
        simulate_form.defineIceParams(form)
        form.addSection(label="Contamination")
        simulate_form.defineContaminationParams(form)
        defineParallelParams(form, threads=2)

    # -------------------------- steps --------------------------
    def _createFilenameTemplates(self):
        self._updateFilenamesDict(
            {
                "job": self._getExtraPath("simulate.json"),
                "micrographs": self._getExtraPath("micrographs"),
                "truth": self._getExtraPath("truth.h5"),
            }
        )

    def _insertAllSteps(self):
        self._createFilenameTemplates()
        form = fingerprint(self)
        self._insertFunctionStep(self.simulateStep, form, needsGPU=False)
        self._insertFunctionStep(self.createOutputStep, form, needsGPU=False)

    def simulateStep(self, form):
        """Simulate all micrographs as a job."""
        job = Path(self._getFileName("job"))
        write_job(job, self._request())
        Plugin.runCoreJob(self, job)

    def _request(self) -> SimulateRequest:
        return simulate_form.REQUEST.read(
            self,
            parameters=simulationParameters(self),
            folder=Path(self._getFileName("micrographs")),
            coordinates=Path(self._getFileName("truth")),
            workers=self.numberOfThreads.get(),
        )

    def createOutputStep(self, form):
        """Register micrographs, CTFs and true coordinates."""
        result = self._result()
        micrographs = self._createSetOfMicrographs()
        micrographs.setSamplingRate(self.samplingRate.get())
        acquisition = acquisition_of(simulationParameters(self))
        rate = self.samplingRate.get()
        micrographs.setAcquisition(with_optics_group(acquisition, rate))
        ctfs = self._createSetOfCTF()
        append_simulated(micrographs, ctfs, result.micrographs)
        self._defineOutputs(outputMicrographs=micrographs)
        pointer = Pointer(self, extended="outputMicrographs")
        ctfs.setMicrographs(pointer)
        coordinates = self._createSetOfCoordinates(pointer)
        coordinates.setBoxSize(result.box_size)
        append_coordinates(
            coordinates, micrographs, read_coordinates(self._getFileName("truth"))
        )
        self._defineOutputs(outputCTF=ctfs, outputCoordinates=coordinates)
        self._defineCtfRelation(pointer, ctfs)
        self._defineSourceRelation(pointer, coordinates)

    def _result(self) -> SimulateResult:
        self._createFilenameTemplates()
        return read_result(Path(self._getFileName("job")), SimulateResult)

    # -------------------------- information --------------------------
    def _validate(self):
        return describeBadSimulation(self) + describeBadParallel(self)

    def _summary(self):
        output = getattr(self, "outputCoordinates", None)
        if output is None:
            return ["Not run yet."]
        result = self._result()
        counts = Counter()
        for record in result.micrographs:
            counts.update(record.counts)
        classes = ", ".join(f"{n} {name}" for name, n in counts.items() if n)
        snrs = sorted(r.snr for r in result.micrographs if math.isfinite(r.snr))
        return [
            f"{len(result.micrographs)} micrographs with {sum(counts.values())} "
            f"objects: {classes or 'none'}.",
            f"Signal-to-noise ratio {snrs[0]:.2g} to {snrs[-1]:.2g} within particles."
            if snrs
            else "WARNING: there are no particles; the micrographs may be too small.",
            f"{output.getSize()} coordinates, box {output.getBoxSize()} px; the tables "
            f"of everything are in {self._getFileName('micrographs')}/*.csv.",
        ]

    def _methods(self):
        output = getattr(self, "outputMicrographs", None)
        if output is None:
            return []
        exposed = f"{self.dose.get():g} e/Å²"
        if self.snr.get() is not None:
            exposed = f"a signal-to-noise ratio of {self.snr.get():g}"
        return [
            f"{output.getSize()} micrographs of {self.structures.get()} were simulated "
            f"at {exposed} and {self.voltage.get():g} kV, following [Vulovic2013]."
        ]

    def _citations(self):
        return ["Vulovic2013", "Peng1996", "McMullan2014", "Rice2018"]
