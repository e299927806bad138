# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import numpy as np
import pytest

from deepconsensus_plugin.core.deep_consensus.invariants import (
    N_INVARIANTS,
    rotation_invariants,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("size", [16, 33, 64])
def test_turning_and_mirroring_change_nothing(size):
    boxes = RNG.normal(size=(3, size, size))
    found = rotation_invariants(boxes)

    assert found.shape == (3, N_INVARIANTS)
    for turned in (np.rot90(boxes, axes=(1, 2)), boxes[:, ::-1], boxes[:, :, ::-1]):
        np.testing.assert_allclose(rotation_invariants(turned), found, atol=1e-4)


def test_a_wave_around_the_centre_is_in_its_own_frequency():
    axis = np.arange(64) - 31.5
    angle = np.arctan2(axis[:, None], axis[None, :])
    found = rotation_invariants(np.stack([np.cos(3 * angle), np.ones((64, 64))]))

    means, moduli, deviations = np.split(found, [17, N_INVARIANTS - 17], axis=1)
    strongest = moduli.reshape(2, 16, 4)[0, 4:].argmax(axis=1)  # of frequencies 1 - 4
    assert (strongest == 2).all()
    np.testing.assert_allclose(moduli.reshape(2, 16, 4)[0, 4:, 2], 0.5, atol=0.02)
    np.testing.assert_allclose(means[1], 1, atol=1e-5)
    np.testing.assert_allclose(deviations[1], 0, atol=2e-3)


def test_half_precision_and_many_boxes_are_the_same():
    boxes = RNG.normal(size=(1030, 16, 16)).astype(np.float16)

    found = rotation_invariants(boxes)
    np.testing.assert_allclose(
        found[-1:], rotation_invariants(boxes[-1:].astype(float)), atol=1e-5
    )
    assert rotation_invariants(boxes[:0]).shape == (0, N_INVARIANTS)


@pytest.mark.parametrize("shape", [(2, 16, 17), (2, 8, 8), (16, 16)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="expected shape"):
        rotation_invariants(np.zeros(shape))
