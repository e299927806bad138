# SPDX-License-Identifier: GPL-3.0-or-later
"""Particle stacks, one MRC file for each micrograph, and the job that writes them.

The job writes boxes of the particles that are kept, once it is known which these are:
all candidates take several times the disk.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import mrcfile
import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.boxes import cut_boxes
from deepconsensus_plugin.core.deep_consensus.requests import StackOptions, stack_path
from deepconsensus_plugin.core.execution import Progress, StageCost
from deepconsensus_plugin.core.io.atomic import reserve, whole_file
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.limits import Count, Side
from deepconsensus_plugin.core.preprocessing import normalise_background
from deepconsensus_plugin.core.types import FloatArray, Micrograph

WriteBoxes = Callable[[slice, NDArray[np.float32]], None]
"""Function that writes boxes to the places of a stack."""

_FLOAT, _HALF = 2, 12
"""MRC modes of pixels of 32 and of 16 bits."""

_LARGEST = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class StackRequest:
    """Request to write the boxes of coordinates to stacks.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Where the coordinates lie; others may be there.
    coordinates : Path
        File of `core.io.tables.write_coordinates`; images are in their order.
    box_size : int
        Pixels of the micrographs.
    stacks : StackOptions
        Where and how.
    phase_flip : bool
        Whether phases are flipped, of micrographs with a CTF.
    workers : int
        Threads that cut boxes.
    """

    micrographs: tuple[Micrograph, ...]
    coordinates: Path
    box_size: Side
    stacks: StackOptions
    phase_flip: bool = False
    workers: Count = 2


@dataclass(frozen=True)
class StackResult:
    """Result of writing stacks: the number of boxes and the time."""

    n_boxes: int
    timings: dict[str, StageCost] = field(default_factory=dict)


def run(request: StackRequest, progress: Progress) -> StackResult:
    """Carry out a `StackRequest`.

    Raises
    ------
    ValueError
        If a coordinate lies on a micrograph that is not given, or two stacks would have
        the same name.
    """
    micrographs = {micrograph.name: micrograph for micrograph in request.micrographs}
    coordinates = read_coordinates(request.coordinates)
    places = {name: here.yx for name, here in coordinates.items() if len(here)}
    if unknown := [name for name in places if name not in micrographs]:
        raise ValueError(
            f"{request.coordinates}: coordinates on {len(unknown)} micrographs that "
            f"are not among the {len(micrographs)} given, e.g. {unknown[0]}"
        )
    refuse_equal_stems(places)
    items = ((micrographs[name], yx) for name, yx in places.items())
    write = functools.partial(_write, replace(request, micrographs=()))
    with progress.stage("particles", sum(map(len, places.values()))) as advance:
        for n_boxes in progress.executor.map(write, items, workers=request.workers):
            advance(n_boxes)
    return StackResult(sum(map(len, places.values())), progress.timings)


def _write(request: StackRequest, item: tuple[Micrograph, FloatArray]) -> int:
    (micrograph, yx), box, first = item, request.box_size, 0
    with new_stack(micrograph, len(yx), box, request.stacks) as write:
        for boxes in cut_boxes(micrograph, yx, box, phase_flip=request.phase_flip):
            write(slice(first, first + len(boxes)), boxes)
            first += len(boxes)
    return len(yx)


def refuse_equal_stems(names: Iterable[str]) -> None:
    """Refuse micrographs whose stacks would have the same name.

    Raises
    ------
    ValueError
        If there are such.
    """
    stems = Counter(Path(name).stem for name in names)
    for stem, count in stems.items():
        if count > 1:
            raise ValueError(
                "expected micrographs whose stacks have different names, received "
                f"{count} micrographs named {stem}.*"
            )


@contextmanager
def new_stack(
    micrograph: Micrograph, n_boxes: int, box_size: int, options: StackOptions | None
) -> Iterator[WriteBoxes]:
    """Open a new stack and give what writes boxes to it; nothing without `options`.

    Parameters
    ----------
    micrograph : Micrograph
        It names the stack.
    n_boxes : int
        Number of images.
    box_size : int
        Their side, pixels.
    options : StackOptions, optional
        Where and how. None: no stack.
    """
    if options is None:
        yield lambda places, boxes: None
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    shape = (n_boxes, box_size, box_size)
    mode = _HALF if options.half_size else _FLOAT
    with (
        whole_file(stack_path(options.folder, micrograph.name)) as partial,
        mrcfile.new_mmap(partial, shape, mrc_mode=mode, overwrite=True) as stack,
    ):
        reserve(partial)
        stack.set_image_stack()
        stack.voxel_size = micrograph.sampling_rate

        def write(places: slice, boxes: NDArray[np.float32]) -> None:
            images = _prepared(boxes, options)
            if options.half_size:
                images = images.clip(-_LARGEST, _LARGEST)
            stack.data[places] = images

        yield write
        stack.update_header_stats()


def _prepared(boxes: NDArray[np.float32], options: StackOptions) -> NDArray[np.float32]:
    if options.normalise:
        return normalise_background(boxes, invert=options.invert)
    return -boxes if options.invert else boxes
