# SPDX-License-Identifier: GPL-3.0-or-later
"""Averages as a node: classes whose alignments hold, averages, evidence, centres."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import mrcfile
import numpy as np
from pwem.objects import CTFModel, Particle, SetOfCoordinates, SetOfParticles
from pwem.protocols import EMProtocol
from pyworkflow.object import Pointer
from scipy.ndimage import affine_transform
from scipy.spatial import cKDTree

from deepconsensus_plugin.constants import (
    AVERAGE_AMPLITUDE_ATTRIBUTE,
    AVERAGE_ATTRIBUTE,
    AVERAGE_CORRELATION_ATTRIBUTE,
    AVERAGE_OFFSET_X_ATTRIBUTE,
    AVERAGE_OFFSET_Y_ATTRIBUTE,
    AVERAGE_RESOLUTION_ATTRIBUTE,
    LOOKS_LIKE_ATTRIBUTE,
)
from deepconsensus_plugin.convert import append_candidates, scaled_item
from deepconsensus_plugin.core.averages.marks import Marks
from deepconsensus_plugin.core.averages.parameters import SIZE
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.extraction import extract_boxes
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.jobs import run_job
from deepconsensus_plugin.core.kinds import (
    count_kinds,
    describe_kinds,
    kinds_in_words,
)
from deepconsensus_plugin.core.preprocessing import fourier_resize
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusAverages,
    ProtDeepConsensusScore,
    ProtDeepConsensusScreen,
    ProtDeepConsensusSelect,
    ProtImportParticleStacks,
    ProtImportPicks,
)
from deepconsensus_plugin.protocols.averages.averages_images import (
    ImagesInput,
    averagedInput,
)
from deepconsensus_plugin.report.scored import read_scored
from deepconsensus_plugin.set_columns import read_columns, read_ids, read_numbers
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.in_process import run_here
from deepconsensus_plugin.tests.other_plugins import faults_of_set
from deepconsensus_plugin.tests.stored_sets import (
    new_protocol,
    output,
    store_coordinates,
    store_ctfs,
    store_model,
    store_outputs,
    write_untrained_model,
)
from deepconsensus_plugin.tests.synthetic import SAMPLING_RATE
from deepconsensus_plugin.viewers.viewer_averages import NO_COORDINATES, AveragesMarks

SHAPE, N, BOX, BINNING = (480, 640), 56, 48, 2


def draw_wedge(image, yx, angle) -> None:
    """Subtract a particle without any symmetry, whose mass is centred at `yx`."""
    grid = np.indices(image.shape)
    y, x = (grid[i] - yx[i] for i in (0, 1))
    along = np.cos(angle) * x + np.sin(angle) * y
    across = np.cos(angle) * y - np.sin(angle) * x
    image[(abs(along + 2.5) < 11) & (abs(across + 2.5) < 3)] -= 2
    image[(abs(along - 5.5) < 3) & (abs(across - 5.5) < 5)] -= 2


def write_wedges(folder: Path, names) -> dict[str, np.ndarray]:
    """Write micrographs of particles in all rotations; return their centres."""
    rng = np.random.default_rng(5)
    folder.mkdir()
    truth = {}
    for name in names:
        truth[name] = synthetic.draw_particles(rng, N, shape=SHAPE)
        image = rng.normal(0, 0.7, SHAPE).astype(np.float32)
        for yx in truth[name]:
            draw_wedge(image, yx, rng.uniform(0, 2 * np.pi))
        mrcfile.write(folder / name, image, voxel_size=SAMPLING_RATE)
    return truth


def aligned(item: Particle) -> np.ndarray:
    """Return the image of a particle after its alignment, by interpolation."""
    index, path = item.getLocation()
    image = mrcfile.mmap(path, mode="r").data[index - 1]
    matrix = item.getTransform().getMatrix()
    rotation = matrix[1::-1, 1::-1].T  # of rows and columns, back to the particle
    centre = np.full(2, len(image) // 2)
    back = centre - rotation @ (centre + matrix[1::-1, 3])
    return affine_transform(image.astype(float), rotation, back, mode="reflect")


def likeness(image: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two images within a circle."""
    axis = np.arange(len(image)) - len(image) // 2
    inside = np.hypot(*np.meshgrid(axis, axis)) < 0.35 * len(image)
    return float(np.corrcoef(image[inside], other[inside])[0, 1])


