# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows of ``scores.csv`` as text: their columns, and a candidate as fields."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.spreadsheets import defused, restored
from deepconsensus_plugin.core.io.text import (
    bad_row,
    format_numbers,
    parse_position,
    parse_score,
)
from deepconsensus_plugin.core.kinds import Kind, kinds_in_words
from deepconsensus_plugin.core.reasons import Reason, in_words
from deepconsensus_plugin.core.types import FloatArray, IntArray

COLUMNS = (
    *("micrograph", "x", "y", "score", "network_score", "spread", "votes"),
    *("observed", "pickers", "picker_scores", "accepted", "reason"),
    *("general_model", "average_amplitude", "looks_like"),
)
_REASONS = {reason.word: reason.value for reason in Reason}
_REASONS |= {"1": Reason.ACCEPTED.value, "0": Reason.OTHER.value}
"""Codes of the column of reasons, or else of what is accepted."""
_KINDS = {kind.word: kind.value for kind in Kind}
_BLOCK = 20_000
"""Rows that are text at the same time."""
JOIN = ";"
"""Separator of pickers, and of their scores, in a field."""


def format_rows(
    candidates: Candidates, figures: FloatArray, reason: IntArray, kind: IntArray
) -> Iterator[tuple[str, ...]]:
    """Yield the fields of every candidate, in the order of `COLUMNS`.

    Parameters
    ----------
    candidates : Candidates
        n.
    figures : array, shape (n, 5)
        Score, network_score, spread, general_model and average_amplitude; NaN gives an
        empty field.
    reason, kind : arrays, shape (n,), int
        Codes of `Reason` and of `Kind`.
    """
    pickers = [*map(defused, candidates.pickers)]
    names = [*map(defused, candidates.micrographs)]
    observers = [
        JOIN.join(compress(pickers, row)) for row in candidates.observed.tolist()
    ]
    for start in range(0, len(candidates), _BLOCK):
        some = slice(start, start + _BLOCK)
        micrographs = candidates.micrograph_index[some].tolist()
        found = candidates.found[some].tolist()
        words = in_words(reason[some])
        y, x, *numbers = (
            format_numbers(column)
            for column in (*candidates.yx[some].T.tolist(), *figures[some].T.tolist())
        )
        scores = [
            format_numbers(column)
            for column in candidates.picker_scores[some].T.tolist()
        ]
        yield from zip(
            [names[number] for number in micrographs],
            *(x, y, *numbers[:3]),
            [str(sum(each)) for each in found],
            [observers[number] for number in micrographs],
            [JOIN.join(compress(pickers, each)) for each in found],
            _joined(found, scores),
            ["0" if word else "1" for word in words],
            words,
            *numbers[3:],
            kinds_in_words(kind[some]),
            strict=True,
        )


def _joined(found: list[list[bool]], scores: list[list[str]]) -> list[str]:
    """Return the scores that the finders of each candidate gave it."""
    rows = zip(found, zip(*scores, strict=True), strict=True)
    return [JOIN.join(compress(own, each)) for each, own in rows]


@dataclass(frozen=True)
class ScoreRow:
    """Row of the table; see `ScoreTable` for the meaning of its fields.

    Parameters
    ----------
    micrograph : str
        File name with extension.
    figures : tuple of float
        x, y, score, network_score, spread, general_model and average_amplitude; NaN
        where not known.
    votes : int
        Number of pickers that found the candidate.
    observed, pickers : tuple of str
        Pickers that ran on the micrograph; those that found the candidate.
    picker_scores : tuple of float
        Scores of `pickers`.
    reason, kind : int
        Codes of `Reason` and of `Kind`.
    """

    micrograph: str
    figures: tuple[float, ...]
    votes: int
    observed: tuple[str, ...]
    pickers: tuple[str, ...]
    picker_scores: tuple[float, ...]
    reason: int
    kind: int


def parse_row(path: Path, line: int, row: dict[str, str]) -> ScoreRow:
    """Return the row of a line, from its fields by column.

    Raises
    ------
    FileFormatError
        If a field is bad; names the file and the line.
    """
    try:
        if None in row or None in row.values():
            raise ValueError("another number of fields")
        pickers = _split(row["pickers"])
        parsed = ScoreRow(
            micrograph=restored(row["micrograph"]),
            figures=(
                *(parse_position(row[name]) for name in ("x", "y")),
                *(parse_score(row[name]) for name in COLUMNS[3:6]),
                *(parse_score(row.get(name, "")) for name in COLUMNS[12:14]),
            ),
            votes=int(row["votes"]),
            observed=_split(row["observed"]),
            pickers=pickers,
            picker_scores=tuple(
                map(parse_score, row["picker_scores"].split(JOIN) if pickers else ())
            ),
            reason=_REASONS[row.get("reason", row["accepted"])],
            kind=_KINDS[row.get("looks_like", "")],
        )
    except (ValueError, KeyError) as error:
        received = ",".join(map(str, row.values()))
        raise bad_row(
            path, line, expected=f"the fields {','.join(COLUMNS)}", received=received
        ) from error
    _check(path, line, parsed)
    return parsed


def _check(path: Path, line: int, row: ScoreRow) -> None:
    """Refuse fields that contradict each other, as after an edit by hand."""
    n_scores, spread = len(row.picker_scores), row.figures[4]
    rules = {
        "a name of a micrograph": bool(row.micrograph.strip()),
        f"votes to be {len(row.pickers)}, the number of pickers": (
            row.votes == len(row.pickers)
        ),
        "different pickers": len({*row.pickers}) == len(row.pickers),
        "as many picker_scores as pickers": n_scores == len(row.pickers),
        "pickers to be among the observed ones": {*row.pickers} <= {*row.observed},
        "a spread of 0 or more": not spread < 0,
        "average_amplitude and looks_like, or neither": (
            math.isnan(row.figures[6]) == (row.kind == Kind.UNKNOWN)
        ),
    }
    for expected, is_met in rules.items():
        if not is_met:
            received = f"{row.micrograph}, {row.votes} votes, pickers {row.pickers}"
            raise bad_row(path, line, expected=expected, received=received)


def _split(field: str) -> tuple[str, ...]:
    return tuple(map(restored, field.split(JOIN))) if field else ()
