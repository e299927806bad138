# SPDX-License-Identifier: GPL-3.0-or-later
"""Folder layouts of other programs: finding their pick files, and writing them.

RELION 4 lists its files in ``autopick.star``; the jobs of RELION 2 and 3 have a
``coords_suffix_autopick.star``, and their files in subfolders. Xmipp keeps the box size
in ``config.xmd``, EMAN2 keeps everything of a project in ``info``, and crYOLO writes
the same picks to several folders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deepconsensus_plugin.core.errors import NameMatchError
from deepconsensus_plugin.core.pick_files.codec import PickCodec, distinct_stems
from deepconsensus_plugin.core.pick_files.name_tokens import path_in_job
from deepconsensus_plugin.core.pick_files.names import listed
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_picks
from deepconsensus_plugin.core.types import ScoredCoordinates

_EMAN2_FOLDER = "info"
_ALL = "*"
_JOB_MARK = "coords_suffix_"
"""Beginning of the file that RELION 2 and 3 leave in a job; the rest is the suffix."""

_CRYOLO_FOLDERS = ("CBOX", "EMAN", "STAR")
_LONGEST_NAME = 255
"""Bytes of a file name on the file systems in use."""


def find_pick_files(folder: Path, pattern: str = _ALL) -> list[Path]:
    """Return the files that may hold picks, sorted.

    Parameters
    ----------
    folder : Path
        A folder, the folder of an EMAN2 project, or one file.
    pattern : str
        Glob within the folder; ``**`` descends. By default all files of the folder, or,
        where it has none, those of its subfolders.

    Raises
    ------
    FileNotFoundError
        If the folder is not there or nothing in it fits the pattern.
    NameMatchError
        If it is crYOLO's folder of folders with the same picks.
    """
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder of pick files")
    files = _files_of_job(folder) if pattern == _ALL else []
    if pattern == _ALL and _is_eman2_project(folder):
        folder = folder / _EMAN2_FOLDER
    files = files or _visible(folder.glob(pattern))
    if pattern == _ALL:
        _refuse_cryolo_folder(folder)
        files = files or _visible(folder.rglob(_ALL))
    if not files:
        there = sorted(path.name for path in folder.iterdir())
        raise FileNotFoundError(
            f"{folder}: expected pick files that fit '{pattern}', received "
            + (f"a folder with {listed(there)}" if there else "an empty folder")
        )
    return files


def _is_eman2_project(folder: Path) -> bool:
    return any((folder / _EMAN2_FOLDER).glob("*_info.json"))


def _visible(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        path for path in paths if path.is_file() and not path.name.startswith(".")
    )


def _files_of_job(folder: Path) -> list[Path]:
    """Return the files of a job of RELION 2 or 3; none of another folder."""
    marks = _visible(folder.glob(f"{_JOB_MARK}*"))
    suffixes = {mark.name.removeprefix(_JOB_MARK) for mark in marks}
    return _visible(
        path
        for suffix in suffixes
        for path in folder.rglob(f"*_{suffix}")
        if path not in marks
    )


def _refuse_cryolo_folder(folder: Path) -> None:
    there = [name for name in _CRYOLO_FOLDERS if (folder / name).is_dir()]
    if there and there[0] == _CRYOLO_FOLDERS[0]:
        raise NameMatchError(
            f"{folder}: expected one folder of picks, received crYOLO's folder of "
            f"{', '.join(there)}. Give one of them: {folder / there[0]} holds all "
            "boxes with their scores, the others those above crYOLO's threshold"
        )


def write_picks_folder(
    folder: Path | str,
    coordinates: Mapping[str, ScoredCoordinates],
    *,
    box_size: int,
    pick_format: PickFormat,
    start: Path | None = None,
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
    start : Path, optional
        Folder that the program will be started in; lists of files name those below it
        by their paths from there.

    Returns
    -------
    list of Path
        The files of the micrographs, in their order, then what accompanies them.

    Raises
    ------
    ValueError
        If two micrographs would share a file, a file name would be too long or lead
        out of the folder, or the format is a table of all.
    """
    folder, codec = Path(folder), pick_format.codec
    files = _files(folder, codec, list(coordinates))
    for name, path in files.items():
        if ".." in path.relative_to(folder).parts:
            raise ValueError(
                f"{name}: expected the name of a file below {folder}, received one "
                "that leads out of it"
            )
        if len(path.name.encode()) > _LONGEST_NAME:
            raise ValueError(
                f"expected file names of at most {_LONGEST_NAME} bytes, received one "
                f"of {len(path.name.encode())}: {path.name}"
            )
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
    found = {
        name: file.relative_to(start) if start and file.is_relative_to(start) else file
        for name, file in files.items()
    }
    return [*files.values(), codec.write_companion(folder, found, box_size)]


def _files(folder: Path, codec: PickCodec, names: Sequence[str]) -> dict[str, Path]:
    """Return the file of every micrograph.

    Raises
    ------
    ValueError
        If two micrographs would share a file.
    """
    if "{job_path}" not in codec.file_name:
        stems = distinct_stems(names)
        return {n: folder / codec.file_name.format(stem=stems[n]) for n in names}
    files = {n: folder / codec.file_name.format(job_path=path_in_job(n)) for n in names}
    owners: dict[Path, str] = {}
    for name, file in files.items():
        if (other := owners.setdefault(file, name)) != name:
            raise ValueError(
                f"expected a file for each micrograph, received {file} for both "
                f"{other} and {name}"
            )
    return files
