# SPDX-License-Identifier: GPL-3.0-or-later
"""RELION's projects as they lie on disk, of versions 2 - 5, read as picks."""

from pathlib import Path

import numpy as np
import pytest

from deepconsensus_plugin.core.errors import FileFormatError, NameMatchError
from deepconsensus_plugin.core.pick_files.folders import read_with_remarks
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.types import Micrograph

RATE = 1.5
MICROGRAPHS = [
    Micrograph(f"g_{i}.mrc", Path(f"/none/g_{i}.mrc"), (400, 600), RATE)
    for i in range(3)
]


def star(columns, *rows, block=""):
    header = "\n".join(f"_rln{name} #{i}" for i, name in enumerate(columns.split(), 1))
    return f"\n# version 30001\n\ndata_{block}\n\nloop_\n{header}\n" + "".join(
        f"{row}\n" for row in rows
    )


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def read(path, **options):
    found = read_with_remarks(
        path,
        MICROGRAPHS,
        picker="p",
        options=ReadOptions(**{"box_size": 64, **options}),
    )
    yx = {name: each.yx.tolist() for name, each in found.picks.coordinates.items()}
    return yx, found


PICK = star("CoordinateX CoordinateY AutopickFigureOfMerit", "10 20 0.5")
LIST = "MicrographName MicrographCoordinates"


@pytest.mark.parametrize("kind", ["autopick", "manualpick"])
def test_job_of_relion_3_has_its_files_in_subfolders(tmp_path, kind):
    put(
        tmp_path / f"coords_suffix_{kind}.star", "CtfFind/job003/micrographs_ctf.star\n"
    )
    put(tmp_path / "Movies" / f"g_1_{kind}.star", PICK)
    put(tmp_path / "Movies" / "g_1_other.star", PICK)
    assert read(tmp_path)[0] == {"g_1.mrc": [[20, 10]]}


def test_files_in_a_subfolder_alone_are_found(tmp_path):
    put(tmp_path / "Movies" / "g_1_autopick.star", PICK)
    assert read(tmp_path)[0] == {"g_1.mrc": [[20, 10]]}


def test_job_copied_out_of_its_project_with_a_file_missing(tmp_path):
    rows = [f"M/job2/Movies/g_{i}.mrc AutoPick/job7/Movies/g_{i}.star" for i in (0, 1)]
    put(tmp_path / "autopick.star", star(LIST, *rows, block="coordinate_files"))
    put(tmp_path / "Movies" / "g_1.star", PICK)
    yx, found = read(tmp_path)
    assert yx == {"g_1.mrc": [[20, 10]]}
    (remark,) = (text for text in found.remarks if "autopick.star" in text)
    assert remark.startswith("WARNING: 1 of 2 coordinate files")
    assert "g_0.star" in remark
    (tmp_path / "Movies" / "g_1.star").unlink()
    with pytest.raises(
        FileFormatError, match=r"no file AutoPick/job7/Movies/g_0\.star"
    ):
        read(tmp_path)


def test_list_of_boxes_of_eman(tmp_path):
    put(
        tmp_path / "coords.star",
        star(LIST, "'mics/my g_2.mrc' 'eman/my g_2.box'", block="coordinate_files"),
    )
    put(tmp_path / "eman" / "my g_2.box", "90 40 20 20\n")
    yx, found = read(tmp_path / "coords.star", box_size=None)
    assert yx == {"g_2.mrc": [[50, 100]]}
    assert found.picks.box_size == 20


def test_all_blocks_with_coordinates_are_read(tmp_path):
    text = PICK + star("CoordinateX CoordinateY", "30 40", block="more")
    _, found = read(put(tmp_path / "g_0.star", text))
    picks = found.picks.coordinates["g_0.mrc"]
    np.testing.assert_array_equal(picks.yx, [[20, 10], [40, 30]])
    np.testing.assert_array_equal(picks.scores, [0.5, np.nan])


@pytest.mark.parametrize("column", ["ParticleScore", "ParticleFigureOfMerit"])
def test_scores_of_other_columns_and_which_one_it_was(tmp_path, column):
    columns = f"CoordinateX CoordinateY AutopickFigureOfMerit {column}"
    text = star(columns, "10 20 -999 0.75", "30 40 -999 -2")
    yx, found = read(put(tmp_path / "g_0.star", text), min_score=0)
    assert yx == {"g_0.mrc": [[20, 10]]}
    assert found.remarks == (f"Scores were read from _rln{column}.",)


