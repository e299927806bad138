# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that this package writes itself, and structures, from which mutations start."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mrcfile
import numpy as np

import deepconsensus_plugin
from benchmarks.fuzz.trained_seeds import write_boxes_seed, write_held, write_state
from deepconsensus_plugin.core.averages.table import AveragesTable, write_averages
from deepconsensus_plugin.core.calibration.report import (
    CalibrationReport,
    EstimatedFigure,
    write_report,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.arrays import write_array
from deepconsensus_plugin.core.io.scores import EnsembleScores, write_scores
from deepconsensus_plugin.core.io.tables import write_candidates
from deepconsensus_plugin.core.metrics.evaluation import evaluate_picks
from deepconsensus_plugin.core.simulation.truth import (
    ObjectClass,
    TrueObject,
    write_truth,
)
from deepconsensus_plugin.core.types import Ctf, PickerPicks, ScoredCoordinates
from deepconsensus_plugin.core.usable_area.area import UsableArea
from deepconsensus_plugin.core.usable_area.contaminant_network import (
    CARD,
    shipped_network,
    write_network,
)
from deepconsensus_plugin.core.usable_area.files import write_area

_RNG = np.random.default_rng(1)
_PICKS = ScoredCoordinates.from_arrays(
    _RNG.uniform(50, 900, (7, 2)).round(2), _RNG.uniform(0, 1, 7).round(4)
)
_CTF = Ctf(15000.0, 14900.0, 45.0, 300.0, 2.7, 0.1)
_SEAL_BYTES = 24
Write = Callable[[Path], object]


def _write_truth(path: Path) -> None:
    angles = (10.0, 20.0, 30.0)
    objects = [
        TrueObject(100.5, 200.25, ObjectClass.GOOD, "1abc", 150.0, angles),
        TrueObject(300.0, 20.0, ObjectClass.CONTAMINANT, "gold bead", 100.0),
    ]
    write_truth(path, objects, _CTF)


def _evaluated() -> object:
    picks = {"mic_001.mrc": _PICKS}
    rules = {"box_size": 64, "radius_px": 16.0, "threshold": 0.5}
    return evaluate_picks(picks, picks, {"mic_001.mrc": (1000, 1000)}, **rules)


def _write_curve(path: Path) -> None:
    _evaluated().write_curve(path)


def _write_metrics(path: Path) -> None:
    path.write_text(json.dumps(_evaluated().to_dict()))


def _write_calibration(path: Path) -> None:
    figure = EstimatedFigure(0.9, 0.8, 0.95)
    report = CalibrationReport(
        *(1, 100, 80.5, 0.5, figure, [], [0.1, 0.5], [figure] * 2, [figure] * 2)
    )
    write_report(path, report)


def _write_mask_network(path: Path) -> None:
    network, folder = shipped_network(), path.parent / "written"
    write_network(folder, network, {"threshold": 0.5})
    path.write_bytes((folder / "weights.npz").read_bytes())
    path.with_name(CARD).write_bytes((folder / CARD).read_bytes())


def _write_size_network(path: Path) -> None:
    folder = Path(deepconsensus_plugin.__file__).parent / "diameter_network"
    path.write_bytes((folder / "weights.npz").read_bytes())


def _without_seal(write: Write) -> Write:
    """Return what writes a file as early versions did, whose damage is not known."""

    def write_bare(path: Path) -> None:
        write(path)
        path.write_bytes(path.read_bytes()[:-_SEAL_BYTES])

    return write_bare


def _write_averages(path: Path) -> None:
    n, k = 5, 2
    numbers = np.linspace(0.1, 0.9, n)
    table = AveragesTable(
        average=np.array([0, 1, 0, -1, 1]),
        angle_deg=numbers,
        offset_yx=np.zeros((n, 2)),
        amplitude=numbers,
        correlation=numbers,
        images=_RNG.normal(size=(k, 8, 8)).astype(np.float32),
        resolution_A=np.array([20.0, np.inf]),
        pixel_size_A=4.0,
        diameter_A=150.0,
    )
    write_averages(path, table)


def _write_scores(path: Path) -> None:
    write_scores(path, EnsembleScores.of(_RNG.uniform(size=(7, 3))))


def _write_candidates(path: Path) -> None:
    picks = {"mic_001.mrc": _PICKS, "mic_002.mrc": _PICKS}
    write_candidates(path, Candidates.of_one(PickerPicks("picker", 64, picks)))


def _write_area(path: Path) -> None:
    kinds = _RNG.integers(0, 2, (25, 32)).astype(np.uint8)
    write_area(path, UsableArea(kinds, 4, (100, 128)), sampling_rate=2.0)


def _write_particles(path: Path) -> None:
    stack = path.with_name("a.mrcs")
    mrcfile.write(stack, np.zeros((3, 8, 8), np.float32), overwrite=True)
    columns = "ImageName MicrographName CoordinateX CoordinateY DetectorPixelSize"
    columns += " Magnification DefocusU DefocusV DefocusAngle Voltage"
    columns += " SphericalAberration AmplitudeContrast"
    head = "".join(f"_rln{name}\n" for name in columns.split())
    rows = "".join(
        f"{i}@{stack} m.mrc {10 * i} 20.5 5 20000 15000 14900 45 300 2.7 0.1\n"
        for i in (1, 2, 3)
    )
    path.write_text(f"\ndata_particles\n\nloop_\n{head}{rows}")


def _write_relion(path: Path) -> None:
    optics = "_rlnOpticsGroup\n_rlnMicrographPixelSize\n1 2.5\n"
    table = "_rlnMicrographName\n_rlnOpticsGroup\nMotionCorr/m_1.mrc 1\nm_2.mrc 1\n"
    path.write_text(
        f"\ndata_optics\n\nloop_\n{optics}\n\ndata_micrographs\n\nloop_\n{table}\n"
    )


def _write_pdb(path: Path) -> None:
    head = "REMARK 350 BIOMOLECULE: 1\n"
    rows = ("1.000000 0.000000 0.000000", "0.000000 1.000000 0.000000",
            "0.000000 0.000000 1.000000")  # fmt: skip
    for i, row in enumerate(rows, 1):
        head += f"REMARK 350   BIOMT{i}   1  {row}        0.00000\n"
    atoms = "".join(
        f"ATOM  {i:5d}  CA  ALA A{i:4d}    {3.8 * i:8.3f}{1.5:8.3f}{-2.5:8.3f}"
        "  1.00 10.00           C\n"
        for i in range(1, 9)
    )
    path.write_text(f"{head}{atoms}END\n")


def _write_cif(path: Path) -> None:
    columns = "group_PDB id type_symbol label_atom_id label_alt_id label_comp_id"
    columns += " label_asym_id label_seq_id pdbx_PDB_ins_code Cartn_x Cartn_y Cartn_z"
    columns += " occupancy B_iso_or_equiv auth_seq_id auth_asym_id pdbx_PDB_model_num"
    head = "".join(f"_atom_site.{name}\n" for name in columns.split())
    rows = "".join(
        f"ATOM {i} C CA . ALA A {i} ? {3.8 * i:.3f} 1.5 -2.5 1.0 10.0 {i} A 1\n"
        for i in range(1, 9)
    )
    name = "_pdbx_struct_oper_list."
    matrix = [f"{name}matrix[{i}][{j}]" for i in (1, 2, 3) for j in (1, 2, 3)]
    vector = [f"{name}vector[{i}]" for i in (1, 2, 3)]
    operators = "\n".join([f"{name}id", *matrix, *vector])
    path.write_text(
        f"data_X\n_pdbx_struct_assembly_gen.oper_expression (1-2)\nloop_\n{operators}\n"
        "1 1 0 0 0 1 0 0 0 1 0 0 0\n2 1 0 0 0 1 0 0 0 1 9 9 9\n"
        f"loop_\n{head}{rows}#\n"
    )


def _write_map(path: Path) -> None:
    values = np.zeros((12, 12, 12), np.float32)
    values[4:8, 4:8, 4:8] = 1
    target = path.with_suffix(".mrc")
    mrcfile.write(target, values, voxel_size=4.0, overwrite=True)
    path.write_bytes(target.read_bytes())


def _of(*writers: Write) -> Callable[[], list[Write]]:
    return lambda: [*writers]


OWN_WRITERS: dict[str, Callable[[], list[Write]]] = {
    "truth": _of(_write_truth),
    "curve": _of(_write_curve),
    "metrics": _of(_write_metrics),
    "calibration": _of(_write_calibration),
    "positions": _of(lambda path: write_array(path, np.arange(3, 40, 4))),
    "held out": _of(write_held),
    "state": _of(write_state),
    "mask net": _of(_write_mask_network),
    "size net": _of(_write_size_network),
    "averages": _of(_write_averages, _without_seal(_write_averages)),
    "scores.h5": _of(_write_scores, _without_seal(_write_scores)),
    "candidates": _of(_write_candidates, _without_seal(_write_candidates)),
    "boxes": _of(write_boxes_seed),
    "mask": _of(_write_area),
    "particles": _of(_write_particles),
    "RELION": _of(_write_relion),
    "PDB": _of(_write_pdb),
    "mmCIF": _of(_write_cif),
    "map": _of(_write_map),
}
