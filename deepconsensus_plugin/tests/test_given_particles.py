# SPDX-License-Identifier: GPL-3.0-or-later
"""Particles that are given in stacks: imported, trained on, tested on and scored."""

from __future__ import annotations

import argparse
from pathlib import Path

import mrcfile
import numpy as np
from pwem.objects import SetOfParticles
from pyworkflow.object import Pointer

from deepconsensus_plugin.commands.export_particles import export_particles
from deepconsensus_plugin.commands.particle_summary import summarise_particles
from deepconsensus_plugin.constants import SCORE_ATTRIBUTE
from deepconsensus_plugin.core.deep_consensus.card import EnsembleCard
from deepconsensus_plugin.core.deep_consensus.datasets import read_boxes
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusScore,
    ProtDeepConsensusScreen,
    ProtDeepConsensusSelect,
    ProtDeepConsensusTrain,
    ProtImportParticleStacks,
)
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.report.kept_particles import find_particle_scores
from deepconsensus_plugin.report.scored import scored_coordinates
from deepconsensus_plugin.set_columns import read_ids, read_scores
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_model,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SyntheticProject,
    pick,
)
from deepconsensus_plugin.viewers.scores.reading import locate, read_overview

N_EACH = 6
SMALL = {"nEpochs": 1, "nModels": 1, "batchSize": 8}
OPTICS = """
data_optics

loop_
_rlnOpticsGroup #1
_rlnImagePixelSize #2
_rlnVoltage #3
_rlnSphericalAberration #4
_rlnAmplitudeContrast #5
1 {rate} 300 2.7 0.1

data_particles

loop_
_rlnImageName #1
_rlnMicrographName #2
_rlnCoordinateX #3
_rlnCoordinateY #4
_rlnDefocusU #5
_rlnDefocusV #6
_rlnDefocusAngle #7
_rlnOpticsGroup #8
"""


