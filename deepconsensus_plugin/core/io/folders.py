# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of pick files becomes the picks of one picker.

Not run is not "found nothing": a micrograph without a file (and in no merged file) is
absent from the result, one with an empty file is there with no coordinates.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError, NameMatchError
from deepconsensus_plugin.core.io.codec import FilePicks
from deepconsensus_plugin.core.io.names import listed, match_names
from deepconsensus_plugin.core.io.picks import PickFormat, read_pick_file
from deepconsensus_plugin.core.types import (
    Micrograph,
    PickerPicks,
    ScoredCoordinates,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Entry:
    """The picks of one micrograph as named by a file, or by a row of a merged one."""

    label: Path | str
    path: Path
    picks: ScoredCoordinates | FileFormatError


def read_picks_folder(
    folder: Path | str,
    micrographs: Sequence[Micrograph],
    *,
    picker: str,
    pattern: str = "*",
    box_size: float | None = None,
    pick_format: PickFormat | None = None,
    scale: float = 1.0,
    invert_y: bool = False,
) -> PickerPicks:
    """Read all pick files of one picker and give them to their micrographs.

    Parameters
    ----------
    folder : Path or str
        The folder, or one (merged) file.
    micrographs : sequence of Micrograph
        Only these are used; picks of others are left out and logged.
    picker : str
        Name of the picker.
    pattern : str
        Glob within the folder; ``**`` descends.
    box_size : float, optional
        Pixels of the *micrographs*; by default what the files record, scaled.
    pick_format : PickFormat, optional
        By default each file tells, and files of unknown formats are left out.
    scale : float
        Micrograph pixels per pixel of the files; positions are multiplied by it. > 0.
    invert_y : bool
        Whether y counts from the bottom: after scaling it becomes ``rows - 1 - y``.

    Returns
    -------
    PickerPicks
        In the order of `micrographs`; a micrograph without a file is absent.

    Raises
    ------
    FileNotFoundError
        If the folder is not there or nothing in it fits the pattern.
    FileFormatError
        If a file that belongs to a micrograph cannot be read.
    NameMatchError
        If the names fit no micrograph, or are ambiguous.
    ValueError
        If `scale` is not positive, or no box size is given nor recorded.
    """
    if not scale > 0:
        raise ValueError(f"scale must be > 0, received {scale}")
    file_box = None if box_size is None else box_size / scale
    files = _find_files(Path(folder), pattern)
    entries, recorded = _read_entries(files, file_box, pick_format)
    by_name = {micrograph.name: micrograph for micrograph in micrographs}
    matched = _match(by_name, entries, Path(folder))
    coordinates = {
        name: _transform(picks, by_name[name], scale=scale, invert_y=invert_y)
        for name, picks in matched.items()
    }
    size = box_size if box_size is not None else _median(recorded, scale, folder)
    result = PickerPicks(picker, size, coordinates)
    _log_outside(result, by_name)
    logger.info(
        "%s: %d picks on %d of %d micrographs",
        *(picker, len(result), len(coordinates), len(by_name)),
    )
    return result


def _find_files(folder: Path, pattern: str) -> list[Path]:
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: expected a folder of pick files")
    files = sorted(path for path in folder.glob(pattern) if _is_visible(path))
    if not files:
        there = sorted(path.name for path in folder.iterdir())
        raise FileNotFoundError(
            f"{folder}: expected pick files that fit '{pattern}', received "
            + (f"a folder with {listed(there)}" if there else "an empty folder")
        )
    return files


def _is_visible(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def _read_entries(
    files: Sequence[Path], box_size: float | None, pick_format: PickFormat | None
) -> tuple[list[_Entry], list[float]]:
    """Return what the files hold and the box sizes they record, file pixels.

    A file that cannot be read stays as its error: it matters only if it belongs to a
    micrograph, which is not known yet.
    """
    entries: list[_Entry] = []
    sizes: list[float] = []
    for path in files:
        try:
            found = _read(path, box_size, pick_format)
        except FileFormatError as error:
            entries.append(_Entry(path, path, error))
            continue
        if found.box_size is not None:
            sizes.append(found.box_size)
        entries += [
            _Entry(path if name is None else name, path, picks)
            for name, picks in found.coordinates.items()
        ]
    return entries, sizes


def _read(
    path: Path, box_size: float | None, pick_format: PickFormat | None
) -> FilePicks:
    if pick_format is None:
        try:
            pick_format = PickFormat.of(path)
        except FileFormatError as error:
            logger.info("left out: %s", error)
            return FilePicks({})
    return read_pick_file(path, box_size=box_size, pick_format=pick_format)


def _match(
    micrographs: Mapping[str, Micrograph], entries: Sequence[_Entry], folder: Path
) -> dict[str, ScoredCoordinates]:
    """Return the picks by micrograph; errors of other files are logged."""
    _refuse_repeats(entries)
    by_label = {entry.label: entry for entry in entries}
    matched = match_names(list(micrographs), list(by_label))
    picks: dict[str, ScoredCoordinates] = {}
    for name, label in matched.items():
        found = by_label[label].picks
        if isinstance(found, FileFormatError):
            raise found
        picks[name] = found
    errors = [entry.picks for entry in entries if isinstance(entry.picks, Exception)]
    if picks:
        for error in errors:
            logger.warning("left out, fits no micrograph: %s", error)
        return picks
    if errors:
        raise errors[0]
    raise NameMatchError(
        f"{folder}: expected picks named after the micrographs "
        f"({listed(list(micrographs)) or 'there are none'}), received "
        + (listed(list(by_label)) or "no file with picks")
    )


def _refuse_repeats(entries: Sequence[_Entry]) -> None:
    counts = Counter(entry.label for entry in entries)
    for label, count in counts.items():
        if count > 1:
            files = [entry.path for entry in entries if entry.label == label]
            raise NameMatchError(
                f"expected the picks of {label} in one file, received {count}: "
                f"{listed(files)}. Narrow the file pattern, or keep one"
            )


def _transform(
    picks: ScoredCoordinates, micrograph: Micrograph, *, scale: float, invert_y: bool
) -> ScoredCoordinates:
    yx = picks.yx * scale
    if invert_y:
        yx = np.column_stack([micrograph.shape[0] - 1 - yx[:, 0], yx[:, 1]])
    return ScoredCoordinates(yx, picks.scores)


def _median(recorded: Sequence[float], scale: float, folder: Path | str) -> float:
    if not recorded:
        raise ValueError(
            f"{folder}: expected a box size, which these files do not record, "
            "received none. Give it in pixels of the micrographs"
        )
    return float(np.median(recorded)) * scale


def _log_outside(result: PickerPicks, micrographs: Mapping[str, Micrograph]) -> None:
    outside = 0
    for name, picks in result.coordinates.items():
        inside = (picks.yx >= 0) & (picks.yx <= np.array(micrographs[name].shape) - 1)
        outside += len(picks) - int(inside.all(axis=1).sum())
    if outside:
        logger.warning(
            "%s: %d of %d picks are outside their micrographs; is the scale right?",
            *(result.picker, outside, len(result)),
        )
