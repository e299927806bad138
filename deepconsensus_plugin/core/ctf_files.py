# SPDX-License-Identifier: GPL-3.0-or-later
"""CTFs of micrographs from files of RELION, GCTF, CTFFIND and cryoSPARC.

STAR of RELION 3.1 and later keeps voltage, aberration and amplitude contrast in
``data_optics``, that of earlier versions, and GCTF's, in each row. CTFFIND writes a
text for each micrograph, whose header names it. cryoSPARC's exposures have the fields
``ctf/…``, angles in radians; all others have degrees, but CTFFIND's phase shifts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.text import lines_of, parse_number, read_text
from deepconsensus_plugin.core.pick_files.cryosparc_records import (
    field_names,
    load_records,
    numbers_of,
    path_texts,
)
from deepconsensus_plugin.core.pick_files.star_blocks import (
    Block,
    images_named,
    read_blocks,
)
from deepconsensus_plugin.core.types import Ctf, FloatArray

_NAME, _GROUP, _PHASE = "rlnMicrographName", "rlnOpticsGroup", "rlnPhaseShift"
DEFOCUS_COLUMNS = ("rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle")
_MICROSCOPE = ("rlnVoltage", "rlnSphericalAberration", "rlnAmplitudeContrast")

_CS_NAMES = ("micrograph_blob/path", "location/micrograph_path")
_CS_FIELDS = (
    *("ctf/df1_A", "ctf/df2_A", "ctf/df_angle_rad"),
    *("ctf/accel_kv", "ctf/cs_mm", "ctf/amp_contrast", "ctf/phase_shift_rad"),
)

_MOST_DEFOCUS_A, _MOST_DEG = 1e6, 1e4
_RANGES = {
    "a defocus U in Å": (-_MOST_DEFOCUS_A, _MOST_DEFOCUS_A),
    "a defocus V in Å": (-_MOST_DEFOCUS_A, _MOST_DEFOCUS_A),
    "an angle of astigmatism in degrees": (-_MOST_DEG, _MOST_DEG),
    "a voltage in kV": (1, 1e4),
    "a spherical aberration in mm": (-100, 100),
    "an amplitude contrast": (-1, 1),
    "a phase shift in degrees": (-_MOST_DEG, _MOST_DEG),
}
"""What values of `Ctf` can be, far beyond any microscope."""

_CTFFIND = "# Output from CTFFind"
_CTFFIND_HEADER = {
    "acceleration voltage": r"acceleration voltage:\s*([\d.]+)",
    "spherical aberration": r"spherical aberration:\s*([\d.]+)",
    "amplitude contrast": r"amplitude contrast:\s*([\d.]+)",
}


def read_ctfs(path: Path | str) -> dict[str, Ctf]:
    """Return the CTF of every micrograph in a file, or in a folder of CTFFIND's texts.

    Parameters
    ----------
    path : Path or str
        A micrographs STAR, a ``.cs`` of exposures, one text of CTFFIND, or a folder of
        them.

    Returns
    -------
    dict of str to Ctf
        By the name that the file has for the micrograph.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or no text of CTFFIND in the folder.
    FileFormatError
        If it is of another kind, or a value is missing or bad.
    """
    path = Path(path)
    if path.is_dir():
        return _read_ctffind_folder(path)
    with path.open("rb") as file:
        head = file.read(len(_CTFFIND))
    if head == _CTFFIND.encode():
        return dict([_read_ctffind(path)])
    if path.suffix.lower() == ".cs":
        return _read_cryosparc(path)
    return _read_star(path)


def _read_star(path: Path) -> dict[str, Ctf]:
    blocks = read_blocks(path)
    tables = [block for block in blocks if block.has(_NAME, *DEFOCUS_COLUMNS)]
    if not tables:
        columns = ", _".join((_NAME, *DEFOCUS_COLUMNS))
        raise FileFormatError(
            path,
            expected=f"a block with the columns _{columns}",
            received=f"blocks {', '.join(block.name for block in blocks) or 'none'}",
        )
    table = tables[0]
    optics = next((b for b in blocks if _GROUP in b and _NAME not in b), None)
    names = images_named(table, _NAME)
    return dict(zip(names, read_rows(table, optics), strict=True))


def read_rows(table: Block, optics: Block | None) -> list[Ctf]:
    """Return the CTF of every row of a table of RELION, of micrographs or particles.

    Parameters
    ----------
    table : Block
        Has the columns of the defocus.
    optics : Block, optional
        Optics groups, where they tell of the microscope.

    Raises
    ------
    FileFormatError
        If a value is missing or bad.
    """
    columns = [
        *(table.numbers(column) for column in DEFOCUS_COLUMNS),
        *(of_row_or_group(table, optics, column) for column in _MICROSCOPE),
        table.numbers(_PHASE) if _PHASE in table else np.zeros(len(table)),
    ]
    rows = [f"row {number}" for number in range(1, len(table) + 1)]
    named = table.columns[_NAME] if _NAME in table else rows
    return _checked(table.path, named, columns)


def of_row_or_group(table: Block, optics: Block | None, column: str) -> FloatArray:
    """Return numbers that stand in each row, or in the rows' optics groups.

    Raises
    ------
    FileFormatError
        If they are in neither, or a group is missing.
    """
    if column in table:
        return table.numbers(column)
    if optics is None or column not in optics or _GROUP not in table:
        raise FileFormatError(
            table.path,
            expected=f"_{column} in each row or in the optics groups",
            received="none",
        )
    values = dict(
        zip(optics.columns[_GROUP], optics.numbers(column).tolist(), strict=True)
    )
    groups = table.columns[_GROUP]
    if unknown := sorted({*groups} - {*values}):
        raise FileFormatError(
            table.path,
            expected=f"an optics group {unknown[0]} in data_optics",
            received=f"groups {', '.join(values)}",
        )
    return np.array([values[group] for group in groups])


def _read_cryosparc(path: Path) -> dict[str, Ctf]:
    records = load_records(path)
    there = field_names(records)
    name = next((field for field in _CS_NAMES if field in there), None)
    missing = [field for field in _CS_FIELDS if field not in there]
    if name is None or missing:
        raise FileFormatError(
            path,
            expected=f"{', '.join((_CS_NAMES[0], *_CS_FIELDS))} (the exposures after a "
            "job of CTF estimation; some are in the passthrough file)",
            received=f"the fields {', '.join(there) or 'none'}",
        )
    columns = [numbers_of(path, records, field) for field in _CS_FIELDS]
    for index in (2, 6):
        columns[index] = np.rad2deg(columns[index])
    return _ctfs(path, path_texts(path, records, name), columns)


def _read_ctffind_folder(folder: Path) -> dict[str, Ctf]:
    found = dict(
        _read_ctffind(path)
        for path in sorted(folder.rglob("*.txt"))
        if path.read_bytes()[: len(_CTFFIND)] == _CTFFIND.encode()
        and not path.stem.endswith("_avrot")
    )
    if not found:
        raise FileNotFoundError(f"{folder}: expected texts of CTFFIND, received none")
    return found


def _read_ctffind(path: Path) -> tuple[str, Ctf]:
    """Return the name of the micrograph, as CTFFIND was given it, and its CTF."""
    lines = lines_of(read_text(path))
    header = "\n".join(line for line in lines if line.startswith("#"))
    name = re.search(r"# Input file:\s*(.+?)\s*;", header)
    rows = [line.split() for line in lines if line.strip() and line[0] != "#"]
    found = [re.search(each, header) for each in _CTFFIND_HEADER.values()]
    if name is None or None in found or len(rows) != 1 or len(rows[0]) < 5:
        raise FileFormatError(
            path,
            expected="CTFFIND's header with the input file, "
            f"{', '.join(_CTFFIND_HEADER)}, and one row of at least 5 numbers",
            received=f"{len(rows)} rows and '{header[:80]}'",
        )
    texts = [*rows[0][1:5], *(match[1] for match in found if match is not None)]
    try:
        defocus_u, defocus_v, angle, phase, *microscope = map(parse_number, texts)
    except ValueError as error:
        raise FileFormatError(
            path, expected="numbers", received=" ".join(texts)
        ) from error
    values = (defocus_u, defocus_v, angle, *microscope, float(np.rad2deg(phase)))
    columns = [np.array([value]) for value in values]
    (named,) = _ctfs(path, [name[1]], columns).items()
    return named


def _ctfs(
    path: Path, names: Sequence[str], columns: Sequence[FloatArray]
) -> dict[str, Ctf]:
    """Return the CTFs by name; see `_checked`."""
    return dict(zip(names, _checked(path, names, columns), strict=True))


def _checked(
    path: Path, names: Sequence[str], columns: Sequence[FloatArray]
) -> list[Ctf]:
    """Return the CTFs; the columns are in the order of `Ctf`'s fields.

    Raises
    ------
    FileFormatError
        If a value is outside `_RANGES`.
    """
    for (label, (least, most)), values in zip(_RANGES.items(), columns, strict=True):
        bad = np.flatnonzero(~((values >= least) & (values <= most)))
        if bad.size:
            raise FileFormatError(
                path,
                expected=f"{label} from {least:g} to {most:g}",
                received=f"{values[bad[0]]:g} for {names[bad[0]]}",
            )
    return [Ctf(*row) for row in np.column_stack(columns).tolist()]
