# SPDX-License-Identifier: GPL-3.0-or-later
from dataclasses import astuple

import numpy as np
import pytest

from deepconsensus_plugin.core.ctf_files import read_ctfs
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.pick_files.names import match_names

RELION = """
data_optics

loop_
_rlnOpticsGroup #1
_rlnVoltage #2
_rlnSphericalAberration #3
_rlnAmplitudeContrast #4
2 200 1.4 0.1
1 300 2.7 0.07

data_micrographs

loop_
_rlnMicrographName #1
_rlnOpticsGroup #2
_rlnDefocusU #3
_rlnDefocusV #4
_rlnDefocusAngle #5
M/job2/g_7.mrc 1 12000 11000 30
M/job2/g_8.mrc 2 9000 8000.5 -45
"""
GCTF = """
data_

loop_
_rlnMicrographName
_rlnDefocusU
_rlnDefocusV
_rlnDefocusAngle
_rlnPhaseShift
_rlnVoltage
_rlnSphericalAberration
_rlnAmplitudeContrast
g_7.mrc 12000 11000 30 90 300 2.7 0.07
"""
CTFFIND = """# Output from CTFFind version 4.1.14, run on 2024-03-05 10:08:51
# Input file: CtfFind/job3/my g_7_PS.mrc ; Number of micrographs: 1
# Pixel size: 1.400 Angstroms ; acceleration voltage: 200.0 keV ; \
spherical aberration: 1.40 mm ; amplitude contrast: 0.10
# Box size: 512 pixels ; min. res.: 30.0 Angstroms ; max. res.: 5.0 Angstroms
# Columns: #1 - micrograph number; #2 - defocus 1 [Angstroms]; #3 - defocus 2
1.000000 12000.5 11000.25 30.000000 1.570796 0.131144 4.874623
"""


def test_relion_with_optics_groups(tmp_path):
    path = tmp_path / "micrographs_ctf.star"
    path.write_text(RELION)
    found = read_ctfs(path)
    assert astuple(found["M/job2/g_7.mrc"]) == (12000, 11000, 30, 300, 2.7, 0.07, 0)
    assert astuple(found["M/job2/g_8.mrc"]) == (9000, 8000.5, -45, 200, 1.4, 0.1, 0)


def test_gctf_and_early_relion_have_the_microscope_in_each_row(tmp_path):
    path = tmp_path / "micrographs_all_gctf.star"
    path.write_text(GCTF)
    (ctf,) = read_ctfs(path).values()
    assert astuple(ctf) == (12000, 11000, 30, 300, 2.7, 0.07, 90)


def test_ctffind_one_text_and_a_folder_of_them(tmp_path):
    (tmp_path / "Movies").mkdir()
    path = tmp_path / "Movies" / "my g_7_PS.txt"
    path.write_text(CTFFIND)
    (tmp_path / "Movies" / "my g_7_PS_avrot.txt").write_text(CTFFIND)
    (tmp_path / "notes.txt").write_text("none")
    for source in (path, tmp_path):
        ((name, ctf),) = read_ctfs(source).items()
        np.testing.assert_allclose(
            astuple(ctf), (12000.5, 11000.25, 30, 200, 1.4, 0.1, 90), atol=1e-4
        )
        assert match_names(["myg_7.mrc"], [name])  # Scipion's name of it


def test_exposures_of_cryosparc_are_in_radians(tmp_path):
    names = "df1_A df2_A df_angle_rad accel_kv cs_mm amp_contrast phase_shift_rad"
    fields = [("micrograph_blob/path", "S40")]
    fields += [(f"ctf/{name}", "<f4") for name in names.split()]
    row = (">J3/g_7.mrc", 12000, 11000, np.pi / 6, 300, 2.7, 0.07, np.pi / 2)
    path = tmp_path / "exposures.cs"
    with path.open("wb") as file:
        np.save(file, np.array([row], dtype=fields))
    ((name, ctf),) = read_ctfs(path).items()
    assert name == "J3/g_7.mrc"
    np.testing.assert_allclose(
        astuple(ctf), (12000, 11000, 30, 300, 2.7, 0.07, 90), rtol=1e-6
    )
    with path.open("wb") as file:
        np.save(file, np.array([row[:2]], dtype=fields[:2]))
    with pytest.raises(FileFormatError, match=r"ctf/df2_A.*passthrough"):
        read_ctfs(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RELION.replace("_rlnDefocusV", "_rlnOther"), "_rlnDefocusU, _rlnDefocusV"),
        (RELION.replace("12000", "many"), "number for _rlnDefocusU on line 20"),
        (RELION.replace("1 300", "3 300"), "an optics group 1 .*received groups 2, 3"),
        (GCTF.replace("_rlnVoltage", "_rlnVolts"), "_rlnVoltage in each row"),
        (CTFFIND.replace("voltage", "power"), "acceleration voltage"),
        (CTFFIND.replace("12000.5", "many"), "expected numbers"),
    ],
)
def test_bad_files(tmp_path, text, message):
    path = tmp_path / "a.star"
    path.write_text(text)
    with pytest.raises(FileFormatError, match=message):
        read_ctfs(path)


def test_a_folder_without_ctfs(tmp_path):
    with pytest.raises(FileNotFoundError, match="texts of CTFFIND, received none"):
        read_ctfs(tmp_path)
