# SPDX-License-Identifier: GPL-3.0-or-later
"""Independent halves of candidates, by micrograph or by place."""

from __future__ import annotations

import zlib

import numpy as np

from deepconsensus_plugin.core.types import BoolArray, Micrograph, ScoredCoordinates

_FEWEST_MICROGRAPHS = 4
"""Micrographs from which on the halves are halves of them."""
_LEAST_SHARE = 0.25
"""Share of the candidates that such a half needs."""


def halves_of(places: list[tuple[Micrograph, ScoredCoordinates]]) -> BoolArray:
    """Return a half for each candidate: by micrograph, or by place.

    By place where micrographs are few, or hold so unequal numbers that one half would
    be small. Neither depends on the order of the candidates. Stacks of particles count
    by the micrograph that they were cut from, whatever their CTFs.

    Parameters
    ----------
    places : list of (Micrograph, ScoredCoordinates)
        Micrographs with candidates, together n.

    Returns
    -------
    array, shape (n,), bool
        Whether each belongs to the second half.
    """
    sizes = [len(each) for _, each in places]
    names, of_place = np.unique([_exposure(m) for m, _ in places], return_inverse=True)
    if len(names) >= _FEWEST_MICROGRAPHS:
        of_name = _alternate([zlib.crc32(name.encode()) for name in names])
        is_second = np.repeat(of_name[of_place], sizes)
        if _LEAST_SHARE <= is_second.mean() <= 1 - _LEAST_SHARE:
            return is_second
    return _alternate(
        [
            zlib.crc32(place.tobytes(), _salt(micrograph))
            for micrograph, each in places
            for place in each.yx
        ]
    )


def _exposure(micrograph: Micrograph) -> str:
    images = micrograph.images
    return (images and images.exposure) or micrograph.name


def _salt(micrograph: Micrograph) -> int:
    """Return a number that tells equal places of several stacks apart."""
    return 0 if micrograph.images is None else zlib.crc32(micrograph.name.encode())


def _alternate(keys: list[int]) -> BoolArray:
    """Return every second one in the order of the keys."""
    is_second = np.empty(len(keys), dtype=bool)
    is_second[np.argsort(keys, kind="stable")] = np.arange(len(keys)) % 2
    return is_second
