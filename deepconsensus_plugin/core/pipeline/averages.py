# SPDX-License-Identifier: GPL-3.0-or-later
"""Job that averages the boxes of candidates, and tells what each looks like."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from deepconsensus_plugin.core.averages.averaging import FEWEST_MEMBERS
from deepconsensus_plugin.core.averages.parameters import (
    FEWEST_BOXES,
    AveragesParameters,
)
from deepconsensus_plugin.core.averages.polar import Float32Array
from deepconsensus_plugin.core.averages.reduced_boxes import reduced_boxes
from deepconsensus_plugin.core.averages.sorting import Matched, Matcher, Sorted, Sorter
from deepconsensus_plugin.core.averages.stacks import new_stack
from deepconsensus_plugin.core.averages.table import AveragesTable, write_averages
from deepconsensus_plugin.core.blas import one_blas_thread
from deepconsensus_plugin.core.execution import Executor, Progress
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.pipeline.averages_request import (
    AveragesRequest,
    AveragesResult,
)
from deepconsensus_plugin.core.pipeline.candidate_halves import halves_of
from deepconsensus_plugin.core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    Micrograph,
    ScoredCoordinates,
)

logger = logging.getLogger(__name__)


def run(request: AveragesRequest, progress: Progress) -> AveragesResult:
    """Carry out an `AveragesRequest`, with one thread for linear algebra.

    Products of several threads differ in their last digits, and a box that is nearly as
    much like one average as another would take its place by chance.

    Raises
    ------
    ValueError
        If there are fewer candidates on the micrographs than averages need.
    """
    with one_blas_thread():
        return _run(request, progress)


def _run(request: AveragesRequest, progress: Progress) -> AveragesResult:
    work = _Work.of(request)
    if len(work) < FEWEST_BOXES:
        raise ValueError(
            f"{request.coordinates}: expected at least {FEWEST_BOXES} candidates on "
            f"the {len(request.micrographs)} micrographs, received {len(work)}"
        )
    sample = work.sample(request.parameters)
    with progress.stage("read sample", len(sample)) as advance:
        parts = []
        for part in work.read(sample, request, progress.executor):
            parts.append(part)
            advance(len(part))
        boxes = np.concatenate(parts)
    with progress.stage("average", len(sample)) as advance:
        sorter = Sorter(
            boxes,
            work.is_second[sample],
            request.parameters,
            pixel_size_A=request.pixel_size_A,
            finest_A=2 * request.micrographs[0].sampling_rate,
        )
        advance(len(sample))
    with (
        progress.stage("compare", len(work)) as advance,
        new_stack(request.particles, len(work), request.pixel_size_A) as kept,
    ):
        is_whole = len(sample) == len(work)
        every, executor = np.arange(len(work)), progress.executor
        read = [boxes] if is_whole else work.read(every, request, executor)
        match = functools.partial(_match, sorter.matcher)
        found = []
        for matched in executor.map(
            match, work.with_halves(read, kept), workers=request.workers
        ):
            found.append(sorter.add(matched))
            advance(len(found[-1].amplitude))
    table = _table(sorter, found, work.is_looked_at, request)
    write_averages(request.averages, table)
    logger.info("%d candidates, %d averages", len(work), len(table.images))
    return AveragesResult(
        request.averages, len(table.images), len(work), progress.timings
    )


@dataclass(frozen=True, eq=False)
class _Work:
    """Candidates of micrographs, in the order of their file.

    Parameters
    ----------
    places : list of (Micrograph, ScoredCoordinates)
        Micrographs with candidates.
    is_second : array, shape (n,), bool
        Which half each candidate belongs to.
    is_looked_at : array, bool
        Which candidates of the file are these n.
    """

    places: list[tuple[Micrograph, ScoredCoordinates]]
    is_second: BoolArray
    is_looked_at: BoolArray

    @classmethod
    def of(cls, request: AveragesRequest) -> _Work:
        micrographs = {each.name: each for each in request.micrographs}
        coordinates = read_coordinates(request.coordinates)
        unknown = [name for name in coordinates if name not in micrographs]
        if unknown:
            raise ValueError(
                f"{request.coordinates}: expected candidates on the "
                f"{len(micrographs)} micrographs given, received some on {unknown[0]}"
            )
        looked_at = {n: c for n, c in coordinates.items() if n not in request.left_out}
        places = [(micrographs[n], c) for n, c in looked_at.items() if len(c)]
        is_looked_at = np.repeat(
            [name in looked_at for name in coordinates],
            np.array([len(each) for each in coordinates.values()], dtype=np.intp),
        )
        return cls(places, halves_of(places), is_looked_at.astype(bool))

    def __len__(self) -> int:
        return len(self.is_second)

    def sample(self, parameters: AveragesParameters) -> IntArray:
        """Return the rows of the sample, ascending."""
        if len(self) <= parameters.sample:
            return np.arange(len(self))
        rng = np.random.default_rng(parameters.seed)
        return np.sort(rng.choice(len(self), parameters.sample, replace=False))

    def with_halves(
        self, parts: Iterable[Float32Array], kept: Float32Array | None
    ) -> Iterator[tuple[Float32Array, BoolArray]]:
        """Yield the boxes of all, each part with its halves; keep them where told."""
        first = 0
        for part in parts:
            rows = slice(first, first + len(part))
            if kept is not None:
                kept[rows] = part
            first = rows.stop
            yield part, self.is_second[rows]

    def read(
        self, rows: IntArray, request: AveragesRequest, executor: Executor
    ) -> Iterator[Float32Array]:
        """Yield the boxes of ascending rows, some at a time, read ahead."""
        cut = functools.partial(_cut, request.box_size, request.are_particles_dark)
        edges = np.cumsum([0, *(len(each) for _, each in self.places)])
        inside = np.searchsorted(rows, edges)
        items = [
            (micrograph, each.yx[rows[first:last] - edge])
            for (micrograph, each), edge, first, last in zip(
                self.places, edges, inside, inside[1:], strict=False
            )
            if first < last
        ]
        for parts in executor.map(cut, items, workers=request.workers):
            yield from parts


def _cut(
    box_size: int, are_particles_dark: bool, item: tuple[Micrograph, FloatArray]
) -> list[Float32Array]:
    """Return the reduced boxes of a micrograph at some centres."""
    return list(reduced_boxes(*item, box_size, are_particles_dark=are_particles_dark))


def _match(matcher: Matcher, item: tuple[Float32Array, BoolArray]) -> Matched:
    """Return what averages tell of boxes with their halves."""
    return matcher(*item)


def _table(
    sorter: Sorter,
    found: list[Sorted],
    is_looked_at: BoolArray,
    request: AveragesRequest,
) -> AveragesTable:
    def of_all(parts: list[FloatArray]) -> FloatArray:
        """Return numbers of all candidates of the file, NaN where not looked at."""
        known = np.concatenate(parts)
        numbers = np.full((len(is_looked_at), *known.shape[1:]), np.nan)
        numbers[is_looked_at] = known
        return numbers

    order = sorter.by_size()
    rank = np.full(len(sorter.resolution_A), -1)
    rank[order] = np.arange(len(order))
    scale = request.pixel_size_A / request.micrographs[0].sampling_rate
    average = np.full(len(is_looked_at), -1)
    average[is_looked_at] = rank[np.concatenate([e.poses.average for e in found])]
    # The resolution is that of the averages that the sample made. Where few candidates
    # were sorted into one in the end, its picture does not show as much.
    n_members = np.bincount(average[average >= 0], minlength=len(order))
    resolution_A = np.where(
        n_members >= FEWEST_MEMBERS, sorter.resolution_A[order], np.inf
    )
    return AveragesTable(
        average=average,
        angle_deg=np.rad2deg(of_all([each.poses.angle for each in found])),
        offset_yx=-scale * of_all([each.poses.shift for each in found]),
        amplitude=of_all([each.amplitude for each in found]),
        correlation=of_all([each.correlation for each in found]),
        images=sorter.pictures()[order],
        resolution_A=resolution_A,
        pixel_size_A=request.pixel_size_A,
        diameter_A=2 * sorter.mask_radius * request.pixel_size_A,
    )
