# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the network of diameters, in NumPy; figures on molecules held out.

    python -m benchmarks.auto.training OUT [--samples 400] [--ship FOLDER]

Lessons that OUT holds are not made again (about 2 s of CPU time each). Prints how often
the diameter is right within 15 %, and how often it is told, where a third of the
molecules at a time took no part in the training.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.auto.lessons import Lesson, read_or_make
from deepconsensus_plugin.core.pickers.diameter.estimate import combine
from deepconsensus_plugin.core.pickers.diameter.looks import TRIALS_A
from deepconsensus_plugin.core.pickers.diameter.network import (
    N_INPUTS,
    DiameterNetwork,
    write_network,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray

Weights = dict[str, NDArray[np.float32]]

_OCTAVES = 0.14
"""σ of what counts as the true diameter, octaves: the trials are 0.25 apart."""

_LEAST_SHOWN = 0.1
"""Least part of that which the trials must hold for a diameter to be among them."""

_RIGHT = 0.15
_FOLDS = 3
_TINY = 1e-7


@dataclass(frozen=True)
class Schedule:
    """Length and strength of a training.

    Parameters
    ----------
    epochs, batch_size : int
        Epochs, and micrographs in a batch.
    learning_rate : float
        At first; it falls along a cosine.
    widths : tuple of int
        Widths of the two hidden layers.
    decay, noise, dropout : float
        Weight decay; deviation of what is added to features; share of the first layer
        that is left out.
    n_members : int
        Perceptrons.
    """

    epochs: int = 40
    batch_size: int = 16
    learning_rate: float = 3e-3
    widths: tuple[int, int] = (24, 12)
    decay: float = 3e-3
    noise: float = 0.15
    dropout: float = 0.2
    n_members: int = 4


def train(lessons: Sequence[Lesson], schedule: Schedule) -> DiameterNetwork:
    """Return a network that was trained on lessons."""
    seen = np.concatenate([each.looks[_is_seen(each.looks)] for each in lessons])
    mean = seen.mean(axis=0).astype(np.float32)
    spread = (seen.std(axis=0) + 1e-3).astype(np.float32)
    scale = DiameterNetwork(mean, spread, (), np.zeros(0, np.float32))
    shown = [scale.inputs(each.looks) for each in lessons]
    inputs = np.stack([each for each, _ in shown]).astype(np.float32)
    is_seen = np.stack([each for _, each in shown])
    wanted = np.stack(
        [_wanted(e.diameter_A, s) for e, s in zip(lessons, is_seen, strict=True)]
    )
    trained = [
        _train_one(inputs, is_seen, wanted, schedule, np.random.default_rng(seed))
        for seed in range(schedule.n_members)
    ]
    members = tuple(
        tuple((each[f"kernel{k}"], each[f"bias{k}"]) for k in range(3))
        for each in trained
    )
    none = np.array([float(each["none"][0]) for each in trained], np.float32)
    return DiameterNetwork(mean, spread, members, none)


def _is_seen(looks: FloatArray) -> BoolArray:
    return ~np.isnan(looks[:, 0])


def _wanted(diameter_A: float, is_seen: BoolArray) -> NDArray[np.float32]:
    """Return the probabilities that the network should give."""
    wanted = np.zeros(len(TRIALS_A) + 1, np.float32)
    near = np.zeros(len(TRIALS_A))
    if np.isfinite(diameter_A):
        near = np.exp(-0.5 * (np.log2(TRIALS_A / diameter_A) / _OCTAVES) ** 2) * is_seen
    if near.sum() > _LEAST_SHOWN:
        wanted[:-1] = near / near.sum()
    else:
        wanted[-1] = 1
    return wanted


def _first_weights(schedule: Schedule, rng: np.random.Generator) -> Weights:
    widths = (N_INPUTS, *schedule.widths, 1)
    scales = (0.5 / np.sqrt(N_INPUTS), 1 / np.sqrt(widths[1]), 0.3)
    weights: Weights = {"none": np.zeros(1, np.float32)}
    for k, scale in enumerate(scales):
        kernel = rng.normal(size=(widths[k], widths[k + 1])) * scale
        weights[f"kernel{k}"] = kernel.astype(np.float32)
        weights[f"bias{k}"] = np.zeros(widths[k + 1], np.float32)
    return weights


def _train_one(
    inputs: NDArray[np.float32],
    is_seen: BoolArray,
    wanted: NDArray[np.float32],
    schedule: Schedule,
    rng: np.random.Generator,
) -> Weights:
    """Return the weights of one perceptron, trained with Adam."""
    weights = _first_weights(schedule, rng)
    first = {name: np.zeros_like(value) for name, value in weights.items()}
    second = {name: np.zeros_like(value) for name, value in weights.items()}
    n_batches = -(-len(inputs) // schedule.batch_size)
    n_steps, step = schedule.epochs * n_batches, 0
    for _ in range(schedule.epochs):
        for rows in np.array_split(rng.permutation(len(inputs)), n_batches):
            noise = rng.normal(size=inputs[rows].shape).astype(np.float32)
            batch = inputs[rows] + np.float32(schedule.noise) * noise
            keeps = rng.random((len(rows), 1, schedule.widths[0])) > schedule.dropout
            drop = (keeps / (1 - schedule.dropout)).astype(np.float32)
            slopes = _gradient(weights, batch, is_seen[rows], wanted[rows], drop)
            step += 1
            rate = schedule.learning_rate * (1 + np.cos(np.pi * step / n_steps)) / 2
            for name, slope in slopes.items():
                if name.startswith("kernel"):
                    slope = slope + schedule.decay * weights[name]
                first[name] = 0.9 * first[name] + 0.1 * slope
                second[name] = 0.99 * second[name] + 0.01 * slope**2
                size = np.sqrt(second[name] / (1 - 0.99**step)) + _TINY
                move = rate * (first[name] / (1 - 0.9**step)) / size
                weights[name] = (weights[name] - move).astype(np.float32)
    return weights


def _gradient(
    weights: Weights,
    batch: NDArray[np.float32],
    is_seen: BoolArray,
    wanted: NDArray[np.float32],
    drop: NDArray[np.float32],
) -> Weights:
    """Return the gradient of the cross entropy of a batch."""
    outer = np.maximum(batch @ weights["kernel0"] + weights["bias0"], 0) * drop
    inner = np.maximum(outer @ weights["kernel1"] + weights["bias1"], 0)
    logits = (inner @ weights["kernel2"] + weights["bias2"])[..., 0]
    logits = np.where(is_seen, logits, np.float32(-1e9))
    none = np.broadcast_to(weights["none"], (len(batch), 1))
    odds = np.concatenate([logits, none], axis=1)
    odds = np.exp(odds - odds.max(axis=1, keepdims=True))
    wrong = (odds / odds.sum(axis=1, keepdims=True) - wanted) / np.float32(len(batch))
    at_trials = (wrong[:, :-1] * is_seen)[..., None]
    to_inner = at_trials @ weights["kernel2"].T * (inner > 0)
    to_outer = to_inner @ weights["kernel1"].T * drop * (outer > 0)

    def product(left: NDArray[np.float32], right: NDArray[np.float32]) -> FloatArray:
        flat = left.reshape(-1, left.shape[-1]), right.reshape(-1, right.shape[-1])
        return flat[0].T @ flat[1]

    return {
        "kernel0": product(batch, to_outer),
        "bias0": to_outer.sum(axis=(0, 1)),
        "kernel1": product(outer, to_inner),
        "bias1": to_inner.sum(axis=(0, 1)),
        "kernel2": product(inner, at_trials),
        "bias2": at_trials.sum(axis=(0, 1)),
        "none": wrong[:, -1:].sum(axis=0),
    }


def describe_held_out(lessons: Sequence[Lesson], schedule: Schedule) -> str:
    """Return how good networks are on a third of the molecules that they never saw."""
    told, right, alarms, n_real, n_noise = 0, 0, 0, 0, 0
    for fold in range(_FOLDS):
        network = train([e for e in lessons if e.sample % _FOLDS != fold], schedule)
        for each in (e for e in lessons if e.sample % _FOLDS == fold):
            estimate = combine(network.probabilities(each.looks)[None]).diameter_A
            if not np.isfinite(each.diameter_A):
                n_noise += 1
                alarms += estimate is not None
                continue
            n_real += 1
            told += estimate is not None
            if estimate is not None:
                right += abs(estimate / each.diameter_A - 1) <= _RIGHT
    return (
        f"Single micrographs of molecules held out: told on {told} of {n_real}, right "
        f"within 15 % on {right}; told on {alarms} of {n_noise} with random phases"
    )


def main() -> None:
    """Make lessons, print figures, and write a network."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=400)
    parser.add_argument("--ship", type=Path)
    asked = parser.parse_args()
    lessons = list(read_or_make(asked.folder / "lessons", range(asked.samples)))
    schedule = Schedule()
    print(describe_held_out(lessons, schedule), flush=True)
    write_network(asked.ship or asked.folder / "network", train(lessons, schedule))


if __name__ == "__main__":
    main()
