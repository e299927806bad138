# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of CTFs: by name, with the microscope of the micrographs."""

from __future__ import annotations

from pathlib import Path

from deepconsensus_plugin.convert import micrographs_from_set
from deepconsensus_plugin.protocols import ProtImportCtfs
from deepconsensus_plugin.tests import synthetic

STAR = """
data_

loop_
_rlnMicrographName
_rlnDefocusU
_rlnDefocusV
_rlnDefocusAngle
_rlnVoltage
_rlnSphericalAberration
_rlnAmplitudeContrast
"""


class TestImportCtfs(synthetic.SyntheticProject):
    """One import of all but one micrograph, and what validation refuses."""

    def _star(self, *rows: str) -> str:
        path = Path(self.data) / "micrographs_ctf.star"
        path.write_text(STAR + "".join(f"{row}\n" for row in rows))
        return str(path)

    def _protocol(self, path: str) -> ProtImportCtfs:
        return self.newProtocol(
            ProtImportCtfs, inputMicrographs=self.micrographs, filesPath=path
        )

    def test_ctfs_are_those_of_the_file(self):
        rows = [
            f"MotionCorr/job2/{name} {10000 + i} 9000 30 300 2.7 0.1"
            for i, name in enumerate(self.names[:3])
        ]
        protocol = self._protocol(self._star(*rows))
        self.assertEqual(protocol.validate(), [])
        self.assertEqual(protocol.summary(), ["Not run yet."])
        self.launchProtocol(protocol)
        ctfs = protocol.outputCTF
        self.assertEqual(ctfs.getSize(), 3)
        read = micrographs_from_set(self.micrographs, ctfs=ctfs)
        self.assertEqual(
            [each.ctf and each.ctf.defocus_u_A for each in read],
            [10000, 10001, 10002, None],
        )
        self.assertIn("WARNING: CTFs of 3 of 4 micrographs", protocol.summary()[0])

    def test_another_microscope_and_bad_files_are_refused(self):
        name = self.names[0]
        protocol = self._protocol(self._star(f"{name} 10000 9000 30 200 2.7 0.1"))
        (error,) = protocol.validate()
        self.assertIn("a voltage of 200 kV, the micrographs have 300", error)
        protocol.filesPath.set(self._star(f"{name} many 9000 30 300 2.7 0.1"))
        self.assertIn("number for _rlnDefocusU", protocol.validate()[0])
        protocol.filesPath.set("")
        self.assertEqual(protocol._validate(), ["File: choose the file with the CTFs."])
        protocol.filesPath.set(self._star("other.mrc 10000 9000 30 300 2.7 0.1"))
        with self.assertRaisesRegex(ValueError, "such as mic_1.mrc.*received other"):
            protocol.readMatched(self.names)
