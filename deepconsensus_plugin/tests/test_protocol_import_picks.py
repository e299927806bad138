# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of picks: positions, scores, box, and what was not observed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepconsensus_plugin.constants import PICKER_SCORE_ATTRIBUTE
from deepconsensus_plugin.convert import coordinates_from_set, read_observed
from deepconsensus_plugin.core.pick_files.picks import PickFormat, write_merged_picks
from deepconsensus_plugin.core.types import ScoredCoordinates
from deepconsensus_plugin.protocols import ProtImportPicks
from deepconsensus_plugin.protocols.consensus.protocol_import_picks import (
    READING,
)
from deepconsensus_plugin.tests import synthetic
from deepconsensus_plugin.tests.synthetic import BOX, SHAPE


class TestImportPicks(synthetic.SyntheticProject):
    """Three imports: plain, transformed, and what validation refuses."""

    def test_positions_scores_and_not_observed(self):
        first, second, third, fourth = self.names
        picks = {
            first: ScoredCoordinates.from_arrays([[100.4, 300.6], [50, 60]], [0.9, 0]),
            second: ScoredCoordinates.from_arrays([]),  # run, nothing found
            third: ScoredCoordinates.from_arrays([[200, 480]], [0.5]),
        }
        protocol = self.importPicks("topaz", picks)
        output = protocol.outputCoordinates

        self.assertEqual(output.getSize(), 3)
        self.assertEqual(output.getBoxSize(), BOX)
        self.assertEqual(output.getMicrographs().getSamplingRate(), 2.5)
        self.assertEqual(
            synthetic.positions_of(output),
            {first: [(301, 100), (60, 50)], third: [(480, 200)]},
        )
        scores = [
            getattr(item, PICKER_SCORE_ATTRIBUTE).get() for item in output.iterItems()
        ]
        self.assertEqual(scores, [0.9, 0.0, 0.5])
        known = read_observed(output)
        self.assertEqual(known.pickers, ["topaz"])
        self.assertEqual(set(known.observed), {first, second, third})
        read = coordinates_from_set(output, micrographs=self.micrographs)
        self.assertEqual(set(read), {first, second, third})
        np.testing.assert_allclose(read[first].yx, picks[first].yx, atol=1e-9)
        self._check_information(protocol, absent=fourth)
        self._check_after_reload(protocol)

    def _check_information(self, protocol: ProtImportPicks, *, absent: str):
        summary = "\n".join(protocol.summary())
        self.assertIn("3 picks of *topaz* on 3 micrographs, box 40 px", summary)
        self.assertIn("1 of 4 micrographs have no file", summary)
        self.assertNotIn(absent, read_observed(protocol.outputCoordinates).observed)
        self.assertIn("3 picks of topaz were imported.", protocol.methods())

    def _check_after_reload(self, protocol: ProtImportPicks):
        """Check what another process or protocol sees."""
        again = self.proj.getProtocol(protocol.getObjId(), fromRuns=False)
        known = read_observed(again.outputCoordinates)
        self.assertEqual(known.pickers, ["topaz"])

    def test_picks_that_fit_no_micrograph_are_said_in_the_summary(self):
        one = ScoredCoordinates.from_arrays([[100, 300]])
        picks = dict.fromkeys([*self.names[:3], "stranger_7.mrc"], one)
        protocol = self.importPicks("half", picks)
        again = self.proj.getProtocol(protocol.getObjId(), fromRuns=False)
        for each in (protocol, again):
            (warning,) = (s for s in each.summary() if s.startswith("WARNING"))
            self.assertIn(
                f"1 of 4 micrographs have no picks ({self.names[3]})", warning
            )
            self.assertIn("stranger_7", warning)

    def test_scale_and_upside_down(self):
        name = self.names[0]
        picks = {name: ScoredCoordinates.from_arrays([[20.0, 200.0]])}
        protocol = self.importPicks(
            "binned", picks, scale=2.0, invertY=True, boxSize=50, pickerName="mine"
        )
        output = protocol.outputCoordinates
        self.assertEqual(
            synthetic.positions_of(output), {name: [(400, SHAPE[0] - 1 - 40)]}
        )
        self.assertEqual(output.getBoxSize(), 50)
        self.assertEqual(read_observed(output).pickers, ["mine"])
        self.assertFalse(hasattr(output.getFirstItem(), PICKER_SCORE_ATTRIBUTE))

    def test_a_table_of_all_micrographs_with_a_minimum_score(self):
        first, second = self.names[:2]
        picks = {
            first: ScoredCoordinates.from_arrays([[100, 300], [50, 60]], [0.9, -4]),
            second: ScoredCoordinates.from_arrays([[200, 480]], [0.5]),
        }
        cs = READING.number_of("pick_format", PickFormat.CS)
        for name, kind, fileFormat in (
            ("topaz_picks", PickFormat.TOPAZ, 0),
            ("sparc.cs", PickFormat.CS, cs),
        ):
            path = Path(self.data) / name
            shapes = dict.fromkeys(picks, SHAPE)
            write_merged_picks(
                path, picks, box_size=BOX, pick_format=kind, shapes=shapes
            )
            protocol = self.newProtocol(
                ProtImportPicks,
                inputMicrographs=self.micrographs,
                filesPath=str(path),
                fileFormat=fileFormat,
                boxSize=BOX,
                minScore=-1.0,
            )
            self.launchProtocol(protocol)
            self.assertEqual(
                synthetic.positions_of(protocol.outputCoordinates),
                {first: [(300, 100)], second: [(480, 200)]},
            )
            self.assertEqual(protocol.getPickerName(), path.stem)

    def test_choices_of_the_format_are_what_projects_hold(self):
        """A number that is stored in a project must mean the same for ever."""
        numbered = {
            READING.number_of("pick_format", kind): kind and kind.value
            for kind in (None, *PickFormat)
        }
        names = [None, "box", "json", "pos", "star", "csv", "cbox", "topaz", "cs"]
        self.assertEqual(numbered, dict(enumerate(names)))
        labels = "Auto,EMAN .box,EMAN2 _info.json,Xmipp .pos,RELION .star,CSV,"
        labels += "crYOLO .cbox,Topaz table,cryoSPARC .cs"
        field = self.newProtocol(ProtImportPicks).getParam("fileFormat")
        self.assertEqual(field.choices, labels.split(","))

    def test_validation_names_the_field(self):
        folder = Path(self.data) / "empty"
        folder.mkdir()
        protocol = self.newProtocol(
            ProtImportPicks, inputMicrographs=self.micrographs, filesPath=str(folder)
        )
        self.assertEqual(protocol.validate(), [f"Folder: {folder} contains no files."])
        protocol.filesPattern.set("*.box")
        self.assertIn("File pattern: no file in", protocol.validate()[0])
        protocol.filesPattern.set("*")
        (folder / "info").mkdir()
        (folder / "info" / "mic_1_info.json").touch()
        self.assertEqual(protocol.validate(), [])  # an EMAN2 project
        protocol.filesPath.set(str(folder / "absent"))
        protocol.scale.set(0)
        protocol.boxSize.set(0)
        protocol.pickerName.set("a;b")
        fields = [error.split(":")[0] for error in protocol.validate()]
        self.assertEqual(fields, ["Folder", "Box size", "Scale factor", "Picker name"])
        self.assertEqual(protocol.summary(), ["Not run yet."])

    def test_box_and_pixel_size_that_cannot_be_are_refused(self):
        folder = Path(self.data) / "some"
        folder.mkdir()
        (folder / "mic_1.box").touch()
        protocol = self.newProtocol(
            ProtImportPicks,
            inputMicrographs=self.micrographs,
            filesPath=str(folder),
            boxSize=min(SHAPE) + 1,
        )
        (error,) = protocol.validate()
        rows, columns = SHAPE
        self.assertIn(f"which have {columns} x {rows} px", error)
        self.assertEqual(protocol._warnings(), [])
        protocol.boxSize.set(min(SHAPE))
        self.assertEqual(protocol.validate(), [])
        micrographs = protocol.inputMicrographs.get()
        self.addCleanup(micrographs.setSamplingRate, micrographs.getSamplingRate())
        for rate in (0, -1):
            micrographs.setSamplingRate(rate)
            self.assertIn("has no pixel size", protocol._validate()[0])
        micrographs.setSamplingRate(9.9)
        (warning,) = protocol._warnings()
        self.assertIn("given as 9.9 Å/px, but", warning)
