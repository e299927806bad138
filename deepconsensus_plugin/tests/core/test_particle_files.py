# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles read from STAR and stacks, the boxes cut of them, and the STAR of some."""

from pathlib import Path

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.boxes import cut_boxes, cut_chosen_boxes
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.stacks import (
    centres_of,
    open_stack,
    read_stack_header,
)
from deepconsensus_plugin.core.particle_files.reading import read_particles
from deepconsensus_plugin.core.particle_files.writing import write_kept_particles
from deepconsensus_plugin.core.preprocessing import flip_phases
from deepconsensus_plugin.core.types import Ctf, Micrograph, ParticleImages
from deepconsensus_plugin.core.usable_area.bad_micrographs import find_bad_micrographs

SIDE, RATE = 12, 2.5
CTF = Ctf(15000, 14000, 30, 300, 2.7, 0.1)


def write_stack(path: Path, n: int, *, side: int = SIDE, seed: int = 0) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = np.random.default_rng(seed).normal(size=(n, side, side))
    with mrcfile.new(path, images.astype(np.float32), overwrite=True) as file:
        file.set_image_stack()
        file.voxel_size = RATE
    return images.astype(np.float32)


def star(columns: str, *rows: str, optics: str = "", group: str = "") -> str:
    def loop(block, names, lines):
        head = "\n".join(f"_rln{n} #{i}" for i, n in enumerate(names.split(), 1))
        return f"\ndata_{block}\n\nloop_\n{head}\n" + "\n".join(lines) + "\n"

    first = loop("optics", f"OpticsGroup {optics}", [f"1 {group}"]) if optics else ""
    return first + loop("particles", columns, rows)


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


OPTICS = "ImagePixelSize Voltage SphericalAberration AmplitudeContrast ImageSize"
GROUP = f"{RATE} 300 2.7 0.1 {SIDE}"
COLUMNS = (
    "ImageName MicrographName CoordinateX CoordinateY DefocusU DefocusV DefocusAngle "
    "OpticsGroup"
)


@pytest.fixture
def relion(tmp_path: Path) -> Path:
    """Return the particles STAR of a RELION project with two stacks."""
    for number, n in ((1, 3), (2, 2)):
        write_stack(tmp_path / f"Extract/job4/m{number}.mrcs", n, seed=number)
    rows = [
        f"{i:06d}@Extract/job4/m{m}.mrcs Movies/m{m}.mrc {x} 20.5 15000 14000 30 1"
        for m, i, x in ((1, 3, 10), (2, 1, 11), (1, 1, 12))
    ]
    text = star(COLUMNS, *rows, optics=OPTICS, group=GROUP)
    return put(tmp_path / "Extract/job4/particles.star", text)


def test_particles_of_relion_with_optics_groups(relion: Path):
    table = read_particles(relion)
    assert [path.name for path in table.stacks] == ["m1.mrcs", "m2.mrcs"]
    assert (table.stack.tolist(), table.index.tolist()) == ([0, 1, 0], [3, 1, 1])
    assert (table.side, table.sampling_rate, table.is_flipped) == (SIDE, RATE, False)
    assert table.micrographs == ("Movies/m1.mrc", "Movies/m2.mrc", "Movies/m1.mrc")
    np.testing.assert_array_equal(table.yx[:, 1], [10, 11, 12])
    assert table.ctfs == (CTF,) * 3


def test_early_relion_tells_the_pixel_size_by_the_magnification(tmp_path: Path):
    write_stack(tmp_path / "a.mrcs", 2)
    columns = "ImageName DetectorPixelSize Magnification"
    text = star(columns, "2@a.mrcs 5 20000", "1@a.mrcs 5 20000")
    table = read_particles(put(tmp_path / "a.star", text))
    assert (table.sampling_rate, table.index.tolist()) == (RATE, [2, 1])
    assert table.ctfs is None
    assert np.isnan(table.yx).all()


def test_a_stack_alone_gives_all_its_images(tmp_path: Path):
    write_stack(tmp_path / "a.mrcs", 3)
    table = read_particles(tmp_path / "a.mrcs")
    assert (table.index.tolist(), table.sampling_rate) == ([1, 2, 3], RATE)
    assert table.micrographs == (None,) * 3


