# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of the templates that this package brings, and their fields.

Read without Scipion, so that help and mistyped names are answered at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "templates"
_SUFFIX = ".json.template"
_EXAMPLE = "/path/to/"
"""Start of a default that only shows what a path looks like."""

IF_EMPTY = {
    "samplingRate": "from the headers of the micrographs",
    "boxSize": "as the files of picks record it",
    "particleDiameter": "estimated from the micrographs",
    "modelName": "the only model in the folder",
}
"""What stands for a field that may stay empty, by its setting."""


@dataclass(frozen=True)
class Field:
    """One value of a template that its user gives.

    Parameters
    ----------
    title, default : str
        Title, and value unless given.
    kind : int
        Number of its type, as Scipion counts them.
    alias : str
        The setting's name.
    """

    title: str
    default: str
    kind: int
    alias: str

    @classmethod
    def parse(cls, text: str) -> Field:
        """Return the field in ``title|default|type|alias``."""
        title, default, kind, alias = text.split("|")
        return cls(title, default, int(kind), alias)

    @property
    def is_needed(self) -> bool:
        """Whether there is nothing to go on with unless its user gives a value."""
        has_none = not self.default or self.default.startswith(_EXAMPLE)
        return has_none and self.alias not in IF_EMPTY

    def describe_default(self) -> str:
        """Return its default in words."""
        if self.is_needed:
            is_picks = self.alias.startswith("picks")
            return "needed, or picks=DIR1,DIR2,…" if is_picks else "needed"
        return f"default: {self.default or IF_EMPTY[self.alias]}"


@dataclass(frozen=True)
class TemplateText:
    """A template as it is written.

    Parameters
    ----------
    name : str
        Name by which ``run`` takes it.
    description : str
        What it is for.
    parts : tuple of str
        Its JSON, cut at the fields: every second part is one.
    """

    name: str
    description: str
    parts: tuple[str, ...]

    @property
    def fields(self) -> list[Field]:
        """Its fields, in order; those of one setting once."""
        found: dict[str, Field] = {}
        for field in map(Field.parse, self.parts[1::2]):
            if field.alias in found:  # "Box size of the first picker" is that of all
                shared = found[field.alias].title.replace(" of the first picker", "")
                field = replace(field, title=shared)
            found[field.alias] = field
        return list(found.values())


def template_names() -> list[str]:
    """Return the names of all templates."""
    files = _FOLDER.glob(f"*{_SUFFIX}")
    return sorted(path.name.removesuffix(_SUFFIX) for path in files)


def template_texts() -> Iterator[TemplateText]:
    """Yield all templates by name."""
    yield from map(template_text, template_names())


def template_text(name: str) -> TemplateText:
    """Return a template.

    Raises
    ------
    ValueError
        If there is none of this name; lists those that there are.
    """
    names = template_names()
    if name not in names:
        near = difflib.get_close_matches(name, names, 1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise ValueError(
            f"{name}: no such template.{hint} There are: {', '.join(names)}"
        )
    text = (_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8")
    description, bracket, content = text.partition("\n[\n")
    parts = (bracket + content).replace("%%", "%").split("~")
    return TemplateText(name, " ".join(description.split()), tuple(parts))
