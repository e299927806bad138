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
            "Head",
            "Name of a data set of its training, as its summary tells, or "
            f"*{GENERAL}*, which picks particles that it never saw.",
            if_none="that of the data set where there is one, else the general one",
        ),
    )
    particle_diameter_A: float | None = field(
        default=None,
        metadata=declare(
            "Particle diameter",
            "The longest one; the general head must know it.",
            unit="Å",
            if_none="as in the data set of the head",
            gt=0,
        ),
    )
    are_particles_dark: bool | None = field(
        default=None,
        metadata=declare(
            "Contrast",
            "Of the micrographs. The general head was trained on dark particles.",
            is_expert=True,
        ),
    )
    border: float = field(
        default=0.0,
        metadata=declare(
            "Border",
            "Picks closer to the border than this are left out.",
            unit="diameters",
            is_expert=True,
            ge=0,
        ),
    )
