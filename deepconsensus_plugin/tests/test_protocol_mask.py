# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks of micrographs as a node: the set of masks, and coordinates that are left."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import mrcfile
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from pyworkflow.protocol import MODE_RESUME

from deepconsensus_plugin.constants import AREA_DISTANCE_ATTRIBUTE
from deepconsensus_plugin.convert import masks_of, read_observed
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.core.usable_area.files import read_area
from deepconsensus_plugin.core.usable_area.kinds import AreaKind
from deepconsensus_plugin.protocols import ProtDeepConsensusMask
from deepconsensus_plugin.report.left_out import read_left_out
from deepconsensus_plugin.set_columns import read_numbers
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.synthetic import BOX, SAMPLING_RATE, positions_of
from deepconsensus_plugin.viewers import DeepConsensusMaskViewer
from deepconsensus_plugin.viewers.tabs.micrographs_pane import PicksView

DIAMETER = BOX / 2 * SAMPLING_RATE
PADDED_ROWS = 48


class TestMask(synthetic.SyntheticProject):
    """Two micrographs, the first of which is padded at its top."""

    names = ("mic_1.mrc", "mic_2.mrc")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.data / "padded"
        folder.mkdir()
        for number, name in enumerate(cls.names):
            image = mrcfile.read(cls.data / "micrographs" / name).copy()
            if not number:
                image[:PADDED_ROWS] = image[PADDED_ROWS]
            mrcfile.write(folder / name, image, voxel_size=SAMPLING_RATE)
        cls.padded = cls.importMicrographs(folder)
        picks = {
            name: ScoredCoordinates.from_arrays([(20, 99), (200, 300), (30, 40)])
            for name in cls.names
        }
        cls.picks = cls.importPicks("picker", picks).outputCoordinates
        cls.masked = cls.mask(inputCoordinates=cls.picks)

    @classmethod
    def mask(cls, **options) -> ProtDeepConsensusMask:
        protocol = cls.newProtocol(
            ProtDeepConsensusMask,
            inputMicrographs=cls.padded,
            particleDiameter=DIAMETER,
            **options,
        )
        cls.launchProtocol(protocol)
        return protocol

    def test_masks_are_a_set_of_the_same_names_and_ids(self):
        masks = self.masked.outputMasks
        ids = {item.getMicName(): item.getObjId() for item in self.padded.iterItems()}
        self.assertEqual(
            {item.getMicName(): item.getObjId() for item in masks.iterItems()}, ids
        )
        first = masks.getFirstItem()
        area = read_area(first.getFileName())
        self.assertEqual(area.shape_px, synthetic.SHAPE)
        self.assertEqual(masks.getSamplingRate(), SAMPLING_RATE * area.binning)
        self.assertEqual(masks.getAcquisition().getVoltage(), 300)
        self.assertEqual(first.getXDim(), area.kinds.shape[1])  # as Scipion reads it
        rows = np.flatnonzero((area.kinds == AreaKind.PADDING).all(axis=1))
        self.assertAlmostEqual(
            area.binning * len(rows), PADDED_ROWS, delta=2 * area.binning
        )

    def test_coordinates_in_the_padding_are_removed(self):
        cleaned = self.masked.outputCoordinates
        self.assertEqual(
            positions_of(cleaned),
            {
                "mic_1.mrc": [(300, 200)],
                "mic_2.mrc": [(99, 20), (300, 200), (40, 30)],
            },
        )
        distance = read_numbers(cleaned, AREA_DISTANCE_ATTRIBUTE)[0, 0]
        self.assertAlmostEqual(distance, 200 - PADDED_ROWS, delta=8)
        self.assertEqual(cleaned.getBoxSize(), BOX)
        known = read_observed(cleaned)
        self.assertEqual(known.pickers, read_observed(self.picks).pickers)
        self.assertEqual(set(known.observed), set(self.names))
        self.assertEqual(masks_of(cleaned), Path(self.masked._getExtraPath("masks")))

    def test_information(self):
        masks, removed = self.masked.summary()
        self.assertRegex(masks, r"^Masks of 2 micrographs: \d\.\d% of their area is ")
        self.assertEqual(
            removed,
            "2 of 6 coordinates removed, since they lie on masked area; 4 left.",
        )
        self.assertIn("2 coordinates there were removed", self.masked._methods()[1])

    def test_masks_alone(self):
        run = self.mask()
        self.assertEqual(run.outputMasks.getSize(), 2)
        self.assertFalse(run.hasAttribute("outputCoordinates"))
        self.assertEqual(len(run.summary()), 1)
        self.assertEqual(len(run._methods()), 1)

    def test_micrographs_that_cannot_be_read_are_left_out_if_asked_for(self):
        folder = self.data / "cut"
        folder.mkdir()
        for name in self.names:
            shutil.copy(self.data / "padded" / name, folder)
        micrographs = self.importMicrographs(folder)
        path = next(iter(micrographs.iterItems())).getFileName()
        whole = Path(path).read_bytes()
        target = Path(os.path.realpath(path))
        target.write_bytes(whole[: len(whole) // 2])
        given = {"inputMicrographs": micrographs, "particleDiameter": DIAMETER}
        with self.assertRaisesRegex(Exception, "execution failed"):
            self.launchProtocol(self.newProtocol(ProtDeepConsensusMask, **given))
        run = self.newProtocol(
            *(ProtDeepConsensusMask,),
            **given, inputCoordinates=self.picks, skipBad=True,
        )  # fmt: skip
        self.launchProtocol(run)
        self.assertEqual([m.getMicName() for m in run.outputMasks], ["mic_2.mrc"])
        self.assertEqual([*positions_of(run.outputCoordinates)], ["mic_2.mrc"])
        observed = read_observed(run.outputCoordinates).observed
        self.assertEqual([*observed], ["mic_2.mrc"])
        warning, *_ = run.summary()
        self.assertIn("WARNING: 1 micrograph is left out, which cannot", warning)
        self.assertIn("mic_1.mrc (expected", warning)
        self.assertEqual(read_left_out([run]).keys(), {"mic_1.mrc"})

    def test_a_run_that_a_full_disk_cut_off_continues(self):
        """As Scipion's window does it: no such table: Classes, else."""
        run = self.mask()
        masks = [*Path(run._getExtraPath("masks")).glob("*.mrc")]
        times = [path.stat().st_mtime_ns for path in masks]
        run.setStatus("failed")
        steps = Path(run.getStepsFile())
        steps.unlink()
        with closing(sqlite3.connect(steps)) as database:
            database.execute("CREATE TABLE Properties (key TEXT, value TEXT)")
        Path(run.getDbPath()).write_bytes(b"SQLite format 3\0" + bytes(100))
        self.assertEqual(run.loadSteps(), [])
        run.runMode.set(MODE_RESUME)
        self.launchProtocol(run)
        self.assertTrue(run.isFinished())
        self.assertEqual(len(run.loadSteps()), 2)
        self.assertEqual(run.outputMasks.getSize(), 2)
        self.assertEqual([path.stat().st_mtime_ns for path in masks], times)

    def test_validation_names_the_field(self):
        protocol = self.newProtocol(ProtDeepConsensusMask, inputMicrographs=self.padded)
        self.assertEqual(
            protocol.validate(),
            ["Particle diameter: it must be above 0, received nothing."],
        )
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.assertEqual(protocol._methods(), [])
        protocol.particleDiameter.set(9000)
        self.assertIn("px is larger than the micrographs", protocol.validate()[0])

    def test_coordinates_of_other_micrographs_are_refused(self):
        folder = self.data / "others"
        folder.mkdir()
        mrcfile.write(folder / "other.mrc", np.zeros((99, 99), np.float32))
        others = self.importMicrographs(folder)
        protocol = self.newProtocol(
            ProtDeepConsensusMask,
            inputMicrographs=others,
            particleDiameter=DIAMETER,
            inputCoordinates=self.picks,
        )
        [error] = protocol.validate()
        self.assertRegex(error, "^Coordinates to clean: .*expected coordinates on mic")

    def test_the_viewer_shows_what_is_kept_and_what_is_removed(self):
        marked = self._marked(self.masked)
        [picks_on] = marked.colourings.values()
        self.assertEqual(marked.micrographs.names, self.names)
        found = {label: len(yx) for (label, _), yx in picks_on("mic_1.mrc").items()}
        self.assertEqual(found, {"kept": 1, "removed": 2})

    def test_the_viewer_shows_masks_alone(self):
        marked = self._marked(self.mask())
        [picks_on] = marked.colourings.values()
        canvas = FigureCanvasAgg(Figure((5, 4)))
        view = PicksView(canvas.figure, box_size=1)
        view.show_picks(picks_on("mic_1.mrc"))
        canvas.draw()
        self.assertEqual(view.axes.get_legend().get_texts(), [])

    def test_before_the_run_the_viewer_says_so(self):
        message = self._view(self.newProtocol(ProtDeepConsensusMask))
        self.assertIn("no masks yet", message.getMessage())

    def _view(self, protocol):
        viewer = DeepConsensusMaskViewer(project=self.proj, protocol=protocol)
        [view] = viewer._visualize(protocol)
        return view

    def _marked(self, protocol):
        return self._view(protocol).tabs["Micrographs"].read()
