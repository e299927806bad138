# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of drawing negatives, declared once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.negatives.displaced import FARTHEST, NEAREST
from deepconsensus_plugin.core.published import Published


@dataclass(frozen=True, kw_only=True)
class NegativesParameters(Declared):
    """Parameters of drawing negatives: of which kinds, and how many."""

    mine_hard_negatives: bool = field(
        default=False,
        metadata=declare(
            "Hard negatives",
            "*Yes*: up to a fifth of the negatives are places that a network "
            "easily mistakes for particles: carbon, ice, edges, and picks of a "
            "single picker that look unlike particles. This helps against "
            "contamination if the pickers find nearly the same particles, and "
            "harms if each finds different ones.\n"
            "*No*: such places are not searched for.\n"
            "In both cases, if you give no negatives of your own, the 1 % of the "
            "positives that look least like the others are used as negatives, as "
            "published.",
        ),
    )
    sort_out_agreed: bool = field(
        default=True,
        metadata=declare(
            help="Whether the agreed particles least like the others are negatives "
            "(the paper's way where the user gives none); needs no other mining."
        ),
    )
    negatives_per_positive: float = field(
        default=1.0,
        metadata=declare(
            "Negatives per positive",
            "Number of background boxes per positive. Your own negatives are added "
            "on top. 1 means as many as positives.",
            gt=0,
        ),
    )
    exclusion_radius: float = field(
        default=0.5,
        metadata=declare(
            "Exclusion radius",
            "Random negatives are farther than this from every candidate, as a "
            "fraction of the box size.",
            unit="boxes",
            ge=0,
        ),
    )
    displaced_fraction: float = field(
        default=0.5,
        metadata=declare(
            "Off-centre negatives (fraction)",
            f"Fraction of the negatives that lie {NEAREST} to {FARTHEST} box sizes "
            "off an agreed particle, away from all candidates. From them the "
            "network learns that a pick off the centre of a particle is wrong. 0 "
            "places all negatives at random, as published.",
            ge=0,
            le=1,
        ),
    )
    avoid_likely_particles: bool = field(
        default=True,
        metadata=declare(
            "Avoid likely particles",
            "*Yes*: random and off-centre negatives also keep their distance from "
            "what the general HydraPicker that comes with the plugin takes for a "
            "particle, so that particles that no picker found are not taught as "
            "background. It takes some seconds per micrograph.\n"
            "*No*: only candidates are avoided, as published.",
            is_expert=True,
        ),
    )
    max_negatives: int = field(
        default=10_000,
        metadata=declare(
            "Maximum negatives",
            "No more negatives than this number are drawn, spread over all "
            "micrographs. A training takes as many boxes of a class; if it shall take "
            "more, raise both numbers.",
            is_expert=True,
            ge=1,
        ),
    )
    hard_per_random: float = field(
        default=0.25,
        metadata=declare(
            help="At most so many hard negatives for each random one.", ge=0
        ),
    )
    seed: int = field(
        default=0,
        metadata=declare(
            "Random seed",
            "Random seed. The same seed and input give the same negatives.",
            is_expert=True,
            ge=0,
        ),
    )

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "mine_hard_negatives": Published(False, "2.3: random ones, and the user's own"),
        "sort_out_agreed": Published(
            True, '2.3: without the user\'s own, "Z-scores in the top 1%" of AND'
        ),
        "negatives_per_positive": Published(1.0, "not given; 1 in its implementation"),
        "exclusion_radius": Published(
            0.5, '2.3: "closer than 50% of the particle size" to OR are removed'
        ),
        "avoid_likely_particles": Published(False, "2.3: away from OR alone"),
        "displaced_fraction": Published(0.0, '2.3: "randomly picked coordinates"'),
    }
