# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays as ``.npy`` files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.io.atomic import whole_file


def write_array(path: Path | str, array: NDArray[Any]) -> None:
    """Write an array, which `numpy.load` reads."""
    with whole_file(path) as partial, partial.open("wb") as file:
        np.save(file, array, allow_pickle=False)
