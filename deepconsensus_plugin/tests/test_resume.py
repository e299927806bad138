# SPDX-License-Identifier: GPL-3.0-or-later
"""Resumed training: a killed job that is continued ends as an undisturbed one."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import psutil

from deepconsensus_plugin.core.deep_consensus.store import load_networks
from deepconsensus_plugin.protocols import ProtDeepConsensusTrain
from deepconsensus_plugin.tests.in_process import run_here
from deepconsensus_plugin.tests.marks import slow
from deepconsensus_plugin.tests.stored_sets import new_protocol, store_coordinates
from deepconsensus_plugin.tests.synthetic import SyntheticProject
from deepconsensus_plugin.tests.test_protocol_train import N_PER_MICROGRAPH, far_from

_PATIENCE_S = 600


@slow
class TestResume(SyntheticProject):
    """The job dies; Scipion marks the run as failed; the user presses *Continue*."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc")
    published_networks = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        positives = {n: yx[:N_PER_MICROGRAPH] for n, yx in cls.truth.items()}
        negatives = {n: far_from(yx) for n, yx in cls.truth.items()}
        cls.inputs = {
            "inputPositives": store_coordinates(cls, positives),
            "inputNegatives": store_coordinates(cls, negatives),
        }

    def test_a_killed_training_ends_as_an_undisturbed_one(self):
        undisturbed, killed = (
            new_protocol(
                type(self),
                ProtDeepConsensusTrain,
                **{"nEpochs": 6, "nModels": 1, "batchSize": 8, "inputSize": 16},
                **self.inputs,
            )
            for _ in range(2)
        )
        run_here(type(self), undisturbed)
        self.proj.saveProtocol(killed)
        folder = Path(self.proj.getPath(killed.getWorkingDir()))
        state = folder / "extra" / "model.partial" / "network_1.npz"
        watcher = threading.Thread(target=kill_job, args=(folder, state))
        watcher.start()
        self.proj.launchProtocol(killed, wait=True)
        watcher.join()
        self.assertTrue(killed.isFailed())
        self.assertTrue(state.exists())
        with self.assertLogs("deepconsensus_plugin") as said:
            run_here(type(self), killed)
        self.assertIn("boxes of an earlier run", "\n".join(said.output))
        weights = [
            [network.get_weights() for network in load_networks(Path(folder))]
            for folder in (
                undisturbed.outputModel.getFolder(),
                killed.outputModel.getFolder(),
            )
        ]
        for mine, other in zip(*weights, strict=True):
            for a, b in zip(mine, other, strict=True):
                np.testing.assert_array_equal(a, b)


def kill_job(folder: Path, when: Path) -> None:
    """Kill the job that runs for a protocol, by force, once a file is there."""
    deadline = time.monotonic() + _PATIENCE_S
    while not when.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "deepconsensus_plugin.core.jobs" in command and any(
            folder.name in word for word in command
        ):
            process.kill()
