# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that methods offer on the form of *pick with a network*.

A method with `Method.options` has a module of three functions here: one adds them to
the form, one reads them from it, one says what is wrong with them.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.protocols.pickers import hydra_pick_options

_FORMS: dict[str, ModuleType] = {"hydra": hydra_pick_options}
"""Module of each kind of models whose method offers options."""


def definePickOptions(form: params.Form) -> None:
    """Add the options of every method, each in a group of its own."""
    for module in _FORMS.values():
        module.definePickOptions(form)


def pickOptions(protocol: Protocol) -> Any:
    """Return the options of the model's method; None where it offers none."""
    module = _FORMS.get(protocol.inputModel.get().getKind())
    return None if module is None else module.readPickOptions(protocol)


def describeBadOptions(protocol: Protocol) -> list[str]:
    """Return what is wrong with the options of the model's method."""
    module = _FORMS.get(protocol.inputModel.get().getKind())
    return [] if module is None else module.describeBadPickOptions(protocol)
