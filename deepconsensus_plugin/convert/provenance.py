# SPDX-License-Identifier: GPL-3.0-or-later
"""The attributes of one candidate, as Scipion keeps them on an item."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import compress

import numpy as np
from pwem.objects import Coordinate
from pyworkflow.object import Float, Integer, String

from deepconsensus_plugin.constants import (
    AGREED_X_ATTRIBUTE,
    AGREED_Y_ATTRIBUTE,
    AGREEMENT_ATTRIBUTE,
    LIST_SEPARATOR,
    OBSERVED_ATTRIBUTE,
    PICKER_SCORES_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.convert.coordinates import (
    PICKER_SCORE_ATTRIBUTES,
    exact_position,
    read_score,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.codec import format_number


@dataclass(frozen=True)
class Provenance:
    """Where a candidate is, who found it, who looked and who agrees.

    Parameters
    ----------
    yx : tuple of float
        Pixels.
    scores : dict of str to float
        By picker that found it; NaN where it gave none.
    observers : set of str
        Pickers that were run on the micrograph.
    agreement : int
        How many pickers agree.
    agreed_yx : tuple of float
        Mean over those, pixels.
    """

    yx: tuple[float, float]
    scores: dict[str, float]
    observers: set[str]
    agreement: int
    agreed_yx: tuple[float, float]


def describe_item(item: Coordinate, table: Candidates, row: int) -> None:
    """Set the attributes of an item from a row of candidates."""
    found = table.found[row].tolist()
    observed = table.observed[table.micrograph_index[row]].tolist()
    scores = compress(table.picker_scores[row].tolist(), found)
    agreed_y, agreed_x = table.agreed_yx[row].tolist()
    attributes = {
        VOTES_ATTRIBUTE: Integer(sum(found)),
        PICKERS_ATTRIBUTE: String(LIST_SEPARATOR.join(compress(table.pickers, found))),
        PICKER_SCORES_ATTRIBUTE: String(LIST_SEPARATOR.join(map(_format, scores))),
        OBSERVED_ATTRIBUTE: String(
            LIST_SEPARATOR.join(compress(table.pickers, observed))
        ),
        AGREEMENT_ATTRIBUTE: Integer(int(table.agreement[row])),
        AGREED_X_ATTRIBUTE: Float(agreed_x),
        AGREED_Y_ATTRIBUTE: Float(agreed_y),
    }
    for name, value in attributes.items():
        setattr(item, name, value)


def _format(score: float) -> str:
    return "" if math.isnan(score) else format_number(score)


def read_item(item: Coordinate, *, picker: str) -> Provenance:
    """Return what `describe_item` set, or one vote of `picker` on other items."""
    yx = exact_position(item)
    names = _list(item, PICKERS_ATTRIBUTE)
    if not names:
        scores = {picker: read_score(item, PICKER_SCORE_ATTRIBUTES)}
        return Provenance(yx, scores, {picker}, 1, yx)
    fields = _list(item, PICKER_SCORES_ATTRIBUTE)
    fields += [""] * (len(names) - len(fields))
    agreement = read_score(item, (AGREEMENT_ATTRIBUTE,))
    agreed_y = read_score(item, (AGREED_Y_ATTRIBUTE,))
    agreed_x = read_score(item, (AGREED_X_ATTRIBUTE,))
    return Provenance(
        yx=yx,
        scores={
            name: float(field) if field else math.nan
            for name, field in zip(names, fields, strict=False)
        },
        observers={*_list(item, OBSERVED_ATTRIBUTE), *names},
        agreement=len(names) if np.isnan(agreement) else int(agreement),
        agreed_yx=yx if np.isnan(agreed_y + agreed_x) else (agreed_y, agreed_x),
    )


def _list(item: Coordinate, attribute: str) -> list[str]:
    value = getattr(item, attribute, None)
    text = None if value is None else value.get()
    return text.split(LIST_SEPARATOR) if text else []
