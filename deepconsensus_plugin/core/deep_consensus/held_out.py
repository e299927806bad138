# SPDX-License-Identifier: GPL-3.0-or-later
"""Predictions of an ensemble on held-out boxes, and its largest errors.

Importing this does not import Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepconsensus_plugin.core.deep_consensus.datasets import LabelledCoordinates
from deepconsensus_plugin.core.deep_consensus.stored_rows import check_columns
from deepconsensus_plugin.core.io.arrays import opened_arrays, texts_of
from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.types import FloatArray, IntArray

_NAMES = ("sources", "micrographs")
_COLUMNS = ("is_particle", "weight", "source", "micrograph", "yx")


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Scores of the n boxes that at least one of e networks held out.

    Parameters
    ----------
    rows : LabelledCoordinates
        Positions and labels of the n boxes.
    scores : array, shape (n, e)
        Probability of a particle by each network, 0 - 1; NaN for its training boxes.
    """

    rows: LabelledCoordinates
    scores: FloatArray

    @classmethod
    def of(
        cls, rows: LabelledCoordinates, parts: Sequence[tuple[IntArray, FloatArray]]
    ) -> HeldOut:
        """Return the predictions of the networks.

        Parameters
        ----------
        rows : LabelledCoordinates
            All boxes.
        parts : sequence of (array, array)
            Rows that each network held out, and its scores of them.
        """
        scores = np.full((len(rows), len(parts)), np.nan)
        for column, (held_out, of_network) in enumerate(parts):
            scores[held_out, column] = of_network
        chosen = ~np.isnan(scores).all(axis=1)
        return cls(rows.take(chosen), scores[chosen])

    @property
    def mean_score(self) -> FloatArray:
        """Mean over the networks that did not learn from it, shape (n,)."""
        return np.asarray(np.nanmean(self.scores, axis=1))

    def worst(self, *, is_particle: bool, n: int) -> IntArray:
        """Return the `n` largest errors of a label, worst first.

        Particles with the lowest scores, or background with the highest; only those
        on the wrong side of 0.5.
        """
        wrongness = 0.5 - self.mean_score if is_particle else self.mean_score - 0.5
        candidates = np.flatnonzero(
            (self.rows.is_particle == is_particle) & (wrongness > 0)
        )
        order = np.argsort(-wrongness[candidates], kind="stable")
        return np.asarray(candidates[order[:n]])


def held_out_path(model: Path) -> Path:
    """Return the path of the `HeldOut` of the model in a folder."""
    return model.with_name("held_out.npz")


def write_held_out(path: Path, held_out: HeldOut) -> None:
    """Write a table of scores, some hundred kilobytes for thousands of boxes."""
    rows = held_out.rows
    names = {name: np.array(getattr(rows, name), dtype=np.str_) for name in _NAMES}
    columns = {name: getattr(rows, name) for name in _COLUMNS}
    with whole_file(path) as partial:
        np.savez_compressed(partial, scores=held_out.scores, **names, **columns)


def read_held_out(path: Path) -> HeldOut:
    """Return what `write_held_out` wrote.

    Raises
    ------
    FileFormatError
        If the file lacks an array, or holds values that cannot be.
    """
    with opened_arrays(path, "scores of held-out boxes") as saved:
        missing = {*_NAMES, *_COLUMNS, "scores"} - {*saved.names}
        if missing:
            raise ValueError(f"no {', '.join(sorted(missing))}")
        names: dict[str, Any] = {name: texts_of(saved[name]) for name in _NAMES}
        columns: dict[str, Any] = {name: saved[name] for name in _COLUMNS}
        check_columns(columns, **{f"n_{name}": len(names[name]) for name in _NAMES})
        rows, scores = LabelledCoordinates(**names, **columns), saved["scores"]
        _check_probabilities(scores, len(rows))
        return HeldOut(rows, scores)


def _check_probabilities(scores: FloatArray, n: int) -> None:
    """Refuse scores that are not those of n boxes, 0 to 1 or NaN.

    Raises
    ------
    ValueError
        If it is so.
    """
    if scores.dtype.kind != "f" or scores.ndim != 2 or len(scores) != n:
        raise ValueError(f"scores of shape {scores.shape} of {n} boxes")
    if not ((scores >= 0) & (scores <= 1) | np.isnan(scores)).all():
        raise ValueError("scores that are not in 0 - 1")
