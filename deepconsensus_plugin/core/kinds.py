# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of candidates by what they look like, as tables, sets and texts give them."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.types import FloatArray, IntArray

_NOT_AVERAGED = "not averaged"


class Kind(enum.IntEnum):
    """Kind of a candidate; the first that applies.

    Parameters
    ----------
    code : int
        Number in arrays.
    word : str
        Word in ``scores.csv`` and in attributes of items; empty where not known.
    phrase : str
        Completes "candidates look like …".
    """

    word: str
    phrase: str

    def __new__(cls, code: int, word: str, phrase: str) -> Kind:
        """Return the member with a number and its words."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.word, member.phrase = word, phrase
        return member

    UNKNOWN = 0, "", ""
    TOUCHING = 1, "touching", "touching particles"
    UNLIKE = 2, "noise or dirt", "noise or dirt"
    PARTIAL = 3, "part of a particle", "parts of particles"
    PARTICLE = 4, "particle", "whole particles"


@dataclass(frozen=True, eq=False)
class Likeness:
    """Likeness of n candidates to averages.

    Parameters
    ----------
    amplitude : array, shape (n,)
        How much of an average a box holds, relative to a typical particle; NaN where
        not known.
    kind : array, shape (n,), int
        Codes of `Kind`.
    """

    amplitude: FloatArray
    kind: IntArray

    @classmethod
    def unknown(cls, n: int) -> Likeness:
        """Return that of n candidates that were not averaged."""
        return cls(np.full(n, np.nan), np.full(n, Kind.UNKNOWN.value))


def kinds_in_words(codes: IntArray) -> list[str]:
    """Return the word of each code, empty where the kind is not known."""
    words = {kind.value: kind.word for kind in Kind}
    return [words[code] for code in codes.tolist()]


def read_kinds(words: Iterable[str | None]) -> IntArray:
    """Return the code of each word.

    Raises
    ------
    ValueError
        If a word names no kind.
    """
    codes = {kind.word: kind.value for kind in Kind}
    found = []
    for word in words:
        if (word or "") not in codes:
            expected = ", ".join(filter(None, codes))
            raise ValueError(f"expected one of {expected}, or none, received {word}")
        found.append(codes[word or ""])
    return np.array(found, dtype=np.intp)


def count_kinds(codes: IntArray) -> dict[str, int]:
    """Return the number of candidates by the word of their kind; none if none is known.

    Those of an unknown kind count as *not averaged*.
    """
    counts = np.bincount(codes, minlength=len(Kind)).tolist()
    if not any(counts[1:]):
        return {}
    return {kind.word or _NOT_AVERAGED: counts[kind] for kind in Kind}


def describe_kinds(counts: Mapping[str, int]) -> list[str]:
    """Return what candidates rejected for their score look like, as a sentence.

    Parameters
    ----------
    counts : mapping of str to int
        As of `count_kinds`; no sentence without any.
    """
    known = [(counts.get(k.word, 0), k.phrase) for k in Kind if k is not Kind.UNKNOWN]
    parts = [f"{phrase} ({n})" for n, phrase in sorted(known, key=_rarity) if n]
    if not parts:
        return []
    *first, last = parts
    listed = f"{', '.join(first)} and {last}" if first else last
    left = counts.get(_NOT_AVERAGED, 0)
    end = f"; {left} {_NOT_AVERAGED}." if left else "."
    total = sum(counts.values())
    return [f"Candidates rejected for their score ({total}) look like {listed}{end}"]


def _rarity(counted: tuple[int, str]) -> int:
    return -counted[0]
