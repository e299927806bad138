# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated micrographs as a node: sets that fit together, and the truth in them."""

from __future__ import annotations

from pathlib import Path

import mrcfile
import numpy as np
from pwem.objects import Coordinate
from pyworkflow.tests import BaseTest, setupTestProject

from deepconsensus_plugin.convert import coordinates_from_set, micrographs_from_set
from deepconsensus_plugin.core.simulation import ObjectClass
from deepconsensus_plugin.core.simulation.truth import read_truth
from deepconsensus_plugin.protocols import ProtSimulateMicrographs
from deepconsensus_plugin.tests.in_process import launched_here
from deepconsensus_plugin.tests.marks import slow
from deepconsensus_plugin.tests.other_plugins import read_optics_as_relion

SMALL = {
    "numberOfMicrographs": 2,
    "size": 320,
    "rows": 256,
    "samplingRate": 4.0,
    "structures": "globule, shell",
    "particlesPerMicrograph": 20,
    "brokenFraction": 0.0,
    "aggregates": 0.0,
    "contamination": 0.0,
}


@slow
class TestSimulateMicrographs(BaseTest):
    """One small set, and what the form refuses."""

    @classmethod
    def setUpClass(cls):
        setupTestProject(cls)
        cls.protocol = cls.newProtocol(ProtSimulateMicrographs, seed=3, **SMALL)
        with launched_here():
            cls.launchProtocol(cls.protocol)

    def _truth(self):
        micrographs = self.protocol.outputMicrographs
        paths = [Path(item.getFileName()) for item in micrographs.iterItems()]
        return {path.name: read_truth(path.with_suffix(".csv")) for path in paths}

    def test_micrographs_have_the_size_pixels_and_acquisition_of_the_form(self):
        micrographs = self.protocol.outputMicrographs
        self.assertEqual(micrographs.getSize(), 2)
        self.assertEqual(micrographs.getSamplingRate(), 4.0)
        self.assertEqual(micrographs.getAcquisition().getVoltage(), 300)
        for images in (micrographs, micrographs.getFirstItem()):
            optics = read_optics_as_relion(images)
            rate = float(optics["rlnMicrographOriginalPixelSize"])
            self.assertEqual(rate, micrographs.getSamplingRate())
        for item in micrographs.iterItems():
            with mrcfile.open(item.getFileName()) as file:
                self.assertEqual(file.data.shape, (256, 320))
                self.assertEqual(file.data.dtype, np.float32)
                self.assertAlmostEqual(float(file.voxel_size.x), 4.0, places=5)

    def test_coordinates_are_the_good_particles_of_the_tables(self):
        protocol = self.protocol
        read = coordinates_from_set(
            protocol.outputCoordinates, micrographs=protocol.outputMicrographs
        )
        truth = self._truth()
        self.assertEqual(set(read), set(truth))
        for name, objects in truth.items():
            good = [
                (each.y, each.x)
                for each in objects
                if each.object_class is ObjectClass.GOOD
            ]
            self.assertGreater(len(good), 3)
            np.testing.assert_allclose(read[name].yx, good, atol=1e-6)

    def test_particles_are_dark_where_the_coordinates_are(self):
        shells = {}
        for name, objects in self._truth().items():
            shells[name] = [each for each in objects if each.kind == "shell"]
        darker = []
        for item in self.protocol.outputMicrographs.iterItems():
            with mrcfile.open(item.getFileName()) as file:
                image = file.data
            for each in shells[item.getMicName()]:
                rows, columns = np.indices(image.shape)
                away = np.hypot(rows - each.y, columns - each.x)
                around = image[(away > 20) & (away < 30)]  # the ice is a wedge
                darker.append(around.mean() - image[away < 16].mean())
        self.assertGreater(len(darker), 10)
        self.assertGreater(np.mean(np.array(darker) > 0), 0.9)

    def test_ctfs_belong_to_the_micrographs(self):
        protocol = self.protocol
        micrographs = micrographs_from_set(
            protocol.outputMicrographs, ctfs=protocol.outputCTF
        )
        for micrograph in micrographs:
            self.assertGreaterEqual(micrograph.ctf.defocus_u_A, 10_000)
            self.assertLessEqual(micrograph.ctf.defocus_v_A, 25_000)
            self.assertEqual(micrograph.ctf.amplitude_contrast, 0.07)
            self.assertEqual(micrograph.ctf.phase_shift_deg, 0.0)
        self.assertFalse(protocol.outputCTF.getFirstItem().hasPhaseShift())

    def test_sets_know_each_other(self):
        protocol = self.protocol
        for related in (protocol.outputCTF, protocol.outputCoordinates):
            found = related.getMicrographs()
            self.assertEqual(found.getObjId(), protocol.outputMicrographs.getObjId())
        item: Coordinate = protocol.outputCoordinates.getFirstItem()
        self.assertTrue(0 <= item.getX() < 320 and 0 <= item.getY() < 256)
        # A shell is 128 Å across: one and a half of it is 48 px of 4 Å.
        self.assertAlmostEqual(protocol.outputCoordinates.getBoxSize(), 48, delta=2)

    def test_information(self):
        n = sum(len(objects) for objects in self._truth().values())
        summary = "\n".join(self.protocol.summary())
        self.assertIn(f"2 micrographs with {n} objects", summary)
        self.assertIn("good", summary)
        self.assertIn("[Vulovic2013]", self.protocol.methods()[0])
        new = self.newProtocol(ProtSimulateMicrographs)
        self.assertEqual(new.validate(), [])
        self.assertEqual(new.summary(), ["Not run yet."])
        self.assertEqual(new._methods(), [])

    def test_validation_says_what_is_wrong(self):
        for name, value, words in (
            ("numberOfMicrographs", 0, "Number of micrographs: it must be 1 or more"),
            ("structures", "no such thing", "neither an existing file nor one of"),
            ("structures", "", "expected at least one"),
            ("secondProtein", "/nowhere.pdb", "/nowhere.pdb is neither"),
            ("maxDefocus", 0.0, "Defocus: the least must not be above the most"),
            ("samplingRate", 0.0, "Pixel size: it must be above 0"),
            ("numberOfThreads", 0, "Threads: there must be 1 or more"),
        ):
            with self.subTest(name):
                protocol = self.newProtocol(ProtSimulateMicrographs, **{name: value})
                errors = protocol.validate()
                self.assertEqual(len(errors), 1)
                self.assertIn(words, errors[0])
