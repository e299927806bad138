# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocol: particles that another program extracted, with their stacks."""

from __future__ import annotations

from pathlib import Path

import pyworkflow.protocol.params as params
from pwem.objects import Acquisition, SetOfParticles
from pwem.protocols import ProtImport

from deepconsensus_plugin.convert import append_particles, with_optics_group
from deepconsensus_plugin.core.particle_files.reading import (
    ParticleTable,
    read_particles,
)
from deepconsensus_plugin.protocols.shared.appearance import Appearance
from deepconsensus_plugin.protocols.shared.continuation import fingerprint

_USUAL = Acquisition(
    voltage=300, sphericalAberration=2.7, amplitudeContrast=0.1, magnification=50000
)
"""Of particles whose file does not tell the microscope; nothing depends on it then."""


class ProtImportParticleStacks(Appearance, ProtImport):
    """Import particles of RELION, or of a stack, to train on, to test on or to prune.

    Stacks stay where they are. The particles keep their order: number 1 is the first
    row of the file.
    """

    _label = "import particles"
    _possibleOutputs = {"outputParticles": SetOfParticles}

    # -------------------------- form --------------------------
    def _defineParams(self, form):
        form.addSection(label="Input")
        form.addParam(
            "filesPath",
            params.PathParam,
            important=True,
            label="File",
            help="Particles STAR of RELION, whose stacks are looked for beside it and "
            "in the folders above, or one MRC stack.",
        )
        form.addParam(
            "samplingRate",
            params.FloatParam,
            allowsNull=True,
            label="Pixel size (Å/px)",
            help="Pixel size of the images.\nAuto (empty): as the file or the header "
            "of its first stack tells it.",
        )

    # -------------------------- steps --------------------------
    def _insertAllSteps(self):
        self._insertFunctionStep(self.importStep, fingerprint(self), needsGPU=False)

    def importStep(self, form):
        """Read the file and register its particles."""
        particles = self._createSetOfParticles()
        self.fillParticles(particles)
        self._defineOutputs(outputParticles=particles)

    def fillParticles(self, particles: SetOfParticles, limit: int | None = None):
        """Append the particles of the file, or the first of them, to an empty set."""
        table = self.readTable()
        particles.setSamplingRate(self._rateOf(table))
        particles.setIsPhaseFlipped(table.is_flipped)
        particles.setHasCTF(table.ctfs is not None)
        acquisition = _USUAL.clone()
        if table.ctfs:
            first = table.ctfs[0]
            acquisition.setVoltage(first.voltage_kV)
            acquisition.setSphericalAberration(first.spherical_aberration_mm)
            acquisition.setAmplitudeContrast(first.amplitude_contrast)
        rate = self._rateOf(table)  # that of the micrographs is not known
        particles.setAcquisition(with_optics_group(acquisition, rate))
        append_particles(particles, table, limit)

    def readTable(self) -> ParticleTable:
        """Return the particles of the file.

        Raises
        ------
        ValueError, OSError
            If they cannot be read.
        """
        return read_particles(self.getPath())

    def getPath(self) -> Path:
        """Return the path of the file, links followed."""
        return Path(self.filesPath.get() or "").expanduser().resolve()

    def _rateOf(self, table: ParticleTable) -> float | None:
        return self.samplingRate.get() or table.sampling_rate

    # -------------------------- information --------------------------
    def _validate(self):
        if not self.filesPath.get():
            return ["File: choose the file with the particles."]
        if (rate := self.samplingRate.get()) is not None and not rate > 0:
            return [f"Pixel size: it must be a number > 0, received {rate:g}."]
        try:
            table = self.readTable()
        except (ValueError, OSError) as error:
            return [f"File: {error}"]
        if not len(table):
            return [f"File: {self.getPath()} has no particles."]
        if not self._rateOf(table):
            return ["Pixel size: neither the file nor its stack tells it; give it."]
        return []

    def _summary(self):
        output = getattr(self, "outputParticles", None)
        if output is None:
            return ["Not run yet."]
        phases = "flipped" if output.isPhaseFlipped() else "not flipped"
        return [
            f"{output.getSize()} particles of {output.getXDim()} px at "
            f"{output.getSamplingRate():.3g} Å/px, "
            f"{'with' if output.hasCTF() else 'without'} CTF, phases {phases}."
        ]

    def _citations(self):
        return []
