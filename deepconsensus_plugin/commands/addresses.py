# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of settings: which protocols of a template ``name=value`` is meant for.

``LABEL.name=value`` sets a parameter of the protocol with that label. Without a label
all protocols that have the parameter get it, if it means the same in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pwem import Domain
from pyworkflow.protocol import params

from deepconsensus_plugin.commands.fields import Node, RunTemplate
from deepconsensus_plugin.commands.presets import ALL_PICKERS
from deepconsensus_plugin.commands.settings import RunSettings, check_names
from deepconsensus_plugin.report.forms import (
    PLUGIN,
    convert,
    form_of,
    settable_form,
)

_SAME_EVERYWHERE = frozenset(
    {
        *("seed", "numberOfThreads", "useGpu", "gpuList", "hostName"),
        *("halfPrecision", "boxSize", "skipInvert"),
    }
)
"""Parameters that mean the same in every protocol: of the machine, of the box, and the
contrast of particles."""


def check_addresses(
    settings: RunSettings, template: RunTemplate, more: Sequence[str]
) -> None:
    """Refuse settings that no protocol has, or several in different meanings.

    Parameters
    ----------
    settings : RunSettings
        What the user gives.
    template : RunTemplate
        What it is given for.
    more : sequence of str
        Classes of protocols that are added to those of the template.

    Raises
    ------
    ValueError
        Names the setting, and the protocols that have it.
    """
    classes = {*more, *(node["object.className"] for node in template.nodes)}
    known = {name for of in classes for name in settable_form(of)}
    plain = [name for name in settings.values if "." not in name]
    check_names(plain, sorted(template.aliases | known))
    for name in settings.values.keys() - plain:
        _check_labelled(name, template)
    for name in settings.values.keys() & known - template.aliases - _SAME_EVERYWHERE:
        _refuse_ambiguous(name, template)


def _check_labelled(name: str, template: RunTemplate) -> None:
    label, _, parameter = name.rpartition(".")
    labels = [node["object.label"] for node in template.nodes]
    if label not in labels:
        raise ValueError(
            f"{name}: no protocol of this template is labelled {label!r}. It has: "
            f"{', '.join(labels)}"
        )
    node = template.nodes[labels.index(label)]
    check_names([parameter], sorted(settable_form(node["object.className"])))


def _refuse_ambiguous(name: str, template: RunTemplate) -> None:
    having = [n for n in template.nodes if name in settable_form(n["object.className"])]
    if len({node["object.className"] for node in having}) < 2:
        return
    labels = [node["object.label"] for node in having]
    raise ValueError(
        f"{name}: it is a setting of {' and of '.join(labels)}. Say which is meant: "
        + " or ".join(f"'{label}.{name}=…'" for label in labels)
    )


def words_for(
    node: Node, settings: RunSettings, template: RunTemplate
) -> dict[str, str]:
    """Return the words that are meant for a protocol, by its parameters.

    Fields of the template are filled in elsewhere, unless they are given with a label.
    """
    form = settable_form(node["object.className"])
    words = {k: v for k, v in settings.values.items() if k not in template.aliases}
    label = node.get("object.label")
    labelled = {
        name.rpartition(".")[2]: value
        for name, value in words.items()
        if name.rpartition(".")[0] == label
    }
    return {k: v for k, v in (words | labelled).items() if k in form}


def with_words(node: Node, words: dict[str, str]) -> Node:
    """Return a protocol with the values that words mean in its parameters.

    Raises
    ------
    ValueError
        If a parameter cannot take a value.
    """
    form = settable_form(node["object.className"])
    return node | {
        name: value
        if (name, value) == ("minPickers", ALL_PICKERS)
        else convert(name, value, form[name])
        for name, value in words.items()
        if name in form
    }


def refuse_without_effect(
    settings: RunSettings, template: RunTemplate, nodes: Sequence[Node]
) -> None:
    """Refuse settings whose lines the forms of all their protocols hide.

    Raises
    ------
    ValueError
        Names the setting, and what it has no effect with.
    """
    for name in settings.values:
        places = list(_places(name, template, nodes))
        if places and not any(_is_shown(node, key) for node, key in places):
            raise ValueError(
                f"{name}: it has no effect with {_describe_condition(*places[0])}; "
                "leave it out"
            )


def _places(
    name: str, template: RunTemplate, nodes: Sequence[Node]
) -> Iterator[tuple[Node, str]]:
    """Yield the protocols that a setting goes to, each with its parameter."""
    label, _, parameter = name.rpartition(".")
    fields = {node["object.id"]: template.fields_in(node) for node in template.nodes}
    for node in nodes:
        if name in template.aliases:
            here = fields.get(node["object.id"], {}).items()
            keys = [key for key, field in here if field.alias == name]
        else:
            is_meant = label in ("", node["object.label"])
            keys = [parameter] if is_meant else []
        form = form_of(node["object.className"])
        yield from ((node, key) for key in keys if key in form)


def _is_shown(node: Node, name: str) -> bool:
    """Return whether a form shows a line for what is chosen on it.

    True where an input must tell it, and of lines that no form ever shows.
    """
    kind = Domain.getProtocols()[node["object.className"]]
    if not kind.__module__.startswith(PLUGIN):
        return True
    form, protocol = form_of(node["object.className"]), kind()
    named = _condition(node, name)
    if not named or any(_is_pointer(form[key]) and key in node for key in named):
        return True
    for key in form.keys() & node.keys():
        if not _is_pointer(form[key]):
            protocol.setAttributeValue(key, node[key])
    return bool(protocol.evalParamCondition(name))


def _condition(node: Node, name: str) -> list[str]:
    """Return the parameters that the condition of a line names."""
    form = form_of(node["object.className"])
    words = re.findall(r"\w+", form[name].condition.get() or "")
    return [word for word in dict.fromkeys(words) if word in form and word != name]


def _is_pointer(param: params.Param) -> bool:
    return isinstance(param, params.PointerParam | params.MultiPointerParam)


def _describe_condition(node: Node, name: str) -> str:
    """Return what hides a line, as words of the command line."""
    form, parts = form_of(node["object.className"]), []
    for key in _condition(node, name):
        param = form[key]
        value = node.get(key, param.default.get())
        if isinstance(param, params.EnumParam):
            value = list(param.choices)[int(value)]
        elif isinstance(param, params.BooleanParam):
            value = "yes" if value in (True, "True") else "no"
        parts.append(f"{key}={value}")
    return " and ".join(parts)
