# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimated diameters: right on blobs of any size, and not told of noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.null_control.phases import randomise_phases
from deepconsensus_plugin.core.pickers.diameter.estimate import (
    DiameterEstimate,
    choose_looked_at,
    combine,
    estimate_diameter,
    scene_of,
)
from deepconsensus_plugin.core.pickers.diameter.looks import (
    N_FEATURES,
    TRIALS_A,
    Scene,
    look,
)
from deepconsensus_plugin.core.pickers.diameter.network import (
    WEIGHTS,
    read_network,
    shipped_network,
    write_network,
)
from deepconsensus_plugin.core.pickers.diameter.surroundings import (
    RADII,
    mean_profile,
)
from deepconsensus_plugin.core.simulation import (
    Contamination,
    Phantom,
    SimulationParameters,
    Structure,
    simulate_micrograph,
)
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.plots.diameter import draw_diameter

SHAPE = (640, 640)


@pytest.fixture(scope="module")
def shells():
    parameters = SimulationParameters(
        shape=SHAPE,
        structures=(Structure(Phantom.SHELL),),
        contamination=Contamination(None, 0, 0, 0, 0, 0),
        seed=3,
    )
    return np.asarray(simulate_micrograph(parameters, 0).image), 2.5


def probabilities(*peaks, none=0.001):
    """Return what a micrograph tells whose trials have these probabilities."""
    told = np.full(len(TRIALS_A) + 1, 1e-4)
    for trial, probability in peaks:
        told[trial] = probability
    told[-1] = none
    return told / told.sum()


def test_the_diameter_of_a_shell_is_told(shells, tmp_path):
    image, rate = shells
    write_micrograph(tmp_path / "a.mrc", image, PixelType.FLOAT32, sampling_rate=rate)
    micrograph = Micrograph("a.mrc", tmp_path / "a.mrc", image.shape, rate)
    estimate = estimate_diameter([micrograph])
    assert estimate.diameter_A == pytest.approx(128, rel=0.15)
    assert estimate.low_A <= estimate.diameter_A <= estimate.high_A
    inverted = tmp_path / "b.mrc"
    write_micrograph(inverted, -image, PixelType.FLOAT32, sampling_rate=rate)
    white = replace(micrograph, path=inverted)
    same = estimate_diameter([white], particles_dark=False)
    assert same.diameter_A == pytest.approx(estimate.diameter_A, rel=0.01)


def test_another_pixel_size_scales_the_diameter_and_nothing_else(shells):
    image, rate = shells
    scene = scene_of(image, rate)
    step = TRIALS_A[1] / TRIALS_A[0]
    wider = look(replace(scene, pixel_size_A=scene.pixel_size_A * step))
    np.testing.assert_allclose(wider[3:14], look(scene)[2:13], atol=1e-5)


def test_random_phases_have_no_diameter(shells):
    image, rate = shells
    noise = randomise_phases(image, np.random.default_rng(1))
    found = shipped_network().probabilities(look(scene_of(noise, rate)))
    estimate = combine(found[None])
    assert estimate.diameter_A is None
    assert estimate.why is not None
    assert estimate.why in estimate.describe()


def test_an_image_of_one_value_has_no_diameter():
    flat = Scene(np.zeros(SHAPE, np.float32), np.zeros(SHAPE, bool), 3.0)
    looks = look(flat)
    assert looks.shape == (len(TRIALS_A), N_FEATURES)
    assert np.isnan(looks).all()
    assert combine(shipped_network().probabilities(looks)[None]).diameter_A is None


def test_trials_that_do_not_fit_are_not_looked_at():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(300, 300)).astype(np.float32)
    seen = ~np.isnan(look(Scene(noise, np.ones((300, 300), bool), 3.0))[:, 0])
    assert not seen[TRIALS_A < 5 * 3.0].any()
    assert not seen[TRIALS_A > 300 * 3.0 / 5].any()
    assert seen.sum() > 5


def test_the_estimate_lies_between_trials():
    between = combine(probabilities((4, 0.5), (5, 0.5))[None])
    assert TRIALS_A[4] < between.diameter_A < TRIALS_A[5]
    assert between.low_A < between.diameter_A < between.high_A


def test_two_sizes_compete():
    two = combine(probabilities((3, 0.5), (9, 0.5))[None])
    assert two.diameter_A is None
    assert "compete" in two.why
    # Each micrograph is sure, and they contradict each other.
    each = [probabilities((3, 1.0)), probabilities((9, 1.0))]
    assert combine(np.stack(each)).diameter_A is None


def test_more_micrographs_narrow_no_interval_that_each_has():
    alone = probabilities((4, 0.3), (5, 0.5), (6, 0.2))
    one, many = combine(alone[None]), combine(np.stack([alone] * 5))
    assert many.diameter_A == pytest.approx(one.diameter_A, rel=0.01)
    assert many.high_A - many.low_A == pytest.approx(one.high_A - one.low_A, rel=0.1)


def test_a_given_diameter_is_doubted_beyond_a_quarter():
    estimate = DiameterEstimate(100.0, 90.0, 110.0, 3)
    assert estimate.describe_disagreement(120) is None
    assert estimate.describe_disagreement(81) is None
    for given in (140, 75):
        assert f"{given} Å" in estimate.describe_disagreement(given)
    assert DiameterEstimate(None, 50, 200, 3, why="x").describe_disagreement(9) is None


def test_at_most_five_micrographs_are_chosen_evenly(tmp_path):
    many = [Micrograph(f"{i}", tmp_path, (8, 8), 1.0) for i in range(21)]
    assert [int(each.name) for each in choose_looked_at(many)] == [0, 5, 10, 15, 20]
    assert choose_looked_at(many[:2]) == many[:2]
    with pytest.raises(ValueError, match="received none"):
        estimate_diameter([])


def test_an_estimate_is_kept(tmp_path):
    estimate = combine(probabilities((4, 0.5), (5, 0.5))[None])
    estimate.write(tmp_path / "diameter.json")
    assert DiameterEstimate.read(tmp_path / "diameter.json") == estimate


def test_the_profile_of_a_disc_ends_at_its_rim():
    y, x = np.mgrid[-40:41, -40:41]
    disc = (np.hypot(y, x) <= 12).astype(np.float32)
    profile = mean_profile(disc, np.array([[40.0, 40.0]]), diameter_px=24)
    assert profile[RADII < 0.45] == pytest.approx(1)
    assert profile[RADII > 0.55] == pytest.approx(0)


def test_a_network_is_written_and_read(tmp_path):
    network = shipped_network()
    write_network(tmp_path, network)
    looks = np.random.default_rng(0).normal(size=(len(TRIALS_A), N_FEATURES))
    np.testing.assert_allclose(
        read_network(tmp_path).probabilities(looks), network.probabilities(looks)
    )
    (tmp_path / WEIGHTS).write_bytes(b"nothing")
    with pytest.raises(FileFormatError, match="network of diameters"):
        read_network(tmp_path)


@pytest.mark.parametrize("told", [0.9, 0.2])
def test_the_picture_shows_estimate_and_given_diameter(told):
    figure = Figure()
    estimate = combine(probabilities((5, told), (15, 1 - told - 0.1))[None])
    draw_diameter(figure, estimate, given_A=300)
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert "given: 300 Å" in labels
    assert any("estimated" in each for each in labels) == (
        estimate.diameter_A is not None
    )
