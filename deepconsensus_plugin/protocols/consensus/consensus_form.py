# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *consensus of picks*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params


def defineInputParams(form: params.Form) -> None:
    """Add the picks, and the reference micrographs."""
    form.addParam(
        "inputCoordinates",
        params.MultiPointerParam,
        pointerClass="SetOfCoordinates",
        minNumObjects=1,
        important=True,
        label="Picks",
        help="One set per picker, two or more. Results lie on the micrographs of "
        "the first set; the others are matched by name and scaled.",
    )
    form.addParam(
        "boxSize",
        params.IntParam,
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Box size (px)",
        help="Pixels of the micrographs of the first set. Empty: that of the sets "
        "(the upper median where they differ).",
    )
    form.addParam(
        "subtractCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Leave out picks near these",
        help="Optional coordinates of what is no particle: gold, carbon, another "
        "protein.\nOf each set of picks, those within the merge radius of one of "
        "these are left out before the consensus, one for each of these.\n"
        "Micrographs that these were not looked for on keep all their picks.",
    )


def defineConsensusParams(form: params.Form) -> None:
    """Add when pickers agree, and how many must."""
    group = form.addGroup("Consensus")
    group.addParam(
        "consensusRadius",
        params.FloatParam,
        default=0.1,
        label="Consensus radius (boxes)",
        help="Pickers agree on a particle if their centres are this close, as a "
        "part of the box.",
    )
    group.addParam(
        "mergeRadius",
        params.FloatParam,
        default=0.3,
        expertLevel=params.LEVEL_ADVANCED,
        label="Merge radius (boxes)",
        help="Picks this close are one candidate of OR, as a part of the box. At "
        "least the consensus radius.",
    )
    group.addParam(
        "minPickers",
        params.IntParam,
        default=0,
        label="Pickers that must agree",
        help="For AND. 0: the largest number that leaves enough particles for "
        "training. On micrographs where fewer pickers were run, all of those.",
    )
    group.addParam(
        "minPositives",
        params.IntParam,
        default=500,
        condition="minPickers == 0",
        expertLevel=params.LEVEL_ADVANCED,
        label="Positives, at least",
        help="How many agreed particles (AND) training needs.",
    )
