# SPDX-License-Identifier: GPL-3.0-or-later
"""Labelled boxes, kept in one HDF5 file, and their augmentation."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.deep_consensus.stored_rows import check_columns
from deepconsensus_plugin.core.io.hdf5 import whole_hdf5
from deepconsensus_plugin.core.io.hdf5_reading import (
    opened_hdf5,
    read_array,
    read_names,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray, IntArray

logger = logging.getLogger(__name__)

_COLUMNS = ("is_particle", "weight", "source", "micrograph", "yx")

ORIGIN = "made_from"
"""Attribute of a file of boxes: digest of their inputs (`core.digests`)."""

CLIPPED = "n_clipped"
"""Attribute of a file of boxes: number of boxes with clipped pixels."""

LARGEST_DEVIATION = 10_000.0
"""Largest deviation from the background, in its standard deviations; pixels beyond it
are clipped. float16 ends at 65504, which a bead on a smooth background may exceed. In
34 000 boxes of twelve micrographs (EMPIAR-10017, apoferritin) the largest deviation is
21.
"""


@dataclass(frozen=True, eq=False)
class LabelledCoordinates:
    """Labelled coordinates for training; n rows.

    Parameters
    ----------
    sources : tuple of str
        Names of the sets they come from.
    micrographs : tuple of str
        Names of the micrographs.
    is_particle : array, shape (n,), bool
        The label.
    weight : array, shape (n,), float
        Weight in the loss, > 0.
    source, micrograph : arrays, shape (n,), int
        Rows of `sources` and `micrographs`; `micrograph` ascending.
    yx : array, shape (n, 2)
        Box centres, pixels.
    """

    sources: tuple[str, ...]
    micrographs: tuple[str, ...]
    is_particle: BoolArray
    weight: FloatArray
    source: IntArray
    micrograph: IntArray
    yx: FloatArray

    def __len__(self) -> int:
        """Return the number of coordinates."""
        return len(self.yx)

    def take(self, selection: IntArray | BoolArray) -> LabelledCoordinates:
        """Return the rows at `selection`."""
        rows = {name: getattr(self, name)[selection] for name in _COLUMNS}
        return LabelledCoordinates(self.sources, self.micrographs, **rows)


@dataclass(frozen=True, eq=False)
class LabelledBoxes:
    """Prepared boxes with their labels and provenance.

    Parameters
    ----------
    boxes : array, shape (n, size, size), float16
        Prepared boxes (`core.preprocessing`); half precision, since noise of
        deviation 1 needs no more and the set must fit into memory.
    rows : LabelledCoordinates
        Their labels and provenance.
    """

    boxes: NDArray[np.float16]
    rows: LabelledCoordinates

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.boxes)

    def take(self, selection: IntArray | BoolArray) -> LabelledBoxes:
        """Return the boxes at `selection`."""
        return LabelledBoxes(self.boxes[selection], self.rows.take(selection))

    def batch(self, index: IntArray) -> NDArray[np.float32]:
        """Return boxes as network input, shape (len(index), size, size, 1)."""
        return self.boxes[index][..., None].astype(np.float32)


def write_boxes(
    path: Path,
    rows: LabelledCoordinates,
    boxes: Iterator[NDArray[np.float32]],
    *,
    size: int,
    attributes: Mapping[str, str | int | float],
) -> None:
    """Write boxes in the order of `rows`, and their provenance.

    Parameters
    ----------
    path : Path
        HDF5 file; appears only when it is complete.
    rows : LabelledCoordinates
        One row per box.
    boxes : iterator of arrays, shape (any, size, size)
        Together as many as `rows`; pixels beyond `LARGEST_DEVIATION` are clipped, and
        the boxes that have any are counted in the attribute `CLIPPED`.
    size : int
        Side of a box, pixels.
    attributes : mapping
        Kept with the file (box size, pixel size, …).

    Raises
    ------
    ValueError
        If a pixel is NaN: it has no valid value to replace it.
    """
    with whole_hdf5(path) as file:
        file.attrs.update(attributes)
        text = h5py.string_dtype()
        file.create_dataset("sources", data=list(rows.sources), dtype=text)
        file.create_dataset("micrographs", data=list(rows.micrographs), dtype=text)
        for name in _COLUMNS:
            file.create_dataset(name, data=getattr(rows, name))
        target = file.create_dataset("boxes", (len(rows), size, size), np.float16)
        first = n_clipped = 0
        for some in boxes:
            here = slice(first, first + len(some))
            peaks = np.abs(some).max(axis=(1, 2), initial=0)
            _check_numbers(peaks, rows, here)
            n_clipped += int((peaks > LARGEST_DEVIATION).sum())
            clipped = np.clip(some, -LARGEST_DEVIATION, LARGEST_DEVIATION)
            # HDF5's own rounding makes 0.5 of some 0.99999: it loses the carry.
            target[here] = clipped.astype(np.float16)
            first = here.stop
        file.attrs[CLIPPED] = n_clipped
    if n_clipped:
        logger.warning(
            "%s: %d of %d boxes have pixels more than %g deviations from their "
            "background, which were clipped: look for beads or dead pixels there",
            *(path, n_clipped, len(rows), LARGEST_DEVIATION),
        )


def _check_numbers(
    peaks: NDArray[np.float32], rows: LabelledCoordinates, here: slice
) -> None:
    """Refuse boxes with NaN, in which case their peaks are NaN."""
    bad = np.flatnonzero(np.isnan(peaks))
    if len(bad):
        names = sorted({rows.micrographs[i] for i in rows.micrograph[here][bad]})
        raise ValueError(
            f"{', '.join(names)}: expected boxes of numbers, received NaN in {len(bad)}"
            ": pixels of the micrograph are too large to be normalised; leave it out"
        )


def read_boxes(path: Path) -> LabelledBoxes:
    """Return what `write_boxes` wrote, in memory.

    Raises
    ------
    FileFormatError
        If the file lacks a column, or holds values that cannot be.
    """
    with opened_hdf5(path, "labelled boxes") as file:
        columns = {name: read_array(file, name) for name in _COLUMNS}
        sources, micrographs = (
            tuple(read_names(file, name)) for name in ("sources", "micrographs")
        )
        counts = {"n_sources": len(sources), "n_micrographs": len(micrographs)}
        check_columns(columns, **counts)
        rows = LabelledCoordinates(sources, micrographs, **columns)
        boxes = read_array(file, "boxes")
        if boxes.ndim != 3 or len(boxes) != len(rows):
            raise ValueError(f"boxes of shape {boxes.shape} for {len(rows)} rows")
        return LabelledBoxes(boxes, rows)


def read_origin(path: Path) -> str | None:
    """Return the digest of the inputs of the boxes in a file, if it has one.

    Raises
    ------
    FileFormatError
        If the file is damaged.
    """
    with opened_hdf5(path, "labelled boxes") as file:
        origin = file.attrs.get(ORIGIN)
        return None if origin is None else str(origin)


def augment(
    batch: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the batch with a random half of its boxes turned or mirrored.

    The paper augments by random flips and rotations at a ratio of 1:1. Rotations are
    by quarter turns, which need no interpolation.

    Parameters
    ----------
    batch : array, shape (b, size, size, 1)
        Boxes.
    """
    result = batch.copy()
    symmetry = np.where(rng.random(len(batch)) < 0.5, rng.integers(1, 8, len(batch)), 0)
    for i in np.flatnonzero(symmetry):
        turned = np.rot90(batch[i], symmetry[i] % 4)
        result[i] = turned[::-1] if symmetry[i] >= 4 else turned
    return result


def join_coordinates(parts: Sequence[LabelledCoordinates]) -> LabelledCoordinates:
    """Return all rows, sorted by micrograph; `micrographs` must be the same."""
    sources = tuple(name for part in parts for name in part.sources)
    offsets = np.cumsum([0, *(len(part.sources) for part in parts)])
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in _COLUMNS
        if name != "source"
    }
    columns["source"] = np.concatenate(
        [part.source + offset for part, offset in zip(parts, offsets, strict=False)]
    )
    order = np.argsort(columns["micrograph"], kind="stable")
    rows = {name: column[order] for name, column in columns.items()}
    return LabelledCoordinates(sources, parts[0].micrographs, **rows)
