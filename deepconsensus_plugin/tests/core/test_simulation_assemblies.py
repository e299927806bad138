# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up molecules: the same for a seed, within their envelope, symmetric."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from deepconsensus_plugin.core.simulation.assemblies import make_assembly
from deepconsensus_plugin.core.simulation.library import load_library
from deepconsensus_plugin.core.simulation.parameters import SimulationParameters
from deepconsensus_plugin.core.simulation.structures import Assembly, Structure

RING = Assembly(3, (70, 70, 30), "C7", 2, hollow=0.4)
ONE_LUMP = Assembly(4, (60, 45, 40), "C1", 5)


def test_a_seed_tells_the_molecule():
    again, other = make_assembly(ONE_LUMP), make_assembly(replace(ONE_LUMP, seed=5))

    np.testing.assert_array_equal(make_assembly(ONE_LUMP).xyz, again.xyz)
    assert other.xyz.shape != again.xyz.shape


def test_it_lies_within_its_envelope_and_fills_half_of_it_or_more():
    atoms = make_assembly(ONE_LUMP)
    depth = np.linalg.norm(atoms.xyz / ONE_LUMP.semi_axes_A, axis=1)
    volume = 4 / 3 * np.pi * np.prod(ONE_LUMP.semi_axes_A)

    assert np.quantile(depth, 0.95) < 1.25
    assert 0.3 * volume < atoms.volume.sum() < volume


def test_symmetry_maps_it_on_itself():
    xyz = make_assembly(RING).xyz
    turned = Rotation.from_euler("z", 360 / 7, degrees=True).apply(xyz)
    distance, _ = cKDTree(xyz).query(turned)

    # Where copies touch, a few residues gave way.
    assert np.mean(distance < 1e-6) > 0.9


def test_a_hollow_one_is_empty_about_its_axis():
    from_axis = np.hypot(*make_assembly(RING).xyz[:, :2].T)
    from_centre = np.linalg.norm(
        make_assembly(Assembly(1, (120, 120, 120), "I", 2, hollow=0.7)).xyz, axis=1
    )

    assert np.quantile(from_axis, 0.02) > 0.2 * 70
    assert np.quantile(from_centre, 0.02) > 0.5 * 120


def test_detergent_lies_around_the_middle_and_is_faint():
    bare = make_assembly(Assembly(2, (40, 40, 70), "C4"))
    held = make_assembly(Assembly(2, (40, 40, 70), "C4", detergent_A=15))
    is_faint = held.potential < 0.9 * bare.potential.max()

    assert 0.1 < is_faint.mean() < 0.9
    assert np.abs(held.xyz[is_faint, 2]).max() < 25
    assert np.hypot(*held.xyz[is_faint, :2].T).max() == pytest.approx(55, abs=5)


def test_nucleic_acid_is_denser():
    assert make_assembly(replace(ONE_LUMP, nucleic_fraction=1.0)).potential.min() > (
        make_assembly(ONE_LUMP).potential.max()
    )


def test_it_can_be_simulated():
    parameters = SimulationParameters(structures=(Structure(assembly=ONE_LUMP),))
    (species,) = load_library(parameters).wanted

    assert species.name == "assembly 4"
    assert 90 < species.diameter_A < 140


@pytest.mark.parametrize("group", ["X3", "C0", "D", "c4", "Ih"])
def test_unknown_groups_are_refused(group):
    with pytest.raises(ValueError, match="group: expected Cn, Dn, T, O or I"):
        make_assembly(Assembly(1, (50, 50, 50), group))


def test_numbers_out_of_range_are_refused():
    with pytest.raises(ValueError, match="semi_axes_A: it must be above 0"):
        Assembly(1, (50, 0, 50))
    with pytest.raises(ValueError, match="n_domains: it must be 1 or more"):
        Assembly(1, (50, 50, 50), n_domains=0)
    with pytest.raises(ValueError, match="hollow: it must be at most 1"):
        Assembly(1, (50, 50, 50), hollow=1.5)
