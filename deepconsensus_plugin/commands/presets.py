# SPDX-License-Identifier: GPL-3.0-or-later
"""Presets of ``run``: values on the forms of some protocols.

``paper`` is the method as published (`core.published`; beside the paper's words in
``docs/method.md``); ``fast`` is one small network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepconsensus_plugin.commands.fields import Node, RunTemplate
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions
from deepconsensus_plugin.protocols.consensus.consensus_form import CONSENSUS
from deepconsensus_plugin.protocols.consensus.negatives_form import DRAWING
from deepconsensus_plugin.protocols.deep_consensus.select_form import THRESHOLD
from deepconsensus_plugin.protocols.deep_consensus.train_form import (
    INPUT_SIZE,
    TRAINING,
)

ALL_PICKERS = "all"
"""Value of ``minPickers`` for all pickers, until the template's inputs are known."""

Values = Mapping[str, Any]
"""What a form holds, by the names of its parameters."""


def _on_one_form(stages: Mapping[str, Values]) -> dict[str, Values]:
    """Return the values of the stages, and of the form that holds all of them."""
    together = {k: v for values in stages.values() for k, v in values.items()}
    return {**stages, "ProtDeepConsensusScreen": together}


PRESETS: Mapping[str, Mapping[str, Values]] = {
    "paper": _on_one_form(
        {
            "ProtDeepConsensusPicks": {
                **CONSENSUS.published_numbers(),
                "minPickers": ALL_PICKERS,
            },
            "ProtDeepConsensusNegatives": DRAWING.published_numbers(),
            "ProtDeepConsensusTrain": {
                **TRAINING.published_numbers(),
                **INPUT_SIZE.published_numbers(),
            },
            "ProtDeepConsensusScore": {
                "combineEvidence": DeepConsensusOptions.PUBLISHED["fusion_seed"].value
                is not None,
                "askGeneralModel": DeepConsensusOptions.PUBLISHED[
                    "ask_general_model"
                ].value,
                "averageCandidates": DeepConsensusOptions.PUBLISHED[
                    "average_candidates"
                ].value,
            },
            "ProtDeepConsensusSelect": THRESHOLD.published_numbers(),
        }
    ),
    "fast": _on_one_form({"ProtDeepConsensusTrain": {"nModels": 1, "inputSize": 64}}),
}
"""By name of the preset and class of the protocol; what is written out wins."""


def with_preset(settings: RunSettings, template: RunTemplate) -> list[Node]:
    """Return the protocols of a template with the values of the preset.

    Fields of the template that the user gives are left as they are.

    Raises
    ------
    ValueError
        If the preset sets nothing of this template.
    """
    if settings.preset is None:
        return template.nodes
    by_class = PRESETS[settings.preset]
    if not any(node["object.className"] in by_class for node in template.nodes):
        raise ValueError(
            f"preset={settings.preset}: the template {settings.template} has no "
            "protocol that it applies to; leave it out"
        )
    return [
        _with_values(
            node,
            by_class.get(node["object.className"], {}),
            {
                key
                for key, field in template.fields_in(node).items()
                if field.alias in settings.values
            },
        )
        for node in template.nodes
    ]


def _with_values(node: Node, values: Values, given: set[str]) -> Node:
    return node | {key: value for key, value in values.items() if key not in given}


def with_all_pickers(node: Node) -> Node:
    """Return a protocol in which "all" pickers are as many as its inputs."""
    if node.get("minPickers") != ALL_PICKERS:
        return node
    return node | {"minPickers": len(node["inputCoordinates"])}
