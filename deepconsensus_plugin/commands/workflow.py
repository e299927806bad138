# SPDX-License-Identifier: GPL-3.0-or-later
"""A template and a user's settings, made into the protocols of a Scipion project."""

from __future__ import annotations

import json
from typing import Any

from pwem import Domain
from pwem.protocols import EMProtocol
from pyworkflow.protocol import params
from pyworkflow.template import Template, TemplateList

from deepconsensus_plugin.commands.settings import (
    PicksFolder,
    RunSettings,
    check_names,
    parse_yes_no,
)

Node = dict[str, Any]
"""One protocol as Scipion's workflow files hold it."""

PLUGIN = "deepconsensus_plugin"
IMPORT_PICKS = "ProtImportPicks"
TRUTH_LABEL = "truth"

_SCALARS: dict[type, type] = {
    params.IntParam: int,
    params.FloatParam: float,
    params.StringParam: str,
}


def read_template(name: str) -> Template:
    """Return a template of this plugin.

    Raises
    ------
    ValueError
        If there is none of this name; lists those that there are.
    """
    templates = TemplateList()
    templates.addPluginTemplates()
    ours = {t.name: t for t in templates.templates if t.source == PLUGIN}
    if name not in ours:
        raise ValueError(f"{name}: no such template; there are: {', '.join(ours)}")
    return ours[name]


def build_nodes(settings: RunSettings) -> list[Node]:
    """Return the protocols of a template with the user's settings in them.

    A setting is a field of the template, by its alias, or else any number, word or
    yes-no of the forms of its protocols, by the parameter's name.

    Raises
    ------
    ValueError
        If a setting is not known, or has a value that its parameter cannot take.
    """
    template = read_template(settings.template)
    template.replaceEnvVariables()
    template.parseContent()
    aliases = {param.getAlias() for param in template.getParams().values()}
    for param in template.getParams().values():
        param.setValue(settings.values.get(param.getAlias(), param.getValue()))
    template._replaceFields()
    nodes = json.loads("".join(template.getContent()))
    if settings.picks:
        nodes = _with_pickers(nodes, settings.picks)
    if settings.truth:
        nodes += _evaluation(nodes, settings.truth)
    forms = {node["object.id"]: _form(node) for node in nodes}
    known = {name for form in forms.values() for name in form}
    check_names(list(settings.values), sorted(aliases | known))
    for node in nodes:
        form = forms[node["object.id"]]
        for name in settings.values.keys() & form.keys() - aliases:
            node[name] = _convert(name, settings.values[name], form[name])
    return nodes if settings.stacks else [_without_stacks(node) for node in nodes]


def _with_pickers(nodes: list[Node], folders: tuple[PicksFolder, ...]) -> list[Node]:
    """Replace the template's imports of picks by one for each folder."""
    pattern = next(node for node in nodes if node["object.className"] == IMPORT_PICKS)
    imports = [
        {
            **pattern,
            "object.id": f"{pattern['object.id']}{i:03d}",
            "object.label": folder.picker,
            "filesPath": folder.path,
            "pickerName": folder.picker,
            "scale": folder.scale,
            "invertY": folder.invert_y,
        }
        for i, folder in enumerate(folders)
    ]
    outputs = [f"{node['object.id']}.outputCoordinates" for node in imports]
    result: list[Node] = []
    for node in nodes:
        if node is pattern:
            result += imports
        elif node["object.className"] == "ProtDeepConsensusPicks":
            result.append({**node, "inputCoordinates": outputs})
        elif node["object.className"] != IMPORT_PICKS:
            result.append(node)
    return result


def _evaluation(nodes: list[Node], truth: str) -> list[Node]:
    """Compare all scored candidates, and those above the threshold, with the truth."""
    pattern = next(node for node in nodes if node["object.className"] == IMPORT_PICKS)
    by_class = {node["object.className"]: node for node in nodes}
    scored, selected = (
        by_class[f"ProtDeepConsensus{name}"] for name in ("Score", "Select")
    )
    imported = {
        **pattern,
        "object.id": "9001",
        "object.label": TRUTH_LABEL,
        "filesPath": truth,
        "pickerName": TRUTH_LABEL,
        "scale": 1.0,
        "invertY": False,
    }
    evaluated = {
        "object.className": "ProtEvaluatePicks",
        "object.id": "9002",
        "object.label": "comparison with truth",
        "inputCoordinates": f"{scored['object.id']}.outputCoordinates",
        "inputTruth": "9001.outputCoordinates",
        "threshold": selected["threshold"],
    }
    return [imported, evaluated]


def _without_stacks(node: Node) -> Node:
    """Score coordinates only, and select among them."""
    if node["object.className"] == "ProtDeepConsensusScore":
        return {**node, "writeStacks": False}
    if node["object.className"] == "ProtDeepConsensusSelect":
        scored = node["inputParticles"].split(".")[0]
        rest = {key: value for key, value in node.items() if key != "inputParticles"}
        return {**rest, "inputCoordinates": f"{scored}.outputCoordinates"}
    return node


def _form(node: Node) -> dict[str, params.Param]:
    """Parameters of one of our forms that a word on the command line can set."""
    protocol_class = Domain.getProtocols().get(node["object.className"])
    if protocol_class is None:
        raise ValueError(
            f"{node['object.className']}: no such protocol; is its plugin installed?"
        )
    if not protocol_class.__module__.startswith(PLUGIN):
        return {}
    protocol = protocol_class()
    names = {name for name, _ in protocol.iterDefinitionAttributes()}
    every = {name: protocol.getParam(name) for name in names - _of_all_protocols()}
    settable = (*_SCALARS, params.BooleanParam, params.EnumParam)
    return {n: param for n, param in every.items() if isinstance(param, settable)}


def _of_all_protocols() -> set[str]:
    """Names that every form has: about running, not about the method."""
    return {name for name, _ in EMProtocol().iterDefinitionAttributes()}


def _convert(name: str, text: str, param: params.Param) -> Any:
    """Return the value of a form's parameter that a word means."""
    if isinstance(param, params.BooleanParam):
        return parse_yes_no(name, text)
    if isinstance(param, params.EnumParam):
        return _choice(name, text, param)
    kind = next(kind for of, kind in _SCALARS.items() if isinstance(param, of))
    try:
        return kind(text)
    except ValueError:
        words = {int: "a whole number", float: "a number"}
        raise ValueError(f"{name}: expected {words[kind]}, received {text!r}") from None


def _choice(name: str, text: str, param: params.EnumParam) -> int:
    choices = [str(choice) for choice in param.choices]
    if text not in choices:
        raise ValueError(f"{name}: expected one of {choices}, received {text!r}")
    return choices.index(text)
