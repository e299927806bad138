# SPDX-License-Identifier: GPL-3.0-or-later
"""Fields of templates, ``~title|default|type|alias~``, and their values."""

from __future__ import annotations

import glob
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyworkflow import VarTypes
from pyworkflow.protocol import params

from deepconsensus_plugin.commands.template_texts import Field, template_text
from deepconsensus_plugin.report.forms import (
    convert,
    form_of,
    is_path,
    require_runnable,
    to_scalar,
)
from deepconsensus_plugin.report.yes_no import parse_yes_no

Node = dict[str, Any]
"""One protocol as Scipion's workflow files hold it."""

_PATHS = (VarTypes.PATH.value, VarTypes.FOLDER.value)


@dataclass(frozen=True)
class RunTemplate:
    """Protocols with marks where the fields go.

    Parameters
    ----------
    nodes : list of dict
        The protocols; a value that is a field is its mark.
    fields : mapping of str to Field
        By mark. Several fields may have one alias.
    """

    nodes: list[Node]
    fields: Mapping[str, Field]

    @property
    def aliases(self) -> set[str]:
        """Names of the settings that fields take."""
        return {field.alias for field in self.fields.values()}

    def fields_in(self, node: Node) -> dict[str, Field]:
        """Return the fields of a protocol by the parameter that they are in."""
        return {
            key: self.fields[value]
            for key, value in node.items()
            if isinstance(value, str) and value in self.fields
        }

    def path_aliases(self) -> set[str]:
        """Return names of the settings that are paths of files or folders."""
        return {
            field.alias
            for node in self.nodes
            for key, field in self.fields_in(node).items()
            if _is_path(field, form_of(node["object.className"]).get(key))
        }

    def fill(self, node: Node, values: Mapping[str, str]) -> Node:
        """Return a protocol with values of their parameters' types in its fields.

        Raises
        ------
        ValueError
            If a value is missing or cannot be; names the setting.
        """
        form = form_of(node["object.className"])
        return node | {
            key: _value(field, values, form.get(key))
            for key, field in self.fields_in(node).items()
        }


def read_template(name: str) -> RunTemplate:
    """Return a template of this plugin.

    Raises
    ------
    ValueError
        If there is none of this name (lists those that there are), if it cannot be
        run here (`require_runnable`), or if a field is a part of a value only.
    """
    content = list(template_text(name).parts)
    fields = {}
    for index in range(1, len(content), 2):
        mark = f"~{index}~"
        fields[mark] = Field.parse(content[index])
        content[index] = mark
    text = "".join(content)
    for mark, field in fields.items():
        if f'"{mark}"' not in text:
            raise ValueError(f"{name}: the field {field.alias} must be a whole value")
    nodes = json.loads(text)
    require_runnable(name, (node["object.className"] for node in nodes))
    return RunTemplate(nodes, fields)


def _value(
    field: Field, values: Mapping[str, str], param: params.Param | None
) -> object:
    text = values.get(field.alias, field.default)
    if _is_path(field, param):
        _require_files(field, text, given=field.alias in values)
        return text
    if not text:
        return _empty(field, param)
    if param is not None:
        return convert(field.alias, text, param)
    if field.kind == VarTypes.BOOLEAN.value:
        return parse_yes_no(field.alias, text)
    kinds = {VarTypes.INTEGER.value: int, VarTypes.DECIMAL.value: float}
    return to_scalar(field.alias, text, kinds.get(field.kind, str))


def _empty(field: Field, param: params.Param | None) -> object:
    """Return what an empty field means; refuse one that needs a value."""
    if field.is_needed:
        raise _not_given(field)
    if isinstance(param, params.StringParam):
        return ""
    if param is not None and param.validate(None):
        raise _not_given(field)
    return None


def _not_given(field: Field) -> ValueError:
    return ValueError(f"{field.alias}: not given. It is needed: {field.title}")


def _is_path(field: Field, param: params.Param | None) -> bool:
    return field.kind in _PATHS or is_path(param)


def _require_files(field: Field, pattern: str, *, given: bool) -> None:
    """Refuse a path that is still the template's example, or that nothing fits."""
    if matching_files(pattern):
        return
    if not given:
        raise _not_given(field)
    raise ValueError(f"{field.alias}: expected files, found none: {pattern!r}")


def matching_files(pattern: str) -> list[str]:
    """Return the files or folders that a path, perhaps with wildcards, stands for."""
    # Scipion: `#` stands for a digit of a number.
    for text in (pattern, glob.escape(pattern), pattern.replace("#", "[0-9]")):
        if pattern and (found := glob.glob(text, recursive=True)):
            return sorted(found)
    return []
