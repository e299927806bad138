# SPDX-License-Identifier: GPL-3.0-or-later
"""Choices of a form whose order, and whose words, may change; their numbers may not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

import pyworkflow.protocol.params as params
from pyworkflow.object import Boolean


class Choices(Sequence[str]):
    """Texts of the choices by number, which a list shows in an order of its own.

    Projects and templates hold numbers, and Scipion looks up texts by number, as in a
    list. A combo box, though, is handed to Tk, which reads an object that is no list
    by its text: that is the Tcl list of the choices in the order of the form.

    Parameters
    ----------
    texts : iterable of str
        What the form calls each choice, by number.
    order : iterable of int, optional
        Numbers in the order of the form. Default: as they are.
    former : mapping of str to int, optional
        Other words for choices, which commands and scripts may use: those of earlier
        versions.
    """

    def __init__(
        self,
        texts: Iterable[str],
        order: Iterable[int] | None = None,
        former: Mapping[str, int] | None = None,
    ) -> None:
        self._texts = tuple(texts)
        self.shown = [self._texts[n] for n in order or range(len(self._texts))]
        self.former = dict(former or {})

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...
    def __getitem__(self, number: int | slice) -> str | Sequence[str]:
        return self._texts[number]

    def __len__(self) -> int:
        return len(self._texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        """Return the choices in the order of the form, as a Tcl list."""
        return " ".join(f"{{{text}}}" for text in self.shown)


def flagParam(**options: Any) -> params.EnumParam:
    """Return a parameter that is stored as yes or no, and shown as two choices.

    The first choice, number 0, stands for no. Projects and templates that hold a
    Boolean keep their meaning.
    """
    param = params.EnumParam(**options)
    param.paramClass = Boolean
    return param
