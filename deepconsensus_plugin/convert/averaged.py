# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversion of the table of averages: evidence on items, alignments of particles.

Scipion's alignment of a particle is the matrix from the particle, x to the right and y
down from the pixel ``size // 2``, to the average: the rotation, and the shift after it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pwem.objects import (
    Coordinate,
    Particle,
    SetOfCoordinates,
    SetOfParticles,
    Transform,
)
from pyworkflow.object import Float, Integer, Scalar

from deepconsensus_plugin.constants import (
    AVERAGE_AMPLITUDE_ATTRIBUTE,
    AVERAGE_ATTRIBUTE,
    AVERAGE_CORRELATION_ATTRIBUTE,
    AVERAGE_OFFSET_X_ATTRIBUTE,
    AVERAGE_OFFSET_Y_ATTRIBUTE,
)
from deepconsensus_plugin.convert.coordinates import MicrographMatch
from deepconsensus_plugin.convert.item_rows import ItemRows, set_attribute
from deepconsensus_plugin.convert.items import (
    ids_by_name,
    move_item,
    own_micrographs,
    read_items,
)
from deepconsensus_plugin.core.averages.kinds import tell_likeness
from deepconsensus_plugin.core.averages.table import AveragesTable, read_averages
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.extraction import round_centres
from deepconsensus_plugin.core.grouping import rows_of_groups
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.kinds import Likeness
from deepconsensus_plugin.core.types import (
    FloatArray,
    IntArray,
    ScoredCoordinates,
)
from deepconsensus_plugin.set_columns import read_id_array


def placed_items(
    items: SetOfCoordinates | SetOfParticles,
    coordinates: SetOfCoordinates,
    *,
    usable: Collection[str],
    scale: float,
) -> tuple[dict[str, ScoredCoordinates], IntArray]:
    """Return the positions of items by micrograph, and whose each is.

    Parameters
    ----------
    items : SetOfCoordinates or SetOfParticles
        Those without a position, or on a micrograph that is not usable, are left out.
    coordinates : SetOfCoordinates
        The items, or those that the particles were cut at: it knows the micrographs.
    usable : collection of str
        Names of the micrographs whose boxes can be cut.
    scale : float
        Pixels that are cut per pixel of the micrographs.

    Returns
    -------
    dict of str to ScoredCoordinates
        Pixels that are cut.
    array, shape (n,), int
        Id of the item of each, in the order of the dictionary.
    """
    own = own_micrographs(coordinates)
    names = ids_by_name(own)
    by_id = {number: name for name, number in names.items()}
    match = MicrographMatch({name: name for name in names}, by_id, 1.0)
    table = read_items(items)
    found = [match.name_of(*place) for place in table.places]
    chosen = [name for name in dict.fromkeys(found) if name in usable]
    numbers = {name: number for number, name in enumerate(chosen)}
    number_of = np.array([numbers.get(name, -1) for name in found], dtype=np.intp)
    are_placed = np.isfinite(table.yx).all(axis=1)
    group = np.where(are_placed, number_of[table.place], -1)
    groups = zip(chosen, rows_of_groups(group, len(chosen)), strict=True)
    rows = {name: here for name, here in groups if len(here)}
    if isinstance(items, SetOfParticles):
        scale = scale * items.getSamplingRate() / own.getSamplingRate()
    places = {
        name: ScoredCoordinates.from_arrays(scale * table.yx[here])
        for name, here in rows.items()
    }
    order = np.concatenate([np.empty(0, dtype=np.intp), *rows.values()])
    return places, read_id_array(items)[order]


