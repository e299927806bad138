# SPDX-License-Identifier: GPL-3.0-or-later
"""Atoms of a molecule from PDB and mmCIF files (first biological assembly)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from Bio.PDB import MMCIFParser, PDBParser
from Bio.PDB.MMCIF2Dict import MMCIF2Dict
from Bio.PDB.PDBExceptions import PDBConstructionException, PDBException

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.io.unpacked import read_unpacked
from deepconsensus_plugin.core.io.untrusted import PARSER_ERRORS
from deepconsensus_plugin.core.simulation.scattering import (
    ELEMENTS,
    atom_potential,
    atom_volume,
)
from deepconsensus_plugin.core.types import FloatArray

ATOM_FILES = (".pdb", ".ent", ".cif", ".mmcif")
"""Extensions, before ``.gz`` where there is one."""

_EXPECTED = "atoms of a molecule"
_MOST_ATOMS, _FARTHEST_A = 20_000_000, 1e5
"""Of all copies in an assembly, and from the origin."""

_WATERS = ("HOH", "WAT", "DOD")
_NUCLEOTIDES = frozenset(
    {*"ACGUTIN", *("DA", "DC", "DG", "DT", "DU", "DI"), *("PSU", "5MC", "OMG", "OMC")}
)
_BIOMT = re.compile(r"^REMARK 350   BIOMT([123]) +(\d+)((?: +-?\d+\.\d+){4})", re.M)


@dataclass(frozen=True, eq=False)
class Atoms:
    """Points that scatter, n, with their hydrogens.

    Parameters
    ----------
    xyz : array, shape (n, 3)
        Positions, Å; the order is x, y, z as in their files.
    potential : array, shape (n,)
        Integral of the potential of each, V·Å³.
    volume : array, shape (n,)
        Ice that each displaces, Å³.
    """

    xyz: FloatArray
    potential: FloatArray
    volume: FloatArray


def read_atoms(path: Path) -> Atoms:
    """Return the atoms of the first assembly of a structure, without waters.

    Parameters
    ----------
    path : Path
        PDB or mmCIF, gzipped or not. Where the file has no assembly, its first model
        is taken as it is.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    FileFormatError
        If it holds no atoms.
    """
    is_cif = path.name.removesuffix(".gz").endswith((".cif", ".mmcif"))
    parser: Any = MMCIFParser(QUIET=True) if is_cif else PDBParser(QUIET=True)
    try:
        text = read_unpacked(path).decode()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            structure = parser.get_structure(path.name, StringIO(text))
            operators = (_cif_operators if is_cif else _pdb_operators)(text)
    except FileFormatError:
        raise
    except (*PARSER_ERRORS, PDBException, PDBConstructionException) as error:
        raise FileFormatError(
            path, expected="a PDB or mmCIF file", received=str(error)[:200]
        ) from error
    rows = list(_known_atoms(structure))
    if not 0 < len(rows) * len(operators) <= _MOST_ATOMS:
        received = f"{len(rows)} that are not water, {len(operators)} times"
        raise FileFormatError(path, expected=_EXPECTED, received=received)
    xyz = np.array([row[0] for row in rows])
    with np.errstate(all="ignore"):  # checked below
        copies = [xyz @ rotation.T + shift for rotation, shift in operators]
    weights = np.tile([row[1:] for row in rows], (len(copies), 1))
    atoms = Atoms(np.concatenate(copies), weights[:, 0], weights[:, 1])
    if not (np.abs(atoms.xyz) <= _FARTHEST_A).all():
        received = f"some that are not within {_FARTHEST_A:g} Å"
        raise FileFormatError(path, expected=_EXPECTED, received=received)
    return atoms


def _known_atoms(structure: Any) -> Iterator[tuple[Any, float, float]]:
    """Yield position, potential and volume of the atoms of the first model.

    Hydrogens come with the atom they are bound to; atoms of unknown elements scatter
    like carbon.
    """
    known = ELEMENTS | {"D"}
    for model in structure:
        for residue in model.get_residues():
            name = residue.get_resname().strip()
            if name in _WATERS:
                continue
            for atom in residue.get_atoms():
                element = atom.element if atom.element in known else "C"
                if element in ("H", "D"):
                    continue
                volume = atom_volume(element, nucleic=name in _NUCLEOTIDES)
                yield atom.coord, atom_potential(element), volume
        return


Operators = list[tuple[FloatArray, FloatArray]]
_AS_IT_IS: Operators = [(np.eye(3), np.zeros(3))]


def _pdb_operators(text: str) -> Operators:
    """Return rotations and shifts of the first biomolecule (REMARK 350)."""
    first = text.split("REMARK 350 BIOMOLECULE:")[1:2]
    rows: dict[str, dict[str, list[float]]] = {}
    for row, number, values in _BIOMT.findall("".join(first)):
        rows.setdefault(number, {})[row] = [float(value) for value in values.split()]
    matrices = [np.array([each["1"], each["2"], each["3"]]) for each in rows.values()]
    return [(matrix[:, :3], matrix[:, 3]) for matrix in matrices] or _AS_IT_IS


def _cif_operators(text: str) -> Operators:
    """Return rotations and shifts of assembly 1, where they are a plain list."""
    table = MMCIF2Dict(StringIO(text))
    key = "_pdbx_struct_oper_list."
    ids = table.get(f"{key}id", [])
    chosen = table.get("_pdbx_struct_assembly_gen.oper_expression", [""])[0]
    operators = []
    for row, number in enumerate(ids):
        if _is_listed(number, chosen):
            values = [
                [float(table[f"{key}matrix[{i}][{j}]"][row]) for j in (1, 2, 3)]
                + [float(table[f"{key}vector[{i}]"][row])]
                for i in (1, 2, 3)
            ]
            matrix = np.array(values)
            operators.append((matrix[:, :3], matrix[:, 3]))
    return operators or _AS_IT_IS


def _is_listed(number: str, expression: str) -> bool:
    """Return whether an id is one of ``1,2`` or ``(1-60)``."""
    for part in expression.strip("()").split(","):
        first, dash, last = part.partition("-")
        is_range = dash and all(map(str.isdecimal, (first, last, number)))
        if part == number or (is_range and int(first) <= int(number) <= int(last)):
            return True
    return False
