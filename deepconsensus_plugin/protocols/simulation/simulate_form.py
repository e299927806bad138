# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *simulate micrographs*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    Exposure,
    Ice,
    Optics,
    Phantom,
    SimulationParameters,
)

PHANTOM_NAMES = ", ".join(f"*{phantom.value}*" for phantom in Phantom)


def defineMicrographParams(form: params.Form) -> None:
    """Add how many micrographs there are, and of which pixels."""
    form.addParam(
        "numberOfMicrographs",
        params.IntParam,
        default=10,
        important=True,
        label="Number of micrographs",
    )
    form.addParam(
        "size",
        params.IntParam,
        default=1024,
        label="Size (px)",
        help="Columns of each micrograph, and rows, unless they are given.",
    )
    form.addParam(
        "rows",
        params.IntParam,
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Rows (px)",
        help="Empty: as many as columns.",
    )
    form.addParam(
        "samplingRate",
        params.FloatParam,
        default=SimulationParameters.sampling_rate,
        label="Pixel size (Å/px)",
    )
    form.addParam(
        "resolution",
        params.FloatParam,
        default=SimulationParameters.resolution_A,
        expertLevel=params.LEVEL_ADVANCED,
        label="Resolution of structures (Å)",
        help="How finely they are drawn; never finer than two pixels. Coarser for "
        "large viruses, to save memory.",
    )
    form.addParam(
        "pixelType",
        params.EnumParam,
        choices=["float32", "int16", "int8"],
        default=0,
        expertLevel=params.LEVEL_ADVANCED,
        label="Pixels are stored as",
        help="*int8*: 25 grey levels per standard deviation.",
    )
    form.addParam(
        "seed",
        params.IntParam,
        default=SimulationParameters.seed,
        label="Seed",
        help="The same seed and form give the same micrographs.",
    )


def defineParticleParams(form: params.Form) -> None:
    """Add what is simulated, how much of it, and which of it is the truth."""
    form.addParam(
        "structures",
        params.PathParam,
        default=Phantom.TETRAMER.value,
        important=True,
        label="Particles",
        help=f"A built-in shape ({PHANTOM_NAMES}), or a file: PDB or mmCIF (its first "
        "biological assembly) or an MRC map, gzipped or not.\n"
        "Several, separated by commas, are mixed in equal numbers.",
    )
    form.addParam(
        "mapVoxelSize",
        params.FloatParam,
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Voxel size of maps (Å)",
        help="Empty: as the header of each map tells.",
    )
    form.addParam(
        "particlesPerMicrograph",
        params.IntParam,
        default=Crowd.particles_per_micrograph,
        label="Particles per micrograph",
        help="Centres within a micrograph, on average; fewer where there is no room.",
    )
    form.addParam(
        "truthClasses",
        params.EnumParam,
        choices=["good", "good or overlapping", "all wanted molecules"],
        default=0,
        label="Coordinates of",
        help="What *outputCoordinates* holds.\n"
        "*good*: whole, at least half its width within the frame, and no other object "
        "nearer than the mean of both widths.\n"
        "*good or overlapping*: those with close neighbours, too.\n"
        "*all wanted molecules*: broken and cut off ones, too.\n"
        "The tables in the extra folder hold everything, with its class.",
    )


def defineCrowdParams(form: params.Form) -> None:
    """Add how the particles lie."""
    group = form.addGroup("How particles lie")
    for name, default, label, help in (
        (
            "overlappingFraction",
            Crowd.overlapping_fraction,
            "Overlapping (part of them)",
            "Put closer to another than the spacing.",
        ),
        (
            "brokenFraction",
            Crowd.broken_fraction,
            "Broken (part of them)",
            "Of these, 40 to 65 % are left.",
        ),
        (
            "aggregates",
            Crowd.aggregates,
            "Clumps per micrograph",
            "Of 5 to 15 particles, on average so many per micrograph.",
        ),
    ):
        group.addParam(name, params.FloatParam, default=default, label=label, help=help)
    group.addParam(
        "spacing",
        params.FloatParam,
        default=Crowd.spacing,
        expertLevel=params.LEVEL_ADVANCED,
        label="Spacing (widths)",
        help="Least distance of neighbours, in widths: diameters of a ball with the "
        "particle's radius of gyration.",
    )
    group.addParam(
        "tiltSpread",
        params.FloatParam,
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Spread about preferred views (°)",
        help="Top views (two thirds) and side views, leaning so much. Empty: all "
        "views are as likely.",
    )


