# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of HydraPicker on the form of *pick with a network*."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol
from pyworkflow.protocol.constants import LEVEL_ADVANCED

from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL, HydraPickOptions

CONTRASTS = {0: None, 1: True, 2: False}
"""Contrast of each choice of the form; the numbers never change."""


def definePickOptions(form: params.Form) -> None:
    """Add the head, and the particle that it looks for."""
    group = form.addGroup("Only for a HydraPicker")
    group.addParam(
        "head",
        params.StringParam,
        default="",
        label="Head",
        help=f"Name of a data set of its training, as its summary tells, or "
        f"*{GENERAL}*, which picks particles that it never saw.\nEmpty: that of the "
        "data set where there is one, else the general one.",
    )
    group.addParam(
        "particleDiameter",
        params.FloatParam,
        allowsNull=True,
        label="Particle diameter (Å)",
        help="The longest one; the general head must know it. Empty: as in the data "
        "set of the head.",
    )
    group.addParam(
        "contrast",
        params.EnumParam,
        choices=["as in the training", "dark particles", "white particles"],
        default=0,
        expertLevel=LEVEL_ADVANCED,
        label="Contrast",
        help="Of the micrographs. The general head was trained on dark particles.",
    )
    group.addParam(
        "border",
        params.FloatParam,
        default=0.0,
        expertLevel=LEVEL_ADVANCED,
        label="Border (diameters)",
        help="Picks closer to the border than this are left out.",
    )


def readPickOptions(protocol: Protocol) -> HydraPickOptions:
    """Return the options that were chosen."""
    return HydraPickOptions(
        head=(protocol.head.get() or "").strip() or None,
        particle_diameter_A=protocol.particleDiameter.get(),
        are_particles_dark=CONTRASTS[protocol.contrast.get()],
        border=protocol.border.get(),
    )


def describeBadPickOptions(protocol: Protocol) -> list[str]:
    """Return what is wrong with the options, a sentence each."""
    diameter = protocol.particleDiameter.get()
    if diameter is not None and not diameter > 0:
        return ["Particle diameter: it must be above 0, or empty."]
    if protocol.border.get() < 0:
        return ["Border: it must be 0 or more."]
    return []
