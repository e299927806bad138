# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns of a text table of picks: which of them are x, y, size, score and name.

With a header, columns go by their names; without one, by their number and by what they
hold. What could be two things is refused: a header settles it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepconsensus_plugin.core.types import FloatArray

_MOST_COLUMNS = 6
"""Fields of a row without a header: its number, a box and a score."""

# Compared in lower case, letters and digits only, without RELION's prefix.
_CENTRE = ("xcenter", "centerx", "xcentre", "centrex", "cx", "xc")
_X = ("x", "xcoordinate", "xcoord", "xcoor", "coordinatex", *_CENTRE)
_LEFT = ("x1", "xmin", "left", "x0")
_TOP = ("y1", "ymin", "top", "y0")
_RIGHT = ("x2", "xmax", "right")
_BOTTOM = ("y2", "ymax", "bottom")
_WIDTH, _HEIGHT = ("w", "width", "boxwidth"), ("h", "height", "boxheight")
_SCORE = (
    *("score", "confidence", "probability", "cost", "conf", "prob"),
    *("figureofmerit", "autopickfigureofmerit", "particlescore", "fom"),
)
_NAME = (
    *("micrograph", "micrographname", "micrographfilename", "micname"),
    *("imagename", "imagefilename", "image", "filename"),
)


def _along(axis: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of another axis."""
    return tuple(
        name[:-1] + axis if name.endswith("x") else axis + name[1:] for name in names
    )


_Y, _Z = _along("y", _X), _along("z", _X)


@dataclass(frozen=True)
class Columns:
    """Positions of the columns of a table; None where it has no such column.

    Parameters
    ----------
    x, y : int
        Centres; or, with a size or a far corner, corners nearest to the first pixel.
    score, micrograph : int, optional
        Score and name.
    size : tuple of int, optional
        Width and height of boxes.
    far_corner : tuple of int, optional
        The x and y of the opposite corner.
    z : int, optional
        Slice of a tomogram, where it is no score.
    width : int, optional
        Number of fields of every row, where there is a header.
    is_centre : bool
        Whether x and y are centres for sure, also beside a size.
    """

    x: int = 0
    y: int = 1
    score: int | None = None
    micrograph: int | None = None
    size: tuple[int, int] | None = None
    far_corner: tuple[int, int] | None = None
    z: int | None = None
    width: int | None = None
    is_centre: bool = False

    def behind_row_names(self) -> Columns:
        """Return the same columns of a table whose rows begin with a number or name."""

        def moved(column: int | None) -> int | None:
            return None if column is None else column + 1

        def both(columns: tuple[int, int] | None) -> tuple[int, int] | None:
            return None if columns is None else (columns[0] + 1, columns[1] + 1)

        return replace(
            self,
            x=self.x + 1,
            y=self.y + 1,
            score=moved(self.score),
            micrograph=moved(self.micrograph),
            z=moved(self.z),
            width=moved(self.width),
            size=both(self.size),
            far_corner=both(self.far_corner),
        )


def named_columns(header: Sequence[str]) -> Columns | None:
    """Return the columns that a header names; None if it names no x and y."""
    left, top = _find(header, _LEFT), _find(header, _TOP)
    far, size = _both(header, _RIGHT, _BOTTOM), _both(header, _WIDTH, _HEIGHT)
    x, y = _find(header, _X), _find(header, _Y)
    if (far or size) and left is not None:
        x, y = left, top
    if x is None or y is None:
        return None
    return Columns(
        *(x, y, _find(header, _SCORE), _find(header, _NAME)),
        size=None if far else size,
        far_corner=far,
        z=_find(header, _Z),
        width=len(header),
        is_centre=not far and _find(header, _CENTRE) == x,
    )


def _both(
    header: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> tuple[int, int] | None:
    found = _find(header, first), _find(header, second)
    return None if None in found else (found[0] or 0, found[1] or 0)


def _find(header: Sequence[str], names: Sequence[str]) -> int | None:
    for position, field in enumerate(header):
        name = "".join(filter(str.isalnum, field.lower())).removeprefix("rln")
        if name in names:
            return position
    return None


def numbered_columns(rows: FloatArray, *, is_xyz: bool) -> Columns | None:
    """Return the columns of a table without a header; None if they could be several.

    Parameters
    ----------
    rows : array, shape (n, columns)
        Its numbers; NaN where a field is empty or says that there is none.
    is_xyz : bool
        Whether the kind of file has z, not a score, as the third column.
    """
    if 2 < rows.shape[1] <= _MOST_COLUMNS and _counts(rows[:, 0]):
        rest = numbered_columns(rows[:, 1:], is_xyz=is_xyz)
        return None if rest is None else rest.behind_row_names()
    if rows.shape[1] == 2:
        return Columns()
    if rows.shape[1] == 3:
        third = 2
        if is_xyz or _is_slice(rows[:, third]):
            return Columns(z=third)
        return Columns(score=third)
    if rows.shape[1] in (4, 5):
        score = 4 if rows.shape[1] == 5 else None
        is_size, is_corner = _is_size(rows), _is_corner(rows)
        if is_size != is_corner:
            pair = (2, 3)
            return Columns(
                score=score,
                size=pair if is_size else None,
                far_corner=pair if is_corner else None,
            )
    return None


def _counts(column: FloatArray) -> bool:
    """Return whether a column numbers the rows, from 0 or 1."""
    steps = np.arange(len(column))
    return len(column) > 1 and bool(
        np.array_equal(column, steps) or np.array_equal(column, steps + 1)
    )


def _is_slice(column: FloatArray) -> bool:
    """Return whether numbers look like slices of a tomogram, not like scores."""
    known = column[~np.isnan(column)]
    whole = bool((known == np.floor(known)).all() and (known >= 0).all())
    return whole and bool((known > 1).any())


def _is_size(rows: FloatArray) -> bool:
    sizes = rows[:, 2:4]
    alike = (sizes[:, 0] == sizes[:, 1]).all() or _is_constant(sizes)
    return bool((sizes > 0).all() and alike)


def _is_corner(rows: FloatArray) -> bool:
    sizes = rows[:, 2:4] - rows[:, :2]
    alike = np.allclose(sizes[:, 0], sizes[:, 1]) or _is_constant(sizes)
    return len(rows) > 1 and bool((sizes > 0).all() and alike)


def _is_constant(sizes: FloatArray) -> bool:
    return len(sizes) > 1 and bool(np.allclose(sizes, sizes[0]))
