# SPDX-License-Identifier: GPL-3.0-or-later
"""Input of a selection: the scored candidates, and the particles among them.

Candidates whose box leaves the micrograph have a scored coordinate, but no particle.
They are candidates all the same, so that every count and every text has them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pwem.objects import (
    Coordinate,
    SetOfCoordinates,
    SetOfMicrographs,
    SetOfParticles,
)
from pyworkflow.object import Float, String

from deepconsensus_plugin.constants import REASON_ATTRIBUTE, SCORE_ATTRIBUTE
from deepconsensus_plugin.convert import (
    ItemRows,
    masks_of,
    moved_rows,
    places_of_items,
    read_items,
    read_observed,
    set_attribute,
)
from deepconsensus_plugin.core.acceptance.places import Places, are_off_border
from deepconsensus_plugin.core.acceptance.spacing import Spacing
from deepconsensus_plugin.core.types import IntArray
from deepconsensus_plugin.set_columns import read_columns, read_id_array, read_scores


@dataclass(frozen=True, eq=False)
class SelectionInput:
    """Sets that a selection is made from.

    Parameters
    ----------
    particles : SetOfParticles, optional
        Scored particles; None to select from coordinates.
    coordinates : SetOfCoordinates, optional
        The scored coordinates, or those that the particles know.
    """

    particles: SetOfParticles | None
    coordinates: SetOfCoordinates | None

    @classmethod
    def of(cls, items: SetOfParticles | SetOfCoordinates) -> SelectionInput:
        """Return the input for the set that was chosen on a form."""
        if isinstance(items, SetOfParticles):
            return cls(items, items.getCoordinates())
        return cls(None, items)

    @cached_property
    def micrographs(self) -> SetOfMicrographs | None:
        """Micrographs that candidates were picked on."""
        return None if self.coordinates is None else self.coordinates.getMicrographs()

    @cached_property
    def bad_micrographs(self) -> tuple[str, ...]:
        """Names of the micrographs on which nothing can be judged."""
        known = None if self.coordinates is None else read_observed(self.coordinates)
        return () if known is None else tuple(known.bad_micrographs)

    @cached_property
    def masks(self) -> Path | None:
        """Folder of the masks of the micrographs, from the folder of the project."""
        return masks_of(self.coordinates)

    @cached_property
    def box_size(self) -> float:
        """Box of the candidates, pixels of the micrographs; 0 if it is not known."""
        known = self.coordinates.getBoxSize() if self.coordinates is not None else 0
        if known or self.particles is None or self.micrographs is None:
            return float(known or 0)
        return float(self.particles.getXDim() * self._scale)

    @cached_property
    def candidates(self) -> SetOfParticles | SetOfCoordinates:
        """Set of all candidates: the coordinates, unless they are of other items.

        Where particles were chosen by other means before, they are the candidates.
        """
        if self.particles is None:
            return self.coordinates
        return self.coordinates if self._coordinates_go_with() else self.particles

    def _coordinates_go_with(self) -> bool:
        """Return whether the coordinates are those of the particles, and cut ones."""
        if self.coordinates is None or self.coordinates.isEmpty():
            return False
        if SCORE_ATTRIBUTE not in read_columns(self.coordinates, SCORE_ATTRIBUTE):
            return False
        ids, own = map(read_id_array, (self.coordinates, self.particles))
        have_particle = np.isin(ids, own)
        if have_particle.sum() != len(own):
            return False
        scores = read_scores(self.coordinates)[have_particle]
        if not np.array_equal(scores, read_scores(self.particles), equal_nan=True):
            return False
        return have_particle.all() or self._leave_micrographs(~have_particle)

    def _leave_micrographs(self, rows) -> bool:
        places = self._places_of(self.coordinates, None)
        return places is not None and not are_off_border(places, Spacing())[rows].any()

    def places(self, folder: Path | None = None) -> Places | None:
        """Return the places of the candidates; see `places_of_items`."""
        return self._places_of(self.candidates, folder)

    def _places_of(self, items, folder: Path | None) -> Places | None:
        return places_of_items(
            *(items, self.micrographs),
            box_size=self.box_size,
            folder=folder,
            bad_micrographs=self.bad_micrographs,
        )

    @property
    def _scale(self) -> float:
        """Pixels of the micrographs per pixel of the particles."""
        if self.particles is None or self.micrographs is None:
            return 1.0
        return self.particles.getSamplingRate() / self.micrographs.getSamplingRate()

    def parts(self, ids: IntArray, words: list[str]) -> dict[str, ItemRows]:
        """Return coordinates and particles, by the output that they belong to.

        Parameters
        ----------
        ids : array, shape (n,), int
            Ids of some of the candidates, ascending.
        words : list of str, n
            Why each is rejected; an empty word if it is kept.
        """
        parts = {}
        if isinstance(self.candidates, SetOfCoordinates):
            parts["outputCoordinates"] = _with_reason(self.candidates, ids, words)
        if self.particles is None:
            return parts
        have_particle = np.isin(ids, read_id_array(self.particles))
        some = [word for word, has in zip(words, have_particle, strict=True) if has]
        particles = _with_reason(self.particles, ids[have_particle], some)
        own = particles.item.getCoordinate() if len(particles) else None
        if own is not None:
            set_attribute(own, REASON_ATTRIBUTE, String, None)
            of_coordinate = {f"_coordinate.{REASON_ATTRIBUTE}": some}
            particles = particles.with_columns(of_coordinate)
            if self.coordinates is not None and self.candidates is self.particles:
                parts["outputCoordinates"] = self._as_picked(particles, own)
        return {**parts, "outputParticles": particles}

    def _as_picked(self, particles: ItemRows, own: Coordinate) -> ItemRows:
        """Return particles' coordinates in pixels of the micrographs, with the scores.

        The coordinate of a particle is in the pixels of the particle.
        """
        yx = read_items(self.particles).yx
        rows = np.searchsorted(read_id_array(self.particles), particles.ids)
        score = read_scores(self.particles)[rows]
        coordinates = particles.part(own.clone(), "_coordinate.")
        coordinates = moved_rows(coordinates, self._scale * yx[rows])
        return coordinates.with_attribute(SCORE_ATTRIBUTE, Float, score)


def _with_reason(
    items: SetOfParticles | SetOfCoordinates, ids: IntArray, words: list[str]
) -> ItemRows:
    rows = ItemRows.of_set(items, ids)
    return rows.with_attribute(REASON_ATTRIBUTE, String, words)
