# SPDX-License-Identifier: GPL-3.0-or-later
"""Runner of jobs that skips those that it finished before.

Stages pass every job to a runner. That of Scipion starts a process; the one here runs
jobs in its own process.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.averages.table import images_path
from deepconsensus_plugin.core.deep_consensus.requests import ScoreRequest, TrainRequest
from deepconsensus_plugin.core.digests import digest, digest_file, digest_micrographs
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.jobs import carry_out, job_kind
from deepconsensus_plugin.core.methods import model_files
from deepconsensus_plugin.core.networks.card import CARD_FILE, WEIGHTS_FILE
from deepconsensus_plugin.core.pipeline.averages_request import AveragesRequest
from deepconsensus_plugin.core.pipeline.fuse_request import FuseRequest
from deepconsensus_plugin.core.pipeline.mask import MaskRequest
from deepconsensus_plugin.core.pipeline.negatives import NegativesRequest
from deepconsensus_plugin.core.pipeline.witness_request import WitnessRequest
from deepconsensus_plugin.core.serialisation import read_json, write_json

logger = logging.getLogger(__name__)

Request = (
    MaskRequest
    | NegativesRequest
    | TrainRequest
    | ScoreRequest
    | WitnessRequest
    | AveragesRequest
    | FuseRequest
)
"""Job of the chain."""

_CHUNK = 2**24
"""Bytes of a file that are read at once for its digest."""

RunJob = Callable[[Any], object]
"""Function that carries out a `Request`, and returns when its files are written."""


class KeptJobs:
    """Runner of jobs in this process that skips finished ones.

    A finished job leaves a small file with a digest of its input. It is repeated if its
    request, a file that it reads or a file that it wrote has changed. An interrupted
    job resumes if its kind can.

    Parameters
    ----------
    folder : Path
        Folder of these files, which are named ``KIND.done.json``.
    progress : Progress, optional
        Receives the progress of jobs.
    """

    def __init__(self, folder: Path, progress: Progress | None = None) -> None:
        self._folder, self._progress = folder, progress or Progress()

    def __call__(self, request: Request) -> None:
        """Carry out a job, unless it is finished.

        Raises
        ------
        ModelFormatError
            If a model that it reads does not exist.
        """
        mark = self._folder / f"{job_kind(request)}.done.json"
        origin = _origin(request)
        written = _files_of(request)[1]
        if mark.is_file():
            kept = read_json(mark)
            if kept == {**origin, "written": _written(written)}:
                logger.info("%s: finished by an earlier run", job_kind(request))
                return
            if changes := _changes(kept, origin):
                logger.info("%s: done again: %s", job_kind(request), changes)
        mark.unlink(missing_ok=True)
        carry_out(request, self._progress)
        write_json(mark, {**origin, "written": _written(written)})


def _written(paths: list[Path]) -> list[Any]:
    return [digest_file(path) for path in paths if path.exists()]


def _origin(request: Request) -> dict[str, Any]:
    """Return digests of everything that the result of a job depends on."""
    read = {str(path): _digest_content(path) for path in _files_of(request)[0]}
    if isinstance(request, FuseRequest):  # it looks at no micrograph
        return {"made_from": digest(request), "micrographs": {}, "read": read}
    return {
        "made_from": digest(replace(request, workers=1)),
        "micrographs": {m.name: digest_micrographs([m]) for m in request.micrographs},
        "read": read,
    }


def _changes(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Return which inputs of a job have changed since it was finished."""
    found = []
    for kind in ("micrographs", "read"):
        old, new = before.get(kind, {}), now[kind]
        found += [name for name in old if old[name] != new.get(name)]
    others = f" and {len(found) - 1} others" if found[1:] else ""
    return f"{found[0]}{others} changed" if found else ""


def _digest_content(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_CHUNK):
            hasher.update(part)
    return hasher.hexdigest()


def _files_of(request: Request) -> tuple[list[Path], list[Path]]:
    """Return the files that a job reads, without micrographs, and those it writes."""
    if isinstance(request, MaskRequest):
        return [], [request.path_of(each) for each in request.micrographs]
    if isinstance(request, NegativesRequest):
        masks = map(request.mask_of, request.micrographs)
        there = [path for path in masks if path is not None and path.is_file()]
        avoided = [] if request.avoid is None else [request.avoid]
        return [request.candidates, *there, *avoided], [request.result]
    if isinstance(request, TrainRequest):
        read = [source.coordinates for source in request.sources]
        if request.initial_model is not None:
            read += model_files(request.initial_model)
        return read, [request.model / name for name in (CARD_FILE, WEIGHTS_FILE)]
    if isinstance(request, WitnessRequest):
        read = [request.coordinates, *model_files(request.model)]
        return read, [request.log_odds, request.peaks, request.null]
    if isinstance(request, FuseRequest):
        return _read_by_fusion(request), [request.score, request.calibration]
    if isinstance(request, AveragesRequest):
        return [request.coordinates], [request.averages, images_path(request.averages)]
    stacks = [] if request.stacks is None else [request.stacks.folder]
    read = [request.coordinates, *model_files(request.model)]
    return read, [request.scores, *stacks]


def _read_by_fusion(request: FuseRequest) -> list[Path]:
    """Return the files that a fusion reads, of which some may be missing."""
    read = [request.candidates, request.scores]
    read += [] if request.rows is None else [request.rows]
    told = (request.witness, request.witness_peaks, request.null, request.averages)
    read += [each for each in told if each.is_file()]
    if request.model is not None:
        read += model_files(request.model)
    if request.feedback is not None:
        read += request.feedback.files()
    return read
