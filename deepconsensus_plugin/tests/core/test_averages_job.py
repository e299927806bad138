# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the job that averages candidates, and of its files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from deepconsensus_plugin.core.averages.parameters import FEWEST_BOXES
from deepconsensus_plugin.core.averages.table import (
    AveragesTable,
    images_path,
    read_amplitude,
    read_averages,
    write_averages,
)
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.stacks import centres_of
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.pipeline import averages
from deepconsensus_plugin.core.pipeline.averages import AveragesRequest, run
from deepconsensus_plugin.core.pipeline.candidate_halves import halves_of
from deepconsensus_plugin.core.types import (
    Micrograph,
    ParticleImages,
    ScoredCoordinates,
)

SIDE, BOX, RATE = 640, 44, 4.0


def disc(diameter: int) -> np.ndarray:
    axis = np.arange(BOX) - BOX // 2
    return (np.hypot(axis[:, None], axis[None]) <= diameter / 2).astype(np.float32)


@pytest.fixture(scope="module")
def request_of_discs(tmp_path_factory) -> AveragesRequest:
    """Return candidates on discs of two sizes, displaced by (2, -1), and on nothing."""
    folder = tmp_path_factory.mktemp("averages")
    rng = np.random.default_rng(0)
    places = np.array([(y, x) for y in range(40, 600, 60) for x in range(40, 600, 60)])
    micrographs, coordinates = [], {}
    for index in range(4):
        image = rng.standard_normal((SIDE, SIDE)).astype(np.float32)
        for number, (y, x) in enumerate(places):
            if number % 4:
                box = slice(y + 2 - 22, y + 24), slice(x - 1 - 22, x + 21)
                image[box] -= 2 * disc(14 if number % 2 else 22)
        path = folder / f"m{index}.mrc"
        with mrcfile.new(path) as file:
            file.set_data(image)
        micrographs.append(Micrograph(path.name, path, image.shape, RATE))
        coordinates[path.name] = ScoredCoordinates.from_arrays(
            places.astype(float), np.zeros(len(places))
        )
    write_coordinates(folder / "candidates.h5", coordinates)
    return AveragesRequest(
        tuple(micrographs),
        folder / "candidates.h5",
        BOX,
        are_particles_dark=True,
        averages=folder / "averages.h5",
    )


@pytest.fixture(scope="module")
def found(request_of_discs) -> AveragesTable:
    run(request_of_discs, Progress())
    return read_averages(request_of_discs.averages)


def test_nothing_holds_less_of_an_average_than_a_disc(found):
    is_disc = np.tile(np.arange(100) % 4 > 0, 4)
    least = np.quantile(found.amplitude[is_disc], 0.1)
    assert least > np.quantile(found.amplitude[~is_disc], 0.9)


def test_centres_are_told_by_the_averages(found):
    is_disc = np.tile(np.arange(100) % 4 > 0, 4)
    offset = np.median(found.offset_yx[is_disc], axis=0)
    np.testing.assert_allclose(offset, [2, -1], atol=0.6)


def test_the_largest_average_is_first_and_all_candidates_are_in_one(found):
    assert (np.diff(found.n_members) <= 0).all()
    assert found.n_members.sum() == len(found.average) == 400


def test_an_average_of_few_candidates_has_no_resolution(
    request_of_discs, found, tmp_path, monkeypatch
):
    assert np.isfinite(found.resolution_A).any()
    few = 1 + found.n_members.max()
    monkeypatch.setattr(averages, "FEWEST_MEMBERS", few)
    again = replace(request_of_discs, averages=tmp_path / "averages.h5")
    run(again, Progress())
    assert np.isinf(read_averages(again.averages).resolution_A).all()


def test_images_lie_beside_the_table_with_their_pixel_size(found, request_of_discs):
    with mrcfile.open(images_path(request_of_discs.averages)) as stack:
        np.testing.assert_allclose(stack.data, found.images)
        assert stack.voxel_size.x == pytest.approx(BOX * RATE / 40)
        assert stack.is_image_stack()


def test_micrographs_that_are_left_out_tell_nothing(request_of_discs, tmp_path):
    less = replace(
        request_of_discs, left_out=("m1.mrc",), averages=tmp_path / "averages.h5"
    )
    run(less, Progress())
    table = read_averages(less.averages)
    assert (table.average[100:200] == -1).all()
    assert np.isnan(table.amplitude[100:200]).all()
    assert np.isfinite(np.delete(table.amplitude, np.arange(100, 200))).all()


def test_a_sample_makes_the_averages_of_all(request_of_discs, found, tmp_path):
    parameters = replace(request_of_discs.parameters, sample=FEWEST_BOXES)
    less = replace(
        request_of_discs, parameters=parameters, averages=tmp_path / "averages.h5"
    )
    run(less, Progress())
    table = read_averages(less.averages)
    assert len(table.average) == len(found.average)
    assert np.corrcoef(table.amplitude, found.amplitude)[0, 1] > 0.9


def test_too_few_candidates_are_refused(request_of_discs, tmp_path):
    write_coordinates(
        tmp_path / "few.h5",
        {"m0.mrc": ScoredCoordinates.from_arrays(np.full((9, 2), 99.0), np.zeros(9))},
    )
    few = replace(request_of_discs, coordinates=tmp_path / "few.h5")
    with pytest.raises(ValueError, match=r"at least 200 candidates.*received 9"):
        run(few, Progress())
    write_coordinates(tmp_path / "few.h5", {})
    with pytest.raises(ValueError, match=r"at least 200 candidates.*received 0"):
        run(few, Progress())


