# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of aligned averages: poses that are known, views that are known, and noise."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import affine_transform, gaussian_filter

from deepconsensus_plugin.core.averages.averaging import (
    centred,
    find_averages,
    find_poses,
)
from deepconsensus_plugin.core.averages.extent import mask_radius
from deepconsensus_plugin.core.averages.halves import average_halves
from deepconsensus_plugin.core.averages.matching import Poses, correlate, match
from deepconsensus_plugin.core.averages.parameters import (
    FEWEST_BOXES,
    MOST_RINGS,
    AveragesParameters,
)
from deepconsensus_plugin.core.averages.polar import PolarTransform
from deepconsensus_plugin.core.averages.reduced_boxes import normalised
from deepconsensus_plugin.core.averages.resolution import resolutions
from deepconsensus_plugin.core.averages.sorting import Sorter
from deepconsensus_plugin.core.preprocessing import fourier_resize

SIZE = 40
TRANSFORM = PolarTransform(SIZE, 12, 13.0)
BLOBS = (
    ((-6, -2, 2.0, 1.5), (5, 4, 1.5, 1.8), (1, -7, 1.2, 1.5)),
    ((0, -8, 2.0, 1.5), (0, 0, 1.3, 1.8), (2, 8, 1.5, 1.5)),
    ((-5, 5, 1.5, 1.6), (5, -5, 1.5, 1.6), (5, 5, 1.5, 1.6), (0, 0, 1.2, 1.6)),
)
"""Places y and x, widths and heights."""


def view(index: int) -> np.ndarray:
    """Return one of three different views, without noise."""
    axis = np.arange(SIZE) - SIZE // 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    return sum(
        height * np.exp(-((y - at_y) ** 2 + (x - at_x) ** 2) / (2 * width**2))
        for at_y, at_x, width, height in BLOBS[index]
    ).astype(np.float32)


