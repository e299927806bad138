# SPDX-License-Identifier: GPL-3.0-or-later
"""Junk that comes with the package: simulated carbon edges, ice crystals, empty ice.

``python -m tools.junk`` makes it again.
"""

from __future__ import annotations

from pathlib import Path

JUNK = "junk"
"""Word that stands for it where a file of particles is wanted."""


def shipped_junk() -> Path:
    """Return its STAR."""
    return Path(__file__).parents[2] / "junk" / "junk.star"
