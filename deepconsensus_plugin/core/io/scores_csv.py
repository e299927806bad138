# SPDX-License-Identifier: GPL-3.0-or-later
"""Table ``scores.csv``: one row per candidate, for use outside this package.

Columns: ``micrograph, x, y, score, network_score, spread, votes, observed, pickers,
picker_scores, accepted, reason, general_model``. Positions are box centres, pixels,
y = row. ``observed`` are the pickers that ran on the micrograph, ``pickers`` those that
found the candidate and ``picker_scores`` their own scores in the same order; all joined
by ``;``. ``reason`` is a word of `core.reasons`, empty where accepted, and
``general_model`` the log-odds of the general model. What is not known is an empty
field. Numbers are the shortest decimals that read back as the same float64, so the same
table is the same file.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.text import bad_row, format_number, parse_score
from deepconsensus_plugin.core.reasons import Reason, derive_reasons, in_words
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

COLUMNS = (
    *("micrograph", "x", "y", "score", "network_score", "spread", "votes"),
    *("observed", "pickers", "picker_scores", "accepted", "reason"),
    "general_model",
)
_ADDED = {"reason", "general_model"}  # tables of early versions do not have them
_REASONS = {reason.word: reason.value for reason in Reason}
_REASONS |= {"1": Reason.ACCEPTED.value, "0": Reason.OTHER.value}
"""Codes of the column of reasons, or else of what is accepted."""
_JOIN = ";"


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """The rows of a ``scores.csv``, n.

    Parameters
    ----------
    micrograph : tuple of str, n
        File name with extension.
    yx : array, shape (n, 2), float64
        Box centres, pixels.
    score, network_score, spread : arrays, shape (n,), float64
        What the threshold applies to; the network's mean and its spread over the
        ensemble; NaN where not known.
    votes : array, shape (n,), int
        How many pickers found the candidate.
    observed, pickers : tuple of tuple of str, n
        Pickers that ran on the micrograph; those that found the candidate.
    picker_scores : tuple of tuple of float, n
        Scores of `pickers`, aligned with them; NaN where there is none.
    reason : array, shape (n,), int
        Codes of `Reason`: why the candidate is not accepted, or that it is.
    general_model : array, shape (n,), float64
        Log-odds of the general model; NaN where not known.
    """

    micrograph: tuple[str, ...]
    yx: FloatArray
    score: FloatArray
    network_score: FloatArray
    spread: FloatArray
    votes: IntArray
    observed: tuple[tuple[str, ...], ...]
    pickers: tuple[tuple[str, ...], ...]
    picker_scores: tuple[tuple[float, ...], ...]
    reason: IntArray
    general_model: FloatArray

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.reason)

    @property
    def accepted(self) -> BoolArray:
        """Mask of the accepted candidates, shape (n,)."""
        return np.asarray(self.reason == Reason.ACCEPTED)


def write_scores_csv(
    path: Path | str,
    candidates: Candidates,
    *,
    score: FloatArray,
    network_score: FloatArray,
    spread: FloatArray,
    reason: IntArray,
    general_model: FloatArray | None = None,
) -> None:
    """Write one row per candidate, in their order.

    Parameters
    ----------
    path : Path or str
        The file; replaced if it is there.
    candidates : Candidates
        The OR set, n.
    score, network_score, spread, reason, general_model : arrays, shape (n,)
        See `ScoreTable`; NaN gives an empty field.

    Raises
    ------
    ValueError
        If an array has another length, or a picker's name holds the separator ``;``.
    """
    if general_model is None:
        general_model = np.full(len(candidates), np.nan)
    columns = {
        **{"score": score, "network_score": network_score, "spread": spread},
        "general_model": general_model,
    }
    for name, values in {**columns, "reason": reason}.items():
        if np.shape(values) != (len(candidates),):
            raise ValueError(
                f"{name}: expected shape {(len(candidates),)}, "
                f"received {np.shape(values)}"
            )
    for picker in candidates.pickers:
        if _JOIN in picker:
            raise ValueError(f"expected no '{_JOIN}' in the picker name '{picker}'")
    figures = np.column_stack([np.asarray(column) for column in columns.values()])
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_rows(candidates, figures, reason))


def _rows(
    candidates: Candidates, figures: FloatArray, reason: IntArray
) -> Iterator[tuple[str, ...]]:
    pickers = candidates.pickers
    observers = [
        _JOIN.join(compress(pickers, row)) for row in candidates.observed.tolist()
    ]
    rows = zip(
        candidates.micrograph_index.tolist(),
        candidates.yx.tolist(),
        figures.tolist(),
        candidates.found.tolist(),
        candidates.picker_scores.tolist(),
        in_words(reason),
        strict=True,
    )
    for micrograph, (y, x), row_figures, found, scores, word in rows:
        yield (
            candidates.micrographs[micrograph],
            *map(format_number, (x, y)),
            *map(_format, row_figures[:-1]),
            str(sum(found)),
            observers[micrograph],
            _JOIN.join(compress(pickers, found)),
            _JOIN.join(map(_format, compress(scores, found))),
            "0" if word else "1",
            word,
            _format(row_figures[-1]),
        )


def _format(value: float) -> str:
    return "" if math.isnan(value) else format_number(value)


def read_scores_csv(path: Path | str) -> ScoreTable:
    """Return what `write_scores_csv` wrote.

    Further columns are ignored. Reasons that are missing are derived from what is
    accepted (`derive_reasons`).

    Raises
    ------
    FileFormatError
        If columns are missing or a row is bad; names the line.
    """
    path = Path(path)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if set(missing) - _ADDED:
            raise FileFormatError(
                path,
                expected=f"the columns {','.join(COLUMNS)}",
                received=f"a table without {','.join(missing)}",
            )
        rows = [_parse(path, reader.line_num, row) for row in reader]
    numbers = np.array([row.figures for row in rows], dtype=float).reshape(-1, 6)
    reason: IntArray = np.array([row.reason for row in rows], dtype=np.intp)
    if "reason" in missing:
        reason = derive_reasons(numbers[:, 2], reason == Reason.ACCEPTED)
    return ScoreTable(
        micrograph=tuple(row.micrograph for row in rows),
        yx=numbers[:, 1::-1],
        score=numbers[:, 2],
        network_score=numbers[:, 3],
        spread=numbers[:, 4],
        votes=np.array([row.votes for row in rows], dtype=np.int64),
        observed=tuple(row.observed for row in rows),
        pickers=tuple(row.pickers for row in rows),
        picker_scores=tuple(row.picker_scores for row in rows),
        reason=reason,
        general_model=numbers[:, 5],
    )


@dataclass(frozen=True)
class _Row:
    """One parsed row; figures: x, y, score, network_score, spread, general_model."""

    micrograph: str
    figures: tuple[float, ...]
    votes: int
    observed: tuple[str, ...]
    pickers: tuple[str, ...]
    picker_scores: tuple[float, ...]
    reason: int


def _parse(path: Path, line: int, row: dict[str, str]) -> _Row:
    try:
        if None in row or None in row.values():
            raise ValueError("another number of fields")
        pickers = _split(row["pickers"])
        parsed = _Row(
            micrograph=row["micrograph"],
            figures=(
                *(float(row[name]) for name in ("x", "y")),
                *(parse_score(row[name]) for name in COLUMNS[3:6]),
                parse_score(row.get("general_model", "")),
            ),
            votes=int(row["votes"]),
            observed=_split(row["observed"]),
            pickers=pickers,
            picker_scores=tuple(
                map(parse_score, row["picker_scores"].split(_JOIN) if pickers else ())
            ),
            reason=_REASONS[row.get("reason", row["accepted"])],
        )
        if len(parsed.picker_scores) != len(pickers):
            raise ValueError("as many picker_scores as pickers")
    except (ValueError, KeyError) as error:
        received = ",".join(map(str, row.values()))
        raise bad_row(
            path, line, expected=f"the fields {','.join(COLUMNS)}", received=received
        ) from error
    return parsed


def _split(field: str) -> tuple[str, ...]:
    return tuple(field.split(_JOIN)) if field else ()
