# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the patches that Topaz learns from: what is drawn, and how it is cut."""

from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.pickers.topaz.examples import (
    NEGATIVE,
    POSITIVE,
    UNLABELLED,
    Examples,
    LabelledImage,
    disc_mask,
    mark_discs,
)

SIDE = 31
NOWHERE = np.empty((0, 2))


class Still:
    """Generator that draws like NumPy's, but neither rotates nor mirrors."""

    def __init__(self, seed=0, *, mirror=1):
        self._rng, self._mirror = np.random.default_rng(seed), mirror

    def integers(self, *arguments, **options):
        return self._rng.integers(*arguments, **options)

    def choice(self, values, size):
        if set(values.tolist()) == {-1, 1}:
            return np.full(size, self._mirror, values.dtype)
        return self._rng.choice(values, size)

    def uniform(self, low, high, size):
        return np.zeros(size)


def noise(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def numbered(shape):
    """Return an image in which every pixel tells its place."""
    return np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)


def examples_of(*images, radius_px=3.0, side=SIDE):
    return Examples(images, side=side, radius_px=radius_px)


class TestLabels:
    @pytest.mark.parametrize(
        ("radius", "pixels"), [(0, 1), (1, 5), (2, 13), (2.5, 21), (3, 29)]
    )
    def test_discs_have_the_pixels_of_the_plane(self, radius, pixels):
        assert disc_mask(radius).sum() == pixels
        assert mark_discs((40, 50), np.array([[20.2, 29.7]]), radius).sum() == pixels

    def test_discs_lie_around_the_nearest_pixel_and_end_at_borders(self):
        near = mark_discs((40, 50), np.array([[20.2, 29.7], [0, 49]]), 3)
        rows, columns = np.indices((40, 50))
        expected = np.zeros((40, 50), bool)
        for y, x in ((20, 30), (0, 49)):
            expected |= np.hypot(rows - y, columns - x) <= 3
        np.testing.assert_array_equal(near, expected)

    def test_pixels_are_counted_by_target(self):
        overlapping = LabelledImage(
            noise((50, 60)), np.array([[10.0, 10], [30, 30]]), np.array([[30.0, 31]])
        )
        examples = examples_of(overlapping, radius_px=1)
        assert examples.count(POSITIVE) == 10
        # Where discs overlap, at (30, 30) and (30, 31), positives win.
        assert examples.count(NEGATIVE) == 3
        assert examples.count(UNLABELLED) == 50 * 60 - 13
        assert examples.n_pixels == 50 * 60

    def test_without_positives_inside_there_is_nothing_to_learn(self):
        for positives in (NOWHERE, np.array([[200.0, 10.0]])):
            with pytest.raises(ValueError, match="labelled particles inside"):
                examples_of(LabelledImage(noise((50, 60)), positives, NOWHERE))


