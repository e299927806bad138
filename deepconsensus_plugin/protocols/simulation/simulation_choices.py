# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulation parameters, as chosen on the form of *simulate micrographs*."""

from __future__ import annotations

from pathlib import Path

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.io.pixel_types import PixelType
from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    Detector,
    Exposure,
    Ice,
    ObjectClass,
    Optics,
    Phantom,
    SimulationParameters,
    Structure,
)

DETECTORS = {0: Detector.COUNTING, 1: Detector.INTEGRATING, 2: Detector.PERFECT}
PIXEL_TYPES = {0: PixelType.FLOAT32, 1: PixelType.INT16, 2: PixelType.INT8}
TRUTH_CLASSES = {
    0: (ObjectClass.GOOD,),
    1: (ObjectClass.GOOD, ObjectClass.OVERLAPPING),
    2: (
        ObjectClass.GOOD,
        ObjectClass.OVERLAPPING,
        ObjectClass.CUT_OFF,
        ObjectClass.BROKEN,
    ),
}
"""Choices by their number on the form, which never changes."""


def simulationParameters(protocol: Protocol) -> SimulationParameters:
    """Return what the form asks for.

    Raises
    ------
    ValueError
        If a number is out of its range, or a structure is neither a file nor built in.
    """
    voxelSize = protocol.mapVoxelSize.get()
    names = (protocol.structures.get() or "").split(",")
    return SimulationParameters(
        shape=(protocol.rows.get() or protocol.size.get(), protocol.size.get()),
        sampling_rate=protocol.samplingRate.get(),
        structures=tuple(
            structureNamed(name, voxelSize) for name in names if name.strip()
        ),
        resolution_A=protocol.resolution.get(),
        optics=_optics(protocol),
        exposure=Exposure(
            dose_e_per_A2=protocol.dose.get(),
            snr=protocol.snr.get(),
            detector=DETECTORS[protocol.detector.get()],
            binning=protocol.binning.get(),
            energy_filter=protocol.energyFilter.get(),
        ),
        ice=Ice(
            thickness_A=(protocol.minThickness.get(), protocol.maxThickness.get()),
            gradient=protocol.thicknessGradient.get(),
            interface_protein_mg_per_m2=protocol.interfaceProtein.get(),
        ),
        crowd=Crowd(
            particles_per_micrograph=protocol.particlesPerMicrograph.get(),
            spacing=protocol.spacing.get(),
            overlapping_fraction=protocol.overlappingFraction.get(),
            broken_fraction=protocol.brokenFraction.get(),
            aggregates=protocol.aggregates.get(),
            tilt_spread_deg=protocol.tiltSpread.get(),
        ),
        contamination=_contamination(protocol, voxelSize),
        seed=protocol.seed.get(),
    )


def _optics(protocol: Protocol) -> Optics:
    return Optics(
        voltage_kV=protocol.voltage.get(),
        spherical_aberration_mm=protocol.sphericalAberration.get(),
        amplitude_contrast=protocol.amplitudeContrast.get(),
        defocus_A=(protocol.minDefocus.get(), protocol.maxDefocus.get()),
        astigmatism_A=protocol.astigmatism.get(),
        phase_shift_deg=(protocol.minPhaseShift.get(), protocol.maxPhaseShift.get()),
        b_factor_A2=protocol.bFactor.get(),
    )


def _contamination(protocol: Protocol, voxelSize: float | None) -> Contamination:
    factor = protocol.contamination.get()
    name = (protocol.secondProtein.get() or "").strip()
    return Contamination(
        second_protein=structureNamed(name, voxelSize) if name else None,
        second_protein_per_particle=factor * protocol.secondProteinPerParticle.get(),
        carbon_probability=min(factor * protocol.carbon.get(), 1.0),
        ice_crystals=factor * protocol.iceCrystals.get(),
        ethane_blobs=factor * protocol.ethaneBlobs.get(),
        gold_beads=factor * protocol.goldBeads.get(),
    )


def structureNamed(name: str, voxelSize: float | None) -> Structure:
    """Return the structure that a word on the form names: a shape, or a file."""
    shapes = {phantom.value: phantom for phantom in Phantom}
    word = name.strip()
    if word.lower() in shapes:
        return Structure(shapes[word.lower()])
    path = Path(word).expanduser()
    if not path.is_file():
        raise ValueError(
            f"{word} is neither a file that is there nor one of {', '.join(shapes)}"
        )
    return Structure(path=path.resolve(), voxel_size_A=voxelSize)
