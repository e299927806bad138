# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of lines of *pick with a network* that depend on the chosen model.

Scipion evaluates a condition with the values of parameters and of methods that it
names, and again whenever one of these parameters changes.
"""

from __future__ import annotations

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pickers.trained.card import PickerCard


def usedBy(kind: str) -> str:
    """Return the condition of what only models of one kind use."""
    return f"inputModel is None or modelKind == '{kind}'"


def kindOf(protocol: Protocol) -> str:
    """Return the kind of the chosen model; empty without one that can be read."""
    if protocol.inputModel.get() is None:
        return ""
    try:
        return protocol.inputModel.get().getKind()
    except (OSError, FileFormatError):
        return ""


def isValidated(protocol: Protocol, options: object) -> bool:
    """Return whether the chosen part of the model has figures; True without a model."""
    if not kindOf(protocol):
        return True
    card = protocol.inputModel.get().getCard()
    return isinstance(card, PickerCard) and card.validation_of(options) is not None