def test_two_hundred_candidates_on_one_micrograph_suffice(request_of_discs, tmp_path):
    first = request_of_discs.micrographs[0]
    coordinates = read_coordinates(request_of_discs.coordinates)[first.name].yx
    edge = np.array([(0.0, 0.0), (SIDE - 1.0, SIDE - 1.0)])
    yx = np.concatenate([coordinates, coordinates[2:] + 1, edge])
    write_coordinates(
        tmp_path / "one.h5",
        {first.name: ScoredCoordinates.from_arrays(yx, np.zeros(FEWEST_BOXES))},
    )
    one = replace(
        request_of_discs,
        micrographs=(first,),
        coordinates=tmp_path / "one.h5",
        box_size=BOX + 1,
        averages=tmp_path / "averages.h5",
    )
    run(one, Progress())
    table = read_averages(one.averages)
    assert np.isfinite(table.amplitude).all() and (table.average >= 0).all()


@pytest.mark.parametrize("numbers", [(50, 50, 50, 50), (197, 1, 1, 1), (1, 1, 1, 197)])
def test_neither_half_is_small(numbers):
    rng = np.random.default_rng(0)
    places = [
        (
            Micrograph(f"m{index}.mrc", Path(f"m{index}.mrc"), (SIDE, SIDE), RATE),
            ScoredCoordinates.from_arrays(rng.uniform(0, SIDE, (n, 2)), np.zeros(n)),
        )
        for index, n in enumerate(numbers)
    ]
    is_second = halves_of(places)
    assert len(is_second) == 200 and 50 <= is_second.sum() <= 150


def stack(name: str, *, exposure: str) -> Micrograph:
    images = ParticleImages(BOX, BOX, exposure=exposure)
    return Micrograph(name, Path(f"{name}.mrcs"), (100 * BOX, BOX), RATE, None, images)


def images_of(index) -> ScoredCoordinates:
    return ScoredCoordinates.from_arrays(centres_of(np.asarray(index), BOX))


def test_particles_of_one_micrograph_are_in_one_half():
    places = [
        (stack(f"CTF {n}", exposure=f"m{n % 5}"), images_of([n])) for n in range(100)
    ]
    is_second = halves_of(places).reshape(20, 5)
    assert (is_second == is_second[0]).all()
    assert 40 <= is_second.sum() <= 60


@pytest.mark.parametrize("n_stacks", [1, 2, 3])
def test_few_stacks_are_split_by_image(n_stacks):
    places = [
        (stack(name, exposure=name), images_of(np.arange(100)))
        for name in "abc"[:n_stacks]
    ]
    n_second = halves_of(places).reshape(n_stacks, 100).sum(axis=1)
    assert ((n_second > 30) & (n_second < 70)).all()


def test_stacks_give_the_averages_of_the_micrographs(request_of_discs, found, tmp_path):
    """The contrast of every second one is the opposite."""
    stacks, coordinates = [], read_coordinates(request_of_discs.coordinates)
    for number, each in enumerate(request_of_discs.micrographs):
        yx, sign = coordinates[each.name].yx, -1 if number % 2 else 1
        boxes = sign * extract_boxes(open_micrograph(each.path), yx, BOX)
        mrcfile.write(path := tmp_path / f"{each.name}s", boxes)
        images = ParticleImages(BOX, BOX, is_opposite=sign < 0, exposure=each.name)
        shape = (len(yx) * BOX, BOX)
        stacks.append(Micrograph(path.name, path, shape, RATE, None, images))
        coordinates[path.name] = images_of(np.arange(len(yx)))
        del coordinates[each.name]
    write_coordinates(tmp_path / "candidates.h5", coordinates)
    given = replace(
        request_of_discs,
        micrographs=tuple(stacks),
        coordinates=tmp_path / "candidates.h5",
        averages=tmp_path / "averages.h5",
    )
    run(given, Progress())
    table = read_averages(given.averages)
    np.testing.assert_array_equal(table.average, found.average)
    for name in ("images", "amplitude", "offset_yx", "resolution_A"):
        np.testing.assert_allclose(getattr(table, name), getattr(found, name))


def test_candidates_on_an_unknown_micrograph_are_refused(request_of_discs):
    fewer = replace(request_of_discs, micrographs=request_of_discs.micrographs[:2])
    with pytest.raises(ValueError, match=r"the 2 micrographs given.*m2\.mrc"):
        run(fewer, Progress())


def test_a_table_of_other_candidates_is_refused(found, tmp_path):
    path = Path(tmp_path / "averages.h5")
    assert read_amplitude(path, 400) is None
    write_averages(path, found)
    np.testing.assert_array_equal(read_amplitude(path, 400), found.amplitude)
    with pytest.raises(ValueError, match="expected 399 candidates, received 400"):
        read_amplitude(path, 399)


def test_another_file_is_named(tmp_path):
    path = tmp_path / "averages.h5"
    path.write_bytes(b"no table")
    with pytest.raises(FileFormatError, match="averages, schema 1"):
        read_averages(path)


def test_threads_of_linear_algebra_are_of_no_consequence(
    request_of_discs, found, tmp_path
):
    again = replace(request_of_discs, averages=tmp_path / "averages.h5", workers=1)
    with threadpool_limits(1):
        run(again, Progress())
    table = read_averages(again.averages)
    np.testing.assert_array_equal(table.amplitude, found.amplitude)
    np.testing.assert_array_equal(table.images, found.images)
