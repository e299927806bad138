# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of picks whose fields are exchanged, with what a reader must make of them.

The second opinion is short: a row is ``x y w h score`` in words; what is not a number
up to the limits has to be refused, and all else read as Python reads it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.fuzz.mutations import TOKENS
from deepconsensus_plugin.core.limits import FARTHEST_PX, LARGEST_SCORE

Row = list[str]
Picks = list[tuple[float, float, float]]
"""x, y and score of each."""

_PLAIN = set("0123456789+-.eE")
_NO_SCORE = {"", "na", "<na>", "nan", "none", "null", "-"}
_SIDE = "64"


@dataclass(frozen=True)
class Table:
    """Format of one row a pick.

    Parameters
    ----------
    suffix : str
        Of its files.
    head : str
        Text before the rows.
    columns : tuple of int
        What of x, y, w, h, score a row has, in its order.
    separator : str
        Between fields.
    are_corners : bool
        Whether x and y are those of the corner.
    """

    suffix: str
    head: str
    columns: tuple[int, ...]
    separator: str
    are_corners: bool

    def render(self, rows: list[Row]) -> bytes:
        """Return the file."""
        lines = [self.separator.join(row[i] for i in self.columns) for row in rows]
        return (self.head + "\n".join(lines) + "\n").encode("utf-8", "surrogatepass")


_STAR_NAMES = "_rlnCoordinateX #1\n_rlnCoordinateY #2\n_rlnAutopickFigureOfMerit #3\n"
TABLES = {
    "box": Table(".box", "", (0, 1, 2, 3, 4), "\t", True),
    "cbox": Table(".cbox", "", (0, 1, 2, 3, 4), " ", True),
    "csv": Table(".csv", "x,y,score\n", (0, 1, 4), ",", False),
    "star": Table(".star", f"\ndata_\n\nloop_\n{_STAR_NAMES}", (0, 1, 4), "\t", False),
    "pos": Table(
        ".pos",
        "# XMIPP_STAR_1 *\n#\ndata_particles\nloop_\n _xcoor\n _ycoor\n _cost\n",
        (0, 1, 4),
        " ",
        False,
    ),
}


def _keeps_fields(token: str) -> bool:
    """Return whether a token stays one field of any table, and no comment or quote."""
    return bool(token.strip()) and not set(token) & set("\x0b\x00\u2028'\"#,; _")


_FIELDS = [token for token in TOKENS if _keeps_fields(token)]


def draw_rows(rng: random.Random) -> list[Row]:
    """Return rows of picks that are right."""
    return [
        [
            str(rng.randrange(0, 4000) / 4),
            str(rng.randrange(0, 4000) / 4),
            *(_SIDE, _SIDE),
            str(rng.randrange(1, 1000) / 1000),
        ]
        for _ in range(rng.randrange(2, 6))
    ]


def with_other_field(table: Table, rows: list[Row], rng: random.Random) -> list[Row]:
    """Return rows of which one field is another."""
    changed = [list(row) for row in rows]
    column = rng.choice(table.columns)
    changed[rng.randrange(len(rows))][column] = rng.choice(
        (rng.choice(_FIELDS), str(rng.uniform(-2e6, 2e6)), repr(rng.expovariate(1e-3)))
    )
    return changed


def expected_picks(table: Table, rows: list[Row]) -> Picks | None:
    """Return what the rows mean; None if they have to be refused."""
    picks = []
    for x, y, w, h, score in rows:
        places = [_number(x, FARTHEST_PX), _number(y, FARTHEST_PX)]
        sizes = [_number(w, FARTHEST_PX), _number(h, FARTHEST_PX)]
        value = math.nan
        if score.strip().lower() not in _NO_SCORE:
            value = _number(score, LARGEST_SCORE)
            if math.isnan(value):
                return None
        if any(map(math.isnan, (*places, *sizes))):
            return None
        if table.are_corners:
            if min(sizes) <= 0:
                return None
            places = [p + s / 2 for p, s in zip(places, sizes, strict=True)]
            if max(map(abs, places)) > FARTHEST_PX:
                return None
        picks.append((places[0], places[1], value))
    return picks


def _number(token: str, most: float) -> float:
    """Return a number; NaN if the token is none or beyond the limit."""
    if not set(token) <= _PLAIN:
        return math.nan
    try:
        value = float(token)
    except ValueError:
        return math.nan
    return value if abs(value) <= most else math.nan


Read = Callable[[bytes], Picks]


def are_same(some: Picks, others: Picks) -> bool:
    """Return whether picks are the same numbers."""
    if len(some) != len(others):
        return False
    one, other = (np.array(each, dtype=float).reshape(-1, 3) for each in (some, others))
    return np.array_equal(one, other, equal_nan=True)