OPTICS = star(
    "OpticsGroup MicrographPixelSize ImagePixelSize ImageSize",
    *("1 2.0 4.0 32", "2 2.0 4.0 32"),
    block="optics",
)
REFINED = "CoordinateX CoordinateY MicrographName OpticsGroup OriginXAngst OriginYAngst"


def test_origins_are_subtracted_in_pixels_of_the_files_micrographs(tmp_path):
    rows = ("100 50 M/g_0.mrc 1 8 -4", "10 20 M/g_1.mrc 2 0 0")
    path = put(tmp_path / "p.star", OPTICS + star(REFINED, *rows, block="particles"))
    yx, found = read(path, box_size=None)
    assert yx == {"g_0.mrc": [[52, 96]], "g_1.mrc": [[20, 10]]}
    assert found.picks.box_size == 32 * 4 / 2
    assert "coordinates minus origins" in found.remarks[0]
    assert "of 2 Å/px, but with this scale their pixels are 1.5 Å" in found.remarks[1]
    yx, found = read(path, box_size=None, scale=2)
    assert yx["g_0.mrc"] == [[104, 192]]
    assert found.picks.box_size == 2 * 64


def test_origins_without_a_pixel_size_take_that_of_the_micrographs(tmp_path):
    text = star(REFINED, "100 50 M/g_0.mrc 1 3 -6")
    assert read(put(tmp_path / "p.star", text))[0] == {"g_0.mrc": [[54, 98]]}


@pytest.mark.parametrize(("rate", "yx"), [(0.75, [54, 98]), (3, [52, 99])])
def test_the_pixel_size_of_movies_is_the_least(tmp_path, rate, yx):
    optics = star(
        "OpticsGroup MicrographOriginalPixelSize", f"1 {rate}", block="optics"
    )
    text = optics + star(REFINED, "100 50 M/g_0.mrc 1 3 -6", block="particles")
    found, read_picks = read(put(tmp_path / "p.star", text))
    assert found == {"g_0.mrc": [yx]}
    assert ("of 3 Å/px" in read_picks.remarks[-1]) == (rate == 3)


def test_origins_of_early_versions_are_in_pixels_of_the_images(tmp_path):
    columns = "CoordinateX CoordinateY MicrographName OriginX OriginY"
    of_image = f"{columns} DetectorPixelSize Magnification"
    text = star(of_image, "100 50 M/g_0.mrc 1 -2 6 20000")  # 3 Å/px
    yx, _ = read(put(tmp_path / "p.star", text))
    assert yx == {"g_0.mrc": [[54, 98]]}
    yx, found = read(put(tmp_path / "p.star", star(columns, "100 50 M/g_0.mrc 1 -2")))
    assert yx == {"g_0.mrc": [[50, 100]]}
    assert found.remarks[0].startswith("WARNING: The particles have origins in pixels")


def test_picks_and_micrographs_left_over_are_said(tmp_path):
    for name in ("g_0", "h_1"):
        put(tmp_path / f"{name}_autopick.star", PICK)
    _, found = read(tmp_path)
    (remark,) = found.remarks
    assert remark.startswith("WARNING: 2 of 3 micrographs have no picks (g_1.mrc")
    assert "h_1_autopick.star" in remark


def test_folder_of_cryolo_with_several_folders_of_the_same_picks(tmp_path):
    for folder in ("EMAN", "CBOX", "STAR"):
        put(tmp_path / folder / "g_0.box", "0 0 8 8\n")
    put(tmp_path / "config.json", "{}")
    with pytest.raises(NameMatchError, match=r"CBOX, EMAN, STAR\. Give one of them"):
        read(tmp_path)
    assert read(tmp_path / "EMAN")[0] == {"g_0.mrc": [[4, 4]]}


def test_slices_of_a_stack_are_refused_by_the_line(tmp_path):
    columns = "MicrographName CoordinateX CoordinateY"
    rows = ["000001@Movies/g_1.mrcs 10 20", "000003@Movies/g_1.mrcs 11 21"]
    path = put(tmp_path / "merged.star", star(columns, *rows))
    with pytest.raises(FileFormatError, match=r"file of its own.* on line \d+"):
        read(path)
    with pytest.raises(FileFormatError, match="file of its own"):
        read(put(tmp_path / "autopick.star", star(LIST, "2@g_1.mrcs g_1.star")))
    path = put(tmp_path / "first.star", star(columns, rows[0]))
    assert read(path)[0] == {"g_1.mrc": [[20, 10]]}
