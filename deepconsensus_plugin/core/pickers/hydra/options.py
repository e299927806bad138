# SPDX-License-Identifier: GPL-3.0-or-later
"""Options for picking with a HydraPicker, declared once."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.pickers.hydra.parameters import GENERAL


@dataclass(frozen=True)
class HydraPickOptions(Declared):
    """Options for picking with a HydraPicker."""

    head: str | None = field(
        default=None,
        metadata=declare(
            "Model head (data set)",
            "Name of one of the data sets that the model was trained on, as its "
            f"summary lists them, or *{GENERAL}* for particles that the model has "
            "never seen.",
            auto="the head of the data set if the model has one, else the general head",
        ),
    )
    particle_diameter_A: float | None = field(
        default=None,
        metadata=declare(
            "Particle diameter",
            "Longest diameter of the particle. The general head needs one.",
            unit="Å",
            auto="that of the data set of the head",
            gt=0,
        ),
    )
    are_particles_dark: bool | None = field(
        default=None,
        metadata=declare(
            "Particle contrast",
            "Contrast of the particles in the micrographs.\n"
            "*Auto (as in training)*: that of the data set of the head; the "
            "general head was trained on dark particles.\n"
            "*dark on light (raw)*: as recorded by the microscope.\n"
            "*light on dark*: the micrographs were inverted before.",
            is_expert=True,
        ),
    )
    border: float = field(
        default=0.0,
        metadata=declare(
            "Edge exclusion",
            "Picks closer to the edge of the micrograph than this, in particle "
            "diameters, are left out.",
            unit="diameters",
            is_expert=True,
            ge=0,
        ),
    )
