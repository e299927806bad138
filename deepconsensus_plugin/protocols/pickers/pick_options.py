# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that methods offer on the form of *pick with a network*.

They follow from the dataclass that a method names as its `Method.options`. What does
not follow from its declaration stands in a `ParameterForm` of that method.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pyworkflow.protocol.params as params
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.core import methods
from deepconsensus_plugin.core.methods import Method, find_method, resolve
from deepconsensus_plugin.core.pickers.trained.card import PickerCard
from deepconsensus_plugin.protocols.pickers.hydra_pick_options import HYDRA_OPTIONS
from deepconsensus_plugin.protocols.pickers.model_conditions import usedBy
from deepconsensus_plugin.protocols.shared.estimated_diameter import chosenDiameter
from deepconsensus_plugin.protocols.shared.parameter_form import ParameterForm

_SOME_DIAMETER_A = 100.0
"""Stands for a diameter that is not known yet."""

_FORMS: dict[str, ParameterForm[Any]] = {"hydra": HYDRA_OPTIONS}


def definePickOptions(form: params.Form) -> None:
    """Add the options of every method, each in a group of its own."""
    for method, options in _offered():
        group = form.addGroup(f"{method.label} only")
        options.define(group)
        _hideWithItsLines(form, group)


def _hideWithItsLines(form: params.Form, group: params.Group) -> None:
    """Let a group show where one of its lines does, so that no frame is empty."""
    conditions = [param.condition.get() for _, param in group.iterParams()]
    if all(conditions):
        group.condition.set(" or ".join(f"({each})" for each in conditions))
        name = next(n for n, each in form.iterAllParams() if each is group)
        form.registerParam(name, group)  # Scipion reads conditions here


def _offered() -> list[tuple[Method, ParameterForm[Any]]]:
    """Return the methods that offer options, with the forms of these."""
    forms = ((method, _formOf(method)) for method in methods.METHODS)
    return [(method, form) for method, form in forms if form is not None]


def pickOptions(protocol: Protocol) -> Any:
    """Return the options of the model's method; None where it offers none.

    A diameter that the model needs, and that was not given, is the one that the run
    estimated.
    """
    options = chosenOptions(protocol)
    if not lacksDiameter(protocol, options):
        return options
    return replace(options, particle_diameter_A=chosenDiameter(protocol))


def optionsToCheck(protocol: Protocol) -> Any:
    """Return the options before a run, with a diameter in place of an estimate."""
    options = chosenOptions(protocol)
    if not lacksDiameter(protocol, options):
        return options
    return replace(options, particle_diameter_A=_SOME_DIAMETER_A)


def chosenOptions(protocol: Protocol) -> Any:
    """Return the options as the form has them."""
    options = _chosen(protocol)
    return None if options is None else options.read(protocol)


def needsDiameter(protocol: Protocol) -> bool:
    """Return whether the model picks particles of any size, told their diameter."""
    options = chosenOptions(protocol)
    if options is None or not hasattr(options, "particle_diameter_A"):
        return False
    return lacksDiameter(protocol, replace(options, particle_diameter_A=None))


def lacksDiameter(protocol: Protocol, options: Any) -> bool:
    """Return whether the model needs a diameter that was not given."""
    card = protocol.inputModel.get().getCard()
    return isinstance(card, PickerCard) and card.lacks_diameter(options)


def describeBadOptions(protocol: Protocol) -> list[str]:
    """Return what is wrong with the options of the model's method, and of others."""
    options, model = _chosen(protocol), find_method(protocol.inputModel.get().getKind())
    unused = [
        sentence
        for method, form in _offered()
        if method is not model
        for sentence in form.describe_unused(
            protocol, why=f"only for a {method.label}, and the model is a {model.label}"
        )
    ]
    return unused + ([] if options is None else options.describe_bad(protocol))


def _chosen(protocol: Protocol) -> ParameterForm[Any] | None:
    return _formOf(find_method(protocol.inputModel.get().getKind()))


def _formOf(method: Method) -> ParameterForm[Any] | None:
    """Return the form of a method's options; None where it offers none."""
    if method.options is None:
        return None
    return _FORMS.get(method.kind) or ParameterForm(
        resolve(method.options), used_if=usedBy(method.kind)
    )
