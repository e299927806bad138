# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from functools import partial

import h5py
import numpy as np
import pytest
from tensorflow.errors import ResourceExhaustedError

from deepconsensus_plugin.core.deep_consensus.network import build_network
from deepconsensus_plugin.core.deep_consensus.scoring import (
    CPU_BATCH,
    fitting_batch,
    predict,
)
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.scores import (
    EnsembleScores,
    read_scores,
    write_scores,
)
from deepconsensus_plugin.core.networks.convolution import Device


def test_scores_are_those_of_each_box_alone():
    networks = [build_network(input_size=16) for _ in range(2)]
    boxes = np.random.default_rng(0).normal(size=(11, 16, 16)).astype(np.float32)
    together = predict(networks, boxes, batch_size=4)
    alone = [predict(networks, box[None], batch_size=4)[0] for box in boxes]
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert ((together >= 0) & (together <= 1)).all()


def test_no_boxes_give_no_scores():
    boxes = np.empty((0, 16, 16), np.float32)
    assert predict([build_network(input_size=16)], boxes).shape == (0, 1)


_full = partial(ResourceExhaustedError, None, None)


class _SmallGpu:
    """A network on a GPU whose memory holds so many boxes."""

    def __init__(self, n_boxes, error=_full):
        self.n_boxes, self.error = n_boxes, error

    def predict_on_batch(self, batch):
        if len(batch) > self.n_boxes:
            raise self.error(f"OOM when allocating {batch.shape}")
        return np.full((len(batch), 2), 0.5)


@pytest.mark.parametrize(
    "n_held, n_at_once", [(5000, 1024), (300, 256), (10, CPU_BATCH)]
)
def test_a_gpu_is_given_what_its_memory_holds(n_held, n_at_once, monkeypatch):
    monkeypatch.setattr(
        "deepconsensus_plugin.core.deep_consensus.scoring.current_device",
        lambda: Device.ACCELERATOR,
    )
    networks = [_SmallGpu(2000), _SmallGpu(n_held)]
    assert fitting_batch(networks, 16) == n_at_once


def test_other_faults_of_a_gpu_are_not_taken_for_lack_of_memory(monkeypatch):
    monkeypatch.setattr(
        "deepconsensus_plugin.core.deep_consensus.scoring.current_device",
        lambda: Device.ACCELERATOR,
    )
    with pytest.raises(OSError, match="OOM"):
        fitting_batch([_SmallGpu(0, error=OSError)], 16)


def test_a_cpu_is_given_few():
    assert fitting_batch([_SmallGpu(0)], 16) == CPU_BATCH


def test_mean_and_spread_of_an_ensemble():
    scores = EnsembleScores.of(np.array([[0.2, 0.4], [1.0, 1.0]]))
    np.testing.assert_allclose(scores.mean, [0.3, 1.0])
    np.testing.assert_allclose(scores.spread, [0.1, 0.0])


def test_scores_round_trip(tmp_path):
    scores = EnsembleScores(np.array([0.25, 0.5]), np.array([0.0, 0.125]))
    write_scores(tmp_path / "scores.h5", scores)
    read = read_scores(tmp_path / "scores.h5")
    np.testing.assert_array_equal(read.mean, scores.mean)
    np.testing.assert_array_equal(read.spread, scores.spread)


def test_other_files_are_refused(tmp_path):
    h5py.File(tmp_path / "x.h5", "w").close()
    with pytest.raises(FileFormatError, match="columns mean and spread"):
        read_scores(tmp_path / "x.h5")
