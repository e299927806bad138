# SPDX-License-Identifier: GPL-3.0-or-later
"""HDF5 files on disks without place: whole, or an error that names file and reason."""

from __future__ import annotations

import subprocess
import sys

_WRITE = """
import resource, sys
from pathlib import Path
import numpy as np
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.types import ScoredCoordinates
rng = np.random.default_rng(0)
picks = ScoredCoordinates(rng.uniform(size=(900, 2)), rng.uniform(size=900))
path, n_whole = Path(sys.argv[1]), 0
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for limit in range(0, 40_000, 512):
    path.unlink(missing_ok=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        write_coordinates(path, {"m": picks})
    except OSError as error:
        assert str(error) == f"[Errno 27] File too large: '{path}'", error
        assert not path.exists()
        continue
    n_whole += 1
    found = read_coordinates(path)["m"]
    assert np.array_equal(found.yx, picks.yx), limit
    assert np.array_equal(found.scores, picks.scores), limit
assert [each.name for each in path.parent.iterdir()] == [path.name]
print(n_whole)
"""


def test_no_number_is_lost_without_a_word(tmp_path):
    """HDF5 keeps small pieces back; h5py would drop the error of writing them."""
    done = subprocess.run(
        [sys.executable, "-c", _WRITE, str(tmp_path / "x.h5")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert 0 < int(done.stdout) < 80