class TestBatches:
    def test_composition_follows_what_is_known(self):
        positives, negatives = np.array([[20.0, 20]]), np.array([[40.0, 45]])
        image = noise((60, 70))
        known = examples_of(LabelledImage(image, positives, negatives))
        unknown = examples_of(LabelledImage(image, positives, NOWHERE))
        for examples, size, fraction, expected in (
            (unknown, 256, 1 / 16, {POSITIVE: 16, UNLABELLED: 240}),
            (known, 64, 1 / 16, {POSITIVE: 4, NEGATIVE: 4, UNLABELLED: 56}),
            (unknown, 4, 1 / 16, {POSITIVE: 1, UNLABELLED: 3}),
        ):
            patches, targets = examples.batch(size, fraction, np.random.default_rng(0))
            assert patches.shape == (size, SIDE, SIDE, 1)
            assert targets.shape == (size, 1)
            assert patches.dtype == targets.dtype == np.float32
            values, counts = np.unique(targets, return_counts=True)
            assert dict(zip(values, counts, strict=True)) == expected

    def test_targets_are_those_of_the_pixels_in_the_middle(self):
        shapes = ((50, 60), (45, 38))
        positives = np.array([[5.0, 6], [25, 20]]), np.array([[44.0, 37], [20, 10]])
        negatives = np.array([[40.0, 50]]), NOWHERE
        offset = 10_000.0
        examples = examples_of(
            *(
                LabelledImage(numbered(shape) + i * offset, *labels)
                for i, (shape, *labels) in enumerate(
                    zip(shapes, positives, negatives, strict=True)
                )
            )
        )
        patches, targets = examples.batch(500, 0.2, Still())
        middle = patches[:, SIDE // 2, SIDE // 2, 0]
        for i, shape in enumerate(shapes):
            here = (middle > i * offset) & (middle <= (i + 1) * offset)
            place = np.divmod(middle[here] - i * offset - 1, shape[1])
            place = tuple(np.round(each).astype(int) for each in place)
            expected = np.zeros(shape)
            expected[mark_discs(shape, negatives[i], 3)] = NEGATIVE
            expected[mark_discs(shape, positives[i], 3)] = POSITIVE
            np.testing.assert_array_equal(targets[here, 0], expected[place])

    def test_unlabelled_pixels_are_drawn_alike_everywhere_else(self):
        shape, centre = (20, 24), np.array([[9.0, 11.0]])
        examples = examples_of(LabelledImage(numbered(shape), centre, NOWHERE), side=3)
        patches, targets = examples.batch(46_000, 1e-9, Still())
        drawn = patches[targets[:, 0] == UNLABELLED, 1, 1, 0].astype(int) - 1
        counts = np.bincount(drawn, minlength=shape[0] * shape[1]).reshape(shape)
        labelled = mark_discs(shape, centre, 3)
        assert not counts[labelled].any()
        # About 102 each; six deviations.
        assert abs(counts[~labelled] - 46_000 / (480 - 29)).max() < 6 * 102**0.5

    def test_same_generator_gives_the_same_batch(self):
        image = LabelledImage(noise((60, 70)), np.array([[20.0, 20]]), NOWHERE)
        (some, _), (same, _), (others, _) = (
            examples_of(image).batch(16, 0.25, np.random.default_rng(seed))
            for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(some, same)
        assert np.abs(some - others).max() > 0.1


class TestPatches:
    def test_not_turned_they_are_those_of_the_image_and_0_beyond(self):
        image = noise((40, 45))
        centres = np.array([[0.0, 0], [39, 44], [20, 20]])
        examples = examples_of(LabelledImage(image, centres, NOWHERE), radius_px=0)
        padded = np.pad(image, SIDE // 2)
        expected = [padded[y : y + SIDE, x : x + SIDE] for y, x in centres.astype(int)]
        for mirror in (1, -1):
            patches, _ = examples.batch(64, 1.0, Still(mirror=mirror))
            for patch in patches[..., 0]:
                differences = [
                    np.abs(patch - each[:, ::mirror]).max() for each in expected
                ]
                assert min(differences) < 1e-5

    def test_turning_leaves_what_is_round_and_its_centre(self):
        rows, columns = np.indices((80, 90))
        blob = np.exp(-((rows - 40) ** 2 + (columns - 50) ** 2) / (2 * 5.0**2))
        image = LabelledImage(blob.astype(np.float32), np.array([[40.0, 50]]), NOWHERE)
        examples = examples_of(image, radius_px=0)
        patches, _ = examples.batch(50, 1.0, np.random.default_rng(0))
        axis = np.arange(SIDE) - SIDE // 2
        expected = blob[25:56, 35:66]
        for patch in patches[..., 0]:
            np.testing.assert_allclose(patch, expected, atol=0.02)
            assert abs((patch.sum(axis=1) @ axis) / patch.sum()) < 0.01
            assert abs((patch.sum(axis=0) @ axis) / patch.sum()) < 0.01

    def test_they_are_turned_by_any_angle_and_mirrored(self):
        """A spot to the right and a weaker one above come to lie anywhere."""
        rows, columns = np.indices((81, 81)) - 40

        def spot(y, x):
            return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 8)

        image = (spot(0, 9) + 0.5 * spot(9, 0)).astype(np.float32)
        examples = examples_of(
            LabelledImage(image, np.array([[40.0, 40]]), NOWHERE), radius_px=0
        )
        patches, _ = examples.batch(200, 1.0, np.random.default_rng(0))
        place = np.array(
            [
                np.unravel_index(patch.argmax(), (SIDE, SIDE))
                for patch in patches[..., 0]
            ]
        )
        y, x = (place - SIDE // 2).T
        np.testing.assert_allclose(np.hypot(y, x), 9, atol=0.8)
        quarters, counts = np.unique(
            np.floor(np.arctan2(y, x) / (np.pi / 2)), return_counts=True
        )
        assert len(quarters) >= 4
        assert counts[counts > 5].min() > 30
        other = np.array([[-x, y], [x, -y]])  # a quarter turn to either side
        other = np.round(other).astype(int) + SIDE // 2
        left, right = (patches[np.arange(200), each[0], each[1], 0] for each in other)
        assert (np.maximum(left, right) > 0.35).all()
        assert 60 < (left > right).sum() < 140
