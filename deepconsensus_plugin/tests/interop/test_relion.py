# SPDX-License-Identifier: GPL-3.0-or-later
"""RELION itself extracts what is exported: its version 3.1, a package of Debian.

apt-get install relion
"""

import shutil
import subprocess

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.commands.export import export
from deepconsensus_plugin.commands.exported import FinishedRun
from deepconsensus_plugin.core.io.stacks import open_stack
from deepconsensus_plugin.core.particle_files.reading import read_particles
from deepconsensus_plugin.core.particle_files.writing import write_kept_particles
from deepconsensus_plugin.core.pick_files.picks import PickFormat
from deepconsensus_plugin.core.pick_files.relion_project import read_relion_micrographs
from deepconsensus_plugin.core.pick_files.star_blocks import read_blocks
from deepconsensus_plugin.core.types import ScoredCoordinates

RELION, HANDLER = map(shutil.which, ("relion_preprocess", "relion_star_handler"))
pytestmark = pytest.mark.skipif(
    RELION is None, reason="relion_preprocess is not there: apt-get install relion"
)

SHAPE, BOX = (96, 128), 16
NAMES = [f"MotionCorr/job002/Movies/g_{i}.mrc" for i in range(3)]
STAR = """
data_optics

loop_
_rlnOpticsGroupName #1
_rlnOpticsGroup #2
_rlnMicrographPixelSize #3
_rlnVoltage #4
_rlnSphericalAberration #5
_rlnAmplitudeContrast #6
opticsGroup1 1 2.0 300 2.7 0.1

data_micrographs

loop_
_rlnMicrographName #1
_rlnOpticsGroup #2
"""


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Folder of a RELION project whose pixels are the numbers of their rows."""
    root = tmp_path.resolve()
    image = np.tile(np.arange(SHAPE[0], dtype=np.float32)[:, None], SHAPE[1])
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with mrcfile.new(root / name, image) as file:
            file.voxel_size = 2.0
    rows = "".join(f"{name} 1\n" for name in NAMES)
    (root / "micrographs.star").write_text(STAR + rows)
    monkeypatch.chdir(root)
    return root


def test_relion_extracts_every_particle_that_is_exported(root):
    rng = np.random.default_rng(1)
    picks = {
        name.rpartition("/")[2]: ScoredCoordinates.from_arrays(
            rng.uniform(BOX, np.subtract(SHAPE, BOX), (n, 2)), rng.random(n)
        )
        for name, n in zip(NAMES, (7, 0, 4), strict=True)
    }
    finished = FinishedRun(BOX, tuple(picks), {}, 2.0)
    export(
        root / "AutoPick/consensus",
        picks,
        finished,
        pick_format=PickFormat.STAR,
        per_micrograph=True,
        micrographs=read_relion_micrographs(root / "micrographs.star"),
    )
    (root / "Extract").mkdir()
    words = (
        "--i micrographs.star --coord_dir AutoPick/consensus/ "
        "--coord_suffix _autopick.star --part_dir Extract/ --part_star "
        f"Extract/particles.star --extract --extract_size {BOX}"
    )
    subprocess.run([RELION, *words.split()], check=True, capture_output=True)
    (particles,) = (
        block
        for block in read_blocks(root / "Extract/particles.star")
        if block.name == "particles"
    )
    names = particles.columns["rlnMicrographName"]
    assert [names.count(name) for name in NAMES] == [7, 0, 4]
    np.testing.assert_allclose(
        particles.numbers("rlnAutopickFigureOfMerit"),
        np.concatenate([each.scores for each in picks.values()]),
        atol=1e-5,
    )
    # The middle of a box shows the row that the coordinate says.
    for image, y in zip(
        particles.columns["rlnImageName"],
        particles.numbers("rlnCoordinateY"),
        strict=True,
    ):
        number, _, stack = image.partition("@")
        with mrcfile.open(root / stack) as file:
            box = file.data[int(number) - 1]
        assert box[BOX // 2].mean() == pytest.approx(np.floor(y + 0.5), abs=1)
    _check_particles_in(root)


def _check_particles_in(root):
    """Read what RELION extracted, prune it, and let RELION read that."""
    star = root / "Extract/particles.star"
    table = read_particles(star)
    assert (len(table), table.side, table.sampling_rate) == (11, BOX, 2.0)
    assert not table.is_flipped
    assert {*table.micrographs} == {NAMES[0], NAMES[2]}
    for stack, number, (y, _) in zip(table.stack, table.index, table.yx, strict=True):
        images = open_stack(table.stacks[stack])
        middle = (number - 1) * BOX + BOX // 2
        assert images[middle].mean() == pytest.approx(np.floor(y + 0.5), abs=1)
    kept = np.arange(len(table)) % 3 > 0
    write_kept_particles(root / "Extract/kept.star", star, kept)
    again = read_particles(root / "Extract/kept.star")
    np.testing.assert_array_equal(again.index, table.index[kept])
    words = "--i Extract/kept.star --o Extract/select.star --select rlnCoordinateX"
    words += " --minval -1 --maxval 1e6"
    subprocess.run([HANDLER, *words.split()], check=True, capture_output=True)
    assert len(read_particles(root / "Extract/select.star")) == kept.sum()
