# SPDX-License-Identifier: GPL-3.0-or-later
"""Input of *average candidates* that has no micrographs: images of particles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pwem.objects import Acquisition, SetOfParticles
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.convert import ParticleStacks, stacks_from_set
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.types import IntArray, Micrograph, ScoredCoordinates
from deepconsensus_plugin.protocols.averages.averages_input import AveragesInput
from deepconsensus_plugin.set_columns import read_ids


@dataclass(frozen=True, eq=False)
class ImagesInput:
    """Particles whose own images are averaged.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusAverages`.
    particles : SetOfParticles
        Images in MRC stacks. Phases are flipped with the CTF of each, where it has one
        and they are not flipped yet.
    """

    protocol: Protocol
    particles: SetOfParticles

    keeps_boxes = False

    @property
    def items(self) -> SetOfParticles:
        """Set that was chosen."""
        return self.particles

    @property
    def picked_pixel_A(self) -> float:
        """Pixel size of the images."""
        return float(self.particles.getSamplingRate())

    cut_pixel_A = picked_pixel_A

    @property
    def image_size(self) -> int:
        """Side of the images, pixels."""
        return int(self.particles.getXDim() or 0)

    @property
    def box_size(self) -> int:
        """Side of the middle of the images that is averaged, pixels."""
        return int(self.protocol.boxSize.get() or self.image_size)

    @property
    def cut_box(self) -> int:
        """Side that is averaged; it is even, so that the centre is a pixel."""
        return self.box_size - self.box_size % 2

    @property
    def acquisition(self) -> Acquisition:
        """Acquisition of the particles."""
        return self.particles.getAcquisition()

    def read_usable(self) -> tuple[Micrograph, ...]:
        """Return the stacks, which are in the place of micrographs.

        Raises
        ------
        FileFormatError
            If the images of a stack are smaller than the box.
        """
        for stack in self._stacks.micrographs:
            if stack.images.shown != self.cut_box:
                raise FileFormatError(
                    stack.path,
                    expected=f"images of at least {self.cut_box} x {self.cut_box} px",
                    received=f"{stack.images.side} x {stack.images.side} px",
                )
        return self._stacks.micrographs

    def place(self) -> tuple[dict[str, ScoredCoordinates], IntArray]:
        """Return the centres of the images by stack, and the id of each particle."""
        ids = np.array(read_ids(self.particles), dtype=np.intp)
        return self._stacks.coordinates, ids[self._stacks.positions]

    @cached_property
    def _stacks(self) -> ParticleStacks:
        return stacks_from_set(
            self.particles,
            extent_A=self.cut_box * self.picked_pixel_A,
            are_dark=self.protocol.stacksDark.get(),
            is_dark_usual=self.protocol.particlesDark.get(),
        )


def averagesImages(protocol: Protocol) -> bool:
    """Return whether the images of particles are averaged as they are.

    So they are where their boxes cannot be cut again: they know no coordinates, these
    have lost their micrographs, or the files of the micrographs are not there.
    """
    particles = protocol.inputParticles.get()
    if particles is None:
        return False
    coordinates = particles.getCoordinates()
    if coordinates is None or coordinates.getMicrographs() is None:
        return True
    # Micrographs are removed together; a look at all of them would slow down the form.
    first = protocol.getInputMicrographs().getFirstItem()
    return first is not None and not Path(first.getFileName()).is_file()


def averagedInput(protocol: Protocol) -> AveragesInput | ImagesInput:
    """Return what was chosen on the form of a `ProtDeepConsensusAverages`."""
    if averagesImages(protocol):
        return ImagesInput(protocol, protocol.inputParticles.get())
    return AveragesInput.of(protocol)
