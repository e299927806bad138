# SPDX-License-Identifier: GPL-3.0-or-later
"""Atoms of a molecule from PDB and mmCIF files (first biological assembly)."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from Bio.PDB import MMCIFParser, PDBParser
from Bio.PDB.MMCIF2Dict import MMCIF2Dict

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.simulation.scattering import (
    ELEMENTS,
    atom_potential,
    atom_volume,
)
from deepconsensus_plugin.core.types import FloatArray

ATOM_FILES = (".pdb", ".ent", ".cif", ".mmcif")
"""Extensions, before ``.gz`` where there is one."""

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
        with _opened(path) as file:
            structure = parser.get_structure(path.name, file)
        with _opened(path) as file:
            operators = _cif_operators(file) if is_cif else _pdb_operators(file.read())
    except (ValueError, KeyError, EOFError, gzip.BadGzipFile) as error:
        raise FileFormatError(
            path, expected="a PDB or mmCIF file", received=str(error)
        ) from error
    rows = list(_known_atoms(structure))
    if not rows:
        raise FileFormatError(
            path, expected="atoms of a molecule", received="none that is not water"
        )
    xyz = np.array([row[0] for row in rows])
    copies = [xyz @ rotation.T + shift for rotation, shift in operators]
    weights = np.tile([row[1:] for row in rows], (len(copies), 1))
    return Atoms(np.concatenate(copies), weights[:, 0], weights[:, 1])


def _opened(path: Path) -> Any:
    return gzip.open(path, "rt") if path.suffix == ".gz" else path.open()


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


def _cif_operators(file: Any) -> Operators:
    """Return rotations and shifts of assembly 1, where they are a plain list."""
    table = MMCIF2Dict(file)
    key = "_pdbx_struct_oper_list."
    ids = table.get(f"{key}id", [])
    chosen = _listed(table.get("_pdbx_struct_assembly_gen.oper_expression", [""])[0])
    operators = []
    for row, number in enumerate(ids):
        if number in chosen:
            values = [
                [float(table[f"{key}matrix[{i}][{j}]"][row]) for j in (1, 2, 3)]
                + [float(table[f"{key}vector[{i}]"][row])]
                for i in (1, 2, 3)
            ]
            matrix = np.array(values)
            operators.append((matrix[:, :3], matrix[:, 3]))
    return operators or _AS_IT_IS


def _listed(expression: str) -> set[str]:
    """Return the ids of ``1,2`` or ``(1-60)``."""
    found: set[str] = set()
    for part in expression.strip("()").split(","):
        first, dash, last = part.partition("-")
        if dash and first.isdigit() and last.isdigit():
            found |= {str(number) for number in range(int(first), int(last) + 1)}
        else:
            found.add(part)
    return found
