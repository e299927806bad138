# SPDX-License-Identifier: GPL-3.0-or-later
"""Folder layouts of other programs: finding their pick files, and writing them.

RELION lists its files in ``autopick.star``, Xmipp keeps the box size in ``config.xmd``,
EMAN2 keeps everything of a project in ``info``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deepconsensus_plugin.core.pick_files.codec import distinct_stems
from deepconsensus_plugin.core.pick_files.names import listed
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_picks
from deepconsensus_plugin.core.types import ScoredCoordinates

_EMAN2_FOLDER = "info"
_ALL = "*"


def find_pick_files(folder: Path, pattern: str = _ALL) -> list[Path]:
    """Return the files that may hold picks, sorted.

    Parameters
    ----------
    folder : Path
        A folder, the folder of an EMAN2 project, or one file.
    pattern : str
        Glob within the folder; ``**`` descends.

    Raises
    ------
    FileNotFoundError
        If the folder is not there or nothing in it fits the pattern.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder of pick files")
    if pattern == _ALL and _is_eman2_project(folder):
        folder = folder / _EMAN2_FOLDER
    files = sorted(path for path in folder.glob(pattern) if _is_visible(path))
    if not files:
        there = sorted(path.name for path in folder.iterdir())
        raise FileNotFoundError(
            f"{folder}: expected pick files that fit '{pattern}', received "
            + (f"a folder with {listed(there)}" if there else "an empty folder")
        )
    return files


def _is_eman2_project(folder: Path) -> bool:
    return any((folder / _EMAN2_FOLDER).glob("*_info.json"))


def _is_visible(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def write_picks_folder(
    folder: Path | str,
    coordinates: Mapping[str, ScoredCoordinates],
    *,
    box_size: int,
    pick_format: PickFormat,
) -> list[Path]:
    """Write one file for each micrograph, named and accompanied as its program expects.

    Parameters
    ----------
    folder : Path or str
        Made if it is not there; other files in it stay.
    coordinates : mapping of micrograph name to ScoredCoordinates
        Box centres, pixels. A micrograph without picks gets a file without picks.
    box_size : int
        Pixels; for formats that record it.
    pick_format : PickFormat
        One that can hold a single micrograph.

    Returns
    -------
    list of Path
        The files of the micrographs, in their order, then what accompanies them.

    Raises
    ------
    ValueError
        If two micrographs would share a file, or the format is a table of all.
    """
    folder, codec = Path(folder), pick_format.codec
    files = {
        name: folder / codec.file_name.format(stem=stem)
        for name, stem in distinct_stems(list(coordinates)).items()
    }
    for name, path in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_picks(
            path,
            coordinates[name],
            box_size=box_size,
            pick_format=pick_format,
            micrograph=name,
        )
    if codec.write_companion is None or not files:
        return list(files.values())
    return [*files.values(), codec.write_companion(folder, files, box_size)]
