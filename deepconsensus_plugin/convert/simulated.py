# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of simulated micrographs to Scipion's sets."""

from __future__ import annotations

from collections.abc import Iterable

from pwem.objects import Acquisition, CTFModel, SetOfCTF, SetOfMicrographs
from pwem.objects import Micrograph as ScipionMicrograph

from deepconsensus_plugin.core.pipeline.simulate import MicrographRecord
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.types import Ctf

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
        model = _ctf_model(record.ctf, has_plate=has_plate)
        model.setMicrograph(item)
        ctfs.append(model)


def _ctf_model(ctf: Ctf, *, has_plate: bool) -> CTFModel:
    model = CTFModel()
    model.setStandardDefocus(ctf.defocus_u_A, ctf.defocus_v_A, ctf.defocus_angle_deg)
    if has_plate:  # programs take the mere presence of a shift for a phase plate
        model.setPhaseShift(ctf.phase_shift_deg)
    return model
