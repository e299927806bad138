# SPDX-License-Identifier: GPL-3.0-or-later
"""Form section on negatives, and the request that follows from it."""

from __future__ import annotations

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.pipeline.negatives import NegativesParameters


def defineDrawingParams(form: params.Form) -> None:
    """Add how many negatives there are, and of what kind."""
    group = form.addGroup("Negatives")
    group.addParam(
        "negativesPerPositive",
        params.FloatParam,
        default=1.0,
        label="Negatives per positive",
        help="How many, without your own; 1: as many as positives.",
    )
    group.addParam(
        "exclusionRadius",
        params.FloatParam,
        default=0.5,
        label="Exclusion radius (boxes)",
        help="Random negatives are farther than this from every candidate, as a "
        "part of the box.",
    )
    group.addParam(
        "displacedFraction",
        params.FloatParam,
        default=0.5,
        label="Share beside particles",
        help="Part of the negatives that lie 0.3 to 0.5 boxes beside an agreed "
        "particle, away from all candidates: the network learns that a pick off its "
        "particle is none.\n*0*: all at random, as published.",
    )
    group.addParam(
        "mineHardNegatives",
        params.BooleanParam,
        default=False,
        label="Look for hard negatives?",
        help="*Yes*: up to a fifth of the negatives are likely mistakes:\n"
        "carbon, ice, borders, and picks of one picker unlike particles.\n"
        "It helps against contamination where the pickers find nearly the same "
        "particles,\nand harms where each finds others.\n"
        "*Yes* or *No*: without negatives of your own, the worst 1 % of the "
        "positives are negatives, as published.",
    )


def defineSeedParam(form: params.Form) -> None:
    """Add the seed of the draw."""
    form.addParam(
        "seed",
        params.IntParam,
        default=0,
        expertLevel=params.LEVEL_ADVANCED,
        label="Seed",
        help="The same seed and input give the same negatives.",
    )


def drawingChoices(protocol: Protocol) -> NegativesParameters:
    """Return which negatives the form asks for."""
    return NegativesParameters(
        mine_hard_negatives=protocol.mineHardNegatives.get(),
        negatives_per_positive=protocol.negativesPerPositive.get(),
        exclusion_radius=protocol.exclusionRadius.get(),
        displaced_fraction=protocol.displacedFraction.get(),
        seed=protocol.seed.get(),
    )


def describeBadDrawing(protocol: Protocol) -> list[str]:
    """Return what is wrong with these choices, a sentence each."""
    errors = []
    if not protocol.negativesPerPositive.get() > 0:
        errors.append("Negatives per positive: it must be above 0; 1 is usual.")
    if not protocol.exclusionRadius.get() >= 0:
        errors.append("Exclusion radius: it must be 0 or more; 0.5 is usual.")
    if not 0 <= protocol.displacedFraction.get() <= 1:
        errors.append("Share beside particles: it must be between 0 and 1.")
    if protocol.seed.get() < 0:
        errors.append("Seed: it must be 0 or more.")
    if protocol.numberOfThreads.get() < 1:
        errors.append("Threads: there must be 1 or more.")
    return errors
