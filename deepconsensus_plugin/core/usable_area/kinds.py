# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of area that the pixels of a mask distinguish."""

from __future__ import annotations

import enum


class AreaKind(enum.IntEnum):
    """Kind of a part of a micrograph.

    Parameters
    ----------
    code : int
        Value of a pixel in a mask.
    label : str
        Entry of legends.
    """

    label: str

    def __new__(cls, code: int, label: str) -> AreaKind:
        """Return the member with a number and its label."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.label = label
        return member

    USABLE = 0, "usable"
    PADDING = 1, "padding"
    NO_SIGNAL = 2, "no signal"
    CONTAMINATION = 3, "contamination"
    CARBON = 4, "carbon"
    ICE = 5, "ice crystals"
