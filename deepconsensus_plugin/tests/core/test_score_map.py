# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of scores on a grid: tiles without seams, maxima between its places."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import correlate

from deepconsensus_plugin.core.pickers.maps.score_map import (
    ScoreMap,
    compute_in_tiles,
    score_in_tiles,
)

REACH = 3
KERNEL = np.random.default_rng(3).normal(0, 1, (2 * REACH + 1, 2 * REACH + 1))


def filtered(step):
    """Return a score function that is a linear filter at every `step`-th pixel."""

    def score(pixels):
        inside = slice(REACH, -REACH)
        return correlate(pixels, KERNEL)[inside, inside][::step, ::step]

    return score


def image_of(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape)


class TestTiles:
    @pytest.mark.parametrize("shape", [(37, 53), (32, 64), (33, 65), (5, 70), (1, 1)])
    @pytest.mark.parametrize("step", [1, 2, 4])
    def test_they_equal_the_whole(self, shape, step):
        image = image_of(shape)
        whole = correlate(image, KERNEL, mode="constant")[::step, ::step]
        shapes = set()

        def score(pixels):
            shapes.add(pixels.shape)
            return filtered(step)(pixels)

        scores = score_in_tiles(score, image, reach=REACH, step=step, tile=16)
        assert scores.step == step
        np.testing.assert_allclose(scores.values, whole, rtol=1e-5, atol=1e-5)
        assert len(shapes) == 1  # so that a graph is compiled once

    @pytest.mark.parametrize("context", [0, 2])
    def test_lines_of_context_are_only_looked_at(self, context):
        image = image_of((37, 53))
        options = {"reach": REACH, "step": 2, "tile": 16}
        whole = compute_in_tiles(filtered(2), image, **options)
        inner = compute_in_tiles(filtered(2), image, context=context, **options)
        n = context // 2
        expected = whole[n : len(whole) - n, n : whole.shape[1] - n]
        np.testing.assert_allclose(inner, expected, rtol=1e-5, atol=1e-5)

    def test_no_tile_is_larger_than_asked_for(self):
        sides = []

        def score(pixels):
            sides.extend(np.subtract(pixels.shape, 2 * REACH))
            return filtered(2)(pixels)

        score_in_tiles(score, image_of((50, 90)), reach=REACH, step=2, tile=32)
        assert max(sides) == 30  # three equal parts of 90
        assert len(sides) == 2 * 2 * 3


def gaussian(shape, centres, *, step=1, width=4.0):
    """Return a map of Gaussian peaks at `centres`, pixels of the image."""
    rows, columns = np.indices(shape) * step
    peaks = [
        np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * width**2))
        for y, x in centres
    ]
    heights = np.linspace(1, 0.8, len(centres))
    return ScoreMap((heights[:, None, None] * peaks).sum(axis=0), step)


class TestMaxima:
    @pytest.mark.parametrize("step", [1, 2])
    def test_they_lie_between_places_of_the_grid(self, step):
        centres = [(10.3, 31.8), (24.6, 9.1), (30.9, 40.5)]
        found = gaussian((40, 50), centres, step=step).maxima(radius_px=8)
        np.testing.assert_allclose(found.yx[:3], centres, atol=0.1)

    def test_those_at_borders_count_and_stay_there(self):
        centres = [(0, 12), (20, 0), (39, 25), (11, 49), (0, 49)]
        found = gaussian((40, 50), centres, width=2.0).maxima(radius_px=5)
        np.testing.assert_allclose(found.yx[:5], centres, atol=0.1)

    def test_of_two_within_the_radius_the_better_is_kept(self):
        values = np.zeros((40, 40), np.float32)
        values[10, 10], values[10, 16], values[30, 30] = 3, 2, 1
        scores = ScoreMap(values, 2)  # 12 pixels apart in the image
        for radius, expected in ((11.9, [3, 2, 1]), (12.0, [3, 1])):
            found = scores.maxima(radius_px=radius)
            assert found.scores[found.scores > 0].tolist() == expected
        distances = np.hypot(*(found.yx[:, None] - found.yx).T)
        assert distances[~np.eye(len(found), dtype=bool)].min() > 12.0

    def test_negative_scores_have_maxima(self):
        found = ScoreMap(gaussian((30, 30), [(12, 17)]).values - 50, 1)
        np.testing.assert_allclose(found.maxima(radius_px=8).yx[0], (12, 17), atol=0.1)

    @pytest.mark.parametrize("step", [1, 2])
    def test_they_move_with_the_image(self, step):
        image = np.zeros((80, 90))
        image[20:60, 20:60] = image_of((40, 40))
        moved = np.roll(image, (3 * step, -2 * step), axis=(0, 1))
        before, after = (
            score_in_tiles(filtered(step), each, reach=REACH, step=step, tile=32)
            .maxima(radius_px=6)
            .take(range(20))
            for each in (image, moved)
        )
        shift = np.array([3 * step, -2 * step])
        np.testing.assert_allclose(after.yx, before.yx + shift, atol=1e-5)
        np.testing.assert_allclose(after.scores, before.scores, rtol=1e-6)
