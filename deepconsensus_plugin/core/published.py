# SPDX-License-Identifier: GPL-3.0-or-later
"""Published parameters of a method, each with the words of its paper.

A dataclass of declared parameters holds them once, as its constant ``PUBLISHED``.
Presets of ``run``, the switch *as published* of forms, the tables in ``docs/`` and the
tests read them there. A parameter that is not among them is not in the paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

Made = TypeVar("Made")


@dataclass(frozen=True)
class Published:
    """Published value of a parameter.

    Parameters
    ----------
    value : object
        Value of the field.
    source : str
        Section and words of the paper, or what the paper lacks that the value turns
        off.
    words : str
        The value in words, where it does not speak for itself.
    """

    value: Any
    source: str
    words: str = ""

    def __str__(self) -> str:
        """Return the value in words."""
        if self.words:
            return self.words
        if isinstance(self.value, bool):
            return "yes" if self.value else "no"
        if isinstance(self.value, Enum):
            return str(self.value.value)
        return f"{self.value:g}" if isinstance(self.value, float) else str(self.value)


def published_of(kind: type) -> Mapping[str, Published]:
    """Return the published parameters of a dataclass, by field."""
    published: Mapping[str, Published] = getattr(kind, "PUBLISHED", {})
    return published


def as_published(kind: type[Made], **others: Any) -> Made:
    """Return a dataclass with its published values; `others` take precedence."""
    values = {name: each.value for name, each in published_of(kind).items()}
    return kind(**(values | others))
