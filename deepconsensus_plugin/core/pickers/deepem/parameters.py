# SPDX-License-Identifier: GPL-3.0-or-later
"""How a DeepEM picker is trained; needs no learning library."""

from __future__ import annotations

import enum


class Variant(enum.Enum):
    """How the network is built and trained."""

    PAPER = "paper"
    """Squared error (eq. 4) and plain gradient descent with rate 1 (eq. 5)."""

    MODERN = "modern"
    """Batch normalisation before the sigmoids, cross entropy, and Adam."""


class Initialisation(enum.Enum):
    """What weights are before training."""

    UNIT = "unit"
    """Between 0 and 1, as the paper says: saturates the sigmoids of large boxes."""

    SCALED = "scaled"
    """Around 0, the smaller the more a unit adds up (Glorot & Bengio 2010)."""
