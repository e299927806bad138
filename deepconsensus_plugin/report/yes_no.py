# SPDX-License-Identifier: GPL-3.0-or-later
"""Yes and no as users write them.

A module of its own: settings are read before Scipion's environment is prepared, hence
before pyworkflow may be imported.
"""

from __future__ import annotations

_YES_NO = {
    "yes": True,
    "true": True,
    "1": True,
    "no": False,
    "false": False,
    "0": False,
}


def parse_yes_no(name: str, value: str) -> bool:
    """Return what yes or no means.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if value.lower() not in _YES_NO:
        raise ValueError(f"{name}: expected yes or no, received {value!r}")
    return _YES_NO[value.lower()]
