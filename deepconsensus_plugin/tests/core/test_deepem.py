"""DeepEM: its equations, and recognition against boxes cut out one by one."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from deepconsensus_plugin.core.pickers.deepem.architecture import (
    KLH,
    DeepEMArchitecture,
)
from deepconsensus_plugin.core.pickers.deepem.examples import (
    BoxExamples,
    extract_zero_padded,
)
from deepconsensus_plugin.core.pickers.deepem.network import build_network
from deepconsensus_plugin.core.pickers.deepem.parameters import (
    DeepEMParameters,
    Initialisation,
    Variant,
)
from deepconsensus_plugin.core.pickers.deepem.picking import DeepEMPicker
from deepconsensus_plugin.core.pickers.deepem.recogniser import build_recogniser
from deepconsensus_plugin.core.pickers.deepem.selection import (
    are_within,
    box_deviations,
    find_f2_threshold,
    learn_deviations,
)
from deepconsensus_plugin.core.pickers.deepem.task import DeepEMTask
from deepconsensus_plugin.core.pickers.trained.prepared import MicrographPreprocessing
from deepconsensus_plugin.core.types import ScoredCoordinates

SMALL = DeepEMArchitecture(26, kernels=(5, 4, 3), maps=(3, 4, 5))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def convolve(maps, kernels, biases):
    """Eq. 2: maps (rows, columns, i), kernels (k, k, i, j)."""
    k = kernels.shape[0]
    rows, columns = (n - k + 1 for n in maps.shape[:2])
    result = np.zeros((rows, columns, kernels.shape[-1]))
    for y in range(rows):
        for x in range(columns):
            window = maps[y : y + k, x : x + k]
            result[y, x] = np.einsum("abi,abij->j", window, kernels) + biases
    return sigmoid(result)


def subsample(maps, pool):
    """Eq. 3."""
    rows, columns = (n // pool for n in maps.shape[:2])
    result = np.zeros((rows, columns, maps.shape[2]))
    for i in range(rows):
        for j in range(columns):
            square = maps[i * pool : (i + 1) * pool, j * pool : (j + 1) * pool]
            result[i, j] = square.mean(axis=(0, 1))
    return result


def plain_output(box, weights, pools):
    maps = box[..., None].astype(np.float64)
    for kernels, biases, pool in zip(
        weights[0:-2:2], weights[1:-2:2], pools, strict=True
    ):
        maps = subsample(convolve(maps, kernels, biases), pool)
    return sigmoid(maps.ravel() @ weights[-2] + weights[-1])[0]


def boxes(n, side, *, seed=0):
    return np.random.default_rng(seed).normal(size=(n, side, side)).astype(np.float32)


def trained_like(variant):
    """Return a network whose batch normalisation has seen something."""
    keras.utils.set_random_seed(1)
    network = build_network(SMALL, variant=variant)
    rng = np.random.default_rng(2)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights(
                [rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()]
            )
    return network


def picker(network, *, step, **options):
    """Return a picker of images that need no preparation."""
    return DeepEMPicker(
        network,
        SMALL,
        MicrographPreprocessing(1.0),
        particle_diameter_A=20,
        map_step=step,
        **options,
    )


@pytest.mark.parametrize("initialisation", Initialisation)
def test_output_is_that_of_the_equations(initialisation):
    network = build_network(SMALL, variant=Variant.PAPER, initialisation=initialisation)
    images = boxes(3, 26)
    expected = [plain_output(b, network.get_weights(), SMALL.pools) for b in images]

    np.testing.assert_allclose(
        network(images[..., None]).numpy()[:, 0], expected, rtol=1e-5
    )


def test_update_is_that_of_equations_4_and_5():
    parameters = DeepEMParameters(
        variant=Variant.PAPER, input_size=26, maps=(3, 4, 5), batch_size=6
    )
    examples = BoxExamples(boxes(4, 26), boxes(4, 26, seed=1))
    task = DeepEMTask(examples, None, parameters)
    images, targets = task.batch(np.random.default_rng(0))
    before = [w.astype(np.float64) for w in task.network.get_weights()]

    def error(weights):
        """Eq. 4."""
        outputs = [
            plain_output(box, weights, task.architecture.pools)
            for box in images[..., 0]
        ]
        return np.sum((targets[:, 0] - outputs) ** 2) / (2 * len(outputs))

    task.network.train_on_batch(images, targets)

    for i, after in enumerate(task.network.get_weights()):
        one = np.zeros(after.shape)
        one.flat[after.size // 2] = 1e-4
        moved = [[w + sign * one if j == i else w for j, w in enumerate(before)]
                 for sign in (1, -1)]  # fmt: skip
        slope = (error(moved[0]) - error(moved[1])) / 2e-4
        step = (after - before[i]).flat[after.size // 2]
        assert step == pytest.approx(-slope, rel=0.01, abs=1e-7)  # eq. 5, rate 1


def test_outside_a_micrograph_is_nothing():
    corner = extract_zero_padded(np.ones((9, 9), np.float32), np.array([[0.0, 8.0]]), 4)

    np.testing.assert_array_equal(
        corner[0], [[0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 0]]
    )


def test_weights_begin_between_0_and_1_where_asked():
    network = build_network(
        KLH, variant=Variant.PAPER, initialisation=Initialisation.UNIT
    )
    values = np.concatenate([w.ravel() for w in network.get_weights()])

    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() <= 1


@pytest.mark.slow
def test_layers_of_the_klh_network_are_those_of_figure_1():
    network = build_network(KLH, variant=Variant.PAPER)
    with tf.GradientTape() as tape:
        output = network(boxes(1, 272)[..., None])
    gradients = tape.gradient(output, network.trainable_variables)

    assert network.layers[1].output.shape[1:] == (222, 222, 6)
    assert KLH.sides == (222, 111, 92, 46, 38, 19)
    assert [tuple(g.shape) for g in gradients[::2]] == [
        (51, 51, 1, 6),
        (20, 20, 6, 12),
        (9, 9, 12, 12),
        (19 * 19 * 12, 1),
    ]


@pytest.mark.parametrize("box_size", [23, 50, 64, 77, 96, 200])
def test_every_box_has_layers(box_size):
    architecture = DeepEMArchitecture.of_box(box_size)

    assert architecture.sides[-1] >= 1
    assert build_network(architecture).output_shape == (None, 1)
    assert DeepEMArchitecture.of_box(272) == KLH


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match="received 6 for 26, which leaves 21"):
        DeepEMArchitecture(26, kernels=(6, 4, 3))
    with pytest.raises(ValueError, match="too small"):
        DeepEMArchitecture.of_box(16)
    with pytest.raises(ValueError, match="as many kernels"):
        DeepEMArchitecture(26, kernels=(5, 4))
    with pytest.raises(ValueError, match="received 3"):
        build_recogniser(SMALL, map_step=3)


@pytest.mark.parametrize(
    ("variant", "step"), [(Variant.PAPER, 1), (Variant.MODERN, 2), (Variant.MODERN, 8)]
)
@pytest.mark.slow
def test_recognition_is_that_of_boxes_cut_out_and_turned(variant, step):
    network = trained_like(variant)
    image = boxes(1, 41)[0, :, :35]
    places = np.stack(np.mgrid[0:41:step, 0:35:step], axis=-1).reshape(-1, 2)
    cut = extract_zero_padded(image, places.astype(float), 26)
    turned = [np.rot90(cut, turn, axes=(1, 2))[..., None] for turn in range(4)]
    expected = np.mean([network(b).numpy()[:, 0] for b in turned], axis=0)

    log_odds = picker(network, step=step).score(image)

    assert log_odds.step == step
    np.testing.assert_allclose(sigmoid(log_odds.values.ravel()), expected, atol=1e-5)


@pytest.mark.slow
def test_tiles_leave_no_seams(monkeypatch):
    recognition = picker(trained_like(Variant.MODERN), step=2)
    image = boxes(1, 45)[0]
    whole = recognition.score(image)
    monkeypatch.setattr("deepconsensus_plugin.core.pickers.deepem.picking._TILE", 16)

    np.testing.assert_allclose(recognition.score(image).values, whole.values, atol=1e-6)


def test_deviation_tells_carbon_from_particles():
    rng = np.random.default_rng(4)
    image = rng.normal(size=(100, 100)).astype(np.float32)
    image[:, 60:] *= 4  # carbon
    image[60:, :60] *= 0.1  # a hole
    centres = np.array([[30.0, 30], [30, 80], [80, 30]])
    particles = 1 + 0.05 * rng.normal(size=500)

    deviations = box_deviations(image, centres, 20)
    accepted = learn_deviations(particles)

    np.testing.assert_allclose(deviations, [1, 4, 0.1], rtol=0.1)
    assert are_within(deviations, accepted).tolist() == [True, False, False]
    assert are_within(particles, accepted).mean() >= 0.99
    with pytest.raises(ValueError, match="received none"):
        learn_deviations(np.empty(0))


def test_f2_threshold_of_a_hand_made_case():
    # By score: true, true, false, false, true, false; a fourth particle is not found.
    picks = ScoredCoordinates.from_arrays(
        [[0, 0], [0, 50], [99, 0], [99, 50], [0, 90], [99, 90]],
        [0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
    )
    labels = ScoredCoordinates.from_arrays([[1, 0], [1, 50], [1, 90], [50, 50]])

    found = find_f2_threshold({"m": picks}, {"m": labels}, radius_px=5)

    assert found.threshold == 0.5
    assert (found.precision, found.recall) == (3 / 5, 3 / 4)
    assert found.f2 == pytest.approx(5 * 0.6 * 0.75 / (4 * 0.6 + 0.75))


def test_no_threshold_without_a_match():
    labels = {"m": ScoredCoordinates.from_arrays([[1, 1]])}
    far = {"m": ScoredCoordinates.from_arrays([[90, 90]], [0.9])}

    assert find_f2_threshold(far, labels, radius_px=5) is None
    assert find_f2_threshold({}, {}, radius_px=5) is None