class GivenParticles(SyntheticProject):
    """Micrographs with discs, and the same discs cut out as RELION would."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.positives = {n: yx[:N_EACH] for n, yx in cls.truth.items()}
        cls.negatives = {n: _away(yx) for n, yx in cls.truth.items()}
        cls.particles = cls.importParticles("good", cls.positives)
        cls.junk = cls.importParticles("junk", cls.negatives)

    @classmethod
    def writeParticles(cls, name: str, positions, *, box: int = BOX, sign=-1) -> Path:
        """Write a stack a micrograph, light on dark, and the STAR of all in turn."""
        folder = cls.data / name
        folder.mkdir()
        rows = []
        for mic, yx in positions.items():
            boxes = sign * extract_boxes(
                open_micrograph(cls.data / "micrographs" / mic), yx, box
            )
            with mrcfile.new(folder / f"{mic}s", boxes, overwrite=True) as file:
                file.set_image_stack()
            rows += [
                (n, f"{n:06d}@{name}/{mic}s Mics/{mic} {x:g} {y:g} 15000 14000 30 1")
                for n, (y, x) in enumerate(yx, start=1)
            ]
        text = "\n".join(row for _, row in sorted(rows))  # stacks take turns
        star = cls.data / f"{name}.star"
        star.write_text(OPTICS.format(rate=SAMPLING_RATE) + text + "\n")
        return star

    @classmethod
    def importParticles(cls, name: str, positions, **options) -> Pointer:
        star = cls.writeParticles(name, positions, **options)
        protocol = cls.newProtocol(ProtImportParticleStacks, filesPath=str(star))
        assert protocol.validate() == []
        cls.launchProtocol(protocol)
        return output(protocol, "outputParticles")

    def train(self, **options) -> ProtDeepConsensusTrain:
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusTrain,
            **{**SMALL, "keepBoxes": True, **options},
        )
        self.assertEqual(protocol.validate(), [])
        return self.launchProtocol(protocol)


def _away(yx):
    """Return whole places that are far from the particles, boxes inside."""
    grid = np.argwhere(np.ones((320, 440)))[::173] + BOX // 2
    far = np.hypot(*(grid[:, None] - yx[None]).transpose(2, 0, 1)).min(axis=1) > BOX
    return grid[far][:: max(1, far.sum() // N_EACH)][:N_EACH].astype(float)


class TestGivenParticles(GivenParticles):
    """Train, score and select."""

    def test_import_keeps_order_places_and_ctfs(self):
        particles = self.particles.get()
        self.assertEqual(particles.getSize(), 3 * N_EACH)
        self.assertEqual(particles.getDim(), (BOX, BOX, 1))
        self.assertEqual(particles.getSamplingRate(), SAMPLING_RATE)
        self.assertTrue(particles.hasCTF())
        first, second = (particles[number].clone() for number in (1, 2))
        self.assertEqual(first.getIndex(), 1)
        self.assertEqual(Path(second.getFileName()).name, "mic_2.mrcs")
        self.assertEqual(second.getCoordinate().getMicName(), "mic_2.mrc")
        y, x = self.positives["mic_2.mrc"][0]
        self.assertEqual(second.getCoordinate().getPosition(), (x, y))
        self.assertEqual(second.getCTF().getDefocusU(), 15000)
        self.assertEqual(particles.getAcquisition().getVoltage(), 300)

    def test_import_says_what_is_wrong(self):
        for path, said in (
            ("", "File: choose the file with the particles."),
            (self.data / "none.star", "none.star"),
            (self.data / "micrographs/mic_1.mrc", "a stack of square images"),
            (self.data / "good/mic_1.mrcs", "neither the file nor its stack tells it"),
        ):
            protocol = self.newProtocol(ProtImportParticleStacks, filesPath=str(path))
            self.assertIn(said, protocol.validate()[0])
        protocol = self.newProtocol(
            ProtImportParticleStacks,
            filesPath=str(self.data / "good/mic_1.mrcs"),
            samplingRate=SAMPLING_RATE,
        )
        self.assertEqual(protocol.validate(), [])

    def test_boxes_of_stacks_are_those_of_the_micrographs(self):
        """A network that was shown stacks has seen what it sees on micrographs."""
        of_micrographs = self.train(
            inputPositives=store_coordinates(type(self), self.positives),
            inputNegatives=store_coordinates(type(self), self.negatives),
        )
        of_stacks = self.train(
            inputPositives=store_coordinates(type(self), self.positives),
            inputNegatives=self.junk,
        )
        boxes = []
        for protocol in (of_micrographs, of_stacks):
            found = read_boxes(Path(protocol._getExtraPath("boxes.h5")))
            some = found.boxes[~found.rows.is_particle].astype(float)
            boxes.append(some[np.argsort(some[:, 0, 0])])
        np.testing.assert_allclose(*boxes, atol=5e-3)

    def test_particles_alone_with_their_ctfs_train_score_and_are_pruned(self):
        trained = self.train(
            inputPositives=self.particles,
            inputNegatives=self.junk,
            testPositives=self.particles,
            testNegatives=self.junk,
        )
        card = trained.outputModel.getCard()
        self.assertEqual((card.box_size, card.sampling_rate), (BOX, SAMPLING_RATE))
        self.assertTrue(card.preprocessing.phase_flip)
        n = 3 * N_EACH
        self.assertEqual([s.n_boxes for s in card.training_sets], [n, n])
        self.assertEqual(card.testing.n_positives, n)
        self.assertIn("used for training too", trained._warnings()[-1])

        scored = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            inputCoordinates=self.particles,
            inputModel=output(trained, "outputModel"),
        )
        self.assertEqual(scored.validate(), [])
        self.assertEqual(scored._warnings(), [])
        self.launchProtocol(scored)
        particles = scored.outputParticles
        self.assertFalse(hasattr(scored, "outputCoordinates"))
        self.assertEqual(particles.getSize(), n)
        self.assertIn(f"{n} candidates scored", scored.summary()[0])
        self.assertIn(f"scored {n} candidate", scored.methods()[0])
        for given in self.particles.get().iterItems():
            item = particles[given.getObjId()]
            self.assertEqual(item.getLocation(), given.getLocation())
            self.assertEqual(item.getCTF().getDefocusU(), 15000)
            self.assertTrue(0 <= getattr(item, SCORE_ATTRIBUTE).get() <= 1)
        self.assertTrue(chainFilesOf(scored).table.is_file())

        cutoff = float(np.median(read_scores(particles)))
        selected = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputParticles=output(scored, "outputParticles"),
            thresholdMode=0,
            threshold=cutoff,
        )
        self.assertEqual(selected.validate(), [])
        self.launchProtocol(selected)
        kept, rejected = selected.outputParticles, selected.outputParticlesRejected
        self.assertEqual(kept.getSize() + rejected.getSize(), n)
        self.assertTrue((read_scores(kept) >= cutoff).all())
        ids = sorted([*read_ids(kept), *read_ids(rejected)])
        self.assertEqual(ids, [*range(1, n + 1)])
        self._check_files(scored, selected, read_ids(kept))
        folder = Path(self.proj.getPath()).absolute()
        overview = read_overview(locate(particles, folder=folder))
        self.assertEqual(len(overview.table.score), n)
        self.assertIsNone(overview.table.micrographs)
        with mrcfile.open(self.data / "good/mic_2.mrcs") as stack:
            np.testing.assert_array_equal(overview.images.read(1), stack.data[0])

    def _check_files(self, scored, selected, kept):
        """Compare what is written with the file that was given."""
        folder, star = self.data / "summary", self.data / "good.star"
        folder.mkdir()
        protocols = [scored, selected]
        self.assertIs(find_particle_scores(protocols), scored)
        summary = summarise_particles(folder, scored, protocols, {})
        rows = [line for line in star.read_text().splitlines() if "@" in line]
        written = (folder / "particles.star").read_text().splitlines()
        expected = [rows[number - 1] for number in kept]
        self.assertEqual([line for line in written if "@" in line], expected)
        self.assertEqual(sum(summary["score_histogram"]["counts"]), len(rows))
        table = (folder / "scores.csv").read_text().splitlines()
        self.assertEqual(table[0], "particle,image,score,spread,accepted")
        accepted = [n for n, line in enumerate(table[1:], 1) if line.endswith(",1")]
        self.assertEqual(accepted, kept)
        with self.assertRaisesRegex(ValueError, "scored given particles"):
            scored_coordinates(scored)
        arguments = argparse.Namespace(
            project=Path(self.proj.getPath()).absolute(),
            selection=selected.strId(),
            format="star",
            **{"all": False, "threshold": None, "per_micrograph": False},
        )
        told = export_particles(arguments, folder / "exported")
        self.assertIn(f"{len(kept)} of {len(rows)} particles", told)
        exported = folder / "exported/particles.star"
        self.assertEqual(exported.read_text().splitlines(), written)
        arguments.all = True
        with self.assertRaisesRegex(ValueError, "make another selection"):
            export_particles(arguments, folder / "exported")

    def test_scores_do_not_depend_on_how_a_particle_is_given(self):
        model = store_model(
            type(self), write_untrained_model(self.data / "as_given", n_models=1)
        )
        given = {
            "light": self.particles,
            "dark": self.importParticles("dark", self.positives, sign=1),
            "large": self.importParticles("large", self.positives, box=BOX + 8),
            "places": store_coordinates(type(self), self.positives),
        }
        scores = {}
        for how, candidates in given.items():
            protocol = new_protocol(
                type(self),
                ProtDeepConsensusScore,
                inputCoordinates=candidates,
                inputModel=model,
                stacksDark=how == "dark",
            )
            self.assertEqual(protocol.validate(), [])
            self.launchProtocol(protocol)
            kind = "Coordinates" if how == "places" else "Particles"
            scores[how] = np.sort(read_scores(getattr(protocol, f"output{kind}")))
        for how in given:
            np.testing.assert_allclose(scores[how], scores["places"], atol=1e-5)

    def test_contrast_of_stacks_is_asked_where_there_are_any(self):
        places = store_coordinates(type(self), self.positives)
        for kind, key in (
            (ProtDeepConsensusTrain, "inputNegatives"),
            (ProtDeepConsensusTrain, "testPositives"),
            (ProtDeepConsensusScore, "inputCoordinates"),
            (ProtDeepConsensusScreen, "testNegatives"),
        ):
            for given, isAsked in ((places, False), (self.junk, True)):
                protocol = new_protocol(type(self), kind, **{key: given})
                self.assertIs(protocol.evalParamCondition("stacksDark"), isAsked)

    def test_what_does_not_fit_is_said(self):
        flipped = store_model(
            type(self), write_untrained_model(self.data / "flips", phase_flip=True)
        )
        plain = store_model(type(self), write_untrained_model(self.data / "plain"))
        small = self.importParticles("small", self.positives, box=BOX - 16)
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            inputCoordinates=small,
            inputModel=plain,
        )
        said = "show 60 Å, and the others 100 Å; extract them with a box of 40 px."
        self.assertIn(said, protocol.validate()[0])
        without = self.importWithoutCtf()
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            inputCoordinates=without,
            inputModel=flipped,
        )
        self.assertIn("these particles have no CTF", protocol.validate()[0])
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusTrain,
            inputPositives=store_coordinates(type(self), self.positives),
            inputNegatives=small,
        )
        self.assertIn("extract them with a box of 40 px", protocol.validate()[0])

    def importWithoutCtf(self) -> Pointer:
        protocol = self.newProtocol(
            ProtImportParticleStacks,
            filesPath=str(self.data / "good/mic_1.mrcs"),
            samplingRate=SAMPLING_RATE,
        )
        self.launchProtocol(protocol)
        self.assertFalse(protocol.outputParticles.hasCTF())
        return output(protocol, "outputParticles")

    def test_one_form_takes_extra_sets_and_test_sets(self):
        pickers = [
            self.importPicks(f"picker_{n}", pick(self.truth, seed=n, n_false=2))
            for n in (1, 2)
        ]
        screen = new_protocol(
            type(self),
            ProtDeepConsensusScreen,
            **SMALL,
            askGeneralModel=False,
            testPositives=self.particles,
            testNegatives=store_coordinates(type(self), self.negatives),
            extraNegativesWeights="2",
        )
        for picker in pickers:
            screen.inputCoordinates.append(output(picker, "outputCoordinates"))
        screen.extraNegatives.append(self.junk)
        self.assertEqual(screen.validate(), [])
        self.assertIn("used for training too", screen._warnings()[-1])
        self.launchProtocol(screen)
        card = load_card_of(screen.modelFolder(), EnsembleCard)
        sets = [(s.is_particle, s.weight) for s in card.training_sets]
        self.assertEqual(sets, [(True, 1.0), (False, 1.0), (False, 2.0)])
        self.assertEqual(card.training_sets[2].n_boxes, 3 * N_EACH)
        self.assertEqual(card.testing.n_positives, 3 * N_EACH)
        self.assertFalse(card.preprocessing.phase_flip)  # the picks have no CTFs
        self.assertIsInstance(screen.outputParticles, SetOfParticles)
