# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *consensus of picks*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

CONSENSUS = ParameterForm(ConsensusRules, min_pickers=Shown(none=0))


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
    CONSENSUS.define(form, "box_size")
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
    CONSENSUS.define(
        form.addGroup("Consensus"),
        *(field for field in CONSENSUS.fields if field != "box_size"),
    )
