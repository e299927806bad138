# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of Scipion's coordinates, integer (x, y), to exact yx, and back.

A position of another sampling rate is multiplied by the ratio of the two: the first
pixel stays the first pixel, as when an image is cropped in Fourier space.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from pwem.objects import Coordinate, SetOfCoordinates, SetOfMicrographs
from pyworkflow.object import Float

from deepconsensus_plugin.constants import PICKER_SCORE_ATTRIBUTE, SCORE_ATTRIBUTE
from deepconsensus_plugin.convert.items import (
    ids_by_name,
    own_micrographs,
    placed_rows,
    read_items,
)
from deepconsensus_plugin.convert.observed import read_observed
from deepconsensus_plugin.convert.rows import append_rows, next_id
from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.pick_files.names import listed, match_names
from deepconsensus_plugin.core.types import FloatArray, PickerPicks, ScoredCoordinates

logger = logging.getLogger(__name__)

PICKER_SCORE_ATTRIBUTES = (
    PICKER_SCORE_ATTRIBUTE,
    "_cryoloScore",
    "_topazScore",
    "_xmipp_cost",
    "_xmipp_rlnAutopickFigureOfMerit",
)
"""Names of the score of a pick in the plugins of pickers."""


@dataclass(frozen=True)
class MicrographMatch:
    """Counterparts of a set's micrographs in another set, matched by name.

    Parameters
    ----------
    by_name, by_id : dict
        Name in the other set, from the own name and from the own id; those without a
        counterpart are not there.
    scale : float
        Pixels there per own pixel.
    """

    by_name: Mapping[str, str]
    by_id: Mapping[int, str]
    scale: float

    def name_of(self, own_name: str | None, own_id: int) -> str | None:
        """Return the name there of an item's micrograph, if it has a counterpart."""
        return self.by_name.get(own_name or "") or self.by_id.get(own_id)


def picks_from_set(
    coordinates: SetOfCoordinates, *, picker: str, micrographs: SetOfMicrographs
) -> PickerPicks:
    """Return a set as the picks of one picker, in pixels of `micrographs`.

    Parameters
    ----------
    coordinates : SetOfCoordinates
        Its micrographs are matched with `micrographs` by name.
    picker : str
        Name of the picker.
    micrographs : SetOfMicrographs
        The reference: coordinates elsewhere are left out.

    Returns
    -------
    PickerPicks
        On the micrographs that were observed: as the set knows (`read_observed`), or
        else all micrographs of the set. Scores are the picker's own; NaN where none,
        and so is the box size.

    Raises
    ------
    NameMatchError
        If the two sets share no micrograph, or names are ambiguous.
    ValueError
        If the set has lost its micrographs, or a sampling rate is missing.
    """
    match = match_micrographs(coordinates, micrographs)
    picks = _read(coordinates, match, PICKER_SCORE_ATTRIBUTES)
    box = coordinates.getBoxSize() or math.nan
    return PickerPicks(picker, box * match.scale, picks)


def coordinates_from_set(
    coordinates: SetOfCoordinates, *, micrographs: SetOfMicrographs
) -> dict[str, ScoredCoordinates]:
    """Return the positions by micrograph, in pixels of `micrographs`.

    The items of a micrograph keep their order (`items_with_micrograph`), so that
    results can be joined back. Otherwise as `picks_from_set`, except that the score of
    a network or consensus comes before the picker's own.
    """
    match = match_micrographs(coordinates, micrographs)
    return _read(coordinates, match, (SCORE_ATTRIBUTE, *PICKER_SCORE_ATTRIBUTES))


def items_with_micrograph(
    coordinates: SetOfCoordinates, *, micrographs: SetOfMicrographs
) -> Iterator[tuple[Coordinate, str]]:
    """Yield each item that lies on one of `micrographs`, with the name there.

    In the order of ids. It is one reused object: clone it to keep it.
    """
    match = match_micrographs(coordinates, micrographs)
    for item in coordinates.iterItems():
        name = match.name_of(item.getMicName(), item.getMicId())
        if name is not None:
            yield item, name


def append_coordinates(
    coords_set: SetOfCoordinates,
    micrographs: SetOfMicrographs,
    coordinates: Mapping[str, ScoredCoordinates],
    *,
    score_attribute: str = PICKER_SCORE_ATTRIBUTE,
    probability: Callable[[FloatArray], FloatArray] | None = None,
) -> None:
    """Append positions to a set on `micrographs`, in the order of `coordinates`.

    Items lie on the nearest whole pixel and keep the exact position as attributes. If
    any position has a score, all items have `score_attribute`. Given a `probability` of
    scores, they have that as their score of the plugin, too.

    Raises
    ------
    ValueError
        If a name is none of the micrographs'.
    """
    parts = list(coordinates.values())
    yx = np.concatenate([np.empty((0, 2)), *(part.yx for part in parts)])
    scores = np.concatenate([np.empty(0), *(part.scores for part in parts)])
    index = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    rows = placed_rows(
        *(micrographs, list(coordinates), index, yx), first_id=next_id(coords_set)
    )
    if not np.isnan(scores).all():
        rows = rows.with_attribute(score_attribute, Float, scores)
    if probability is not None:
        rows = rows.with_attribute(SCORE_ATTRIBUTE, Float, probability(scores))
    append_rows(coords_set, rows)


def match_micrographs(
    coordinates: SetOfCoordinates, micrographs: SetOfMicrographs
) -> MicrographMatch:
    """Return where the micrographs of a set are among others; see `picks_from_set`."""
    own = own_micrographs(coordinates)
    rates = own.getSamplingRate(), micrographs.getSamplingRate()
    if not all(rates):
        raise ValueError(f"expected sampling rates > 0 Å/px, received {rates}")
    own_ids, names = ids_by_name(own), list(ids_by_name(micrographs))
    matched = match_names(names, list(own_ids))
    if own_ids and not matched:
        raise NameMatchError(
            f"{coordinates.getFileName()}: expected coordinates on micrographs such as "
            f"{listed(names)}, received {listed(list(own_ids))}"
        )
    by_name = {own_name: name for name, own_name in matched.items()}
    by_id = {own_ids[own_name]: name for own_name, name in by_name.items()}
    return MicrographMatch(by_name, by_id, rates[0] / rates[1])


def _read(
    coordinates: SetOfCoordinates, match: MicrographMatch, attributes: tuple[str, ...]
) -> dict[str, ScoredCoordinates]:
    items = read_items(coordinates, *attributes)
    scores = items.numbers(*attributes)
    found = [match.name_of(*place) for place in items.places]
    observed = _observed_names(coordinates, match)
    names = [*dict.fromkeys([*observed, *filter(None, found)])]
    numbers = {name: number for number, name in enumerate(names)}
    number_of = np.array([numbers.get(name, -1) for name in found], dtype=np.intp)
    rows = rows_of_groups(number_of[items.place], len(names))
    left_out = len(items) - sum(map(len, rows))
    if left_out:
        logger.warning("%d coordinates on other micrographs are left out", left_out)
    everything = ScoredCoordinates(items.yx * match.scale, scores)
    return {name: everything.take(here) for name, here in zip(names, rows, strict=True)}


def _observed_names(
    coordinates: SetOfCoordinates, match: MicrographMatch
) -> dict[str, None]:
    """Return the names, as keys in the set's order, that someone looked at."""
    kept = read_observed(coordinates)
    if kept is None:
        return dict.fromkeys(match.by_name.values())
    return dict.fromkeys(
        name for own, name in match.by_name.items() if kept.observed.get(own)
    )
