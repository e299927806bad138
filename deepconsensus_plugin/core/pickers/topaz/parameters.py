# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Topaz picker is trained; needs no learning library."""

from __future__ import annotations

import enum


class Objective(enum.Enum):
    """What training minimises, given few positives and unlabelled regions.

    The paper's Methods 3 and 4. All need the fraction of positives among the
    unlabelled, π.
    """

    PN = "pn"
    """Unlabelled regions are negatives; labels are weighted by π and 1 − π."""

    NNPU = "nnpu"
    """The non-negative estimate of the risk (Kiryo et al. 2017)."""

    GE_KL = "ge-kl"
    """The mean probability of unlabelled regions is held to π."""

    GE_BINOMIAL = "ge-binomial"
    """The number of positives among a batch's unlabelled regions is binomial."""