def defineMicroscopeParams(form: params.Form) -> None:
    """Add the lens and what records."""
    group = form.addGroup("Microscope")
    line = group.addLine("Defocus (Å)", help="Underfocus, drawn for each micrograph.")
    _addRange(line, "Defocus", Optics.defocus_A)
    for name, default, label in (
        ("voltage", Optics.voltage_kV, "Voltage (kV)"),
        (
            "sphericalAberration",
            Optics.spherical_aberration_mm,
            "Spherical aberration (mm)",
        ),
        ("amplitudeContrast", Optics.amplitude_contrast, "Amplitude contrast"),
        ("astigmatism", Optics.astigmatism_A, "Astigmatism, at most (Å)"),
        ("bFactor", Optics.b_factor_A2, "B-factor (Å²)"),
    ):
        group.addParam(
            name,
            params.FloatParam,
            default=default,
            expertLevel=params.LEVEL_ADVANCED,
            label=label,
        )
    line = group.addLine(
        "Phase shift (°)",
        expertLevel=params.LEVEL_ADVANCED,
        help="Of a phase plate; 0 and 0 without one.",
    )
    _addRange(line, "PhaseShift", Optics.phase_shift_deg)


def _addRange(line: params.Line, name: str, default: tuple[float, float]) -> None:
    for word, label, value in zip(
        ("min", "max"), ("least", "most"), default, strict=True
    ):
        line.addParam(f"{word}{name}", params.FloatParam, default=value, label=label)


def defineExposureParams(form: params.Form) -> None:
    """Add electrons and detector."""
    group = form.addGroup("Exposure")
    group.addParam(
        "dose", params.FloatParam, default=Exposure.dose_e_per_A2, label="Dose (e/Å²)"
    )
    group.addParam(
        "snr",
        params.FloatParam,
        allowsNull=True,
        label="Signal to noise",
        help="Variance of the particles over that of the noise, within particles. If "
        "given, it decides the dose of each micrograph.",
    )
    group.addParam(
        "detector",
        params.EnumParam,
        choices=["counting", "integrating", "perfect"],
        default=0,
        expertLevel=params.LEVEL_ADVANCED,
        label="Detector",
        help="*counting*: as K2 and K3; *integrating*: as Falcon II.",
    )
    group.addParam(
        "binning",
        params.IntParam,
        default=Exposure.binning,
        expertLevel=params.LEVEL_ADVANCED,
        label="Binning",
        help="Pixels of the detector along one of the micrograph's.",
    )
    group.addParam(
        "energyFilter",
        params.BooleanParam,
        default=Exposure.energy_filter,
        expertLevel=params.LEVEL_ADVANCED,
        label="Energy filter?",
    )


def defineIceParams(form: params.Form) -> None:
    """Add the ice."""
    group = form.addGroup("Ice")
    line = group.addLine("Thickness (Å)", help="Mean, drawn for each micrograph.")
    _addRange(line, "Thickness", Ice.thickness_A)
    for name, default, label in (
        ("thicknessGradient", Ice.gradient, "Difference between borders (part)"),
        (
            "interfaceProtein",
            Ice.interface_protein_mg_per_m2,
            "Unfolded protein on the surfaces (mg/m²)",
        ),
    ):
        group.addParam(
            name,
            params.FloatParam,
            default=default,
            expertLevel=params.LEVEL_ADVANCED,
            label=label,
        )


def defineContaminationParams(form: params.Form) -> None:
    """Add what misleads pickers."""
    group = form.addGroup("Contamination")
    group.addParam(
        "contamination",
        params.FloatParam,
        default=1.0,
        label="Amount (factor)",
        help="1: as below. 0: none. All numbers below are multiplied by it.",
    )
    group.addParam(
        "secondProtein",
        params.PathParam,
        default=Phantom.GLOBULE.value,
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Second protein",
        help="A shape or file as for the particles, which is not wanted. Empty: none.",
    )
    for name, default, label in (
        (
            "secondProteinPerParticle",
            Contamination.second_protein_per_particle,
            "Second protein per particle",
        ),
        ("carbon", Contamination.carbon_probability, "Share with a carbon edge"),
        ("iceCrystals", Contamination.ice_crystals, "Ice crystals per micrograph"),
        ("ethaneBlobs", Contamination.ethane_blobs, "Ethane drops per micrograph"),
        ("goldBeads", Contamination.gold_beads, "Gold beads per micrograph"),
    ):
        group.addParam(
            name,
            params.FloatParam,
            default=default,
            expertLevel=params.LEVEL_ADVANCED,
            label=label,
        )
