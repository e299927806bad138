# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of forms, parsed from the words of the command line."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pwem import Domain
from pwem.protocols import EMProtocol
from pyworkflow.protocol import params

from deepconsensus_plugin.report.yes_no import parse_yes_no

PLUGIN = "deepconsensus_plugin"

_PLUGINS = {"Xmipp": "scipion-em-xmipp", "Eman": "scipion-em-eman2"}
"""Plugins by the first letters of their protocols' names."""

_INTERACTIVE = frozenset({"XmippProtParticlePicking", "EmanProtBoxing"})
"""Protocols of other plugins that open a window and wait for their user."""

PER_IMPORT = frozenset({"filesPath", "pickerName"})
"""Parameters that mean nothing for several imports at once."""

_SCALARS: dict[type, type] = {
    params.IntParam: int,
    params.FloatParam: float,
    params.StringParam: str,
}
_SETTABLE = (*_SCALARS, params.BooleanParam, params.EnumParam)


def require_runnable(template: str, class_names: Iterable[str]) -> None:
    """Refuse a template that cannot be run here without its user.

    Raises
    ------
    ValueError
        If protocols are missing (names their plugins), or need somebody at the screen.
    """
    names = list(dict.fromkeys(class_names))
    known = Domain.getProtocols()
    missing = [name for name in names if name not in known]
    if missing:
        plugins = {p for name in missing if (p := _plugin_of(name)) is not None}
        installing = " ".join(f"-p {plugin}" for plugin in sorted(plugins))
        raise ValueError(
            f"{template}: it needs protocols that are not installed: "
            f"{', '.join(missing)}."
            + (f" Install them: scipion3 installp {installing}" if plugins else "")
        )
    if waiting := [name for name in names if name in _INTERACTIVE]:
        raise ValueError(
            f"{template}: {', '.join(waiting)} needs somebody who picks in its window. "
            "Open the template in Scipion's project window"
        )


def _plugin_of(class_name: str) -> str | None:
    return next(
        (p for start, p in _PLUGINS.items() if class_name.startswith(start)), None
    )


@functools.cache
def form_of(class_name: str) -> dict[str, params.Param]:
    """Return the parameters of a protocol's form that are about its method.

    Raises
    ------
    ValueError
        If no plugin has this protocol.
    """
    protocol_class = Domain.getProtocols().get(class_name)
    if protocol_class is None:
        raise ValueError(f"{class_name}: no such protocol; is its plugin installed?")
    protocol = protocol_class()
    names = {name for name, _ in protocol.iterDefinitionAttributes()}
    return {name: protocol.getParam(name) for name in names - _of_all_protocols()}


def settable_form(class_name: str) -> dict[str, params.Param]:
    """Return the parameters that a word sets: scalars of this plugin's forms."""
    form = form_of(class_name)
    if not Domain.getProtocols()[class_name].__module__.startswith(PLUGIN):
        return {}
    return {
        name: param
        for name, param in form.items()
        if isinstance(param, _SETTABLE) and name not in PER_IMPORT
    }


@functools.cache
def _of_all_protocols() -> frozenset[str]:
    """Return the parameters that every form has: about running, not the method."""
    return frozenset(name for name, _ in EMProtocol().iterDefinitionAttributes())


def is_path(param: params.Param | None) -> bool:
    """Return whether a parameter is a path of a file or a folder."""
    return isinstance(param, params.PathParam)


def absolute(path: str) -> str:
    """Return a path, perhaps with wildcards, that holds in any working directory."""
    return str(Path(path).expanduser().absolute()) if path else path


def convert(name: str, text: str, param: params.Param) -> Any:
    """Return the value of a form's parameter that a word means.

    Raises
    ------
    ValueError
        If the parameter cannot take it; names the setting.
    """
    if isinstance(param, params.BooleanParam):
        return parse_yes_no(name, text)
    if isinstance(param, params.EnumParam):
        return _choice(name, text, param)
    return to_scalar(
        name, text, next(k for of, k in _SCALARS.items() if isinstance(param, of))
    )


def to_scalar(name: str, text: str, kind: type) -> Any:
    """Return `text` as an int, a finite float or a str.

    Raises
    ------
    ValueError
        If it is none; names the setting.
    """
    words = {int: "a whole number", float: "a number", str: "text"}
    try:
        value = kind(text)
        if kind is float and not math.isfinite(value):
            raise ValueError("not finite")
    except ValueError:
        raise ValueError(f"{name}: expected {words[kind]}, received {text!r}") from None
    return value


def _choice(name: str, text: str, param: params.EnumParam) -> int:
    choices = [str(choice) for choice in param.choices]
    if text.isdigit() and int(text) < len(choices):  # as Scipion stores it
        return int(text)
    former = getattr(param.choices, "former", {})
    if text.lower() in former:
        return former[text.lower()]
    if text not in choices:
        raise ValueError(
            f"{name}: expected one of: {', '.join(choices)}; received {text!r}"
        )
    return choices.index(text)


def describe_param(param: params.Param) -> str:
    """Return the label of a parameter, its choices and its default."""
    default = param.default.get()
    if isinstance(param, params.EnumParam):
        choices = [str(choice) for choice in param.choices]
        number = {"False": 0, "True": 1}.get(str(default), default)
        shown = f"{choices[int(number)]}; one of: {', '.join(choices)}"
    elif isinstance(param, params.BooleanParam):
        shown = "yes" if str(default) == "True" else "no"
    else:
        shown = "none" if default in (None, "") else str(default)
        if f"Auto (*{shown}*)" in str(param.help.get()):
            shown = f"{shown} (auto)"
    return f"{param.label.get()} [default: {shown}]"
