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
from deepconsensus_plugin.core.io.text import read_text
from deepconsensus_plugin.core.limits import FARTHEST_PX
from deepconsensus_plugin.core.types import Ctf, ScoredCoordinates

_WIDEST_A = 1e6


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
    rows = csv.DictReader(StringIO(read_text(path), newline=""))
    try:
        return [_read_row(row) for row in rows]
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise FileFormatError(
            path,
            expected="the truth of a simulated micrograph",
            received=f"{error} on line {rows.line_num}",
        ) from error


def _read_row(row: dict[str, str]) -> TrueObject:
    angles = None
    if row["rot"]:
        rot, tilt, psi = (_number(row, each, 360.0) for each in ("rot", "tilt", "psi"))
        angles = (rot, tilt, psi)
    y, x = (_number(row, each, FARTHEST_PX) for each in ("y", "x"))
    diameter_A = _number(row, "diameter_A", _WIDEST_A)
    if diameter_A <= 0 or row["kind"] is None:
        raise ValueError(f"diameter {diameter_A:g} Å of {row['kind']}")
    return TrueObject(y, x, ObjectClass(row["class"]), row["kind"], diameter_A, angles)


def _number(row: dict[str, str], name: str, most: float) -> float:
    value = float(row[name])
    if not abs(value) <= most:
        raise ValueError(f"{name} {value:g}, beyond {most:g}")
    return value


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