@pytest.mark.parametrize(
    ("columns", "row", "more", "said"),
    [
        ("ImageName", "4@a.mrcs", {}, "an image of the 3 in the stack"),
        ("ImageName", "0@a.mrcs", {}, "NUMBER@STACK"),
        ("ImageName", "a.mrcs", {}, "NUMBER@STACK"),
        ("ImageName", "1@gone.mrcs", {}, "no file gone.mrcs"),
        ("ImageName TomoName", "1@a.mrcs t", {}, "of a tomogram"),
        ("MicrographName", "a.mrc", {}, "_rlnImageName"),
        ("ImageName ImagePixelSize", "1@a.mrcs 0", {}, "pixel sizes above 0"),
        ("ImageName ImagePixelSize", "1@a.mrcs 1e30", {}, "pixel sizes above 0"),
        (
            "ImageName DetectorPixelSize Magnification",
            "1@a.mrcs 5 0",
            {},
            "pixel sizes above 0",
        ),
        (
            "ImageName OpticsGroup",
            "1@a.mrcs 1",
            {"optics": "CtfDataAreCtfPremultiplied", "group": "1"},
            "multiplied by their CTF",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(tmp_path: Path, columns, row, more, said):
    write_stack(tmp_path / "a.mrcs", 3)
    path = put(tmp_path / "a.star", star(columns, row, **more))
    with pytest.raises(FileFormatError, match=said):
        read_particles(path)


def test_images_of_two_sizes_or_pixel_sizes_are_refused(tmp_path: Path):
    write_stack(tmp_path / "a.mrcs", 1)
    write_stack(tmp_path / "b.mrcs", 1, side=16)
    path = put(tmp_path / "a.star", star("ImageName", "1@a.mrcs", "1@b.mrcs"))
    with pytest.raises(FileFormatError, match="images of one size"):
        read_particles(path)
    rows = ("1@a.mrcs 1.5", "1@a.mrcs 2")
    path = put(tmp_path / "b.star", star("ImageName ImagePixelSize", *rows))
    with pytest.raises(FileFormatError, match="images of one pixel size"):
        read_particles(path)


def test_star_of_kept_particles_is_the_same_but_for_the_others(relion: Path):
    kept = relion.with_name("kept.star")
    write_kept_particles(kept, relion, np.array([True, False, True]))
    before, after = relion.read_text().splitlines(), kept.read_text().splitlines()
    assert [line for line in before if "m2.mrcs" not in line] == after
    table = read_particles(kept)
    assert table.index.tolist() == [3, 1]
    with pytest.raises(FileFormatError, match="the 2 particles that were scored"):
        write_kept_particles(kept, relion, np.array([True, False]))


def test_kept_images_of_a_stack_are_named(tmp_path: Path):
    write_stack(tmp_path / "a.mrcs", 3)
    kept = tmp_path / "kept.star"
    write_kept_particles(kept, tmp_path / "a.mrcs", np.array([True, False, True]))
    assert read_particles(kept).index.tolist() == [1, 3]


# -------------------------- stacks as micrographs --------------------------
def stack_of(path: Path, n: int, *, side: int = SIDE, **options) -> Micrograph:
    images = ParticleImages(side, options.pop("shown", side), **options)
    return Micrograph("m", path, (n * side, side), RATE, CTF, images)


@pytest.mark.parametrize("side", [12, 13])
def test_boxes_of_a_stack_are_its_images(tmp_path: Path, side: int):
    images = write_stack(tmp_path / "a.mrcs", 4, side=side)
    assert read_stack_header(tmp_path / "a.mrcs") == (4, side, RATE)
    assert open_stack(tmp_path / "a.mrcs").shape == (4 * side, side)
    stack = stack_of(tmp_path / "a.mrcs", 4, side=side, is_opposite=False)
    order = np.array([2, 0, 3])
    found = cut_boxes(stack, centres_of(order, side), 99, phase_flip=False)
    np.testing.assert_array_equal(np.concatenate([*found]), images[order])


def test_the_middle_has_the_contrast_of_micrographs(tmp_path: Path):
    images = write_stack(tmp_path / "a.mrcs", 2)
    stack = stack_of(tmp_path / "a.mrcs", 2, shown=8)
    (found,) = cut_boxes(stack, centres_of(np.arange(2), SIDE), 8, phase_flip=False)
    np.testing.assert_array_equal(found, -images[:, 2:10, 2:10])
    chosen = cut_chosen_boxes([stack], np.zeros(2, int), centres_of([1, 0], SIDE), 8)
    np.testing.assert_array_equal(chosen, found[::-1])


def test_phases_are_flipped_within_each_image_unless_they_are(tmp_path: Path):
    images = write_stack(tmp_path / "a.mrcs", 2)
    yx = centres_of(np.arange(2), SIDE)
    raw, done = (
        stack_of(tmp_path / "a.mrcs", 2, is_opposite=False, is_flipped=is_flipped)
        for is_flipped in (False, True)
    )
    (found,) = cut_boxes(raw, yx, SIDE, phase_flip=True)
    np.testing.assert_allclose(found, flip_phases(images, CTF, RATE), atol=1e-6)
    (found,) = cut_boxes(done, yx, SIDE, phase_flip=True)
    np.testing.assert_array_equal(found, images)


def test_stacks_are_never_bad_micrographs(tmp_path: Path):
    with mrcfile.new(tmp_path / "a.mrcs", np.zeros((2, SIDE, SIDE), np.float32)):
        pass
    assert find_bad_micrographs([stack_of(tmp_path / "a.mrcs", 2)]) == ()


def test_images_that_are_not_square_are_refused(tmp_path: Path):
    with mrcfile.new(tmp_path / "a.mrcs", np.zeros((2, 3, 6), np.float32)):
        pass
    with pytest.raises(FileFormatError, match="3 rows of 6 pixels"):
        open_stack(tmp_path / "a.mrcs")
