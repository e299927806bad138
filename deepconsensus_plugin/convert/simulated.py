# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of simulated micrographs to Scipion's sets."""

from __future__ import annotations

from collections.abc import Iterable

from pwem.objects import Acquisition, SetOfCTF, SetOfMicrographs
from pwem.objects import Micrograph as ScipionMicrograph

from deepconsensus_plugin.convert.ctfs import ctf_model
from deepconsensus_plugin.core.pipeline.simulate import MicrographRecord
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters

_DETECTOR_PIXEL_A = 50_000.0
"""5 µm, of a counting detector; the magnification follows from it."""


def acquisition_of(parameters: SimulationParameters) -> Acquisition:
    """Return how simulated micrographs were acquired."""
    optics, exposure = parameters.optics, parameters.exposure
    pixel = parameters.sampling_rate / exposure.binning
    return Acquisition(
        magnification=round(_DETECTOR_PIXEL_A / pixel),
        voltage=optics.voltage_kV,
        sphericalAberration=optics.spherical_aberration_mm,
        amplitudeContrast=optics.amplitude_contrast,
    )


def append_simulated(
    micrographs: SetOfMicrographs, ctfs: SetOfCTF, records: Iterable[MicrographRecord]
) -> None:
    """Append micrographs and the CTFs they were made with, in their order.

    Parameters
    ----------
    micrographs, ctfs : sets
        The first has its acquisition and sampling rate.
    records : iterable of MicrographRecord
        Records of micrographs that were written.
    """
    everything = list(records)
    has_plate = any(record.ctf.phase_shift_deg for record in everything)
    for record in everything:
        item = ScipionMicrograph()
        item.setFileName(str(record.path))
        item.setMicName(record.path.name)
        item.setSamplingRate(micrographs.getSamplingRate())
        item.setAcquisition(micrographs.getAcquisition())
        micrographs.append(item)
        model = ctf_model(record.ctf, has_plate=has_plate)
        model.setMicrograph(item)
        ctfs.append(model)
