# SPDX-License-Identifier: GPL-3.0-or-later
"""Projections against sums over points, and the views they are made in."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import center_of_mass
from scipy.spatial.transform import Rotation

from deepconsensus_plugin.core.simulation.atoms import Atoms
from deepconsensus_plugin.core.simulation.orientations import draw_angles, view_matrix
from deepconsensus_plugin.core.simulation.potential import potential_of_atoms
from deepconsensus_plugin.core.simulation.projection import project, transform
from deepconsensus_plugin.core.simulation.scattering import ICE_POTENTIAL

RESOLUTION = 20.0
RATE = 4.0
VIEW = view_matrix(np.array([25.0, 60.0, -100.0]))


@pytest.fixture(scope="module")
def atoms() -> Atoms:
    xyz = np.random.default_rng(0).normal(size=(30, 3)) * (25, 15, 8)
    return Atoms(xyz, np.full(30, 5000.0), np.full(30, 300.0))


@pytest.fixture(scope="module")
def volume(atoms):
    return transform(potential_of_atoms(atoms, RESOLUTION))


def _points_seen(atoms, view, box):
    """Return Gaussians summed at the turned points: the slow, obvious projection."""
    net = atoms.potential - ICE_POTENTIAL * atoms.volume
    centred = atoms.xyz - np.average(atoms.xyz, axis=0, weights=net)
    seen = centred @ view.T
    at = (np.arange(box) - box // 2) * RATE
    spread = RESOLUTION**2 / (2 * np.pi**2)  # exp(-d² s²) in real space
    image = np.zeros((box, box))
    for (x, y, _), weight in zip(seen, net, strict=True):
        r2 = (at[:, None] - y) ** 2 + (at[None, :] - x) ** 2
        image += weight * np.exp(-r2 / (2 * spread)) / (2 * np.pi * spread)
    return image


@pytest.mark.parametrize("view", [np.eye(3), VIEW], ids=["front", "turned"])
def test_a_slice_is_the_sum_over_turned_points(atoms, volume, view):
    image = project(volume, view, sampling_rate=RATE)
    expected = _points_seen(atoms, view, len(image))
    # The form factors of atoms, which the sum leaves out, blur a little more.
    assert np.corrcoef(image.ravel(), expected.ravel())[0, 1] > 0.99
    assert image.sum() == pytest.approx(expected.sum(), rel=0.03)


def test_a_particle_is_where_its_shift_says(volume):
    still = project(volume, VIEW, sampling_rate=RATE)
    moved = project(volume, VIEW, sampling_rate=RATE, shift_yx=(1.3, -0.4))
    difference = np.subtract(center_of_mass(moved), center_of_mass(still))
    np.testing.assert_allclose(difference, (1.3, -0.4), atol=0.05)
    assert center_of_mass(still) == pytest.approx([len(still) // 2] * 2, abs=0.2)


def test_turning_in_the_plane_turns_the_image(volume):
    quarter = view_matrix(np.array([0.0, 0.0, 90.0]))
    image = project(volume, np.eye(3), sampling_rate=RATE)
    turned = project(volume, quarter, sampling_rate=RATE)
    # psi turns coordinates: what was along x is along -y of the image.
    np.testing.assert_allclose(turned[1:, 1:], np.rot90(image[1:, 1:]), atol=0.5)


def test_views_are_the_angles_of_relion():
    angles = draw_angles(5, np.random.default_rng(0))
    for rot, tilt, psi in angles:
        expected = Rotation.from_euler("ZYZ", [rot, tilt, psi], degrees=True)
        matrix = view_matrix(np.array([rot, tilt, psi]))
        np.testing.assert_allclose(matrix, expected.as_matrix().T, atol=1e-12)


def test_views_are_uniform_over_the_sphere():
    angles = draw_angles(4000, np.random.default_rng(0))
    directions = np.array([view_matrix(each)[2] for each in angles])
    np.testing.assert_allclose(directions.mean(axis=0), 0, atol=0.04)
    second = directions.T @ directions / len(directions)
    np.testing.assert_allclose(second, np.eye(3) / 3, atol=0.03)


def test_preferred_views_are_along_and_across_the_axis():
    tilt = draw_angles(3000, np.random.default_rng(0), tilt_spread_deg=5)[:, 1]
    assert np.mean(tilt < 25) == pytest.approx(2 / 3, abs=0.05)
    assert np.mean(abs(tilt - 90) < 25) == pytest.approx(1 / 3, abs=0.05)
