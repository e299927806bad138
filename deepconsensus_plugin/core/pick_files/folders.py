# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of pick files, read as the picks of one picker.

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
from deepconsensus_plugin.core.pick_files.codec import FilePicks, Shape
from deepconsensus_plugin.core.pick_files.layouts import find_pick_files
from deepconsensus_plugin.core.pick_files.names import listed, match_names
from deepconsensus_plugin.core.pick_files.picks import PickFormat, read_pick_file
from deepconsensus_plugin.core.pick_files.placing import (
    ReadOptions,
    check_shape,
    place_picks,
)
from deepconsensus_plugin.core.pick_files.ranges import refused_as_format
from deepconsensus_plugin.core.pick_files.remarks import (
    describe_left_over,
    describe_outside,
    describe_pixel_size,
)
from deepconsensus_plugin.core.types import Micrograph, PickerPicks, ScoredCoordinates

logger = logging.getLogger(__name__)


DEFAULT_OPTIONS = ReadOptions()


@dataclass(frozen=True)
class _Entry:
    """The picks of one micrograph as named by a file, or by a row of a merged one."""

    label: Path | str
    path: Path
    picks: ScoredCoordinates | FileFormatError
    shape: Shape | None = None


@dataclass(frozen=True, eq=False)
class ReadPicks:
    """Picks of one picker, and what the user should know of how they were read.

    Parameters
    ----------
    picks : PickerPicks
        The picks.
    remarks : tuple of str
        Sentences; those that need attention begin with ``WARNING``.
    """

    picks: PickerPicks
    remarks: tuple[str, ...]


def read_picks_folder(
    folder: Path | str,
    micrographs: Sequence[Micrograph],
    *,
    picker: str,
    options: ReadOptions = DEFAULT_OPTIONS,
) -> PickerPicks:
    """Read as `read_with_remarks` does, and log the remarks."""
    found = read_with_remarks(folder, micrographs, picker=picker, options=options)
    for remark in found.remarks:
        level = logging.WARNING if remark.startswith("WARNING") else logging.INFO
        logger.log(level, "%s: %s", picker, remark.removeprefix("WARNING: "))
    return found.picks


def read_with_remarks(
    folder: Path | str,
    micrographs: Sequence[Micrograph],
    *,
    picker: str,
    options: ReadOptions = DEFAULT_OPTIONS,
) -> ReadPicks:
    """Read all pick files of one picker and give them to their micrographs.

    Parameters
    ----------
    folder : Path or str
        The folder, or one (merged) file.
    micrographs : sequence of Micrograph
        Only these are used; picks of others are left out, with a remark.
    picker : str
        Name of the picker.
    options : ReadOptions
        Which files, and what is done with their positions.

    Returns
    -------
    ReadPicks
        In the order of `micrographs`; a micrograph without a file is absent.

    Raises
    ------
    FileNotFoundError
        If the folder is not there or nothing in it fits the pattern.
    FileFormatError
        If a file that belongs to a micrograph cannot be read, or was made on
        micrographs of another size than `scale` says.
    NameMatchError
        If the names fit no micrograph, or are ambiguous.
    ValueError
        If no box size is given nor recorded.
    """
    files = find_pick_files(Path(folder), options.pattern)
    rate = micrographs[0].sampling_rate * options.scale if micrographs else None
    entries, recorded, remarks = _read_entries(files, options, rate)
    by_name = {micrograph.name: micrograph for micrograph in micrographs}
    matched = _match(by_name, entries, Path(folder))
    coordinates = {
        name: _placed(entry, by_name[name], options) for name, entry in matched.items()
    }
    size = options.box_size
    if size is None:
        size = _median(recorded, options.scale, folder)
    result = PickerPicks(picker, size, coordinates)
    readable = [each.label for each in entries if not isinstance(each.picks, Exception)]
    used = {name: entry.label for name, entry in matched.items()}
    remarks += describe_left_over(readable, used, by_name)
    remarks += describe_outside(result, by_name)
    logger.info(
        "%s: %d picks on %d of %d micrographs",
        *(picker, len(result), len(coordinates), len(by_name)),
    )
    return ReadPicks(result, tuple(remarks))


def _read_entries(
    files: Sequence[Path], options: ReadOptions, rate: float | None
) -> tuple[list[_Entry], list[float], list[str]]:
    """Return what the files hold, the box sizes they record, file pixels, and remarks.

    A file that cannot be read stays as its error: it matters only if it belongs to a
    micrograph, which is not known yet.
    """
    entries: list[_Entry] = []
    sizes: list[float] = []
    remarks: dict[str, None] = {}
    repeated: set[Path] = set()
    for path in files:
        try:
            found = _read(path, options, rate)
        except FileFormatError as error:
            entries.append(_Entry(path, path, error))
            continue
        if found.box_size is not None:
            sizes.append(found.box_size)
        repeated.update(file.absolute() for file in found.listed.values())
        told = describe_pixel_size(found.in_angstrom, rate)
        remarks.update(dict.fromkeys((*found.remarks, *told)))
        entries += [
            _Entry(path if name is None else name, path, picks, found.shapes.get(name))
            for name, picks in found.coordinates.items()
        ]
    once = [item for item in entries if item.path.absolute() not in repeated]
    return once, sizes, [*remarks]


def _read(path: Path, options: ReadOptions, rate: float | None) -> FilePicks:
    pick_format = options.pick_format
    if pick_format is None:
        try:
            pick_format = PickFormat.of(path)
        except FileFormatError as error:
            logger.info("left out: %s", error)
            return FilePicks({})
    return read_pick_file(path, pick_format=pick_format, pixel_size=rate)


def _match(
    micrographs: Mapping[str, Micrograph], entries: Sequence[_Entry], folder: Path
) -> dict[str, _Entry]:
    """Return the entry of each micrograph; errors of other files are logged."""
    _refuse_repeats(entries)
    by_label = {entry.label: entry for entry in entries}
    targets = {name: each.path.resolve() for name, each in micrographs.items()}
    found = match_names(list(micrographs), list(by_label), targets=targets)
    matched = {name: by_label[label] for name, label in found.items()}
    errors = [entry.picks for entry in entries if isinstance(entry.picks, Exception)]
    if matched:
        used = [entry.picks for entry in matched.values()]
        for error in errors:
            if error not in used:
                logger.warning("left out, fits no micrograph: %s", error)
        return matched
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


def _placed(
    entry: _Entry, micrograph: Micrograph, options: ReadOptions
) -> ScoredCoordinates:
    if isinstance(entry.picks, FileFormatError):
        raise entry.picks
    if entry.shape is not None:
        check_shape(entry.path, entry.shape, micrograph, scale=options.scale)
    with refused_as_format(entry.path):
        return place_picks(entry.picks, micrograph, options)


def _median(recorded: Sequence[float], scale: float, folder: Path | str) -> float:
    if not recorded:
        raise ValueError(
            f"{folder}: expected a box size, which these files do not record, "
            "received none. Give it in pixels of the micrographs"
        )
    return float(np.median(recorded)) * scale
