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
            "Look for hard negatives?",
            "*Yes*: up to a fifth of the negatives are likely mistakes:\n"
            "carbon, ice, borders, and picks of one picker unlike particles.\n"
            "It helps against contamination where the pickers find nearly the same "
            "particles,\nand harms where each finds others.\n"
            "*Yes* or *No*: without negatives of your own, the worst 1 % of the "
            "positives are negatives, as published.",
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
            "How many, without your own; 1: as many as positives.",
            gt=0,
        ),
    )
    exclusion_radius: float = field(
        default=0.5,
        metadata=declare(
            "Exclusion radius",
            "Random negatives are farther than this from every candidate, as a part "
            "of the box.",
            unit="boxes",
            ge=0,
        ),
    )
    displaced_fraction: float = field(
        default=0.5,
        metadata=declare(
            "Share beside particles",
            f"Part of the negatives that lie {NEAREST} to {FARTHEST} boxes beside an "
            "agreed particle, away from all candidates: the network learns that a pick "
            "off its particle is none.\n*0*: all at random, as published.",
            ge=0,
            le=1,
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
            "Seed",
            "The same seed and input give the same negatives.",
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
        "displaced_fraction": Published(0.0, '2.3: "randomly picked coordinates"'),
    }