def posed(image: np.ndarray, angle: float, shift: tuple[float, float]) -> np.ndarray:
    """Return an image turned from the x axis to the y axis, and then moved."""
    cos, sin = np.cos(angle), np.sin(angle)
    # Of an output position (y, x), the input position.
    matrix = np.array([[cos, -sin], [sin, cos]])
    centre = np.full(2, SIZE // 2)
    offset = centre - matrix @ (centre + shift)
    return affine_transform(image, matrix, offset=offset, order=3)


def noisy_views(n: int, deviation: float, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Return boxes of all views in random poses, and the view of each."""
    rng = np.random.default_rng(seed)
    which = rng.integers(len(BLOBS), size=n)
    boxes = [
        posed(view(k), rng.uniform(0, 2 * np.pi), rng.uniform(-1.5, 1.5, 2))
        + deviation * rng.standard_normal((SIZE, SIZE))
        for k in which
    ]
    return normalised(np.array(boxes, np.float32)), which


def test_a_moved_spectrum_is_the_spectrum_of_the_moved_box():
    box = view(2)[None]
    box = box - box[:, ::-1, ::-1]  # of mean 0: the mask's own spectrum stays away
    moved = np.roll(box, (2, -3), axis=(1, 2))
    wide = PolarTransform(SIZE, 12, 17.0)
    shifted = wide.move(wide.sample(box), np.array([[2.0, -3.0]]))
    scale = np.abs(wide.sample(box)).max()
    assert np.abs(shifted - wide.sample(moved)).max() < 0.02 * scale


def test_turned_coefficients_are_those_of_the_turned_box():
    angle = 0.7
    here = TRANSFORM.expand(TRANSFORM.sample(view(1)[None]))
    there = TRANSFORM.expand(TRANSFORM.sample(posed(view(1), angle, (0, 0))[None]))
    turned = TRANSFORM.turn(here, np.array([angle]))
    assert np.abs(turned - there).max() < 0.03 * np.abs(here).max()


def test_a_drawn_spectrum_is_the_box():
    box = view(2)
    (drawn,) = TRANSFORM.draw(TRANSFORM.expand(TRANSFORM.sample(box[None])))
    inside = TRANSFORM.mask > 0.99
    assert np.corrcoef(drawn[inside], box[inside])[0, 1] > 0.995
    slope = np.polyfit(box[inside], drawn[inside], 1)[0]
    assert slope == pytest.approx(1, abs=0.1)


def test_a_known_pose_is_found_within_half_a_step():
    angles = np.linspace(0.1, 6.0, 12)
    shifts = np.random.default_rng(1).uniform(-2.4, 2.4, (12, 2))
    boxes = np.array(
        [posed(view(0), a, s) for a, s in zip(angles, shifts, strict=True)]
    )
    reference = TRANSFORM.expand(TRANSFORM.sample(view(0)[None]))
    samples = TRANSFORM.sample(boxes.astype(np.float32))
    weights = TRANSFORM.rings
    poses = Poses.at_rest(len(boxes))
    for step in (2.0, 1.0, 0.5):
        poses = match(
            TRANSFORM, samples, reference, weights, poses, step, largest_shift=0.1
        )
    turned_back = (poses.angle + angles + np.pi) % (2 * np.pi) - np.pi
    assert np.abs(turned_back).max() <= TRANSFORM.angle_step / 2 + 0.02
    assert np.abs(poses.shift + shifts).max() <= 0.5


def test_averages_of_noisy_views_are_the_views():
    boxes, which = noisy_views(300, deviation=0.5)
    found = find_averages(boxes, TRANSFORM, 8, np.random.default_rng(0))
    clean = np.array([view(k) for k in range(3)])
    centred_views = centred(TRANSFORM, TRANSFORM.expand(TRANSFORM.sample(clean)))
    likeness = correlate(TRANSFORM, centred_views, found.coefficients, TRANSFORM.rings)
    assert likeness.max(axis=1).min() > 0.9
    of_average = [
        np.bincount(which[found.poses.average == k]).max()
        for k in range(len(found.coefficients))
    ]
    assert sum(of_average) > 0.9 * len(boxes)


def test_permuted_boxes_give_the_same_averages():
    boxes, _ = noisy_views(240, deviation=1.0)
    is_second = np.arange(len(boxes)) % 2 == 1
    order = np.random.default_rng(3).permutation(len(boxes))
    parameters = AveragesParameters(n_averages=4)
    first, again = (
        average_halves(each, half, parameters, pixel_size_A=5.0)
        for each, half in ((boxes, is_second), (boxes[order], is_second[order]))
    )
    for ours, theirs in zip(first.sets, again.sets, strict=True):
        np.testing.assert_array_equal(ours.coefficients, theirs.coefficients)


def test_views_are_resolved_and_noise_is_not():
    boxes, _ = noisy_views(400, deviation=1.0)
    noise = np.random.default_rng(5).standard_normal((400, SIZE, SIZE))
    noise = normalised(gaussian_filter(noise, (0, 1, 1)).astype(np.float32))
    is_second = np.arange(400) % 2 == 1
    parameters = AveragesParameters(n_averages=6)
    of_views, of_noise = (
        resolutions(
            average_halves(each, is_second, parameters, pixel_size_A=5.0),
            each,
            is_second,
            pixel_size_A=5.0,
        )
        for each in (boxes, noise)
    )
    assert np.median(of_views) < 35
    assert np.isinf(of_noise).all()


def test_boxes_of_views_hold_more_of_an_average_than_noise():
    boxes, _ = noisy_views(300, deviation=1.0)
    noise = np.random.default_rng(2).standard_normal((100, SIZE, SIZE))
    both = np.concatenate([boxes, normalised(noise.astype(np.float32))])
    is_second = np.arange(len(both)) % 2 == 1
    sorter = Sorter(both, is_second, AveragesParameters(), pixel_size_A=5.0)
    amplitude = sorter.sort(both, is_second).amplitude
    assert np.quantile(amplitude[:300], 0.1) > np.quantile(amplitude[300:], 0.9)


def test_batches_give_what_the_whole_gives():
    boxes, _ = noisy_views(240, deviation=1.0)
    is_second = np.arange(len(boxes)) % 2 == 1
    parameters = AveragesParameters(n_averages=4)
    results = []
    for edges in ([0, 240], [0, 100, 171, 240]):
        sorter = Sorter(boxes, is_second, parameters, pixel_size_A=5.0)
        parts = [
            sorter.sort(boxes[first:last], is_second[first:last])
            for first, last in pairwise(edges)
        ]
        results.append((parts, sorter.pictures()))
    (whole, pictures), (parts, same_pictures) = results
    np.testing.assert_array_equal(
        whole[0].poses.average, np.concatenate([p.poses.average for p in parts])
    )
    np.testing.assert_allclose(
        whole[0].amplitude, np.concatenate([p.amplitude for p in parts]), rtol=1e-4
    )
    np.testing.assert_allclose(pictures, same_pictures, atol=1e-4)


@pytest.mark.parametrize("radius", [6, 9])
def test_the_mask_fits_the_particle(radius):
    axis = np.arange(SIZE) - SIZE // 2
    disc = np.hypot(axis[:, None], axis[None]) <= radius
    noise = np.random.default_rng(0).standard_normal((200, SIZE, SIZE))
    boxes = normalised((2 * disc + noise).astype(np.float32))
    assert radius <= mask_radius(boxes) <= 1.6 * radius + 1


def test_poses_of_no_box_are_none():
    boxes, _ = noisy_views(60, deviation=1.0)
    found = find_averages(boxes, TRANSFORM, 3, np.random.default_rng(0))
    poses, correlation = find_poses(
        boxes[:0], TRANSFORM, found.coefficients, found.weights
    )
    assert len(poses) == len(correlation) == 0


def test_nothing_finer_than_the_micrographs_is_resolved():
    boxes, _ = noisy_views(200, deviation=0.05)
    boxes = normalised(fourier_resize(fourier_resize(boxes, SIZE // 2), SIZE))
    is_second = np.arange(len(boxes)) % 2 == 1
    parameters = AveragesParameters(n_averages=4, resolution_A=10)
    enlarged, known = (
        Sorter(boxes, is_second, parameters, pixel_size_A=5.0, finest_A=finest_A)
        for finest_A in (0.0, 20.0)
    )
    assert enlarged.resolution_A.min() < 20 <= known.resolution_A.min()
    assert np.isfinite(known.resolution_A).any()


def test_boxes_that_show_nothing_hold_nothing():
    flat = np.zeros((FEWEST_BOXES, SIZE, SIZE), np.float32)
    is_second = np.arange(len(flat)) % 2 == 1
    sorter = Sorter(flat, is_second, AveragesParameters(), pixel_size_A=5.0)
    found = sorter.sort(flat, is_second)
    assert not found.amplitude.any() and np.isinf(sorter.resolution_A).all()


def test_equal_boxes_are_one_average():
    box = normalised(np.random.default_rng(0).standard_normal((1, SIZE, SIZE)))
    boxes = np.repeat(box.astype(np.float32), FEWEST_BOXES, axis=0)
    is_second = np.arange(len(boxes)) % 2 == 1
    sorter = Sorter(boxes, is_second, AveragesParameters(), pixel_size_A=5.0)
    found = sorter.sort(boxes, is_second)
    np.testing.assert_allclose(found.correlation, 1, atol=0.02)  # half a step


def test_the_detail_that_boxes_are_aligned_by_is_told():
    parameters = AveragesParameters(resolution_A=20)
    assert parameters.aligned_A(160) == 20
    assert parameters.aligned_A(480) == 480 / MOST_RINGS  # coarser than asked for
    assert parameters.aligned_A(160, finest_A=32) == 32
