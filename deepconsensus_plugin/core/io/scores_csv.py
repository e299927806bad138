# SPDX-License-Identifier: GPL-3.0-or-later
"""Table ``scores.csv``: one row per candidate, for use outside this package.

Columns: ``micrograph, x, y, score, network_score, spread, votes, observed, pickers,
picker_scores, accepted, reason, general_model, average_amplitude, looks_like``.
Positions are box centres, pixels, y = row. ``observed`` are the pickers that ran on the
micrograph, ``pickers`` those that found the candidate and ``picker_scores`` their own
scores in the same order; all joined by ``;``. ``reason`` is a word of `core.reasons`,
empty where accepted, and ``general_model`` the log-odds of the general model.
``average_amplitude`` is how much of an average the box holds, relative to a typical
particle, and ``looks_like`` a word of `core.kinds`. What is not known is an empty
field. A name that a spreadsheet would run has an apostrophe before it
(`core.io.spreadsheets`). Numbers are the shortest decimals that read back as the same
float64, so the same table is the same file.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.scores_csv_rows import (
    COLUMNS,
    JOIN,
    format_rows,
    parse_row,
)
from deepconsensus_plugin.core.io.text import read_text
from deepconsensus_plugin.core.kinds import Likeness
from deepconsensus_plugin.core.reasons import Reason, derive_reasons
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

_ADDED = {"reason", "general_model", "average_amplitude", "looks_like"}
# tables of early versions do not have them


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
    likeness : Likeness
        Of each to averages.
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
    likeness: Likeness

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
    likeness: Likeness | None = None,
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
    likeness : Likeness, optional
        Of each to averages. None: not known.

    Raises
    ------
    ValueError
        If an array has another length, or a picker's name holds the separator ``;``.
    """
    if general_model is None:
        general_model = np.full(len(candidates), np.nan)
    likeness = likeness or Likeness.unknown(len(candidates))
    columns = {
        **{"score": score, "network_score": network_score, "spread": spread},
        **{"general_model": general_model, "average_amplitude": likeness.amplitude},
    }
    codes = {"reason": reason, "looks_like": likeness.kind}
    for name, values in {**columns, **codes}.items():
        if np.shape(values) != (len(candidates),):
            raise ValueError(
                f"{name}: expected shape {(len(candidates),)}, "
                f"received {np.shape(values)}"
            )
    for picker in candidates.pickers:
        if JOIN in picker:
            raise ValueError(f"expected no '{JOIN}' in the picker name '{picker}'")
    figures = np.column_stack([np.asarray(column) for column in columns.values()])
    with (
        whole_file(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(format_rows(candidates, figures, reason, likeness.kind))


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
    reader = csv.DictReader(StringIO(read_text(path), newline=""))
    try:
        missing = _missing_columns(path, reader)
        rows = [parse_row(path, reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise FileFormatError(
            path,
            expected="a table that can be parsed",
            received=f"{error} on line {reader.line_num}",
        ) from error
    numbers = np.array([row.figures for row in rows], dtype=float).reshape(-1, 7)
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
        likeness=Likeness(
            numbers[:, 6], np.array([row.kind for row in rows], dtype=np.intp)
        ),
    )


def _missing_columns(path: Path, reader: csv.DictReader[str]) -> list[str]:
    """Return the columns that a table lacks, which early versions did not write."""
    names = [*(reader.fieldnames or ())]
    missing = [name for name in COLUMNS if name not in names]
    if {*missing} - _ADDED or len({*names}) < len(names):
        raise FileFormatError(
            path,
            expected=f"the columns {','.join(COLUMNS)}",
            received=f"a table without {','.join(missing)}"
            if missing
            else "columns of the same name",
        )
    return missing
