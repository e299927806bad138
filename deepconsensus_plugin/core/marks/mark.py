# SPDX-License-Identifier: GPL-3.0-or-later
"""Mark of a place on a micrograph as a particle or as none."""

from __future__ import annotations

import datetime
import enum
import getpass
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from deepconsensus_plugin.core.declared import Declared
from deepconsensus_plugin.core.limits import FARTHEST_PX

Position = Annotated[float, Field(ge=-FARTHEST_PX, le=FARTHEST_PX)]
"""A coordinate, pixels."""

Belief = Annotated[float, Field(gt=0, le=1)]
"""Above 0, at most 1."""

Key = tuple[str, float, float]

_SAME_PLACE_DECIMALS = 1
"""Places that agree to a tenth of a pixel are the same."""


class Verdict(enum.Enum):
    """Verdict of a person on a place."""

    GOOD = "good"
    BAD = "bad"
    NONE = "none"
    """The mark was taken away again."""


class Chosen(enum.Enum):
    """Way in which a place came to be looked at."""

    RANDOM = "random"
    """Drawn at random from all that was accepted: such marks tell a share."""

    UNCERTAIN = "uncertain"
    """Among those near the threshold."""

    INFORMATIVE = "informative"
    """Among those about which votes, network and averages contradict each other."""

    FREE = "free"
    """Where the person happened to look."""

    AVERAGE = "average"
    """As a member of an average that was marked."""

    FEEDBACK = "feedback"
    """In another program, whose selection was read."""


@dataclass(frozen=True)
class Mark(Declared):
    """Mark of one place.

    Parameters
    ----------
    micrograph : str
        Its name.
    y, x : float
        Centre, pixels of the micrograph.
    verdict : Verdict
        What the person says.
    chosen : Chosen
        How the place was chosen.
    who : str
        Name of the person or program.
    when : str
        Time in ISO 8601, with its offset from UTC.
    belief : float
        How far the mark counts as one, above 0 and at most 1.
    """

    micrograph: str
    y: Position
    x: Position
    verdict: Verdict
    chosen: Chosen = Chosen.FREE
    who: str = ""
    when: str = ""
    belief: Belief = 1.0

    @property
    def key(self) -> Key:
        """Micrograph and place; a later mark with the same one replaces this."""
        digits = _SAME_PLACE_DECIMALS
        return self.micrograph, round(self.y, digits), round(self.x, digits)


@dataclass(frozen=True)
class Undo(Declared):
    """Entry that takes back the last mark that was not taken back yet.

    Parameters
    ----------
    undo : int
        Number of marks, 1.
    who, when : str
        As for `Mark`.
    """

    undo: Annotated[int, Field(ge=1, le=1)] = 1
    who: str = ""
    when: str = ""


Entry = Mark | Undo


def standing_marks(entries: Iterable[Entry]) -> tuple[Mark, ...]:
    """Return the marks that count: the last one of each place, in order of making."""
    made: list[Mark] = []
    for entry in entries:
        if isinstance(entry, Mark):
            made.append(entry)
        elif made:
            made.pop()
    last: dict[Key, Mark] = {}
    for mark in made:
        last.pop(mark.key, None)
        last[mark.key] = mark
    return tuple(m for m in last.values() if m.verdict is not Verdict.NONE)


def this_person() -> str:
    """Return the login name of whoever runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no account has this number
        return "unknown"


def now() -> str:
    """Return the present time as marks keep it."""
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
