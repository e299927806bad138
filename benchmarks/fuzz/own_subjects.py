# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers of what this package writes and users may touch, and of structures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.mutations import mutate_arrays
from benchmarks.fuzz.subject import BYTES, JSON, TEXT, Subject
from deepconsensus_plugin.core.averages.table import read_averages
from deepconsensus_plugin.core.calibration.report import read_report
from deepconsensus_plugin.core.deep_consensus.datasets import read_boxes
from deepconsensus_plugin.core.deep_consensus.held_out import read_held_out
from deepconsensus_plugin.core.io.scores import read_scores
from deepconsensus_plugin.core.io.tables import read_candidates
from deepconsensus_plugin.core.limits import FARTHEST_PX
from deepconsensus_plugin.core.metrics.evaluation import read_curve
from deepconsensus_plugin.core.metrics.stored_figures import read_figures
from deepconsensus_plugin.core.networks.history import (
    opened_state,
    parse_history,
    read_numbers,
)
from deepconsensus_plugin.core.particle_files.reading import read_particles
from deepconsensus_plugin.core.pick_files.relion_project import read_relion_micrographs
from deepconsensus_plugin.core.pickers.diameter.network import (
    read_network as read_sizes,
)
from deepconsensus_plugin.core.simulation.atoms import read_atoms
from deepconsensus_plugin.core.simulation.maps import read_potential
from deepconsensus_plugin.core.simulation.truth import read_truth
from deepconsensus_plugin.core.usable_area.contaminant_network import read_network
from deepconsensus_plugin.core.usable_area.files import read_area
from deepconsensus_plugin.core.workflow.files import ChainFiles


def fault_of_values(value: Any) -> str:
    """Return the number in a dataclass that JSON cannot hold, or is beyond 64 bits."""
    if is_dataclass(value):
        parts = [getattr(value, each.name) for each in fields(value)]
    elif isinstance(value, Mapping):
        parts = [*value.values()]
    elif isinstance(value, list | tuple):
        parts = [*value]
    else:
        is_infinite = isinstance(value, float) and math.isinf(value)
        is_huge = isinstance(value, int) and abs(value) >= 2**64
        return f"the number {value}" if is_infinite or is_huge else ""
    return next(filter(None, map(fault_of_values, parts)), "")


def _fault_of_objects(found: Any) -> str:
    """Return what is wrong with the objects of a truth."""
    for each in found:
        if not max(abs(each.y), abs(each.x)) <= FARTHEST_PX or not each.diameter_A > 0:
            return f"an object at {each.y}, {each.x} of {each.diameter_A} Å"
    return ""


def _fault_of_curve(curve: Any) -> str:
    is_share = (curve[:, 1:] >= 0) & (curve[:, 1:] <= 1)
    return "" if is_share.all() else "a share beyond 0 - 1"


def _fault_of_rows(rows: Any) -> str:
    return "negative rows" if (rows < 0).any() else ""


def _read_positions(path: Path) -> Any:
    return ChainFiles(path.parent).read_positions()


def _fault_of_held_out(found: Any) -> str:
    """Return what cannot be used of boxes with names, labels and scores."""
    rows = found.rows
    names = [rows.sources[i] for i in rows.source]
    names += [rows.micrographs[i] for i in rows.micrograph]
    parts = [
        getattr(found, "scores", rows.weight),
        rows.is_particle,
        names[: len(rows)],
    ]
    return "" if {*map(len, parts)} == {len(rows)} else "columns of several lengths"


def _read_state(path: Path) -> Any:
    with opened_state(path) as saved:
        return parse_history(read_numbers(saved), path), [saved[n] for n in saved.names]


def _fault_of_state(found: Any) -> str:
    return fault_of_values(found[0])


def _read_contaminants(path: Path) -> Any:
    return read_network(path.parent)


def _fault_of_network(network: Any) -> str:
    arrays = [a for look in network.looks for layer in look.layers for a in layer]
    return "" if all(np.isfinite(a).all() for a in arrays) else "not finite"


def _read_sizes(path: Path) -> Any:
    return read_sizes(path.parent)


def _fault_of_sizes(network: Any) -> str:
    arrays = [a for each in network.members for layer in each for a in layer]
    return "" if all(np.isfinite(a).all() for a in arrays) else "not finite"


def _fault_of_averages(table: Any) -> str:
    rows = table.average[table.average >= 0]
    return "" if table.images[rows].shape[1:] == table.images.shape[1:] else "images"


def _fault_of_ensemble(scores: Any) -> str:
    return "" if scores.mean.shape == scores.spread.shape else "two lengths"


def _fault_of_candidates(found: Any) -> str:
    return "" if (np.abs(found.yx) <= FARTHEST_PX).all() else "a position out of range"


def _fault_of_area(area: Any) -> str:
    return "" if area.kinds.max(initial=0) < 16 else "an unknown kind"


def _fault_of_particles(table: Any) -> str:
    return _fault_of_rows(np.asarray(table.index))


def _fault_of_micrographs(found: Any) -> str:
    return "" if len(found.names) else "no names"


def _fault_of_atoms(atoms: Any) -> str:
    n = len(atoms.xyz)
    is_right = np.isfinite(atoms.xyz).all() and len(atoms.volume) == n > 0
    return "" if is_right else "atoms that are none"


def _read_map(path: Path) -> Any:
    return read_potential(path, 12.0, voxel_size_A=4.0)


def _fault_of_map(density: Any) -> str:
    return "" if np.isfinite(density.values).all() else "a map that is not finite"


def _slow(name: str, file: str, read: Any, fault: Any, mutations: Any) -> Subject:
    return Subject(name, file, read, fault, mutations, is_fast=False)


_ARRAYS = (*BYTES, *[mutate_arrays] * 8)

OWN_SUBJECTS = (
    Subject("truth", "truth.csv", read_truth, _fault_of_objects, TEXT),
    Subject("curve", "curve.csv", read_curve, _fault_of_curve, TEXT),
    Subject("metrics", "metrics.json", read_figures, fault_of_values, JSON),
    Subject("calibration", "calibration.json", read_report, fault_of_values, JSON),
    Subject("positions", "positions.npy", _read_positions, _fault_of_rows, BYTES),
    _slow("held out", "held_out.npz", read_held_out, _fault_of_held_out, _ARRAYS),
    _slow("state", "network_1.npz", _read_state, _fault_of_state, _ARRAYS),
    _slow("mask net", "weights.npz", _read_contaminants, _fault_of_network, _ARRAYS),
    _slow("size net", "weights.npz", _read_sizes, _fault_of_sizes, _ARRAYS),
    _slow("averages", "averages.h5", read_averages, _fault_of_averages, BYTES),
    _slow("scores.h5", "scores.h5", read_scores, _fault_of_ensemble, BYTES),
    _slow("candidates", "candidates.h5", read_candidates, _fault_of_candidates, BYTES),
    _slow("boxes", "boxes.h5", read_boxes, _fault_of_held_out, BYTES),
    _slow("mask", "area.mrc", read_area, _fault_of_area, BYTES),
    _slow("particles", "p.star", read_particles, _fault_of_particles, TEXT),
    _slow("RELION", "m.star", read_relion_micrographs, _fault_of_micrographs, TEXT),
    _slow("PDB", "m.pdb", read_atoms, _fault_of_atoms, TEXT),
    _slow("mmCIF", "m.cif", read_atoms, _fault_of_atoms, TEXT),
    _slow("map", "map.mrc", _read_map, _fault_of_map, BYTES),
)
