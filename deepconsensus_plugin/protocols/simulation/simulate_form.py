# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *simulate micrographs*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.io.pixel_types import PixelType
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest
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
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

PHANTOM_NAMES = ", ".join(f"*{phantom.value}*" for phantom in Phantom)

_GOOD, _OVERLAPPING = (ObjectClass.GOOD,), (ObjectClass.GOOD, ObjectClass.OVERLAPPING)
_ALL = (*_OVERLAPPING, ObjectClass.CUT_OFF, ObjectClass.BROKEN)

REQUEST = ParameterForm(
    SimulateRequest,
    n_micrographs=Shown("numberOfMicrographs", default=10, options={"important": True}),
    accepted=Shown(
        "truthClasses",
        choices={
            _GOOD: "good",
            _OVERLAPPING: "good or overlapping",
            _ALL: "all",
        },
        former={"all wanted molecules": 2},
    ),
    pixel_type=Shown(
        choices={kind: kind.value for kind in PixelType},
    ),
)
MICROGRAPHS = ParameterForm(SimulationParameters, resolution_A=Shown("resolution"))
STRUCTURES = ParameterForm(Structure, voxel_size_A=Shown("mapVoxelSize"))
CROWD = ParameterForm(
    Crowd,
    first=(
        *("particles_per_micrograph", "overlapping_fraction", "broken_fraction"),
        "aggregates",
    ),
    tilt_spread_deg=Shown("tiltSpread"),
)
OPTICS = ParameterForm(
    Optics,
    first=(
        *("defocus_A", "voltage_kV", "spherical_aberration_mm", "amplitude_contrast"),
        *("astigmatism_A", "b_factor_A2"),
    ),
    voltage_kV=Shown("voltage"),
    spherical_aberration_mm=Shown("sphericalAberration"),
    astigmatism_A=Shown("astigmatism"),
    b_factor_A2=Shown("bFactor"),
    defocus_A=Shown(ends=("minDefocus", "maxDefocus")),
    phase_shift_deg=Shown(ends=("minPhaseShift", "maxPhaseShift")),
)
EXPOSURE = ParameterForm(
    Exposure,
    dose_e_per_A2=Shown("dose"),
    detector=Shown(choices={kind: kind.value for kind in Detector}),
)
ICE = ParameterForm(
    Ice,
    thickness_A=Shown(ends=("minThickness", "maxThickness")),
    gradient=Shown("thicknessGradient"),
    interface_protein_mg_per_m2=Shown("interfaceProtein"),
)
CONTAMINATION = ParameterForm(Contamination, carbon_probability=Shown("carbon"))


def defineMicrographParams(form: params.Form) -> None:
    """Add how many micrographs there are, and of which pixels."""
    REQUEST.define(form, "n_micrographs")
    form.addParam(
        "size",
        params.IntParam,
        default=1024,
        label="Size (px)",
        help="Number of columns of each micrograph, and of rows unless given below. "
        "Default: 1024 px.",
    )
    form.addParam(
        "rows",
        params.IntParam,
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Rows (px)",
        help="Number of rows of each micrograph.\nAuto (empty): as many as columns.",
    )
    MICROGRAPHS.define(form, "sampling_rate", "resolution_A")
    REQUEST.define(form, "pixel_type")
    MICROGRAPHS.define(form, "seed")


def defineParticleParams(form: params.Form) -> None:
    """Add what is simulated, how much of it, and which of it is the truth."""
    form.addParam(
        "structures",
        params.PathParam,
        default=Phantom.TETRAMER.value,
        important=True,
        label="Particles",
        help=f"Structure to simulate: a built-in shape ({PHANTOM_NAMES}), or a file, "
        "PDB or mmCIF (its first biological assembly) or an MRC map, gzipped or not. "
        "Several, separated by commas, are mixed in equal numbers.\n"
        f"Default: {Phantom.TETRAMER.value}.",
    )
    STRUCTURES.define(form)
    CROWD.define(form, "particles_per_micrograph")
    REQUEST.define(form, "accepted")


def defineCrowdParams(form: params.Form) -> None:
    """Add how the particles are placed."""
    _, *fields = CROWD.fields
    CROWD.define(form.addGroup("Particle placement"), *fields)


def defineMicroscopeParams(form: params.Form) -> None:
    """Add the lens and what records."""
    OPTICS.define(form.addGroup("Microscope"))


def defineExposureParams(form: params.Form) -> None:
    """Add electrons and detector."""
    EXPOSURE.define(form.addGroup("Exposure"))


def defineIceParams(form: params.Form) -> None:
    """Add the ice."""
    ICE.define(form.addGroup("Ice"))


def defineContaminationParams(form: params.Form) -> None:
    """Add what misleads pickers."""
    group = form.addGroup("Contamination")
    group.addParam(
        "contamination",
        params.FloatParam,
        default=1.0,
        label="Contamination factor",
        help="All amounts below are multiplied by this factor. 0 gives micrographs "
        "without contamination. Default: 1.",
    )
    group.addParam(
        "secondProtein",
        params.PathParam,
        default=Phantom.GLOBULE.value,
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Second protein",
        help="A protein that is not wanted: a built-in shape or a file, as for the "
        f"particles. Empty: none.\nDefault: {Phantom.GLOBULE.value}.",
    )
    CONTAMINATION.define(group)
