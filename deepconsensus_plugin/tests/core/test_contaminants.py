# SPDX-License-Identifier: GPL-3.0-or-later
"""Contaminants that the network of the package finds on simulated micrographs."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import deepconsensus_plugin
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.simulation import (
    Contamination,
    Crowd,
    ObjectClass,
    SimulationParameters,
    simulate_micrograph,
    true_coordinates,
)
from deepconsensus_plugin.core.usable_area.contaminant_network import (
    CARD,
    WEIGHTS,
    read_network,
    shipped_network,
    write_network,
)
from deepconsensus_plugin.core.usable_area.contaminants import can_tell_contaminants
from deepconsensus_plugin.core.usable_area.contamination import find_contamination
from deepconsensus_plugin.core.usable_area.finding import find_area
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

PIXEL_SIZE_A = 4.0
DIAMETER_A = 160.0
WHOLE = (ObjectClass.GOOD, ObjectClass.OVERLAPPING)
SHIPPED = Path(deepconsensus_plugin.__file__).parent / "contaminant_network"


def simulated(index: int = 0, **contamination):
    """Return a micrograph with particles and what is asked for, and nothing else."""
    nothing = Contamination(None, 0.0, 0.0, 0.0, 0.0, 0.0)
    parameters = SimulationParameters(
        shape=(640, 640),
        sampling_rate=PIXEL_SIZE_A,
        crowd=Crowd(60, aggregates=0.0),
        contamination=replace(nothing, **contamination),
        seed=11,
    )
    return simulate_micrograph(parameters, index)


def kinds_of(image: np.ndarray, **options) -> np.ndarray:
    """Return the kind of every pixel of a micrograph."""
    area = find_area(
        image, sampling_rate=PIXEL_SIZE_A, diameter_A=DIAMETER_A, **options
    )
    full = np.kron(area.kinds, np.ones((area.binning,) * 2, np.uint8))
    return full[: image.shape[0], : image.shape[1]]


def overlap(kinds: np.ndarray, truth: np.ndarray) -> float:
    """Return intersection over union of what is unusable."""
    found, true = kinds != AreaKind.USABLE, truth != AreaKind.USABLE
    return (found & true).sum() / (found | true).sum()


@pytest.fixture(scope="module")
def carbon():
    return simulated(carbon_probability=1.0)


def test_the_edge_of_a_carbon_film_is_found(carbon):
    kinds = kinds_of(carbon.image)
    assert overlap(kinds, carbon.contamination) > 0.8
    assert (kinds == AreaKind.CARBON).sum() > 0.8 * (kinds > 0).sum()


def test_ice_crystals_are_found():
    found = true = 0
    for index in range(3):
        micrograph = simulated(index, ice_crystals=2.0)
        is_ice = micrograph.contamination == AreaKind.ICE
        found += (is_ice & (kinds_of(micrograph.image) != AreaKind.USABLE)).sum()
        true += is_ice.sum()
    assert true > 5000 and found / true > 0.7


def test_clean_ice_with_particles_is_usable():
    n_lost = n_particles = 0
    for index in range(4):
        micrograph = simulated(index)
        kinds = kinds_of(micrograph.image)
        rows, columns = (
            np.rint(true_coordinates(micrograph.objects, WHOLE).yx).astype(int).T
        )
        n_lost += (kinds[rows, columns] != AreaKind.USABLE).sum()
        n_particles += len(rows)
        assert (kinds != AreaKind.USABLE).mean() < 0.02
    assert n_particles > 150 and n_lost <= 0.01 * n_particles


def test_the_same_image_gives_the_same_mask(carbon):
    expected = kinds_of(carbon.image)
    np.testing.assert_array_equal(kinds_of(carbon.image), expected)
    for other in (carbon.image * 40 + 900, 3e-3 * carbon.image):
        assert (kinds_of(other) == expected).mean() > 0.999
    inverted = kinds_of(-carbon.image, particles_dark=False)
    np.testing.assert_array_equal(inverted, expected)


def test_gaps_are_no_contamination(carbon):
    image = carbon.image.copy()
    image[:, 200:360] = np.nan
    kinds = kinds_of(image)
    assert (kinds[:, 210:350] == AreaKind.NO_SIGNAL).all()
    rest = np.ones(image.shape, bool)
    rest[:, 180:380] = False
    assert overlap(kinds[rest], carbon.contamination[rest]) > 0.7


def test_images_unlike_those_of_the_training_are_left_to_the_rule():
    options = {"pixel_size_A": 9.0, "diameter_A": 150.0}
    assert can_tell_contaminants((300, 400), **options)
    assert not can_tell_contaminants((60, 400), **options)
    assert not can_tell_contaminants((300, 400), **options | {"pixel_size_A": 30.0})
    assert not can_tell_contaminants((300, 400), **options | {"diameter_A": 900.0})
    image = np.random.default_rng(0).normal(size=(60, 70)).astype(np.float32)
    kinds = find_contamination(image, np.ones(image.shape, bool), **options)
    assert set(np.unique(kinds)) <= {AreaKind.USABLE, AreaKind.CONTAMINATION}


def test_what_is_shipped_is_small_and_read_as_it_was_written(tmp_path):
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 1e6
    network = shipped_network()
    assert 0.3 <= network.threshold < 1
    write_network(tmp_path, network, {"threshold": network.threshold})
    kept = read_network(tmp_path)
    assert kept.threshold == network.threshold
    for one, other in zip(kept.looks, network.looks, strict=True):
        np.testing.assert_array_equal(one.mean, other.mean)
        for ours, theirs in zip(one.layers, other.layers, strict=True):
            np.testing.assert_array_equal(ours[0], theirs[0])
            np.testing.assert_array_equal(ours[1], theirs[1])


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _replace(path: Path) -> None:
    np.savez(path, other=np.zeros(3))


def _change_shape(path: Path) -> None:
    with np.load(path) as kept:
        weights = dict(kept)
    np.savez(path, **weights | {"look1_1_kernel": np.zeros((3, 3))})


def _spoil(path: Path) -> None:
    with np.load(path) as kept:
        weights = dict(kept)
    weights["look0_0_bias"][0] = np.nan
    np.savez(path, **weights)


@pytest.mark.parametrize("damage", [_truncate, _empty, _replace, _change_shape, _spoil])
def test_damaged_weights_are_named(tmp_path, damage):
    folder = tmp_path / "network"
    shutil.copytree(SHIPPED, folder)
    damage(folder / WEIGHTS)
    with pytest.raises(FileFormatError, match=r"weights\.npz.*the weights of the net"):
        read_network(folder)


@pytest.mark.parametrize("card", ["", "{}", '{"threshold": null}', "[1]"])
def test_a_damaged_card_is_named(tmp_path, card):
    folder = tmp_path / "network"
    shutil.copytree(SHIPPED, folder)
    (folder / CARD).write_text(card)
    with pytest.raises(FileFormatError, match=r"card\.json.*a card with a threshold"):
        read_network(folder)
