# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons why a candidate is not accepted, as tables, sets and windows give them."""

from __future__ import annotations

import enum
from collections.abc import Iterable

import numpy as np

from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray


class Reason(enum.IntEnum):
    """Reason why a candidate is not accepted; the first that applies.

    Parameters
    ----------
    code : int
        Number in arrays.
    word : str
        Word in ``scores.csv`` and in attributes of items; empty where accepted.
    label : str
        Entry of legends.
    phrase : str
        Completes "of those with a good enough score, 3 …".
    """

    word: str
    label: str
    phrase: str

    def __new__(cls, code: int, word: str, label: str, phrase: str) -> Reason:
        """Return the member with a number and its words."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.word, member.label, member.phrase = word, label, phrase
        return member

    ACCEPTED = 0, "", "accepted", ""
    NO_SCORE = 1, "no score", "no score", ""
    SCORE = 2, "score", "low score", ""
    BORDER = 3, "border", "at the edge", "at the micrograph edge"
    NEIGHBOUR = 4, "neighbour", "too close", "too close to another"
    OTHER = 5, "other", "other reason", "for a reason that was not recorded"
    MICROGRAPH = 6, "micrograph", "bad micrograph", "on bad micrographs"
    AREA = 7, "area", "on carbon, ice or padding", "on carbon, ice or padding"


UNJUDGED = (Reason.MICROGRAPH, Reason.AREA)
"""Reasons of candidates at places where no score counts."""

BY_SCORE = (*UNJUDGED, Reason.NO_SCORE, Reason.SCORE)
"""Reasons of candidates whose score is not good enough or does not count."""


def in_words(codes: IntArray) -> list[str]:
    """Return the word of each code, empty where accepted."""
    words = {reason.value: reason.word for reason in Reason}
    return [words[code] for code in codes.tolist()]


def read_reasons(words: Iterable[str | None]) -> IntArray:
    """Return the code of each word.

    Raises
    ------
    ValueError
        If a word names no reason.
    """
    codes = {reason.word: reason.value for reason in Reason}
    found = []
    for word in words:
        if (word or "") not in codes:
            raise ValueError(f"expected one of {', '.join(codes)}, received {word}")
        found.append(codes[word or ""])
    return np.array(found, dtype=np.intp)


def derive_reasons(score: FloatArray, accepted: BoolArray) -> IntArray:
    """Return the reasons that a choice without any implies, shape (n,).

    What scored no better than the worst that was accepted was rejected for its score;
    for the rest the reason is `Reason.OTHER`.

    Parameters
    ----------
    score : array, shape (n,)
        NaN where there is none.
    accepted : array, shape (n,), bool
        The choice.
    """
    lowest = score[accepted].min(initial=np.inf)
    return np.select(
        [accepted, np.isnan(score), score <= lowest],
        [Reason.ACCEPTED, Reason.NO_SCORE, Reason.SCORE],
        Reason.OTHER,
    ).astype(np.intp)
