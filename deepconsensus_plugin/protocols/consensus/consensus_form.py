# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of *consensus of picks*, section by section."""

from __future__ import annotations

import pyworkflow.protocol.params as params

from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm, Shown

CONSENSUS = ParameterForm(ConsensusRules, min_pickers=Shown(none=0))


def defineInputParams(form: params.Form, *, more: str = "", allowsNull=False) -> None:
    """Add the picks; `more` ends the help, and they may be left out on some forms."""
    form.addParam(
        "inputCoordinates",
        params.MultiPointerParam,
        pointerClass="SetOfCoordinates",
        minNumObjects=0 if allowsNull else 1,
        allowsNull=allowsNull,
        important=True,
        label="Picks",
        help="One set of coordinates per picker, at least two. The output lies on the "
        "micrographs of the first set; those of the others are matched by name, and "
        f"their picks scaled.{more}",
    )
    CONSENSUS.define(form, "box_size")
    form.addParam(
        "subtractCoordinates",
        params.PointerParam,
        pointerClass="SetOfCoordinates",
        allowsNull=True,
        expertLevel=params.LEVEL_ADVANCED,
        label="Exclude picks near",
        help="Optional coordinates that are not particles, such as gold, carbon or "
        "another protein. Before the consensus, each of them removes one pick of each "
        "picker within the merge radius. Micrographs on which they were not searched "
        "for keep all their picks.",
    )


def defineConsensusParams(form: params.Form) -> None:
    """Add when pickers agree, and how many must."""
    CONSENSUS.define(
        form.addGroup("Consensus"),
        *(field for field in CONSENSUS.fields if field != "box_size"),
    )
