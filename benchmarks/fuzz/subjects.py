# SPDX-License-Identifier: GPL-3.0-or-later
"""Readers that are fed with mutated files, and what has to hold of all they return."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fuzz.mutations import (
    Mutation,
    mutate_bzip2,
    mutate_gzip,
    mutate_weights,
)
from benchmarks.fuzz.own_subjects import OWN_SUBJECTS, fault_of_values
from benchmarks.fuzz.subject import BYTES, JSON, TEXT, Subject
from deepconsensus_plugin.commands.exported import read_summary
from deepconsensus_plugin.core import jobs
from deepconsensus_plugin.core.ctf_files import read_ctfs
from deepconsensus_plugin.core.deep_consensus.requests import TrainResult
from deepconsensus_plugin.core.io.micrographs import open_micrograph, read_header
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.limits import FARTHEST_PX, LARGEST_SCORE
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.networks.weights import read_weights
from deepconsensus_plugin.core.pick_files.picks import read_pick_file


def fault_of_picks(found: Any) -> str:
    """Return what is wrong with picks of a file."""
    for picks in found.coordinates.values():
        if not (np.abs(picks.yx) <= FARTHEST_PX).all():
            return "a position out of range"
        known = picks.scores[~np.isnan(picks.scores)]
        if not (np.abs(known) <= LARGEST_SCORE).all():
            return "a score out of range"
    size = found.box_size
    return "" if size is None or 0 < size <= FARTHEST_PX else f"box size {size}"


def fault_of_scores(table: Any) -> str:
    """Return what is wrong with a table of scores."""
    if not (np.abs(table.yx) <= FARTHEST_PX).all():
        return "a position out of range"
    if [*table.votes] != [len(pickers) for pickers in table.pickers]:
        return "votes that are no number of pickers"
    if any({*some} - {*all_} for some, all_ in zip(table.pickers, table.observed)):  # noqa: B905
        return "a vote of a picker that did not run"
    figures = np.concatenate([table.score, table.network_score, table.spread])
    return "an infinite figure" if np.isinf(figures).any() else ""


def fault_of_coordinates(found: Any) -> str:
    """Return what is wrong with a file of coordinates."""
    for picks in found.values():
        if not (np.abs(picks.yx) <= FARTHEST_PX).all():
            return "a position out of range"
    return ""


def fault_of_card(card: Any) -> str:
    """Return what is impossible on a card."""
    is_possible = 1 <= card.box_size <= FARTHEST_PX and 0 < card.sampling_rate <= 1e4
    if not is_possible or not 1 <= card.n_models <= 1000:
        return "an impossible box, pixel size or number of networks"
    return fault_of_values(card)


def read_image(path: Path) -> tuple[tuple[int, int], np.ndarray]:
    """Return the shape in the header and all pixels."""
    return read_header(path).shape, np.array(open_micrograph(path))


def fault_of_image(found: tuple[tuple[int, int], np.ndarray]) -> str:
    """Return whether an image is none, or another than its header says."""
    shape, pixels = found
    if pixels.ndim != 2 or not pixels.size or pixels.shape != shape:
        return f"pixels of shape {pixels.shape}, {shape} in the header"
    return ""


def _read_card(path: Path) -> Any:
    return load_card(path.parent)


def _read_result(path: Path) -> Any:
    return jobs.read_result(path.with_name("job.json"), TrainResult)


def _read_weights(path: Path) -> Any:
    return read_weights(path.parent, load_card(path.parent))


def _fault_of_weights(found: Any) -> str:
    finite = all(np.isfinite(each).all() for weights in found for each in weights)
    return "" if finite else "weights that are not finite"


def _pick_subject(name: str, file: str, mutations: Sequence[Mutation]) -> Subject:
    return Subject(name, file, read_pick_file, fault_of_picks, mutations)


def _image_subject(name: str, file: str, *more: Mutation) -> Subject:
    return Subject(
        *(name, file, read_image, fault_of_image, (*BYTES, *more)),
        is_fast=False,
        is_image=True,
    )


SUBJECTS = (
    _pick_subject("box", "m.box", TEXT),
    _pick_subject("cbox", "m.cbox", TEXT),
    _pick_subject("json", "m_info.json", JSON),
    _pick_subject("pos", "m.pos", TEXT),
    _pick_subject("star", "m.star", TEXT),
    _pick_subject("topaz", "m.txt", TEXT),
    _pick_subject("csv", "m.csv", TEXT),
    _pick_subject("cs", "m.cs", BYTES),
    Subject("scores.csv", "scores.csv", read_scores_csv, fault_of_scores, TEXT),
    Subject("CTF star", "ctf.star", read_ctfs, fault_of_values, TEXT),
    Subject("CTFFIND", "ctf.txt", read_ctfs, fault_of_values, TEXT),
    Subject("card", "card.json", _read_card, fault_of_card, JSON),
    Subject("job", "job.json", jobs.read_any_request, fault_of_values, JSON),
    Subject("result", "job.result.json", _read_result, fault_of_values, JSON),
    Subject("summary", "summary.json", read_summary, fault_of_values, JSON),
    Subject(
        *("coordinates", "c.h5", read_coordinates, fault_of_coordinates, BYTES),
        is_fast=False,
    ),
    _image_subject("MRC", "m.mrc"),
    _image_subject("MRC, gzip", "m.mrc.gz", mutate_gzip, mutate_gzip),
    _image_subject("MRC, bzip2", "m.mrc.bz2", mutate_bzip2, mutate_bzip2),
    _image_subject("TIFF", "m.tif"),
    Subject(
        *("weights", "model.keras", _read_weights, _fault_of_weights),
        mutations=(*BYTES, *[mutate_weights] * 8),
        is_fast=False,
    ),
    *OWN_SUBJECTS,
)
