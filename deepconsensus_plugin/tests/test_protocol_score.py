# SPDX-License-Identifier: GPL-3.0-or-later
"""Scoring: every candidate keeps its place, its provenance and its own picture."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
from pwem import Domain
from pwem.objects import Coordinate, SetOfCoordinates
from pwem.viewers.viewer_coordinates import CoordinateViewer
from pyworkflow.object import Pointer
from pyworkflow.protocol import MODE_RESUME
from pyworkflow.viewer import DESKTOP_TKINTER

from deepconsensus_plugin.constants import (
    GENERAL_MODEL_ATTRIBUTE,
    NETWORK_SCORE_ATTRIBUTE,
    PICKERS_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
    VOTES_ATTRIBUTE,
)
from deepconsensus_plugin.convert import (
    ItemRows,
    append_candidates,
    candidates_and_items,
    candidates_from_set,
)
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.scores import EnsembleScores
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.marks.log import MarkLog
from deepconsensus_plugin.core.marks.mark import Mark, Verdict
from deepconsensus_plugin.core.pipeline.fuse import fuse_scores
from deepconsensus_plugin.core.pipeline.witness_opinion import find_opinion
from deepconsensus_plugin.core.preprocessing import (
    BoxPreprocessing,
    normalise_background,
    prepare_boxes,
)
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import PickerPicks
from deepconsensus_plugin.protocols import ProtDeepConsensusScore, ProtImportPicks
from deepconsensus_plugin.protocols.deep_consensus.scored_rows import scoredRows
from deepconsensus_plugin.protocols.shared.chain_files import chainFilesOf
from deepconsensus_plugin.set_columns import (
    are_fused,
    read_ids,
    read_numbers,
    read_scores,
)
from deepconsensus_plugin.tests.other_plugins import (
    faults_of_set,
    read_as_relion,
    read_as_xmipp,
    read_optics_as_relion,
    shown_columns,
)
from deepconsensus_plugin.tests.stored_sets import (
    INPUT_SIZE,
    new_coordinates,
    new_protocol,
    output,
    store_coordinates,
    store_ctfs,
    store_model,
    store_outputs,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SyntheticProject,
    pick,
)

N_TRUE = 5


class TestScore(SyntheticProject):
    """Candidates of two pickers, scored by a network that learnt nothing."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        some = {name: yx[:N_TRUE] for name, yx in cls.truth.items()}
        cls.candidates = find_consensus(
            [
                PickerPicks("one", BOX, pick(some, seed=1, n_false=2)),
                PickerPicks("two", BOX, pick(some, seed=2, n_false=1)),
            ],
            consensus_radius_px=4,
            merge_radius_px=12,
        )
        cls.model = write_untrained_model(Path(cls.data) / "model", n_models=2)
        cls.inputs = {
            "inputCoordinates": store_interleaved(cls),
            "inputModel": store_model(cls, cls.model),
        }

    def score(self, **options) -> ProtDeepConsensusScore:
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            **{"writeStacks": True, **self.inputs, **options},
        )
        self.assertEqual(protocol.validate(), [])
        return self.launchProtocol(protocol)

    def test_every_candidate_is_scored_and_cut_out(self):
        protocol = self.score()
        n = len(self.candidates)
        source = self.inputs["inputCoordinates"].get()
        coordinates, particles = protocol.outputCoordinates, protocol.outputParticles
        self.assertEqual(coordinates.getSize(), n)
        self.assertEqual(coordinates.getBoxSize(), BOX)
        self.assertEqual(particles.getSize(), n)
        self.assertEqual(particles.getDim(), (BOX, BOX, 1))
        self.assertEqual(particles.getSamplingRate(), SAMPLING_RATE)
        self.assertFalse(particles.hasCTF())
        self.assertEqual(
            particles.getCoordinates().getFileName(), coordinates.getFileName()
        )
        for item in coordinates.iterItems():
            self._check_item(item, source[item.getObjId()])
        for particle in particles.iterItems():
            self._check_particle(particle)
            self._check_attributes(particle)
        self._check_scores(coordinates)
        self._check_table(protocol)
        self._check_information(protocol, n)

    def _check_item(self, item: Coordinate, original: Coordinate):
        self.assertEqual(item.getPosition(), original.getPosition())
        self.assertEqual(item.getMicName(), original.getMicName())
        for name in (VOTES_ATTRIBUTE, PICKERS_ATTRIBUTE):
            self.assertEqual(getattr(item, name).get(), getattr(original, name).get())
        score = getattr(item, SCORE_ATTRIBUTE).get()
        self.assertTrue(0 <= score <= 1)
        self.assertTrue(0 <= getattr(item, NETWORK_SCORE_ATTRIBUTE).get() <= 1)
        self.assertGreater(getattr(item, SPREAD_ATTRIBUTE).get(), 0)

    def _check_particle(self, particle):
        """Check that its picture is the one at its coordinate, white and normalised."""
        coordinate = particle.getCoordinate()
        index, path = particle.getLocation()
        self.assertEqual(Path(path).stem, Path(coordinate.getMicName()).stem)
        self.assertEqual(particle.getMicId(), coordinate.getMicId())
        with mrcfile.open(path) as stack:
            self.assertAlmostEqual(float(stack.voxel_size.x), SAMPLING_RATE, places=4)
            picture = stack.data[index - 1]
        expected = normalise_background(self._boxes([coordinate]), invert=True)[0]
        np.testing.assert_allclose(picture, expected, atol=1e-5)

    def _check_attributes(self, particle):
        coordinate = particle.getCoordinate()
        for name in (SCORE_ATTRIBUTE, SPREAD_ATTRIBUTE, VOTES_ATTRIBUTE):
            self.assertEqual(
                getattr(particle, name).get(), getattr(coordinate, name).get()
            )

    def _check_scores(self, coordinates: SetOfCoordinates):
        """Compare with one box at a time, without job, files and batches."""
        from deepconsensus_plugin.core.deep_consensus.scoring import predict
        from deepconsensus_plugin.core.deep_consensus.store import load_networks

        networks = load_networks(self.model)
        for item in coordinates.iterItems(limit=3):
            boxes = prepare_boxes(self._boxes([item]), BoxPreprocessing(INPUT_SIZE))
            each = predict(networks, boxes)[0]
            self.assertAlmostEqual(
                getattr(item, NETWORK_SCORE_ATTRIBUTE).get(), each.mean(), places=4
            )
            self.assertAlmostEqual(
                getattr(item, SPREAD_ATTRIBUTE).get(), each.std(), places=4
            )

    def _boxes(self, items: list[Coordinate]) -> np.ndarray:
        pixels = open_micrograph(self.data / "micrographs" / items[0].getMicName())
        yx = np.array([(item.getY(), item.getX()) for item in items], float)
        return extract_boxes(pixels, yx, BOX)

    def _check_table(self, protocol: ProtDeepConsensusScore):
        path = Path(protocol._getExtraPath("scores.csv"))
        table = read_scores_csv(path)
        with path.open(newline="") as file:
            self.assertEqual(len(list(csv.reader(file))), len(self.candidates) + 1)
        by_place = {
            (name, *yx): score
            for name, yx, score in zip(
                table.micrograph, table.yx.tolist(), table.score, strict=True
            )
        }
        known = candidates_from_set(protocol.outputCoordinates)
        self.assertEqual(known.observed.all(), True)
        for item in protocol.outputCoordinates.iterItems():
            nearest = min(
                (key for key in by_place if key[0] == item.getMicName()),
                key=lambda key: np.hypot(key[1] - item.getY(), key[2] - item.getX()),
            )
            self.assertEqual(by_place[nearest], getattr(item, SCORE_ATTRIBUTE).get())
        self.assertEqual(set(table.observed), {("one", "two")})
        # The item with the networks' scores is the one whose votes they were combined
        # with.
        networks, general = self._network_scores(protocol)
        files = chainFilesOf(protocol)
        opinion = find_opinion(general, known, files.witness_peaks, files.null)
        self.assertIsNotNone(opinion)
        expected, _ = fuse_scores(known, networks, opinion, seed=0)
        _, positions = candidates_and_items(protocol.outputCoordinates)
        scores = read_scores(protocol.outputCoordinates)[positions]
        np.testing.assert_allclose(scores, expected, atol=1e-3)
        report = protocol.readCalibration()
        self.assertEqual(report.n_candidates, len(known))
        np.testing.assert_array_equal(
            table.accepted, table.score >= report.suggested_threshold
        )

    def _network_scores(self, protocol: ProtDeepConsensusScore) -> np.ndarray:
        """Return the ensemble's scores and the general model's, shape (2, n)."""
        coordinates = protocol.outputCoordinates
        _, positions = candidates_and_items(coordinates)
        names = (NETWORK_SCORE_ATTRIBUTE, GENERAL_MODEL_ATTRIBUTE)
        return read_numbers(coordinates, *names)[positions].T

    def _check_information(self, protocol: ProtDeepConsensusScore, n: int):
        summary = protocol.summary()
        self.assertIn(f"{n} candidates scored; all of them", summary[0])
        kept = protocol.numberAccepted.get()
        self.assertIn(f"{kept} kept of {n} candidates", summary[1])
        self.assertIn("WARNING: precision and recall are not estimated. ", summary[2])
        self.assertNotIn("expected precision", "\n".join(summary))
        self.assertIn("not averaged, since they are fewer than 200", summary[-2])
        self.assertEqual(summary[-1], "Scored on: CPU.")
        self.assertIn(f"scored {n} candidate particles", protocol.methods()[0])

    def test_a_box_over_the_edge_is_scored_but_no_particle(self):
        places = [[BOX // 2, 100], [BOX // 2 - 1, 200], [300, 300]]
        candidates = store_coordinates(
            type(self), {name: np.array(places) for name in self.names[:2]}
        )
        protocol = self.score(inputCoordinates=candidates)
        coordinates, particles = protocol.outputCoordinates, protocol.outputParticles
        self.assertEqual(read_ids(coordinates), [1, 2, 3, 4, 5, 6])
        self.assertEqual(read_ids(particles), [1, 3, 4, 6])
        self.assertFalse(np.isnan(read_scores(coordinates)).any())
        for particle in particles.iterItems():
            self._check_particle(particle)
        table = read_scores_csv(Path(protocol._getExtraPath("scores.csv")))
        scores = read_scores(coordinates)
        over = np.array([False, True, False] * 2)
        self.assertEqual(
            (table.reason == Reason.BORDER).tolist(), (over & (scores >= 0.5)).tolist()
        )
        self.assertIn(
            "2 candidates have coordinates but no", "".join(protocol.summary())
        )
        wanted = self.score(inputCoordinates=candidates, overBorder=True)
        self.assertEqual(read_ids(wanted.outputParticles), [1, 2, 3, 4, 5, 6])

    def test_ctf_is_attached_and_missing_ones_are_counted(self):
        with_ctf = list(self.names[:2])
        protocol = self.score(
            ctfRelations=store_ctfs(type(self), with_ctf),
            doInvert=False,
            doNormalise=False,
        )
        particles = protocol.outputParticles
        n_left_out = len(self.candidates.on_micrograph(self.names[2]))
        self.assertEqual(particles.getSize(), len(self.candidates) - n_left_out)
        self.assertEqual(protocol.outputCoordinates.getSize(), particles.getSize())
        self.assertTrue(particles.hasCTF())
        self.assertFalse(particles.isPhaseFlipped())
        for particle in particles.iterItems():
            number = self.names.index(particle.getCoordinate().getMicName())
            self.assertEqual(particle.getCTF().getDefocusU(), 15000 + number)
            index, path = particle.getLocation()
            with mrcfile.open(path) as stack:
                raw = self._boxes([particle.getCoordinate()])[0]
                np.testing.assert_allclose(stack.data[index - 1], raw, atol=1e-6)
        self.assertIn(f"{n_left_out} candidates left out", "".join(protocol.summary()))
        self._check_what_others_read(protocol)

    def _check_what_others_read(self, protocol: ProtDeepConsensusScore):
        """Check that RELION, Xmipp, cryoSPARC and Scipion find what they read."""
        particles, coordinates = protocol.outputParticles, protocol.outputCoordinates
        self.assertEqual(faults_of_set(particles), [])
        optics = read_optics_as_relion(particles)
        self.assertEqual(optics["rlnMicrographOriginalPixelSize"], "2.5")
        self.assertEqual(optics["rlnVoltage"], "300")
        for particle in particles.iterItems():
            row = read_as_relion(particle)
            score = read_as_xmipp(particle)
            self.assertEqual(row["rlnAutopickFigureOfMerit"], score)
            self.assertEqual(read_as_xmipp(particle.getCoordinate()), score)
            self.assertEqual((row["rlnVoltage"], row["rlnImagePixelSize"]), (300, 2.5))
            self.assertIn(row["rlnMicrographName"], self.names)
            self.assertTrue(15000 <= row["rlnDefocusU"] <= 15001)
        for items in (particles, coordinates):
            found = Domain.findViewers(items, DESKTOP_TKINTER)
            self.assertIn("MDViewer", [viewer.__name__ for viewer in found])
            self.assertIn(SCORE_ATTRIBUTE, shown_columns(items))
        self.assertIn(CoordinateViewer, found)

    def test_on_wish_the_score_is_the_networks(self):
        protocol = self.score(combineEvidence=False, writeStacks=False)
        self._check_the_networks_own(protocol)

    def _check_the_networks_own(self, protocol: ProtDeepConsensusScore):
        coordinates = protocol.outputCoordinates
        self.assertFalse(are_fused(coordinates))
        self.assertIsNone(protocol.readCalibration())
        self.assertEqual(protocol.suggestedThreshold.get(), 0.5)
        self.assertIn("that of the network", "".join(protocol.summary()))

    def test_without_stacks_foreign_coordinates_are_scored(self):
        positions = {name: yx[:2] for name, yx in self.truth.items()}
        protocol = self.score(
            inputCoordinates=store_coordinates(type(self), positions),
            writeStacks=False,
        )
        self.assertFalse(protocol.hasAttribute("outputParticles"))
        self.assertEqual(protocol.outputCoordinates.getSize(), 6)
        self._check_the_networks_own(protocol)  # one picker: nothing to combine
        self.assertEqual(list(Path(protocol.getPath()).rglob("*.mrcs")), [])

    def test_marks_correct_the_scores_and_repeat_the_fusion_alone(self):
        protocol = self.score(writeStacks=False)
        good, bad = marks_of(protocol, 2)
        log = MarkLog(self.data / "marks.jsonl")
        log.add(good, replace(bad, verdict=Verdict.BAD))
        byNetworks = chainFilesOf(protocol).scores
        before = byNetworks.stat().st_mtime_ns
        protocol.feedback.set(str(log.path))
        protocol.runMode.set(MODE_RESUME)
        self.launchProtocol(protocol)

        first, second, *_ = read_scores(protocol.outputCoordinates)
        self.assertGreaterEqual(first, 0.95)
        self.assertLess(second, 0.051)
        self.assertEqual(byNetworks.stat().st_mtime_ns, before)
        self.assertEqual(protocol.outputCoordinates.getSize(), len(self.candidates))
        self.assertIn("2 marks", "\n".join(protocol.summary()))
        protocol.feedback.set(str(self.data / "none.star"))
        self.assertIn("Marks or selection: ", "".join(protocol.validate()))

    def test_validation_says_what_to_do(self):
        flipped = write_untrained_model(self.data / "flipped", phase_flip=True)
        other = write_untrained_model(self.data / "other", sampling_rate=5.0)
        for folder, reason in (
            (flipped, "choose the CTFs of these micrographs"),
            (other, "Use a box of about 80 px"),
            (self.data / "absent", "Model: "),
        ):
            protocol = new_protocol(
                type(self),
                ProtDeepConsensusScore,
                inputCoordinates=self.inputs["inputCoordinates"],
                inputModel=store_model(type(self), folder),
            )
            self.assertIn(reason, protocol.validate()[0])
            self.assertEqual(protocol.summary(), ["Not run yet."])
        opposite = new_protocol(
            type(self), ProtDeepConsensusScore, **self.inputs, doInvert=False
        )
        self.assertIn("whose particles are dark on light", opposite._warnings()[0])
        opposite.doInvert.set(True)
        self.assertEqual(opposite._warnings(), [])
        opposite.seed.set(-1)
        self.assertEqual(
            opposite.validate(), ["Random seed: it must be 0 or more, received -1."]
        )
        nothing = self.newProtocol(ProtDeepConsensusScore)
        self.assertEqual(nothing._validate() + nothing._warnings(), [])  # Scipion tells

    def test_scores_that_are_not_of_these_candidates_are_refused(self):
        n = len(self.candidates)
        scores = EnsembleScores(np.zeros(n - 1), np.zeros(n - 1))
        items = ItemRows.of_set(self.inputs["inputCoordinates"].get(), [])
        given = items, self.candidates, np.arange(n)
        with self.assertRaisesRegex(ValueError, f"expected {n} scores.*{n - 1}"):
            scoredRows(*given, np.ones(n), scores, isWhole=np.ones(n, bool))


def marks_of(protocol: ProtDeepConsensusScore, n: int) -> list[Mark]:
    """Return good marks of the first n candidates."""
    return [
        Mark(item.getMicName(), item.getY(), item.getX(), Verdict.GOOD)
        for item in protocol.outputCoordinates.iterItems(limit=n)
    ]


def store_interleaved(test: type[TestScore]) -> Pointer:
    """Return the candidates, items of one micrograph apart from each other."""

    def make(protocol: ProtImportPicks) -> dict[str, SetOfCoordinates]:
        in_order = new_coordinates(test, protocol, "Ordered")
        append_candidates(in_order, test.micrographs, test.candidates)
        items = [item.clone() for item in in_order.iterItems()]
        mixed = new_coordinates(test, protocol)
        for number in np.random.default_rng(5).permutation(len(items)):
            items[number].setObjId(None)
            mixed.append(items[number])
        return {"outputCoordinates": mixed}

    return output(store_outputs(test, ProtImportPicks, make), "outputCoordinates")
