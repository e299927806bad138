# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a training, from which mutations start: boxes, held-out scores, state."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from deepconsensus_plugin.core.deep_consensus.datasets import (
    LabelledCoordinates,
    write_boxes,
)
from deepconsensus_plugin.core.deep_consensus.held_out import HeldOut, write_held_out
from deepconsensus_plugin.core.networks.checkpoints import TrainingState, save_training
from deepconsensus_plugin.core.networks.history import Checkpoint

_SIDE = 8


def _rows() -> LabelledCoordinates:
    n = 6
    return LabelledCoordinates(
        sources=("AND", "NEG"),
        micrographs=("mic_001.mrc", "mic_002.mrc"),
        is_particle=np.arange(n) % 2 == 0,
        weight=np.ones(n),
        source=np.arange(n) % 2,
        micrograph=np.arange(n) // 3,
        yx=np.arange(2.0 * n).reshape(n, 2),
    )


def write_held(path: Path) -> None:
    """Write scores of held-out boxes."""
    scores = np.linspace(0, 1, 2 * len(_rows())).reshape(-1, 2)
    scores[0, 1] = np.nan
    target = path.with_suffix(".npz")
    write_held_out(target, HeldOut(_rows(), scores))
    path.write_bytes(target.read_bytes())


def write_boxes_seed(path: Path) -> None:
    """Write labelled boxes."""
    boxes = np.random.default_rng(0).normal(size=(len(_rows()), _SIDE, _SIDE))
    parts = iter([boxes.astype(np.float32)])
    write_boxes(path, _rows(), parts, size=_SIDE, attributes={"made_from": "x"})


class _Training:
    def variables(self) -> list[Any]:
        return [np.ones((3, 3)), np.zeros(3)]

    def state(self) -> TrainingState:
        history = [Checkpoint(10, 1e-3, 0.5, 0.6, 0.7, 0.8)]
        return TrainingState(
            history=history,
            numbers={"rng": 2**100},
            arrays={"seeds": np.arange(4, dtype=np.uint32)},
            best_weights=[np.ones((3, 3), np.float32)],
        )

    def resume(self, state: TrainingState) -> None:
        raise NotImplementedError


def write_state(path: Path) -> None:
    """Write the state of a training."""
    target = path.with_suffix(".npz")
    save_training(target, _Training(), made_from="x")
    path.write_bytes(target.read_bytes())