class TestAverages(synthetic.SyntheticProject):
    """Four micrographs of wedges, picked 3 px off."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.truth = write_wedges(cls.data / "wedges", cls.names)
        cls.micrographs = cls.importMicrographs(cls.data / "wedges")
        cls.picks = cls.importPicks("picker", cls.pick(0), boxSize=BOX)
        cls.run_ = cls.average(inputCoordinates=cls.picked(), refineCentres=True)

    @classmethod
    def pick(cls, seed: int) -> dict[str, ScoredCoordinates]:
        """Return all particles, pixels beside their centres, with random scores."""
        rng = np.random.default_rng(seed)
        return {
            name: ScoredCoordinates.from_arrays(
                yx + rng.normal(0, 2.0, yx.shape), rng.random(len(yx))
            )
            for name, yx in cls.truth.items()
        }

    @classmethod
    def picked(cls) -> Pointer:
        return output(cls.picks, "outputCoordinates")

    @classmethod
    def average(cls, **options) -> ProtDeepConsensusAverages:
        protocol = new_protocol(cls, ProtDeepConsensusAverages, nAverages=6, **options)
        cls.launchProtocol(protocol)
        return protocol

    @classmethod
    def extract(cls, *, knowCoordinates: bool = True) -> Pointer:
        """Return particles at half the pixels, as an extraction with binning has."""

        def make(protocol: EMProtocol) -> dict[str, SetOfParticles]:
            coordinates = cls.picks.outputCoordinates
            particles = protocol._createSetOfParticles()
            particles.copyInfo(cls.micrographs)
            particles.setSamplingRate(BINNING * SAMPLING_RATE)
            if knowCoordinates:
                particles.setCoordinates(cls.picked())
            for name in cls.names:
                items = [
                    item.clone()
                    for item in coordinates.iterItems()
                    if item.getMicName() == name
                ]
                yx = np.array([item.getPosition()[::-1] for item in items])
                image = mrcfile.read(cls.data / "wedges" / name)
                boxes = fourier_resize(extract_boxes(image, yx, BOX), BOX // BINNING)
                path = protocol._getExtraPath(f"{name}s")
                mrcfile.write(path, boxes)
                for index, item in enumerate(items, 1):
                    particle = Particle()
                    particle.setObjId(item.getObjId())
                    particle.setLocation(index, path)
                    particle.setCoordinate(scaled_item(item, 1 / BINNING))
                    particles.append(particle)
            return {"outputParticles": particles}

        return output(store_outputs(cls, ProtImportPicks, make), "outputParticles")

    def assertAlignmentsHold(self, protocol: ProtDeepConsensusAverages, sign: int):
        """Check that aligned members of each class average to its representative."""
        checked = 0
        for each in protocol.outputClasses.iterItems():
            self.assertTrue(each.hasAlignment2D())
            index, path = each.getRepresentative().getLocation()
            self.assertEqual(index, each.getObjId())
            shown = mrcfile.read(path)[index - 1]
            members = [item.clone() for item in each.iterItems()]
            found = sign * np.mean([aligned(item) for item in members], axis=0)
            self.assertEqual(found.shape, shown.shape)
            self.assertGreater(likeness(found, shown), 0.97)
            checked += len(members)
        self.assertEqual(checked, 4 * N)

    def test_alignments_of_small_particles_give_the_averages(self):
        self.assertAlignmentsHold(self.run_, sign=1)
        particles = self.run_.outputParticles
        self.assertEqual(particles.getSize(), 4 * N)
        self.assertEqual(particles.getXDim(), SIZE)
        self.assertAlmostEqual(
            particles.getSamplingRate(), BOX * SAMPLING_RATE / SIZE, places=5
        )
        self.assertEqual(particles.getCoordinates().getSize(), 4 * N)
        self.assertEqual(particles.getAcquisition().getVoltage(), 300)

    def test_averages_are_a_set(self):
        averages, classes = self.run_.outputAverages, self.run_.outputClasses
        self.assertEqual(averages.getSize(), classes.getSize())
        self.assertAlmostEqual(
            averages.getSamplingRate(), BOX * SAMPLING_RATE / SIZE, places=5
        )
        sizes = [each.getSize() for each in classes.iterItems()]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        for items in (averages, classes):
            resolution = items.getFirstItem().getAttributeValue(
                AVERAGE_RESOLUTION_ATTRIBUTE
            )
            self.assertLess(resolution, 40)

    def test_coordinates_have_the_evidence(self):
        found = self.run_.outputCoordinates
        columns = read_columns(found, AVERAGE_ATTRIBUTE, AVERAGE_AMPLITUDE_ATTRIBUTE)
        numbers = dict(zip(read_ids(found), columns[AVERAGE_ATTRIBUTE], strict=True))
        for each in self.run_.outputClasses.iterItems():
            for item in each.iterItems():
                self.assertEqual(numbers[item.getObjId()], each.getObjId())
        correlation = read_numbers(found, AVERAGE_CORRELATION_ATTRIBUTE)
        self.assertGreater(np.median(correlation), 0.4)
        self.assertEqual(found.getBoxSize(), BOX)

    def distance(self, items: SetOfCoordinates) -> float:
        """Return the median distance of items from the nearest particle, pixels."""
        trees = {name: cKDTree(yx) for name, yx in self.truth.items()}
        return np.median(
            [
                trees[item.getMicName()].query(item.getPosition()[::-1])[0]
                for item in items.iterItems()
            ]
        )

    def test_refined_centres_are_nearer_to_the_particles(self):
        before = self.distance(self.picks.outputCoordinates)
        self.assertLess(self.distance(self.run_.outputCoordinates), 0.7 * before)

    def test_boxes_of_other_micrographs(self):
        folder = self.data / "binned"
        folder.mkdir()
        for name in self.names:
            image = mrcfile.read(self.data / "wedges" / name)
            rows, columns = np.array(SHAPE) // BINNING
            blocks = image.reshape(rows, BINNING, columns, BINNING)
            mrcfile.write(folder / name, blocks.mean(axis=(1, 3)))
        run = self.average(
            inputCoordinates=self.picked(),
            inputMicrographs=self.importMicrographs(
                folder, samplingRate=BINNING * SAMPLING_RATE
            ),
            refineCentres=True,
        )
        self.assertAlmostEqual(
            run.outputParticles.getSamplingRate(), BOX * SAMPLING_RATE / SIZE, places=5
        )
        self.assertAlignmentsHold(run, sign=1)
        before = self.distance(self.picks.outputCoordinates)
        self.assertLess(self.distance(run.outputCoordinates), 0.8 * before)

    def test_the_offset_leads_to_the_refined_centre(self):
        stay = self.picks.outputCoordinates.getFirstItem()
        moved = self.run_.outputCoordinates.getFirstItem()
        self.assertEqual(stay.getObjId(), moved.getObjId())
        for axis, name in (
            (0, AVERAGE_OFFSET_X_ATTRIBUTE),
            (1, AVERAGE_OFFSET_Y_ATTRIBUTE),
        ):
            way = moved.getPosition()[axis] - stay.getPosition()[axis]
            self.assertAlmostEqual(moved.getAttributeValue(name), way, delta=1.01)

    def test_particles_are_the_members_of_their_classes(self):
        run = self.average(inputParticles=self.extract())
        self.assertFalse(run.hasAttribute("outputParticles"))
        self.assertAlignmentsHold(run, sign=-1)  # the particles are dark
        self.assertEqual(run.outputClasses.getSamplingRate(), BINNING * SAMPLING_RATE)
        kept = run.outputCoordinates
        self.assertEqual(
            synthetic.positions_of(kept),
            synthetic.positions_of(self.picks.outputCoordinates),
        )
        for name in (AVERAGE_ATTRIBUTE, AVERAGE_OFFSET_X_ATTRIBUTE):
            np.testing.assert_allclose(
                read_numbers(kept, name),
                read_numbers(self.run_.outputCoordinates, name),
                atol=1e-4,
            )

    def test_particles_without_coordinates_are_averaged_from_their_images(self):
        particles = self.extract(knowCoordinates=False)
        run = self.average(inputParticles=particles, stacksDark=True)
        self.assertFalse(run.hasAttribute("outputCoordinates"))
        self.assertAlignmentsHold(run, sign=-1)
        rate = BINNING * SAMPLING_RATE
        self.assertEqual(run.outputClasses.getSamplingRate(), rate)
        given, found = particles.get(), run.outputParticles
        self.assertEqual(read_ids(found), read_ids(given))
        for name in ("_filename", "_index"):
            self.assertEqual(read_columns(found, name), read_columns(given, name))
        for name in (AVERAGE_OFFSET_X_ATTRIBUTE, AVERAGE_OFFSET_Y_ATTRIBUTE):
            offset = BINNING * read_numbers(found, name)[:, 0]
            cut = read_numbers(self.run_.outputCoordinates, name)[:, 0]
            self.assertLess(np.median(abs(offset - cut)), 1)
            self.assertGreater(np.corrcoef(offset, cut)[0, 1], 0.8)
        self.assertIn("images of the particles themselves", run.summary()[-1])
        self.assertIn(f"{4 * N} candidate particles were", run._methods()[0])
        viewed = AveragesMarks(self.proj, run)
        shown = viewed.reader()()
        self.assertEqual(shown.table.n_members.sum(), 4 * N)
        self.assertIsNone(shown.micrographs)
        self.assertEqual(viewed._start(Marks((0,), ())), NO_COORDINATES)

    def test_images_are_flipped_with_the_ctf_of_each_particle(self):
        """Every particle has a defocus, and so a stack, of its own."""
        defocus_A = 10000 + 100 * np.arange(4 * N)

        def make(protocol: EMProtocol) -> dict[str, SetOfParticles]:
            particles = protocol._createSetOfParticles()
            particles.copyInfo(given := self.extract(knowCoordinates=False).get())
            particles.setHasCTF(True)
            for item, defocus in zip(given.iterItems(), defocus_A, strict=True):
                item.setCTF(
                    CTFModel(defocusU=defocus, defocusV=defocus, defocusAngle=0)
                )
                particles.append(item)
            return {"outputParticles": particles}

        stored = store_outputs(type(self), ProtImportPicks, make)
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusAverages,
            inputParticles=output(stored, "outputParticles"),
            boxSize=BOX // BINNING - 1,
            stacksDark=True,
        )
        stacks = averagedInput(protocol).read_usable()
        self.assertEqual(
            sorted(each.ctf.defocus_u_A for each in stacks), defocus_A.tolist()
        )
        self.assertEqual({each.images.exposure for each in stacks}, {*self.names})
        self.assertEqual({each.images.is_flipped for each in stacks}, {False})
        self.launchProtocol(protocol)
        self.assertEqual(protocol.outputParticles.getSize(), 4 * N)
        shown = protocol.outputClasses.getFirstItem().getRepresentative()
        self.assertEqual(
            mrcfile.read(shown.getFileName()).shape[-1], BOX // BINNING - 2
        )
        self.assertEqual(
            protocol.outputParticles[5].getCTF().getDefocusU(), defocus_A[4]
        )

    def test_a_stack_alone_is_averaged(self):
        files = read_columns(self.extract().get(), "_filename")["_filename"]
        boxes = [mrcfile.read(path) for path in dict.fromkeys(files)]
        mrcfile.write(path := self.data / "all.mrcs", -np.concatenate(boxes))
        imported = self.newProtocol(
            ProtImportParticleStacks,
            filesPath=str(path),
            samplingRate=BINNING * SAMPLING_RATE,
        )
        self.launchProtocol(imported)
        run = self.average(inputParticles=output(imported, "outputParticles"))
        self.assertAlignmentsHold(run, sign=1)
        correlation = read_numbers(run.outputParticles, AVERAGE_CORRELATION_ATTRIBUTE)
        self.assertGreater(np.median(correlation), 0.4)

    def test_particles_whose_micrographs_are_gone_are_averaged_from_their_images(self):
        protocol = new_protocol(
            type(self), ProtDeepConsensusAverages, inputParticles=self.extract()
        )
        self.assertFalse(protocol.evalParamCondition("stacksDark"))
        first = Path(self.micrographs.getFirstItem().getFileName())
        first.rename(aside := first.with_suffix(".aside"))
        self.addCleanup(aside.rename, first)
        self.assertTrue(protocol.evalParamCondition("stacksDark"))
        self.assertEqual(protocol.validate(), [])
        self.assertIsInstance(averagedInput(protocol), ImagesInput)

    def test_what_has_no_ctf_is_left_out(self):
        """Twice the candidates, so that three micrographs have enough."""
        positions = {name: np.tile(yx, (2, 1)) for name, yx in self.truth.items()}
        picks = {n: ScoredCoordinates.from_arrays(yx) for n, yx in positions.items()}
        doubled = self.importPicks("doubled", picks, boxSize=BOX)
        run = self.average(
            inputCoordinates=output(doubled, "outputCoordinates"),
            ctfRelations=store_ctfs(type(self), self.names[1:]),
        )
        n_all, n_left_out = 8 * N, 2 * N
        self.assertIn(f"{n_left_out} candidates left out", "\n".join(run.summary()))
        self.assertEqual(run.outputCoordinates.getSize(), n_all)
        columns = read_columns(run.outputCoordinates, AVERAGE_ATTRIBUTE, "_micName")
        for number, name in zip(*columns.values(), strict=True):
            self.assertEqual(number is None, name == self.names[0])
        particles = run.outputParticles
        self.assertEqual(particles.getSize(), n_all - n_left_out)
        self.assertTrue(particles.isPhaseFlipped())
        self.assertAlmostEqual(
            particles.getFirstItem().getCTF().getDefocusU(), 15001, places=3
        )
        self.assertEqual(faults_of_set(particles), [])

    def score(self, **options) -> ProtDeepConsensusScore:
        """Return a run on candidates of two pickers, with an untrained network."""
        pickers = [PickerPicks(str(seed), BOX, self.pick(seed)) for seed in (1, 2)]
        candidates = find_consensus(pickers, consensus_radius_px=4, merge_radius_px=12)

        def make(protocol: EMProtocol) -> dict[str, SetOfCoordinates]:
            coordinates = protocol._createSetOfCoordinates(
                self.picks.outputCoordinates.getMicrographs(asPointer=True)
            )
            coordinates.setBoxSize(synthetic.BOX)  # that of the model
            append_candidates(coordinates, self.micrographs, candidates)
            return {"outputCoordinates": coordinates}

        stored = store_outputs(type(self), ProtImportPicks, make)
        folder = self.data / f"model{stored.getObjId()}"
        protocol = new_protocol(
            type(self),
            ProtDeepConsensusScore,
            inputCoordinates=output(stored, "outputCoordinates"),
            inputModel=store_model(type(self), write_untrained_model(folder)),
            askGeneralModel=False,
            writeStacks=False,
            **options,
        )
        return self.launchProtocol(protocol)

    def test_score_particles_averages_its_candidates(self):
        run = self.score()
        items = run.outputCoordinates
        before, after = [], []
        for item in items.iterItems():
            tree = cKDTree(self.truth[item.getMicName()])
            yx = np.array(item.getPosition()[::-1], dtype=float)
            before.append(tree.query(yx)[0])
            yx[0] += item.getAttributeValue(AVERAGE_OFFSET_Y_ATTRIBUTE)
            yx[1] += item.getAttributeValue(AVERAGE_OFFSET_X_ATTRIBUTE)
            after.append(tree.query(yx)[0])
        self.assertLess(np.median(after), 0.7 * np.median(before))
        self._check_kinds(run)
        told = "\n".join(run.summary())
        self.assertIn(f"{len(after)} candidates were aligned", told)
        self.assertIn("averages.mrcs", told)
        self.assertIn("Scheres2012", run._citations())
        self.assertIn("[Scheres2012]", " ".join(run._methods()))

    def _check_kinds(self, run: ProtDeepConsensusScore):
        """Check that items, table, summary and a later selection tell the same."""
        words = read_columns(run.outputCoordinates, LOOKS_LIKE_ATTRIBUTE)
        table = read_scores_csv(run._getExtraPath("scores.csv"))
        kinds, score = table.likeness.kind, table.score
        self.assertEqual(
            Counter(kinds_in_words(kinds)), Counter(words[LOOKS_LIKE_ATTRIBUTE])
        )
        self.assertTrue(np.isfinite(table.likeness.amplitude).all())
        rejected = table.reason == Reason.SCORE
        self.assertTrue(rejected.any())
        self.assertIn(*describe_kinds(count_kinds(kinds[rejected])), run.summary())
        select = new_protocol(
            type(self),
            ProtDeepConsensusSelect,
            inputCoordinates=output(run, "outputCoordinates"),
            threshold=float(np.median(score)),
        )
        self.launchProtocol(select)
        [told] = [line for line in select.summary() if "rejected for" in line]
        found = read_scored(run, select)
        below = found.reason == Reason.SCORE
        self.assertEqual(
            [told], describe_kinds(count_kinds(found.likeness.kind[below]))
        )
        np.testing.assert_array_equal(found.likeness.kind, kinds)
        np.testing.assert_allclose(found.likeness.amplitude, table.likeness.amplitude)

    def test_score_particles_does_without_averages(self):
        run = self.score(averageCandidates=False)
        item = run.outputCoordinates.getFirstItem()
        self.assertFalse(item.hasAttribute(AVERAGE_ATTRIBUTE))
        self.assertFalse(item.hasAttribute(LOOKS_LIKE_ATTRIBUTE))
        table = read_scores_csv(run._getExtraPath("scores.csv"))
        self.assertFalse(table.likeness.kind.any())
        self.assertNotIn("were aligned", "\n".join(run.summary()))
        self.assertEqual(run._citations(), ["SanchezGarcia2018"])

    def test_deep_consensus_averages_and_continues_without(self):
        model = store_model(type(self), write_untrained_model(self.data / "whole"))
        screen = new_protocol(
            type(self),
            ProtDeepConsensusScreen,
            modelInitialization=1,
            initialModel=model,
            askGeneralModel=False,
            writeStacks=False,
        )
        picks = [
            {name: here.yx for name, here in self.pick(seed).items()} for seed in (1, 2)
        ]
        screen.inputCoordinates.set(
            [store_coordinates(type(self), each) for each in picks]
        )
        self.assertEqual(screen.validate(), [])
        jobs: list[str] = []

        def count(path):
            jobs.append(path.stem)
            run_job(path)

        run_here(type(self), screen, job=count)
        self.assertEqual(jobs.count("averages"), 1)
        found = read_columns(screen.outputCoordinatesScored, AVERAGE_ATTRIBUTE)
        self.assertTrue(all(found[AVERAGE_ATTRIBUTE]))
        table = read_scores_csv(screen._getExtraPath("scores.csv"))
        words = read_columns(screen.outputCoordinatesScored, LOOKS_LIKE_ATTRIBUTE)
        self.assertEqual(
            kinds_in_words(table.likeness.kind), words[LOOKS_LIKE_ATTRIBUTE]
        )
        self.assertIn("were aligned", "\n".join(screen.summary()))
        screen.averageCandidates.set(False)
        run_here(type(self), screen, job=count)
        self.assertEqual(jobs.count("averages"), 1)
        found = read_columns(screen.outputCoordinatesScored, AVERAGE_ATTRIBUTE)
        self.assertEqual(found, {})
        self.assertNotIn("were aligned", "\n".join(screen.summary()))

    def test_information(self):
        first, second, third, fourth = self.run_.summary()[:4]
        self.assertRegex(
            first, rf"^{4 * N} candidates were aligned .* of \d+ to \d+\.$"
        )
        self.assertRegex(second, r"^Independent halves agree on \d of them, with \d+% ")
        self.assertRegex(third, r"^Averages: .*averages\.mrcs\.$")
        self.assertRegex(fourth, r"^Half of the candidates lie within \d Å")
        self.assertIn("were moved", self.run_.summary()[-1])
        self.assertIn(f"{4 * N} candidate particles were", self.run_._methods()[0])

    def test_validation_names_the_field(self):
        protocol = self.newProtocol(ProtDeepConsensusAverages)
        [error] = protocol.validate()
        self.assertIn("choose particles or coordinates", error)
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.assertEqual(protocol._methods(), [])
        few = {self.names[0]: ScoredCoordinates.from_arrays(self.truth[self.names[0]])}
        picks = self.importPicks("few", few)
        protocol.inputCoordinates.copy(output(picks, "outputCoordinates"))
        [error] = protocol.validate()
        self.assertRegex(error, f"^Candidates: .* fewer than 200; the set has {N}")
        protocol.inputParticles.copy(self.extract(knowCoordinates=False))
        self.assertEqual(protocol.validate(), [])
        protocol.refineCentres.set(True)
        protocol.boxSize.set(BOX)
        protocol.inputMicrographs.set(self.micrographs)
        box, others, centres = protocol.validate()
        self.assertRegex(box, f"^Box size: .* {BOX // BINNING} or less")
        self.assertRegex(others, "^Other micrographs: .*own images.*leave it empty")
        self.assertRegex(centres, "^Refine centres: .* choose ")
        protocol.refineCentres.set(False)
        protocol.inputMicrographs.set(None)
        protocol.inputParticles.set(None)
        protocol.inputCoordinates.copy(self.picked())
        protocol.boxSize.set(9999)
        [error] = protocol.validate()
        self.assertIn("larger than the micrographs", error)
