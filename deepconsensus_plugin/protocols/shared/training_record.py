# SPDX-License-Identifier: GPL-3.0-or-later
"""Training record: the files that a training job has written so far."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.core.deep_consensus.held_out import (
    HeldOut,
    held_out_path,
    read_held_out,
)
from deepconsensus_plugin.core.deep_consensus.requests import TrainRequest, TrainResult
from deepconsensus_plugin.core.jobs import read_request, read_result, result_path
from deepconsensus_plugin.core.networks.history import Checkpoint, read_histories


class TrainingRecord:
    """The files of a training job, which may not have begun.

    Parameters
    ----------
    job : Path
        Its job file.
    """

    def __init__(self, job: Path):
        self._job = job

    def histories(self) -> list[list[Checkpoint]]:
        """Return the validations of each network so far."""
        if result_path(self._job).exists():
            return read_result(self._job, TrainResult).history
        return read_histories(self.request().model) if self._job.exists() else []

    def is_finished(self) -> bool:
        """Return whether there is a model."""
        return result_path(self._job).exists()

    def held_out(self) -> HeldOut | None:
        """Return what networks said of boxes they held out; None where it is not kept.

        It is kept from the end of the training on; earlier versions did not.
        """
        if not self.is_finished():
            return None
        path = held_out_path(self.request().model)
        return read_held_out(path) if path.exists() else None

    def request(self) -> TrainRequest:
        """Return what was asked for, of a job that has begun."""
        return read_request(self._job, TrainRequest)
