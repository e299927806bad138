# SPDX-License-Identifier: GPL-3.0-or-later
"""Boxes cut from micrographs of half the size, and CTFs, from picks to selection."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
from pwem.objects import Particle, SetOfCoordinates, SetOfParticles
from pwem.protocols import ProtExtractCoords

from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScore,
    ProtDeepConsensusSelect,
    ProtDeepConsensusTrain,
)
from deepconsensus_plugin.set_columns import read_scores
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_ctfs,
    store_model,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SyntheticProject,
    positions_of,
)

N_PICKS = 4
HALF_BOX = BOX // 2


class TestOtherMicrographs(SyntheticProject):
    """Picked on three micrographs; two are there dose-weighted, at half the size."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc")
    kept = names[1:]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name in reversed(cls.kept):
            write_half(cls.data / "micrographs" / name, cls.data / "halves")
        cls.halves = cls.importMicrographs(
            cls.data / "halves", samplingRate=2 * SAMPLING_RATE
        )
        # Odd and fractional positions, so that rounding shows.
        cls.picks = {
            n: yx[:N_PICKS] + np.array([0.3, 1]) for n, yx in cls.truth.items()
        }
        cls.coordinates = store_coordinates(cls, cls.picks)
        cls.inputs = {
            "inputMicrographs": imported(cls, cls.halves),
            "ctfRelations": store_ctfs(cls, cls.names),
        }

    def test_scored_particles_are_the_halves_and_coordinates_stay(self):
        model = write_untrained_model(self.data / "model")
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            inputCoordinates=self.coordinates,
            inputModel=store_model(type(self), model),
            writeStacks=True,
            doInvert=False,
            doNormalise=False,
            **self.inputs,
        )
        self.assertEqual(protocol.validate(), [])
        self.launchProtocol(protocol)
        coordinates, particles = protocol.outputCoordinates, protocol.outputParticles
        n_left_out = len(self.picks[self.names[0]])
        self.assertIn(f"{n_left_out} candidates left out", "".join(protocol.summary()))
        self._check_coordinates(coordinates)
        self._check_particles(particles)
        self._check_selected(protocol)
        self._check_scipion_extracts_the_same(protocol)

    def _check_coordinates(self, coordinates: SetOfCoordinates):
        """Check that they lie where they were picked, with the box of the picks."""
        whole = {
            name: [(int(x), int(y)) for y, x in np.floor(self.picks[name] + 0.5)]
            for name in self.kept
        }
        self.assertEqual(positions_of(coordinates), whole)
        self.assertEqual(coordinates.getBoxSize(), BOX)
        on = coordinates.getMicrographs()
        self.assertEqual(on.getFileName(), self.micrographs.getFileName())
        for item in coordinates.iterItems():
            self.assertEqual(on[item.getMicId()].getMicName(), item.getMicName())

    def _check_particles(self, particles: SetOfParticles):
        self.assertEqual(particles.getSize(), 2 * N_PICKS)
        self.assertEqual(particles.getSamplingRate(), 2 * SAMPLING_RATE)
        self.assertEqual(particles.getDim(), (HALF_BOX, HALF_BOX, 1))
        for particle in particles.iterItems():
            name = particle.getCoordinate().getMicName()
            exact = self.picks[name][(particle.getObjId() - 1) % N_PICKS] / 2
            y, x = np.floor(exact + 0.5).astype(int).tolist()
            self.assertEqual(particle.getCoordinate().getPosition(), (x, y))
            self._check_picture(particle, name, exact)
            self._check_ctf(particle)

    def _check_picture(self, particle: Particle, name: str, yx: FloatArray):
        pixels = open_micrograph(self.data / "halves" / f"{Path(name).stem}_DW.mrc")
        index, path = particle.getLocation()
        with mrcfile.open(path) as stack:
            self.assertEqual(float(stack.voxel_size.x), 2 * SAMPLING_RATE)
            expected = extract_boxes(pixels, yx[None], HALF_BOX)[0]
            np.testing.assert_allclose(stack.data[index - 1], expected, atol=1e-6)

    def _check_ctf(self, particle: Particle):
        """Check defocus in Å, which no pixel size changes, and each angle."""
        number = self.names.index(particle.getCoordinate().getMicName())
        ctf = particle.getCTF()
        defocus = ctf.getDefocusU(), ctf.getDefocusV(), ctf.getDefocusAngle()
        self.assertEqual(defocus, (15000 + number, 14000 + number, 30 + number))

    def _check_selected(self, scored: ProtDeepConsensusScore):
        """Check that coordinates of particles go back to where they were picked."""
        scores = np.sort(read_scores(scored.outputParticles))
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputParticles=output(scored, "outputParticles"),
            threshold=float(scores[N_PICKS // 2]),
        )
        self.launchProtocol(protocol)
        source = scored.outputCoordinates
        for suffix in ("", "Rejected"):
            coordinates = getattr(protocol, f"outputCoordinates{suffix}")
            particles = getattr(protocol, f"outputParticles{suffix}")
            self.assertEqual(coordinates.getBoxSize(), BOX)
            self.assertEqual(particles.getSamplingRate(), 2 * SAMPLING_RATE)
            self.assertTrue(particles.hasCTF())
            for item in coordinates.iterItems():
                original = source[item.getObjId()]
                self.assertEqual(item.getPosition(), original.getPosition())
                self.assertEqual(item.getMicId(), original.getMicId())
            for particle in particles.iterItems():
                self._check_ctf(particle)
        n_selected = len(protocol.outputParticles)
        self.assertEqual(n_selected, 2 * N_PICKS - N_PICKS // 2)
        self._check_distances_are_in_A(scored)

    def _check_distances_are_in_A(self, scored: ProtDeepConsensusScore):
        """Check that distances of particles and of their coordinates are the same."""
        kept = []
        for kind in ("Particles", "Coordinates"):
            protocol = new_protocol(
                type(self),
                ProtDeepConsensusSelect,
                **{f"input{kind}": output(scored, f"output{kind}")},
                threshold=0.0,
                borderDistance=60 * SAMPLING_RATE,
            )
            self.launchProtocol(protocol)
            kept.append(getattr(protocol, f"output{kind}").getIdSet())
        self.assertEqual(*kept)
        self.assertTrue(0 < len(kept[0]) < 2 * N_PICKS)

    def _check_scipion_extracts_the_same(self, scored: ProtDeepConsensusScore):
        """Check that Scipion's own extraction from particles finds the picks."""
        protocol = new_protocol(
            type(self),
            ProtExtractCoords,
            inputParticles=output(scored, "outputParticles"),
            inputMicrographs=imported(type(self), self.micrographs),
        )
        self.launchProtocol(protocol)
        back = protocol.outputCoordinates
        self.assertEqual(back.getBoxSize(), BOX)
        for item in back.iterItems():
            x, y = scored.outputCoordinates[item.getObjId()].getPosition()
            self.assertLessEqual(abs(item.getX() - x), 1)
            self.assertLessEqual(abs(item.getY() - y), 1)

    def test_training_cuts_the_halves(self):
        background = {name: yx + BOX / 2 for name, yx in self.picks.items()}
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusTrain,
            inputPositives=self.coordinates,
            inputNegatives=store_coordinates(type(self), background),
            nEpochs=1,
            nModels=1,
            batchSize=8,
            inputSize=16,
            **self.inputs,
        )
        self.assertEqual(protocol.validate(), [])
        self.launchProtocol(protocol)
        card = protocol.outputModel.getCard()
        self.assertEqual((card.box_size, card.sampling_rate), (HALF_BOX, 5.0))
        self.assertEqual([s.n_boxes for s in card.training_sets], [2 * N_PICKS] * 2)
        given = read_coordinates(protocol._getExtraPath("coordinates_positives.h5"))
        for name in self.kept:
            there = given[f"{Path(name).stem}_DW.mrc"]
            np.testing.assert_allclose(there.yx, self.picks[name] / 2)


def write_half(source: Path, folder: Path) -> None:
    """Write a micrograph averaged over 2 × 2 pixels, under another name."""
    folder.mkdir(exist_ok=True)
    pixels = np.asarray(open_micrograph(source))
    rows, columns = np.array(pixels.shape) // 2
    half = pixels.reshape(rows, 2, columns, 2).mean(axis=(1, 3))
    mrcfile.write(folder / f"{source.stem}_DW.mrc", half.astype(np.float32))


def imported(test: type[SyntheticProject], micrographs):
    """Return the pointer to imported micrographs, as the form makes it."""
    protocol = test.proj.getProtocol(micrographs.getObjParentId())
    return output(protocol, "outputMicrographs")
