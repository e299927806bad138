# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks of Xmipp and EMAN2 through the whole workflow, and back through their files.

Everything goes through the two plugins' own converters. What those leave out: Xmipp's
``.pos`` writer gives every pick the cost 1, so scores travel with its particles only;
EMAN2's plugin has no writer of coordinates, and its writer of particles runs
``e2converter.py`` in EMAN2's own Python, which is not a package.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pwem.emlib.metadata as metadata
import pytest
from pwem.objects import SetOfCoordinates, SetOfParticles
from pwem.protocols import ProtImportCoordinates
from pyworkflow.object import Pointer
from scipy.spatial import cKDTree

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE
from deepconsensus_plugin.convert import coordinates_from_set
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_picks
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import (
    ProtDeepConsensusNegatives,
    ProtDeepConsensusPicks,
    ProtDeepConsensusScore,
    ProtDeepConsensusSelect,
    ProtDeepConsensusTrain,
    ProtImportPicks,
)
from deepconsensus_plugin.tests.stored_sets import (
    new_coordinates,
    new_protocol,
    output,
    store_coordinates,
    store_ctfs,
    store_outputs,
)
from deepconsensus_plugin.tests.synthetic import (
    BOX,
    SAMPLING_RATE,
    SyntheticProject,
    pick,
    positions_of,
)

xmipp = pytest.importorskip("xmipp3.convert")
eman = pytest.importorskip("eman2.convert")

N_SELECTED = 60


