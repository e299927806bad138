# SPDX-License-Identifier: GPL-3.0-or-later
"""Input of *average candidates* whose boxes are cut from micrographs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pwem.objects import Acquisition, Coordinate, SetOfCoordinates, SetOfParticles
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import BoxFrame, placed_items, scaled_item
from deepconsensus_plugin.core.types import IntArray, Micrograph, ScoredCoordinates


@dataclass(frozen=True, eq=False)
class AveragesInput:
    """Items that are averaged, in boxes that are cut from micrographs.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusAverages`.
    particles : SetOfParticles, optional
        None where coordinates were chosen.
    coordinates : SetOfCoordinates, optional
        The coordinates, or those that the particles know.
    """

    protocol: Protocol
    particles: SetOfParticles | None
    coordinates: SetOfCoordinates | None

    @classmethod
    def of(cls, protocol: Protocol) -> AveragesInput:
        """Return what was chosen on the form of a `ProtDeepConsensusAverages`."""
        particles = protocol.inputParticles.get()
        if particles is not None:
            return cls(protocol, particles, particles.getCoordinates())
        return cls(protocol, None, protocol.inputCoordinates.get())

    @property
    def items(self) -> SetOfParticles | SetOfCoordinates:
        """Set that was chosen."""
        return self.coordinates if self.particles is None else self.particles

    @property
    def keeps_boxes(self) -> bool:
        """Whether the boxes are kept as particles, since there are none yet."""
        return self.particles is None

    @property
    def picked_pixel_A(self) -> float:
        """Pixel size of the micrographs that the coordinates lie on."""
        return float(self.coordinates.getMicrographs().getSamplingRate())

    @cached_property
    def box_size(self) -> int:
        """Box in pixels of these micrographs; 0 if it is not known."""
        if (chosen := self.protocol.boxSize.get()) is not None:
            return int(chosen)
        if self.particles is None:
            return int(self.coordinates.getBoxSize() or 0)
        return round(self.particles.getXDim() * self._scale)

    @property
    def cut_pixel_A(self) -> float:
        """Pixel size of the micrographs that are cut."""
        return float(self.frame.micrographs.getSamplingRate())

    @property
    def cut_box(self) -> int:
        """Box in pixels of the micrographs that are cut."""
        return self.frame.box_size

    @property
    def acquisition(self) -> Acquisition:
        """Acquisition of the micrographs that are cut."""
        return self.frame.micrographs.getAcquisition()

    @cached_property
    def frame(self) -> BoxFrame:
        """Boxes and micrographs to cut them from."""
        return BoxFrame(
            self.coordinates,
            self.protocol.getInputMicrographs(),
            self.protocol.ctfRelations.get(),
            picked_box=self.box_size,
        )

    def read_usable(self) -> tuple[Micrograph, ...]:
        """Return the micrographs that can be cut."""
        return self.frame.read_usable()

    def place(self) -> tuple[dict[str, ScoredCoordinates], IntArray]:
        """Return `placed_items` on the micrographs that can be cut."""
        return placed_items(
            *(self.items, self.coordinates),
            usable={micrograph.name for micrograph in self.read_usable()},
            scale=self.frame.scale,
        )

    def iterCoordinates(self) -> Iterator[Coordinate]:
        """Yield a copy of the coordinate of each item, with its id and attributes.

        In pixels of the micrographs that it was picked on; particles without a
        coordinate are left out.
        """
        if self.particles is None:
            for item in self.coordinates.iterItems():
                yield item.clone()
            return
        for particle in self.particles.iterItems():
            if particle.getCoordinate() is None:
                continue
            # The coordinate of a particle is in the pixels of the particle.
            coordinate = scaled_item(particle.getCoordinate(), self._scale)
            coordinate.setObjId(particle.getObjId())
            yield coordinate

    @property
    def _scale(self) -> float:
        """Pixels of the micrographs per pixel of the particles."""
        return float(self.particles.getSamplingRate() / self.picked_pixel_A)
