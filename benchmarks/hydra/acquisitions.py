# SPDX-License-Identifier: GPL-3.0-or-later
"""Acquisitions of the corpus: microscope, dose, ice and contamination.

What is common is in `usual`; the others each go to one side of it, as far as published
acquisitions do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from deepconsensus_plugin.core.io.pixel_types import PixelType
from deepconsensus_plugin.core.simulation import (
    Assembly,
    Contamination,
    Detector,
    Exposure,
    Ice,
    Optics,
    Structure,
)


@dataclass(frozen=True)
class Acquisition:
    """Acquisition parameters of micrographs.

    Parameters
    ----------
    optics, exposure, ice, contamination
        Of the simulation; the exposure's binning follows from the pixel size.
    pixel_type : PixelType
        As they were stored.
    """

    optics: Optics = field(default_factory=Optics)
    exposure: Exposure = field(default_factory=Exposure)
    ice: Ice = field(default_factory=Ice)
    contamination: Contamination = field(
        default_factory=lambda: Contamination(second_protein=None)
    )
    pixel_type: PixelType = PixelType.INT16


def _besides(seed: int, per_particle: float) -> Contamination:
    """Return the usual dirt with a second protein, small and made up."""
    other = Structure(assembly=Assembly(seed, (38, 30, 28), "C1", 2))
    return Contamination(other, per_particle)


_FAR = Optics(defocus_A=(22_000, 40_000))
_CLOSE = Optics(defocus_A=(7_000, 13_000))
_PLATE = Optics(defocus_A=(4_000, 9_000), phase_shift_deg=(60, 110))
_OLD = Optics(voltage_kV=200, spherical_aberration_mm=2.0, defocus_A=(15_000, 32_000))
_INTEGRATED = Exposure(
    dose_e_per_A2=12, detector=Detector.INTEGRATING, energy_filter=False
)
_THICK = Ice((700.0, 1100.0), 0.5, 0.1, 1.5)
_SMOOTH = Exposure(dose_e_per_A2=400, detector=Detector.PERFECT)

ACQUISITIONS = {
    "usual": Acquisition(
        exposure=Exposure(dose_e_per_A2=20),
        ice=Ice(interface_protein_mg_per_m2=0.6),
        contamination=_besides(9001, 0.1),
    ),
    "far": Acquisition(_FAR, Exposure(dose_e_per_A2=10)),
    "close": Acquisition(_CLOSE, Exposure(dose_e_per_A2=30)),
    "plate": Acquisition(_PLATE, Exposure(dose_e_per_A2=6)),
    "old": Acquisition(_OLD, _INTEGRATED, Ice(thickness_A=(400.0, 800.0))),
    "dirty": Acquisition(
        exposure=Exposure(dose_e_per_A2=30),
        contamination=replace(
            _besides(9002, 0.3),
            carbon_probability=0.6,
            ice_crystals=4.0,
            ethane_blobs=2.0,
            gold_beads=1.0,
        ),
    ),
    "thick": Acquisition(Optics(defocus_A=(15_000, 30_000)), Exposure(20), _THICK),
    # Denoised or low-passed before anyone picks, as EMPIAR-10017 is here.
    "smooth": Acquisition(
        Optics(defocus_A=(15_000, 35_000), b_factor_A2=900),
        _SMOOTH,
        Ice(interface_protein_mg_per_m2=9.0),
        pixel_type=PixelType.INT8,
    ),
}
