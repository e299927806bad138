# SPDX-License-Identifier: GPL-3.0-or-later
"""Outputs of *average candidates*: classes, averages, and items with evidence."""

from __future__ import annotations

import math

from pwem.objects import (
    Class2D,
    EMSet,
    Particle,
    SetOfAverages,
    SetOfClasses2D,
    SetOfCoordinates,
    SetOfParticles,
)
from pyworkflow.object import Float, Pointer
from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import AVERAGE_RESOLUTION_ATTRIBUTE
from deepconsensus_plugin.convert import AveragedItems, scaled_item, set_attribute
from deepconsensus_plugin.protocols.averages.averages_images import ImagesInput
from deepconsensus_plugin.protocols.averages.averages_input import AveragesInput
from deepconsensus_plugin.protocols.deep_consensus.coordinates_info import (
    copyCoordinatesInfo,
)
from deepconsensus_plugin.protocols.deep_consensus.scored_sets import copyScores


class AveragesOutputs:
    """Outputs that are being made.

    Parameters
    ----------
    protocol : Protocol
        A `ProtDeepConsensusAverages`.
    given : AveragesInput or ImagesInput
        Its input.
    averaged : AveragedItems
        What the job found.
    """

    def __init__(
        self,
        protocol: Protocol,
        given: AveragesInput | ImagesInput,
        averaged: AveragedItems,
    ) -> None:
        self._protocol, self._given, self._averaged = protocol, given, averaged
        self._table = averaged.table

    def make(self) -> dict[str, EMSet]:
        """Return all outputs by name, filled.

        Small particles are registered on the way, since classes point to them.
        """
        outputs: dict[str, EMSet] = {"outputAverages": self._averages()}
        if isinstance(self._given, ImagesInput):
            outputs["outputParticles"] = self._given_particles()
        else:
            outputs["outputCoordinates"] = self._coordinates()
        pointer = self._protocol.inputParticles
        if self._given.keeps_boxes:
            outputs["outputParticles"] = self._particles()
            self._protocol._defineOutputs(outputParticles=outputs["outputParticles"])
            pointer = Pointer(self._protocol, extended="outputParticles")
        return outputs | {"outputClasses": self._classes(pointer)}

    def _averages(self) -> SetOfAverages:
        averages = self._protocol._createSetOfAverages()
        self._copyAcquisition(averages, self._table.pixel_size_A)
        for number in range(1, len(self._table.images) + 1):
            average = Particle()
            average.setObjId(number)
            average.setLocation(number, self._protocol._getFileName("images"))
            self._describeAverage(average, number)
            averages.append(average)
        return averages

    def _describeAverage(self, item: Particle | Class2D, number: int) -> None:
        resolution_A = float(self._table.resolution_A[number - 1])
        told = resolution_A if math.isfinite(resolution_A) else None
        set_attribute(item, AVERAGE_RESOLUTION_ATTRIBUTE, Float, told)

    def _coordinates(self) -> SetOfCoordinates:
        source = self._given.coordinates
        target = self._protocol._createSetOfCoordinates(
            source.getMicrographs(asPointer=True)
        )
        copyCoordinatesInfo(target, source, self._protocol._getFileName("observed"))
        target.setBoxSize(self._given.box_size)
        for item in self._given.iterCoordinates():
            self._averaged.describe(item, item.getObjId())
            if self._protocol.refineCentres:
                self._averaged.centre(item, item.getObjId())
            target.append(item)
        return target

    def _given_particles(self) -> SetOfParticles:
        """Return the particles whose images were averaged, with the evidence."""
        particles = self._protocol._createSetOfParticles()
        particles.copyInfo(self._given.particles)
        for item in self._given.particles.iterItems():
            self._averaged.describe(item, item.getObjId())
            particles.append(item)
        return particles

    def _particles(self) -> SetOfParticles:
        """Return the boxes that were averaged, small and with light particles."""
        particles = self._protocol._createSetOfParticles()
        ctfs = self._given.frame.read_ctfs()
        pixelSize, rate = self._table.pixel_size_A, self._given.picked_pixel_A
        self._copyAcquisition(particles, pixelSize)
        particles.setHasCTF(bool(ctfs))
        particles.setIsPhaseFlipped(bool(ctfs))
        particles.setCoordinates(self._protocol.inputCoordinates)
        for item in self._given.iterCoordinates():
            row = self._averaged.row_of(item.getObjId())
            if row is None:
                continue
            particle = Particle()
            particle.setObjId(item.getObjId())
            particle.setLocation(row + 1, self._protocol._getFileName("particles"))
            particle.setMicId(item.getMicId())
            particle.setCoordinate(scaled_item(item, rate / pixelSize))
            copyScores(item, particle)
            self._averaged.describe(particle, item.getObjId())
            if ctfs:
                particle.setCTF(ctfs[item.getMicName()])
            particles.append(particle)
        particles.write()
        return particles

    def _classes(self, images: Pointer) -> SetOfClasses2D:
        classes = self._protocol._createSetOfClasses2D(images)
        pixelSize = images.get().getSamplingRate()

        def align(item: Particle, _: None) -> None:
            number = item.getObjId()
            item.setClassId(self._averaged.class_of(number))
            if item.getClassId():
                item.setTransform(self._averaged.alignment(number, pixelSize))
            self._averaged.describe(item, number)

        classes.classifyItems(align, self._describeClass, classifyDisabled=True)
        return classes

    def _describeClass(self, item: Class2D) -> None:
        item.setAlignment2D()
        stack = "images" if self._given.keeps_boxes else "representatives"
        number = item.getObjId()
        item.getRepresentative().setLocation(number, self._protocol._getFileName(stack))
        item.getRepresentative().setSamplingRate(item.getSamplingRate())
        self._describeAverage(item, number)

    def _copyAcquisition(self, images: SetOfParticles, pixelSize: float) -> None:
        images.setAcquisition(self._given.acquisition.clone())
        images.setSamplingRate(pixelSize)
