# SPDX-License-Identifier: GPL-3.0-or-later
"""Control for the contrast of particles, the same on every form.

Each form stores it under the name that it had before: *skipInvert*, *particlesDark*,
*doInvert*, *contrast*, and *stacksDark* for particles that are given as images.
"""

from __future__ import annotations

from typing import Any

from deepconsensus_plugin.protocols.shared.choices import Choices, flagParam
from deepconsensus_plugin.protocols.shared.shown import Shown

LABEL = "Particle contrast"
DARK, LIGHT = "dark on light (raw)", "light on dark"
_FORMER = {"no": 0, "false": 0, "yes": 1, "true": 1}


def nameOf(areDark: bool) -> str:
    """Return what the form calls particles that are dark, or light."""
    return DARK if areDark else LIGHT


def shownAsContrast(**more: Any) -> Shown:
    """Return the appearance of a field that is true where particles are dark."""
    return Shown(
        choices={False: LIGHT, True: DARK}, first=(True,), former=_FORMER, **more
    )


def defineContrastParam(form, name: str, help: str) -> None:
    """Add a line that is stored as true where particles are light already."""
    form.addParam(
        name,
        flagParam,
        default=False,
        choices=Choices([DARK, LIGHT], former=_FORMER),
        label=LABEL,
        help=help,
    )


def defineStackContrastParam(form, condition: str) -> None:
    """Add the contrast of given particles, true where they are dark: *stacksDark*."""
    form.addParam(
        "stacksDark",
        flagParam,
        default=False,
        choices=Choices([LIGHT, DARK], former=_FORMER),
        condition=condition,
        label="Contrast of particle sets",
        help="Contrast of the particles in the images of the sets of particles.\n"
        f"*{LIGHT}*: as they are after extraction by RELION, cryoSPARC or Scipion.\n"
        f"*{DARK}*: extracted without a change of contrast.\nDefault: {LIGHT}.",
    )
