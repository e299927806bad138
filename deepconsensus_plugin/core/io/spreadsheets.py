# SPDX-License-Identifier: GPL-3.0-or-later
"""Names in CSV tables that a spreadsheet must not take for formulas.

A field that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line end is run as a
formula by spreadsheets, and can start programs. Such a name gets an apostrophe before
it, which spreadsheets take for the mark of text. `restored` takes it away again:
``restored(defused(name)) == name`` for every name.
"""

from __future__ import annotations

_APOSTROPHE = "'"
_RUN = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001  full-width forms are run as well


def defused(name: str) -> str:
    """Return a name as a field that no spreadsheet runs."""
    return _APOSTROPHE + name if _is_run(name) else name


def restored(field: str) -> str:
    """Return the name that `defused` made a field of."""
    is_marked = field.startswith(_APOSTROPHE) and _is_run(field)
    return field[1:] if is_marked else field


def _is_run(text: str) -> bool:
    """Return whether a formula begins here, perhaps behind apostrophes or blanks."""
    return text.lstrip(_APOSTROPHE + " ").startswith(_RUN)
