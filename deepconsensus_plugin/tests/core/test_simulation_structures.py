# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecules: what is read, what is built in, and the potential that comes of them."""

from __future__ import annotations

import gzip

import mrcfile
import numpy as np
import pytest

from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.simulation.atoms import Atoms, read_atoms
from deepconsensus_plugin.core.simulation.maps import read_potential
from deepconsensus_plugin.core.simulation.phantoms import make_phantom
from deepconsensus_plugin.core.simulation.potential import (
    PROTEIN_CONTRAST,
    cut,
    potential_of_atoms,
)
from deepconsensus_plugin.core.simulation.scattering import (
    ICE_POTENTIAL,
    RESIDUE_MASS,
    Medium,
    atom_potential,
    atom_volume,
    mean_free_paths,
)
from deepconsensus_plugin.core.simulation.structures import Phantom, Structure

PDB = """\
REMARK 350 BIOMOLECULE: 1
REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000
REMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000
REMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000
REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000       10.00000
REMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000        0.00000
REMARK 350   BIOMT3   2  0.000000  0.000000  1.000000        0.00000
REMARK 350 BIOMOLECULE: 2
REMARK 350   BIOMT1   3  1.000000  0.000000  0.000000       99.00000
REMARK 350   BIOMT2   3  0.000000  1.000000  0.000000        0.00000
REMARK 350   BIOMT3   3  0.000000  0.000000  1.000000        0.00000
ATOM      1  N   ALA A   1       1.000   2.000   3.000  1.00 20.00           N
ATOM      2  CA  ALA A   1       2.000   2.000   3.000  1.00 20.00           C
ATOM      3  HA  ALA A   1       2.000   3.000   3.000  1.00 20.00           H
HETATM    4  O   HOH A   2       9.000   9.000   9.000  1.00 20.00           O
END
"""
CIF = """\
data_test
loop_
_pdbx_struct_oper_list.id
_pdbx_struct_oper_list.matrix[1][1]
_pdbx_struct_oper_list.matrix[1][2]
_pdbx_struct_oper_list.matrix[1][3]
_pdbx_struct_oper_list.vector[1]
_pdbx_struct_oper_list.matrix[2][1]
_pdbx_struct_oper_list.matrix[2][2]
_pdbx_struct_oper_list.matrix[2][3]
_pdbx_struct_oper_list.vector[2]
_pdbx_struct_oper_list.matrix[3][1]
_pdbx_struct_oper_list.matrix[3][2]
_pdbx_struct_oper_list.matrix[3][3]
_pdbx_struct_oper_list.vector[3]
1 1 0 0 0 0 1 0 0 0 0 1 0
2 -1 0 0 10 0 -1 0 0 0 0 1 0
3 1 0 0 99 0 1 0 0 0 0 1 0
loop_
_pdbx_struct_assembly_gen.assembly_id
_pdbx_struct_assembly_gen.oper_expression
_pdbx_struct_assembly_gen.asym_id_list
1 1,2 A
2 3 A
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_entity_id
_atom_site.label_seq_id
_atom_site.pdbx_PDB_ins_code
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.B_iso_or_equiv
_atom_site.auth_seq_id
_atom_site.auth_asym_id
_atom_site.pdbx_PDB_model_num
ATOM 1 N N . ALA A 1 1 ? 1.0 2.0 3.0 1.0 20.0 1 A 1
ATOM 2 C CA . ALA A 1 1 ? 2.0 2.0 3.0 1.0 20.0 1 A 1
"""
TWO_COPIES = [[1, 2, 3], [2, 2, 3], [9, -2, 3], [8, -2, 3]]


def test_potentials_are_those_of_the_literature():
    composition = {"C": 4.9384, "N": 1.3577, "O": 1.4773, "S": 0.0417}
    potential = sum(n * atom_potential(e) for e, n in composition.items())
    volume = sum(n * atom_volume(e, nucleic=False) for e, n in composition.items())
    assert ICE_POTENTIAL == pytest.approx(4.57, abs=0.03)
    assert potential / volume == pytest.approx(8.0, abs=0.1)
    assert pytest.approx(potential / volume - ICE_POTENTIAL, rel=0.02) == (
        PROTEIN_CONTRAST
    )


def test_slower_electrons_are_scattered_sooner():
    slow, fast = mean_free_paths(Medium.ICE, 200), mean_free_paths(Medium.ICE, 300)
    assert fast == (3220, 3950)
    assert slow[0] / fast[0] == pytest.approx(0.4835 / 0.6030, rel=1e-3)


@pytest.mark.parametrize(("name", "text"), [("a.pdb", PDB), ("a.cif", CIF)])
@pytest.mark.parametrize("zipped", [False, True])
def test_the_first_assembly_is_read_without_water_and_hydrogens(
    tmp_path, name, text, zipped
):
    path = tmp_path / (f"{name}.gz" if zipped else name)
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    atoms = read_atoms(path)
    np.testing.assert_allclose(atoms.xyz, TWO_COPIES)
    assert atoms.potential[0] == atom_potential("N")
    assert atoms.potential[3] == atom_potential("C")


def test_a_file_without_atoms_is_refused(tmp_path):
    path = tmp_path / "a.pdb"
    path.write_text("REMARK nothing\n")
    with pytest.raises(FileFormatError, match=r"a\.pdb: expected atoms"):
        read_atoms(path)