class TestXmippAndEman2(SyntheticProject):
    """One run of the workflow; the tests look at its inputs and outputs."""

    names = ("mic_1.mrc", "mic_2.mrc", "mic_3.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.xmipp = store_xmipp_picks(cls, pick(cls.truth, seed=1, n_false=4))
        cls.eman = store_eman_picks(
            cls, pick(cls.truth, seed=2, jitter_px=1, n_false=4)
        )
        cls.consensus = cls.newProtocol(ProtDeepConsensusPicks)
        cls.consensus.inputCoordinates.append(cls.xmipp)
        cls.consensus.inputCoordinates.append(cls.eman)
        cls.launchProtocol(cls.consensus)
        cls.scored = score(cls)
        cls.selected = new_protocol(
            cls,
            ProtDeepConsensusSelect,
            inputParticles=output(cls.scored, "outputParticles"),
            thresholdMode=1,
            numberOfParticles=N_SELECTED,
        )
        cls.launchProtocol(cls.selected)

    def test_their_box_sizes_are_read(self):
        for picks in (self.xmipp, self.eman):
            self.assertEqual(picks.get().getBoxSize(), BOX)
        self.assertEqual(self.consensus.outputCoordinatesAND.getBoxSize(), BOX)

    def test_what_both_found_is_the_truth(self):
        agreed = coordinates_from_set(
            self.consensus.outputCoordinatesAND, micrographs=self.micrographs
        )
        for name, truth in self.truth.items():
            self.assertEqual(len(agreed[name]), len(truth))
            distance, _ = cKDTree(truth).query(agreed[name].yx)
            self.assertLess(distance.max(), 2)

    def test_every_candidate_is_scored(self):
        n = self.consensus.outputCoordinatesOR.getSize()
        self.assertGreater(n, 75)
        self.assertEqual(self.scored.outputParticles.getSize(), n)
        self.assertEqual(self.selected.outputCoordinates.getSize(), N_SELECTED)

    def test_xmipp_writes_and_reads_our_coordinates(self):
        ours = self.selected.outputCoordinates
        folder = self.data / "xmipp_out"
        folder.mkdir()
        xmipp.writeSetOfCoordinates(str(folder), ours)
        back = self._empty_set(folder)
        xmipp.readSetOfCoordinates(str(folder), self.micrographs, back)
        self.assertEqual(back.getBoxSize(), BOX)
        self.assertEqual(by_name(back), by_name(ours))

    def test_xmipp_writes_and_reads_our_particles_with_scores_and_ctfs(self):
        ours = self.selected.outputParticles
        path = self.data / "particles.xmd"
        xmipp.writeSetOfParticles(ours, str(path))
        back = SetOfParticles(filename=str(self.data / "particles.sqlite"))
        back.setSamplingRate(SAMPLING_RATE)
        xmipp.readSetOfParticles(str(path), back)
        self.assertEqual(back.getSize(), N_SELECTED)
        for particle in back.iterItems():
            source = ours[particle.getObjId()]
            self.assertEqual(particle.getLocation(), source.getLocation())
            where = particle.getCoordinate().getPosition()
            self.assertEqual(where, source.getCoordinate().getPosition())
            self.assertEqual(particle.getMicId(), source.getMicId())
            score = getattr(particle, SCORE_ATTRIBUTE).get()
            self.assertAlmostEqual(score, getattr(source, SCORE_ATTRIBUTE).get(), 5)
            for value in ("getDefocusU", "getDefocusV", "getDefocusAngle"):
                here, there = particle.getCTF(), source.getCTF()
                self.assertAlmostEqual(getattr(here, value)(), getattr(there, value)())

    def test_a_score_that_xmipp_reads_is_a_picker_score(self):
        row = metadata.Row()
        row.setValue(metadata.MDL_XCOOR, 70)
        row.setValue(metadata.MDL_YCOOR, 90)
        row.setValue(metadata.RLN_PARTICLE_AUTOPICK_FOM, 1.25)
        item = xmipp.rowToCoordinate(row)
        item.setMicrograph(self.micrographs.getFirstItem())
        coordinates = self._empty_set(self.data)
        coordinates.append(item)
        coordinates.write()
        read = coordinates_from_set(coordinates, micrographs=self.micrographs)
        self.assertEqual(read[self.names[0]].scores.tolist(), [1.25])

    def test_eman2_reads_our_boxes(self):
        ours = coordinates_from_set(
            self.selected.outputCoordinates, micrographs=self.micrographs
        )
        folder = write_eman_project(self.data / "eman_out", ours)
        back = self._empty_set(folder)
        eman.readSetOfCoordinates(str(folder), self.micrographs, back)
        self.assertEqual(back.getBoxSize(), BOX)
        # Scipion's coordinates are whole; EMAN2's reader cuts the fraction off.
        whole = {
            name: sorted((int(x), int(y)) for y, x in picks.yx)
            for name, picks in ours.items()
        }
        self.assertEqual(by_name(back), whole)

    def test_scipion_imports_our_files_with_their_readers(self):
        ours = coordinates_from_set(
            self.selected.outputCoordinates, micrographs=self.micrographs
        )
        for pick_format, source in (
            (PickFormat.POS, ProtImportCoordinates.IMPORT_FROM_XMIPP),
            (PickFormat.BOX, ProtImportCoordinates.IMPORT_FROM_EMAN),
            (PickFormat.EMAN2_JSON, ProtImportCoordinates.IMPORT_FROM_EMAN),
        ):
            with self.subTest(pick_format):
                protocol = self._import(pick_format, ours, source)
                found = by_name(protocol.outputCoordinates)
                self.assertEqual(found.keys(), ours.keys())
                for name, picks in ours.items():
                    there = np.array(found[name], float)[:, ::-1]
                    distance, _ = cKDTree(picks.yx).query(there)
                    self.assertEqual(len(there), len(picks))
                    self.assertLessEqual(distance.max(), np.sqrt(2))

    def _import(self, pick_format, picks, source) -> ProtImportCoordinates:
        folder = self.data / f"as_{pick_format.value}"
        folder.mkdir()
        for name, here in picks.items():
            path = folder / f"{Path(name).stem}{pick_format.extension}"
            write_picks(
                path, here, box_size=BOX, pick_format=pick_format, micrograph=name
            )
        protocol = self.newProtocol(
            ProtImportCoordinates,
            importFrom=source,
            filesPath=str(folder),
            filesPattern=f"*{pick_format.extension}",
            inputMicrographs=self.micrographs,
            boxSize=BOX,
        )
        return self.launchProtocol(protocol)

    def _empty_set(self, folder: Path) -> SetOfCoordinates:
        back = SetOfCoordinates(filename=str(folder / "back.sqlite"))
        back.setMicrographs(self.micrographs)
        return back


def store_xmipp_picks(
    test: type[SyntheticProject], picks: dict[str, ScoredCoordinates]
) -> Pointer:
    """Return picks that Xmipp's converters wrote and read, as its pickers do."""
    plain = store_coordinates(test, {name: here.yx for name, here in picks.items()})
    folder = test.data / "xmipp_in"
    folder.mkdir()
    xmipp.writeSetOfCoordinates(str(folder), plain.get(), ismanual=False)

    def make(protocol):
        coordinates = new_coordinates(test, protocol)
        coordinates.setBoxSize(1)  # Xmipp's config.xmd tells
        xmipp.readSetOfCoordinates(str(folder), test.micrographs, coordinates)
        return {"outputCoordinates": coordinates}

    return output(store_outputs(test, ProtImportPicks, make), "outputCoordinates")


def store_eman_picks(
    test: type[SyntheticProject], picks: dict[str, ScoredCoordinates]
) -> Pointer:
    """Return picks in the project of EMAN2's boxer, read by its protocol."""
    from eman2.protocols import EmanProtAutopick

    folder = write_eman_project(test.data / "eman_in", picks)

    def make(protocol):
        protocol.boxSize.set(1)  # EMAN2's project.json tells
        coordinates = new_coordinates(test, protocol)
        protocol.readCoordsFromMics(str(folder), test.micrographs, coordinates)
        return {"outputCoordinates": coordinates}

    return output(store_outputs(test, EmanProtAutopick, make), "outputCoordinates")


def write_eman_project(folder: Path, picks: dict[str, ScoredCoordinates]) -> Path:
    """Write ``info/`` as EMAN2's boxer leaves it."""
    info = folder / "info"
    info.mkdir(parents=True)
    (info / "project.json").write_text(json.dumps({"global.boxsize": BOX}))
    for name, here in picks.items():
        write_picks(
            info / f"{Path(name).stem}_info.json",
            here,
            box_size=BOX,
            pick_format=PickFormat.EMAN2_JSON,
            micrograph=name,
        )
    return folder


def score(test: type[TestXmippAndEman2]) -> ProtDeepConsensusScore:
    """Return scores of all candidates, of a network that learnt for one epoch."""
    negatives = new_protocol(
        test,
        ProtDeepConsensusNegatives,
        inputCoordinates=output(test.consensus, "outputCoordinatesOR"),
        inputPositives=output(test.consensus, "outputCoordinatesAND"),
    )
    test.launchProtocol(negatives)
    network = new_protocol(
        test,
        ProtDeepConsensusTrain,
        inputPositives=output(test.consensus, "outputCoordinatesAND"),
        inputNegatives=output(negatives, "outputCoordinatesNEG"),
        nEpochs=1,
        nModels=1,
    )
    test.launchProtocol(network)
    scored = new_protocol(
        test,
        ProtDeepConsensusScore,
        inputCoordinates=output(test.consensus, "outputCoordinatesOR"),
        inputModel=output(network, "outputModel"),
        ctfRelations=store_ctfs(test, test.names),
        writeStacks=True,
    )
    return test.launchProtocol(scored)


def by_name(coordinates: SetOfCoordinates) -> dict[str, list[tuple[int, int]]]:
    """Return whole (x, y) by micrograph, sorted."""
    return {name: sorted(xy) for name, xy in positions_of(coordinates).items()}
