# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of finished protocols, and the command that repeats the run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from pyworkflow.object import Pointer, PointerList
from pyworkflow.protocol import Protocol, params

from deepconsensus_plugin.report.forms import form_of

_SETS = ("extraPositives", "extraNegatives", "testPositives", "testNegatives")
_PATHS = ("ctf", *_SETS)
"""Settings of ``run`` that are paths, beside picks and truth."""

_NOT_SHOWN = (params.LabelParam, params.HiddenBooleanParam)


def list_parameters(protocol: Protocol) -> list[tuple[str, str, str]]:
    """Return name, label and value of every parameter about the method.

    In the order of the form; those that were left empty, or that another choice leaves
    without effect, are not listed.
    """
    form = form_of(protocol.getClassName())
    listed = []
    for name, _ in protocol.iterDefinitionAttributes():
        param = form.get(name)
        if param is None or isinstance(param, _NOT_SHOWN):
            continue
        if not _has_effect(protocol, name, param):
            continue
        value = _describe(getattr(protocol, name), param)
        if value:
            listed.append((name, param.label.get() or name, value))
    return listed


def _has_effect(protocol: Protocol, name: str, param: params.Param) -> bool:
    """Return whether the form shows a line; True for what no form ever shows."""
    return param.condition.get() == "False" or protocol.evalParamCondition(name)


def _describe(attribute: Any, param: params.Param) -> str:
    """Return a value in the words of the form; empty where there is none."""
    if isinstance(attribute, PointerList):
        return ", ".join(_describe_pointer(pointer) for pointer in attribute)
    if isinstance(attribute, Pointer):
        return _describe_pointer(attribute)
    value = attribute.get()
    if value is None:
        return ""
    if isinstance(param, params.EnumParam):
        return str(param.choices[value])
    if isinstance(param, params.BooleanParam):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _describe_pointer(pointer: Pointer) -> str:
    """Return the run that an input comes from, and which output of it."""
    source = pointer.getObjValue()
    if source is None:
        return ""
    label = source.getRunName() if isinstance(source, Protocol) else str(source)
    return f"{label}.{pointer.getExtended()}" if pointer.hasExtended() else label


def command_again(settings: Mapping[str, Any]) -> str:
    """Return the command line that repeats a run, for a shell.

    Parameters
    ----------
    settings : mapping
        ``settings`` of ``summary.json``.
    """
    words = [f"{name}={value}" for name, value in settings["values"].items()]
    if settings.get("preset"):
        words.append(f"preset={settings['preset']}")
    if settings["picks"]:
        words.append("picks=" + ",".join(map(picks_word, settings["picks"])))
    words += [f"{name}={settings[name]}" for name in _PATHS if settings.get(name)]
    if settings["truth"]:
        words.append(f"truth={settings['truth']}")
    if not settings["stacks"]:
        words.append("stacks=no")
    command = ["python", "-m", "deepconsensus_plugin", "run", settings["template"]]
    return shlex.join([*command, *words, "--project", "NEW_FOLDER"])


def picks_word(folder: Mapping[str, Any]) -> str:
    """Return a folder of picks, and how it is read, as the command line gives it."""
    options = f":name={folder['name']}" if folder.get("name") else ""
    if folder["scale"] != 1:
        options += f":scale={folder['scale']:g}"
    if folder["invert_y"]:
        options += ":invertY=yes"
    if folder["min_score"] is not None:
        options += f":minScore={folder['min_score']:g}"
    return f"{folder['path']}{options}"
