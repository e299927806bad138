# SPDX-License-Identifier: GPL-3.0-or-later
"""cryosparc-tools read what is exported, and their files are read.

pip install cryosparc-tools
"""

import numpy as np
import pytest

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files.picks import (
    PickFormat,
    read_picks,
    write_merged_picks,
)
from deepconsensus_plugin.core.types import ScoredCoordinates

dataset = pytest.importorskip(
    "cryosparc.dataset", reason="cryosparc-tools are not there: pip install them"
)

UID = 12345678901234567890
NAME = f"{UID:021d}_g_7_patch_aligned.mrc"


def write(path):
    picks = ScoredCoordinates.from_arrays([[50, 60], [10, 20.5]], [0.75, 0.5])
    write_merged_picks(
        path,
        {NAME: picks},
        box_size=8,
        pick_format=PickFormat.CS,
        shapes={NAME: (100, 200)},
    )
    return picks


def test_their_reader_finds_positions_and_the_number_of_the_micrograph(tmp_path):
    picks = write(tmp_path / "a.cs")
    found = dataset.Dataset.load(str(tmp_path / "a.cs"))
    assert len(found) == 2
    assert set(found["location/micrograph_uid"]) == {UID}
    assert list(found["location/micrograph_path"]) == [NAME] * 2
    yx = np.stack([found["location/center_y_frac"], found["location/center_x_frac"]])
    np.testing.assert_allclose(yx.T * (100, 200), picks.yx, rtol=1e-6)
    np.testing.assert_allclose(found["pick_stats/ncc_score"], picks.scores)


def test_what_they_save_is_read_and_compressed_columns_are_named(tmp_path):
    picks = write(tmp_path / "a.cs")
    found = dataset.Dataset.load(str(tmp_path / "a.cs"))
    found.save(str(tmp_path / "b.cs"))
    np.testing.assert_allclose(
        read_picks(tmp_path / "b.cs")[NAME].yx, picks.yx, rtol=1e-6
    )
    found.save(str(tmp_path / "c.cs"), format=dataset.CSDAT_FORMAT)
    with pytest.raises(FileFormatError, match="CSDAT"):
        read_picks(tmp_path / "c.cs")
