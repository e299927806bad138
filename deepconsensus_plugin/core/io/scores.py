# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of an ensemble, and the file that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.io.hdf5 import whole_hdf5
from deepconsensus_plugin.core.io.hdf5_reading import opened_hdf5, read_array
from deepconsensus_plugin.core.types import FloatArray


@dataclass(frozen=True, eq=False)
class EnsembleScores:
    """Scores of n boxes by an ensemble.

    Parameters
    ----------
    mean : array, shape (n,), float64
        Score, 0 – 1: the mean probability of a particle.
    spread : array, shape (n,), float64
        Standard deviation of that probability over the networks; 0 for one network.
    """

    mean: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, probabilities: FloatArray) -> EnsembleScores:
        """Return the scores for probabilities of shape (n, n_models)."""
        return cls(probabilities.mean(axis=1), probabilities.std(axis=1))


def write_scores(path: Path, scores: EnsembleScores) -> None:
    """Write scores as HDF5, columns ``mean`` and ``spread``."""
    with whole_hdf5(path, is_sealed=True) as file:
        file["mean"], file["spread"] = scores.mean, scores.spread


def read_scores(path: Path) -> EnsembleScores:
    """Return what `write_scores` wrote: one row per coordinate that was scored.

    Raises
    ------
    FileFormatError
        If a column is missing.
    """
    with opened_hdf5(path, "columns mean and spread") as file:
        mean, spread = (read_array(file, name) for name in ("mean", "spread"))
        if mean.ndim != 1 or mean.shape != spread.shape:
            raise ValueError(f"columns of shapes {mean.shape} and {spread.shape}")
        return EnsembleScores(mean, spread)