@pytest.mark.parametrize(
    ("phantom", "mass_kDa", "extent_A"),
    [
        (Phantom.TETRAMER, 465, 190),
        (Phantom.SHELL, 400, 128),
        (Phantom.BARREL, 800, 180),
        (Phantom.TWO_LOBES, 2400, 260),
        (Phantom.WISHBONE, 150, 170),
        (Phantom.GLOBULE, 64, 75),
        (Phantom.CYLINDER, 8000, 530),
    ],
)
def test_phantoms_have_the_mass_and_size_of_their_models(phantom, mass_kDa, extent_A):
    atoms = make_phantom(phantom)
    mass = len(atoms.xyz) * RESIDUE_MASS / 1000
    extent = 2 * np.linalg.norm(atoms.xyz - atoms.xyz.mean(axis=0), axis=1).max()
    assert mass == pytest.approx(mass_kDa, rel=0.2)
    assert extent == pytest.approx(extent_A, rel=0.15)
    np.testing.assert_array_equal(atoms.xyz, make_phantom(phantom).xyz)


def test_a_shell_is_hollow_and_a_barrel_has_a_channel():
    shell = make_phantom(Phantom.SHELL).xyz
    barrel = make_phantom(Phantom.BARREL).xyz
    assert np.linalg.norm(shell, axis=1).min() > 25
    assert np.hypot(barrel[:, 0], barrel[:, 1]).min() > 15


def test_a_cylinder_is_wide_open_between_its_mouths_and_longer_than_wide():
    x, y, z = make_phantom(Phantom.CYLINDER).xyz.T
    assert np.hypot(x, y)[np.abs(z) < 100].min() > 90
    assert np.ptp(z) == pytest.approx(400, rel=0.05)
    assert np.ptp(x) == pytest.approx(350, rel=0.05)


def test_a_map_holds_the_potential_of_its_atoms_less_that_of_the_ice():
    atoms = make_phantom(Phantom.GLOBULE)
    density = potential_of_atoms(atoms, 8.0)
    net = (atoms.potential - ICE_POTENTIAL * atoms.volume).sum()
    total = density.values.sum() * density.voxel_size_A**3
    assert total == pytest.approx(net, rel=1e-3)
    middle = len(density.values) // 2
    mass = np.clip(density.values, 0, None)
    axis = np.arange(len(mass)) - middle
    assert abs((mass.sum(axis=(1, 2)) * axis).sum() / mass.sum()) < 0.3


def test_inside_a_protein_the_contrast_is_that_of_protein():
    atoms = make_phantom(Phantom.GLOBULE)
    ball = np.random.default_rng(0).normal(size=(20_000, 3))
    ball *= (
        40
        * np.random.default_rng(1).random((20_000, 1)) ** (1 / 3)
        / (np.linalg.norm(ball, axis=1, keepdims=True))
    )
    weight = 4 / 3 * np.pi * 40**3 / 20_000 / atoms.volume[0]
    n = len(ball)
    filled = Atoms(
        ball,
        np.full(n, atoms.potential[0] * weight),
        np.full(n, atoms.volume[0] * weight),
    )
    density = potential_of_atoms(filled, 10.0)
    middle = slice(len(density.values) // 2 - 3, len(density.values) // 2 + 4)
    inside = density.values[middle, middle, middle].mean()
    assert inside == pytest.approx(PROTEIN_CONTRAST, rel=0.1)


def test_too_fine_a_grid_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"choose a resolution of .* Å or coarser"):
        potential_of_atoms(make_phantom(Phantom.TWO_LOBES), 2.0)


def test_what_is_left_of_a_broken_molecule():
    density = potential_of_atoms(make_phantom(Phantom.TETRAMER), 12.0)
    whole = np.clip(density.values, 0, None).sum()
    rng = np.random.default_rng(0)
    for _ in range(3):
        left = np.clip(cut(density, rng).values, 0, None).sum()
        assert 0.38 < left / whole < 0.67


def _write_map(path, values, voxel):
    with mrcfile.new(path, values.astype(np.float32)) as file:
        file.voxel_size = voxel
    return path


def test_a_map_in_any_units_gets_the_contrast_of_protein(tmp_path):
    z, y, x = np.indices((40, 40, 40)) - 20
    ball = np.hypot(np.hypot(z, y), x) < 9
    path = _write_map(tmp_path / "ball.mrc", 1000 + 77.0 * ball, 4.0)
    density = read_potential(path, 12.0)
    middle = len(density.values) // 2
    inside = density.values[middle, middle, middle]
    assert inside == pytest.approx(PROTEIN_CONTRAST, rel=0.02)
    assert density.diameter_A == pytest.approx(72, abs=10)
    assert abs(density.values[0]).max() < 0.01


def test_maps_that_say_too_little_are_refused(tmp_path):
    flat = _write_map(tmp_path / "flat.mrc", np.ones((16, 16, 16)), 4.0)
    with pytest.raises(FileFormatError, match="a flat map"):
        read_potential(flat, 12.0)
    noise = np.random.default_rng(0).normal(size=(16, 16, 16))
    unknown = _write_map(tmp_path / "unknown.mrc", noise, 0.0)
    with pytest.raises(FileFormatError, match="voxel size 0"):
        read_potential(unknown, 12.0)
    assert read_potential(unknown, 12.0, voxel_size_A=4.0).voxel_size_A == 4.0
    image = _write_map(tmp_path / "image.mrc", np.ones((16, 16)), 4.0)
    with pytest.raises(FileFormatError, match=r"shape \(1, 16, 16\)"):
        read_potential(image, 12.0)


def test_a_structure_is_one_thing(tmp_path):
    with pytest.raises(ValueError, match="a phantom or the path"):
        Structure()
    with pytest.raises(ValueError, match="a phantom or the path"):
        Structure(Phantom.SHELL, tmp_path)
    assert Structure(path=tmp_path / "5a1a.pdb.gz").name == "5a1a"
