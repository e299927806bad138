# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of equivalent computations, ours and a plain one, timed by `ratios`."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from benchmarks.speed.box_pairs import box_pairs
from benchmarks.speed.pair import Pair, Run
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.deep_consensus.architecture import convolutions
from deepconsensus_plugin.core.deep_consensus.network import build_network
from deepconsensus_plugin.core.deep_consensus.scoring import predict
from deepconsensus_plugin.core.networks.fastest import fastest_forms
from deepconsensus_plugin.core.networks.folding import folded_weights
from deepconsensus_plugin.core.networks.forms import Form, Forms
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

_BATCH, _INPUT_SIZE = 64, 128
_STEPS, _STEPS_BATCH, _STEPS_INPUT_SIZE = 50, 8, 64

_PACKED = (Form.PLAIN, Form.PACKED, Form.PACKED, *[Form.PLAIN] * 5)


def score_pairs() -> list[Pair]:
    plain = _network()
    forms = _fastest(_INPUT_SIZE, scoring=True)
    folded = build_network(input_size=_INPUT_SIZE, forms=forms, folded=True)
    folded.set_weights(folded_weights(plain))
    boxes = _boxes(_BATCH, _INPUT_SIZE)
    compiled, ours = _compiled(plain, boxes), _compiled(folded, boxes)
    difference = np.abs(np.asarray(ours()) - np.asarray(compiled())).max()
    agreement = f"scores differ by at most {difference:.0e}"

    three = [plain] * 3  # scoring does not know that they are equal
    return [
        Pair("scoring, against `tf.function`", ours, compiled, agreement),
        Pair(
            "scoring, against `predict`",
            ours,
            lambda: plain.predict(boxes, batch_size=_BATCH, verbose=0),
            agreement,
        ),
        Pair(
            "ensemble of 3, against `predict` of each",
            lambda: predict([folded] * 3, boxes[..., 0], batch_size=_BATCH),
            lambda: [n.predict(boxes, batch_size=_BATCH, verbose=0) for n in three],
        ),
    ]


def train_pairs() -> list[Pair]:
    """Return training steps: the second against what AVX-512 had by rule before."""
    plain, fast = _network(), _in_form(_fastest(_INPUT_SIZE, scoring=False))
    fast.set_weights(plain.get_weights())
    agreement = (
        f"gradients differ by {_gradient_difference(plain, fast):.0e} of their range, "
        f"the loss after {_STEPS} steps by {_loss_difference():.2%}"
    )
    small = _STEPS_INPUT_SIZE
    measured = _in_form(_fastest(small, scoring=False), small)
    packed = _in_form(_PACKED, small)
    return [
        Pair(
            "training step, against `train_on_batch`",
            _step(fast, _INPUT_SIZE),
            _step(plain, _INPUT_SIZE),
            agreement,
        ),
        Pair(
            f"training step at {small} px, against packed columns",
            _step(measured, small),
            _step(packed, small),
            f"forms: {_names(_fastest(small, scoring=False))}",
        ),
    ]


def consensus_pairs() -> list[Pair]:
    pickers = _simulated_pickers(n_micrographs=2000, n_picks=500)
    n_picks = sum(len(picker) for picker in pickers)
    places = [
        np.concatenate([picker.coordinates[name].yx for picker in pickers])
        for name in pickers[0].coordinates
    ]

    def consensus() -> object:
        return find_consensus(pickers, consensus_radius_px=20, merge_radius_px=60)

    def pairs() -> None:
        for points in places:
            cKDTree(points).query_pairs(60, output_type="ndarray")

    def all_pairs() -> None:
        for points in places:
            np.argwhere(cdist(points, points) <= 60)

    what = f"consensus of {n_picks / 1e6:.0f} M picks, against"
    return [
        Pair(f"{what} cKDTree and its pairs alone", consensus, pairs),
        Pair(f"{what} all distances alone", consensus, all_pairs),
    ]


def _fastest(input_size: int, *, scoring: bool) -> Forms:
    return fastest_forms(convolutions(input_size), scoring=scoring)


def _names(forms: Forms) -> str:
    """Return the forms of the wide convolutions."""
    return ", ".join(form.value for form in forms[: len(_PACKED) // 2])


def _in_form(forms: Forms, input_size: int = _INPUT_SIZE) -> keras.Model:
    return build_network(input_size=input_size, forms=forms)


def _step(network: keras.Model, input_size: int) -> Run:
    """Return an update of a network, compiled."""
    network.compile("adam", "categorical_crossentropy", jit_compile=False)
    boxes, targets = _boxes(_BATCH, input_size), _targets(_BATCH)
    return lambda: network.train_on_batch(boxes, targets)


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
    for forms in ((), _fastest(_STEPS_INPUT_SIZE, scoring=False)):
        keras.utils.set_random_seed(0)
        network = _in_form(forms, _STEPS_INPUT_SIZE)
        network.compile(
            keras.optimizers.Adam(1e-4), "categorical_crossentropy", jit_compile=False
        )
        for _ in range(_STEPS):
            loss = network.train_on_batch(boxes, targets)
        losses.append(float(np.asarray(loss)))
    return abs(losses[1] / losses[0] - 1)


def _simulated_pickers(*, n_micrographs: int, n_picks: int) -> list[PickerPicks]:
    """Return three pickers that find the same particles, each with small offsets."""
    rng = np.random.default_rng(0)
    found: list[dict[str, ScoredCoordinates]] = [{}, {}, {}]
    for i in range(n_micrographs):
        particles = rng.uniform(0, 4096, (n_picks, 2))
        for coordinates in found:
            yx = particles + rng.normal(0, 8, particles.shape)
            coordinates[f"m{i:04d}.mrc"] = ScoredCoordinates(yx, rng.random(n_picks))
    return [PickerPicks(f"p{k}", 200, each) for k, each in enumerate(found)]


BENCHMARKS = {
    "scoring": score_pairs,
    "training": train_pairs,
    "consensus": consensus_pairs,
    "boxes": box_pairs,
}
