# SPDX-License-Identifier: GPL-3.0-or-later
"""Real micrographs and picks for benchmarks: EMPIAR-10017, binned by 2.

The folder comes from the environment variable ``DEEPCONSENSUS_DATA``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.pick_files.folders import read_picks_folder
from deepconsensus_plugin.core.pick_files.placing import ReadOptions
from deepconsensus_plugin.core.types import Micrograph, PickerPicks, ScoredCoordinates

BOX_SIZE = 90
SAMPLING_RATE = 3.54
MATCH_RADIUS_PX = 0.25 * BOX_SIZE

PICKERS = {
    "A": ("cryolo", "deeppicker", "topaz"),
    "B": ("cassper", "cryolo-b", "gautomatch"),
    "weak": ("deeppicker", "gautomatch"),
    "six": ("cassper", "cryolo", "cryolo-b", "deeppicker", "gautomatch", "topaz"),
}


@dataclass(frozen=True, eq=False)
class RealSet:
    """Micrographs that all pickers of a combination saw, with picks and truth.

    Parameters
    ----------
    name : str
        A key of `PICKERS`.
    micrographs : tuple of Micrograph
        Those with a file of every picker.
    folders : tuple of Path
        Picks, one folder a picker.
    truth, good, bad : dict of ScoredCoordinates
        Expert centres; centres that others judged good and bad.
    """

    name: str
    micrographs: tuple[Micrograph, ...]
    folders: tuple[Path, ...]
    truth: dict[str, ScoredCoordinates]
    good: dict[str, ScoredCoordinates]
    bad: dict[str, ScoredCoordinates]

    def read_pickers(self) -> list[PickerPicks]:
        """Return the picks of every picker, on the set's micrographs."""
        return [
            read_picks_folder(folder, self.micrographs, picker=folder.name)
            for folder in self.folders
        ]


def data_folder() -> Path:
    """Return the data's folder, or leave with a sentence if there is none."""
    folder = Path(os.environ.get("DEEPCONSENSUS_DATA", "")) / "empiar10017"
    if not (folder / "micrographs").is_dir():
        print(f"Skipped: DEEPCONSENSUS_DATA names no folder with {folder.name}/.")
        sys.exit(0)
    return folder


def load_set(name: str) -> RealSet:
    """Return the set with that name.

    Raises
    ------
    ValueError
        If it is not one of `PICKERS`.
    """
    if name not in PICKERS:
        raise ValueError(f"expected one of {list(PICKERS)}, received {name!r}")
    root = data_folder()
    folders = tuple(root / "pickers" / picker for picker in PICKERS[name])
    seen = set.intersection(*({p.stem for p in f.glob("*.box")} for f in folders))
    micrographs = tuple(
        Micrograph(path.name, path, read_shape(path), SAMPLING_RATE)
        for path in sorted((root / "micrographs").glob("*.mrc"))
        if path.stem in seen
    )
    truth, good, bad = (
        _read_marks(root / place, micrographs)
        for place in ("truth", "labels/good", "labels/bad")
    )
    return RealSet(name, micrographs, folders, truth, good, bad)


def _read_marks(
    folder: Path, micrographs: tuple[Micrograph, ...]
) -> dict[str, ScoredCoordinates]:
    options = ReadOptions(box_size=BOX_SIZE)
    marks = read_picks_folder(folder, micrographs, picker=folder.name, options=options)
    return dict(marks.coordinates)