@dataclass(frozen=True, eq=False)
class AveragedItems:
    """Items of a set that were averaged, n.

    Parameters
    ----------
    table : AveragesTable
        Averages, and their likeness to the items.
    ids : array, shape (n,), int
        Ids of the items.
    yx : array, shape (n, 2)
        Their positions, pixels that were cut.
    pixel_size_A, picked_pixel_A : float
        Of what was cut, and of the micrographs that the items lie on.
    """

    table: AveragesTable
    ids: IntArray
    yx: FloatArray
    pixel_size_A: float
    picked_pixel_A: float

    @classmethod
    def read(
        cls,
        averages: Path,
        coordinates: Path,
        ids: IntArray,
        *,
        pixel_size_A: float,
        picked_pixel_A: float,
    ) -> AveragedItems | None:
        """Return what a job found; None where there is no such file.

        Parameters
        ----------
        averages, coordinates : Path
            Files of its request.
        ids, pixel_size_A, picked_pixel_A
            As above.
        """
        if not averages.is_file():
            return None
        places = read_coordinates(coordinates).values()
        yx = np.concatenate([np.empty((0, 2)), *(here.yx for here in places)])
        table = read_averages(averages, len(ids))
        return cls(table, ids, yx, pixel_size_A, picked_pixel_A)

    @cached_property
    def _rows(self) -> dict[int, int]:
        return {number: row for row, number in enumerate(self.ids.tolist())}

    @cached_property
    def _refined(self) -> FloatArray:
        """Centres by the averages; offsets count from the centre of the box."""
        return np.asarray(round_centres(self.yx) + self.table.offset_yx)

    def likeness(self, candidates: Candidates, probability: FloatArray) -> Likeness:
        """Return what the averages tell of the items, which are these candidates.

        Parameters
        ----------
        candidates : Candidates
            n.
        probability : array, shape (n,)
            Of each that it is a particle.
        """
        return tell_likeness(
            *(self.table, candidates, probability),
            picked_pixel_A=self.picked_pixel_A,
        )

    def row_of(self, number: int) -> int | None:
        """Return the row of the item with an id; None if it was not averaged."""
        row = self._rows.get(number)
        return row if row is not None and self.table.average[row] >= 0 else None

    def class_of(self, number: int) -> int:
        """Return the number of the average of an item, from 1; 0 where none is."""
        row = self.row_of(number)
        return 0 if row is None else int(self.table.average[row]) + 1

    def described(self, rows: ItemRows, numbers: IntArray) -> ItemRows:
        """Return items with what the averages tell of them.

        Parameters
        ----------
        rows : ItemRows
            n; they get the attributes, without values where they were not averaged.
        numbers : array, shape (n,), int
            Their ids here.
        """
        found = [self.row_of(number) for number in numbers.tolist()]
        for name, kind, values in self._evidence:
            told = [None if row is None else values[row] for row in found]
            rows = rows.with_attribute(name, kind, told)
        return rows

    def describe(self, item: Coordinate | Particle, number: int) -> None:
        """Set what the averages tell of the item with an id, as `described` does."""
        row = self.row_of(number)
        for name, kind, values in self._evidence:
            set_attribute(item, name, kind, None if row is None else values[row])

    @cached_property
    def _evidence(self) -> tuple[tuple[str, type[Scalar], list[Any]], ...]:
        """Attributes of items: name, kind, and the values of all that were averaged."""
        offset = (self._refined - self.yx) * self._scale
        return (
            (AVERAGE_ATTRIBUTE, Integer, (self.table.average + 1).tolist()),
            (AVERAGE_AMPLITUDE_ATTRIBUTE, Float, self.table.amplitude.tolist()),
            (AVERAGE_CORRELATION_ATTRIBUTE, Float, self.table.correlation.tolist()),
            (AVERAGE_OFFSET_X_ATTRIBUTE, Float, offset[:, 1].tolist()),
            (AVERAGE_OFFSET_Y_ATTRIBUTE, Float, offset[:, 0].tolist()),
        )

    def centre(self, item: Coordinate, number: int) -> None:
        """Move the item with an id to its centre by the average."""
        row = self.row_of(number)
        if row is not None:
            move_item(item, self._scale * self._refined[row])

    @property
    def _scale(self) -> float:
        """Pixels of the micrographs per pixel that was cut."""
        return self.pixel_size_A / self.picked_pixel_A

    def alignment(self, number: int, pixel_size_A: float) -> Transform:
        """Return the alignment of the box of an item that was averaged.

        Parameters
        ----------
        number : int
            Id of the item.
        pixel_size_A : float
            Of the image of the box.
        """
        row = self._rows[number]
        angle = np.deg2rad(self.table.angle_deg[row])
        cosine, sine = np.cos(angle), np.sin(angle)
        offset = self.table.offset_yx[row, ::-1] * self.pixel_size_A / pixel_size_A
        matrix = np.eye(4)
        matrix[:2, :2] = [[cosine, -sine], [sine, cosine]]
        matrix[:2, 3] = matrix[:2, :2] @ -offset
        return Transform(matrix)
