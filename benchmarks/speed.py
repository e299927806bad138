# SPDX-License-Identifier: GPL-3.0-or-later
"""Speed as ratios: two ways to the same result, in turn, in one run.

    python -m benchmarks.speed [NAME ...]

Each pair is run once to warm up and then in turn; a ratio is that of two neighbours.
CPU time counts all threads and says the same on a machine that others use too, wall
time does not. Prints the tables of docs/performance.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from benchmarks.tables import markdown_table
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.models.convolution import current_device
from deepconsensus_plugin.core.models.deep_consensus import build_network
from deepconsensus_plugin.core.models.folding import folded_weights
from deepconsensus_plugin.core.preprocessing import fourier_resize
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

_REPEATS = 5
_BATCH, _INPUT_SIZE = 64, 128
_STEPS, _STEPS_BATCH, _STEPS_INPUT_SIZE = 50, 8, 64

Run = Callable[[], object]


@dataclass(frozen=True)
class Pair:
    """A way of ours, what it is compared with, and how far the results agree."""

    name: str
    ours: Run
    other: Run
    agreement: str = ""


def score_pairs() -> list[Pair]:
    plain = _network()
    folded = build_network(input_size=_INPUT_SIZE, fast=True, folded=True)
    folded.set_weights(folded_weights(plain))
    boxes = _boxes(_BATCH, _INPUT_SIZE)
    compiled, ours = _compiled(plain, boxes), _compiled(folded, boxes)
    difference = np.abs(np.asarray(ours()) - np.asarray(compiled())).max()
    agreement = f"scores differ by at most {difference:.0e}"

    def predict() -> object:
        return plain.predict(boxes, batch_size=_BATCH, verbose=0)

    return [
        Pair(
            "scoring, against `tf.function` of plain Keras", ours, compiled, agreement
        ),
        Pair("scoring, against `predict` of plain Keras", ours, predict, agreement),
    ]


def train_pairs() -> list[Pair]:
    plain = _network()
    fast = build_network(input_size=_INPUT_SIZE, fast=True)
    fast.set_weights(plain.get_weights())
    boxes, targets = _boxes(_BATCH, _INPUT_SIZE), _targets(_BATCH)
    agreement = (
        f"gradients differ by {_gradient_difference(plain, fast):.0e} of their range, "
        f"the loss after {_STEPS} steps by {_loss_difference():.2%}"
    )
    for network in (plain, fast):
        network.compile("adam", "categorical_crossentropy", jit_compile=False)
    return [
        Pair(
            "training step, against plain Keras",
            lambda: fast.train_on_batch(boxes, targets),
            lambda: plain.train_on_batch(boxes, targets),
            agreement,
        )
    ]


def consensus_pairs() -> list[Pair]:
    pickers = _simulated_pickers(n_micrographs=2000, n_picks=500)

    def consensus() -> object:
        return find_consensus(pickers, consensus_radius_px=20, merge_radius_px=60)

    def pairs() -> None:
        for name in pickers[0].coordinates:
            points = np.concatenate([p.coordinates[name].yx for p in pickers])
            cKDTree(points).query_pairs(60, output_type="ndarray")

    n_picks = sum(len(picker) for picker in pickers)
    return [
        Pair(
            f"consensus of {n_picks / 1e6:.0f} M picks, against one cKDTree build and "
            "pair query per micrograph",
            consensus,
            pairs,
        )
    ]


def extraction_pairs() -> list[Pair]:
    rng = np.random.default_rng(0)
    micrograph = rng.normal(size=(4096, 4096)).astype(np.float32)
    centres = rng.uniform(100, 3996, (300, 2))

    def ours() -> NDArray[np.float32]:
        return fourier_resize(extract_boxes(micrograph, centres, 200), _INPUT_SIZE)

    def each_by_fft() -> NDArray[np.float32]:
        boxes = extract_boxes(micrograph, centres, 200)
        return np.stack([_fourier_crop(box, _INPUT_SIZE) for box in boxes])

    # The one frequency at which sums differ by convention is Nyquist's.
    difference = np.abs(ours() - each_by_fft()).mean()
    agreement = f"pixels differ by {difference:.0e} of their deviation on average"
    return [
        Pair(
            "boxes of 200 px cut and resampled to 128, against an FFT of each",
            ours,
            each_by_fft,
            agreement,
        )
    ]


BENCHMARKS = {
    "scoring": score_pairs,
    "training": train_pairs,
    "consensus": consensus_pairs,
    "extraction": extraction_pairs,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", default=list(BENCHMARKS), metavar="NAME")
    names = parser.parse_args().names
    print(describe_machine(), "\n")
    rows = [_measure(pair) for name in names for pair in BENCHMARKS[name]()]
    header = ["", "CPU time, ours", "times faster, CPU", "wall", "agreement"]
    print(markdown_table(header, rows))


def describe_machine() -> str:
    """Return one sentence of hardware and versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("tensorflow", "keras", "numpy")
    )
    return (
        f"{os.cpu_count()} cores of {(models or [platform.processor()])[0]}, "
        f"{current_device().value}; {packages}; load {os.getloadavg()[0]:.1f}."
    )


