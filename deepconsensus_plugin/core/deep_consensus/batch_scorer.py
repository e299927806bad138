# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of batches of boxes, by an ensemble that is loaded where it computes."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.deep_consensus.requests import ScoreRequest
from deepconsensus_plugin.core.deep_consensus.scoring import fitting_batch, predict
from deepconsensus_plugin.core.deep_consensus.store import load_scorers
from deepconsensus_plugin.core.execution.executor import Executor
from deepconsensus_plugin.core.execution.threads import Here
from deepconsensus_plugin.core.networks.forms import Forms
from deepconsensus_plugin.core.networks.loaded import StoredModel
from deepconsensus_plugin.core.types import FloatArray

Batch = NDArray[np.float32]


@dataclass(frozen=True)
class BatchScorer:
    """Ensemble that scores batches, here or in the processes of an executor.

    Parameters
    ----------
    model : StoredModel
        The ensemble.
    executor : Executor
        Whose processes load it.
    """

    model: StoredModel[list[keras.Model]]
    executor: Executor

    @classmethod
    def of(
        cls, request: ScoreRequest, forms: Forms, elsewhere: Executor | None
    ) -> BatchScorer:
        """Return the scorer of a request; it computes here where not elsewhere."""
        model = StoredModel.of(_load, request.model, (request.half_precision, forms))
        return cls(model, elsewhere or Here())

    def fitting_batch(self, input_size: int) -> int:
        """Return the batch size for where it computes (`scoring.fitting_batch`)."""
        fit = functools.partial(_fit, self.model)
        (size,) = self.executor.map(fit, [input_size], workers=1)
        return size

    def score(self, batches: Iterable[Batch], batch_size: int) -> Iterator[FloatArray]:
        """Yield the scores of each batch (`scoring.predict`)."""
        score = functools.partial(_score, self.model, batch_size)
        return self.executor.map(score, batches, workers=1)


def _load(folder: Path, options: tuple[bool, Forms]) -> list[keras.Model]:
    half_precision, forms = options
    return load_scorers(folder, half_precision=half_precision, forms=forms)


def _fit(model: StoredModel[list[keras.Model]], input_size: int) -> int:
    with model.computing() as networks:
        return fitting_batch(networks, input_size)


def _score(
    model: StoredModel[list[keras.Model]], batch_size: int, batch: Batch
) -> FloatArray:
    with model.computing() as networks:
        return predict(networks, batch, batch_size=batch_size)
