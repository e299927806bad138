# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad micrographs: nothing on them can be judged, since most of them is unusable.

A failed exposure or a failed correction leaves one value or NaN (almost) everywhere;
others are covered with carbon or ice. Masks tell both. Where there is no mask yet, a
few rows tell what has no signal. Files that cannot be read at all are another matter:
a run refuses them, or leaves them out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.usable_area.area import UsableArea

_ROWS_LOOKED_AT = 16
_SEGMENT = 32
"""Pixels beside each other that are never all equal where there is an image, even in
8 bits or with few electrons."""

_MOST_UNUSABLE = 0.75
"""Share that is unusable, or without signal, above which a micrograph is bad."""

_NAMED_AT_MOST = 5

_ROUNDING = 1e-6
"""Range of values, relative to the largest, that rounding alone can cause."""


def is_mostly_unusable(area: UsableArea) -> bool:
    """Return whether a micrograph with this mask is bad."""
    return area.share_unusable > _MOST_UNUSABLE


def find_bad_micrographs(*sets: Iterable[Micrograph]) -> tuple[str, ...]:
    """Return the names of those among micrographs that hold no signal, sorted.

    Parameters
    ----------
    sets : iterables of Micrograph
        Of the same exposures; a name is bad if its micrograph is in one of them.
        A few rows of each are read. Compressed files, which would have to be read
        whole, are taken for good, and so are stacks of particles.
    """
    paths = {
        each.path: each.name for some in sets for each in some if each.images is None
    }
    return tuple(sorted({name for path, name in paths.items() if _is_bad(path)}))


def find_unreadable(paths: Iterable[Path]) -> dict[Path, str]:
    """Return why files cannot be read as micrographs, by path.

    Compressed files are read whole; of others, headers and sizes are looked at.
    """
    found = {}
    for path in paths:
        try:
            open_micrograph(path)
        except (ValueError, OSError) as error:
            found[path] = str(error).removeprefix(f"{path}: ")
    return found


def describe_bad_micrographs(names: Sequence[str]) -> list[str]:
    """Return a warning that says what becomes of bad micrographs; none without any."""
    if not names:
        return []
    others = {1: "", 2: " and another"}.get(len(names), f" and {len(names) - 1} others")
    return [
        f"WARNING: {names[0]}{others}: most pixels have the same value, are not "
        "numbers, or show carbon or ice. Picks there are rejected, and are used "
        "neither for training nor for the expected precision of pickers."
    ]


def describe_left_out(left_out: Mapping[str, str]) -> list[str]:
    """Return a warning that counts and names what was left out; none without any."""
    if not left_out:
        return []
    n = len(left_out)
    named = [f"{name} ({reason})" for name, reason in left_out.items()]
    more = [f"{n - _NAMED_AT_MOST} more"] if n > _NAMED_AT_MOST else []
    listed = "; ".join([*named[:_NAMED_AT_MOST], *more])
    which = "1 micrograph is" if n == 1 else f"{n} micrographs are"
    return [f"WARNING: {which} left out, which cannot be read: {listed}."]


def share_without_signal(pixels: NDArray[Any]) -> float:
    """Return the share of a micrograph that is constant or not finite, 0 - 1.

    Parameters
    ----------
    pixels : array, shape (rows, columns)
        Of any type. Segments of 32 pixels of 16 rows are looked at.
    """
    rows = np.asarray(pixels[:: max(1, len(pixels) // _ROWS_LOOKED_AT)])
    length = min(_SEGMENT, rows.shape[1])
    n_segments = rows.shape[1] // length
    segments = rows[:, : n_segments * length].reshape(-1, length).astype(np.float64)
    finite = np.isfinite(segments)
    high = np.max(segments, axis=1, where=finite, initial=-np.inf)
    low = np.min(segments, axis=1, where=finite, initial=np.inf)
    largest = np.maximum(np.abs(high), np.abs(low))
    is_alive = finite.sum(axis=1) > length // 2
    is_alive[is_alive] = (high - low > _ROUNDING * largest)[is_alive]
    return 1.0 - float(is_alive.mean())


def _is_bad(path: Path) -> bool:
    pixels = open_micrograph(path)
    if not isinstance(pixels, np.memmap):
        return False
    return share_without_signal(pixels) > _MOST_UNUSABLE