def _measure(pair: Pair) -> list[object]:
    """Return a row: CPU seconds of ours, and ratios as median and range."""
    pair.ours(), pair.other()
    times = np.array(
        [[_seconds(pair.ours), _seconds(pair.other)] for _ in range(_REPEATS)]
    )
    ratios = times[:, 1] / times[:, 0]  # repeats × (CPU, wall)
    median, low, high = np.median(ratios, axis=0), ratios.min(0), ratios.max(0)
    told = [f"{median[i]:.2f} ({low[i]:.2f} – {high[i]:.2f})" for i in range(2)]
    return [pair.name, f"{np.median(times[:, 0, 0]):.2f} s", *told, pair.agreement]


def _seconds(run: Run) -> tuple[float, float]:
    """CPU and wall time of a run."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall


def _network(input_size: int = _INPUT_SIZE) -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_network(input_size=input_size)


def _boxes(n: int, size: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(n, size, size, 1)).astype(np.float32)


def _targets(n: int) -> NDArray[np.float32]:
    return np.eye(2, dtype=np.float32)[np.arange(n) % 2]


def _compiled(network: keras.Model, boxes: NDArray[np.float32]) -> Run:
    import tensorflow as tf

    call = tf.function(
        lambda batch: network(batch, training=False),
        input_signature=[tf.TensorSpec(boxes.shape)],
    )
    return lambda: call(boxes).numpy()


def _gradient_difference(plain: keras.Model, fast: keras.Model) -> float:
    """Return the largest difference of a gradient, relative to that gradient's range.

    At inference, so that dropout is the same: none.
    """
    import tensorflow as tf

    boxes, targets = _boxes(_STEPS_BATCH, _INPUT_SIZE), _targets(_STEPS_BATCH)
    gradients = []
    for network in (plain, fast):
        with tf.GradientTape() as tape:
            scores = network(boxes, training=False)
            entropy = keras.losses.categorical_crossentropy(targets, scores)
            loss = tf.reduce_mean(entropy)
        weights = network.trainable_variables
        gradients.append([g.numpy() for g in tape.gradient(loss, weights)])
    pairs = zip(*gradients, strict=True)
    return max(float(np.abs(a - b).max() / np.abs(a).max()) for a, b in pairs)


def _loss_difference() -> float:
    """Return by how much the losses after some steps differ, relative."""
    boxes = _boxes(_STEPS_BATCH, _STEPS_INPUT_SIZE)
    targets = _targets(_STEPS_BATCH)
    boxes[targets[:, 1] > 0, 20:40, 20:40] += 0.3
    losses = []
    for fast in (False, True):
        keras.utils.set_random_seed(0)
        network = build_network(input_size=_STEPS_INPUT_SIZE, fast=fast)
        network.compile(
            keras.optimizers.Adam(1e-4), "categorical_crossentropy", jit_compile=False
        )
        for _ in range(_STEPS):
            loss = network.train_on_batch(boxes, targets)
        losses.append(float(np.asarray(loss)))
    return abs(losses[1] / losses[0] - 1)


def _simulated_pickers(*, n_micrographs: int, n_picks: int) -> list[PickerPicks]:
    """Three pickers that find the same particles, each a little beside them."""
    rng = np.random.default_rng(0)
    found: list[dict[str, ScoredCoordinates]] = [{}, {}, {}]
    for i in range(n_micrographs):
        particles = rng.uniform(0, 4096, (n_picks, 2))
        for coordinates in found:
            yx = particles + rng.normal(0, 8, particles.shape)
            coordinates[f"m{i:04d}.mrc"] = ScoredCoordinates(yx, rng.random(n_picks))
    return [PickerPicks(f"p{k}", 200, each) for k, each in enumerate(found)]


def _fourier_crop(box: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Resample a box by cropping its spectrum, with numpy.fft."""
    spectrum = np.fft.fftshift(np.fft.fft2(box))
    first = box.shape[0] // 2 - size // 2
    kept = spectrum[first : first + size, first : first + size]
    scale = (size / box.shape[0]) ** 2
    return (np.fft.ifft2(np.fft.ifftshift(kept)).real * scale).astype(np.float32)


if __name__ == "__main__":
    main()
