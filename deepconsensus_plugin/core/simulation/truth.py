# SPDX-License-Identifier: GPL-3.0-or-later
"""Truth of a simulated micrograph (all objects and classes), and its file."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from io import StringIO
from pathlib import Path

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.types import Ctf, ScoredCoordinates


class ObjectClass(Enum):
    """Class of an object; one that fits several belongs to the first."""

    CONTAMINANT = "contaminant"
    """Another protein, an ice crystal, ethane or gold."""
    BROKEN = "broken"
    """A part of a wanted molecule."""
    CUT_OFF = "cut off"
    """A wanted molecule with less than half its width between centre and border."""
    OVERLAPPING = "overlapping"
    """A wanted molecule closer to another object than the mean of their widths."""
    GOOD = "good"
    """Wanted molecule, whole and without neighbours."""


@dataclass(frozen=True)
class TrueObject:
    """One object with its centre within the micrograph.

    Parameters
    ----------
    y, x : float
        Its centre, pixels.
    object_class : ObjectClass
        Class of the object.
    kind : str
        Name of its structure, or "ice crystal", "ethane", "gold bead".
    diameter_A : float
        Diameter of the sphere around it, Å.
    angles : tuple of float, optional
        rot, tilt, psi, degrees; dirt has none.
    """

    y: float
    x: float
    object_class: ObjectClass
    kind: str
    diameter_A: float
    angles: tuple[float, float, float] | None = None


def true_coordinates(
    objects: Iterable[TrueObject], classes: Collection[ObjectClass]
) -> ScoredCoordinates:
    """Return the centres of the objects of some classes."""
    return ScoredCoordinates.from_arrays(
        [(each.y, each.x) for each in objects if each.object_class in classes]
    )


def read_truth(path: Path) -> list[TrueObject]:
    """Return the objects of a file that `write_truth` wrote.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    FileFormatError
        If it is not such a file.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        try:
            return [_read_row(row) for row in rows]
        except (KeyError, ValueError, TypeError) as error:
            raise FileFormatError(
                path,
                expected="the truth of a simulated micrograph",
                received=f"{error} on line {rows.line_num}",
            ) from error


def _read_row(row: dict[str, str]) -> TrueObject:
    angles = None
    if row["rot"]:
        angles = (float(row["rot"]), float(row["tilt"]), float(row["psi"]))
    return TrueObject(
        float(row["y"]),
        float(row["x"]),
        ObjectClass(row["class"]),
        row["kind"],
        float(row["diameter_A"]),
        angles,
    )


def write_truth(path: Path, objects: Iterable[TrueObject], ctf: Ctf) -> None:
    """Write one row per object: where, what, how it lies, and the micrograph's CTF."""
    header = ["x", "y", "class", "kind", "diameter_A", "rot", "tilt", "psi"]
    header += ["defocus_u_A", "defocus_v_A", "defocus_angle_deg", "phase_shift_deg"]
    seen = [
        f"{value:.2f}"
        for value in (
            ctf.defocus_u_A,
            ctf.defocus_v_A,
            ctf.defocus_angle_deg,
            ctf.phase_shift_deg,
        )
    ]
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    for each in objects:
        angles = ["", "", ""]
        if each.angles is not None:
            angles = [f"{angle:.3f}" for angle in each.angles]
        place = [f"{each.x:.3f}", f"{each.y:.3f}", each.object_class.value]
        size = [each.kind, f"{each.diameter_A:.1f}"]
        writer.writerow([*place, *size, *angles, *seen])
    write_text(path, buffer.getvalue())
