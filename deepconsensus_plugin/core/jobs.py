# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: heavy work in its own process, one JSON file in and one out.

``python -m deepconsensus_plugin.core.jobs JOB.json`` carries out the request in the
file, writes its progress to JOB.progress.json and its result to JOB.result.json.
So TensorFlow's memory and crashes stay out of Scipion, and a queue or another
environment can do the work.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from deepconsensus_plugin.core import methods
from deepconsensus_plugin.core.errors import FileFormatError
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.execution.executor import LostWorkersError
from deepconsensus_plugin.core.execution.gpus import choose_gpus
from deepconsensus_plugin.core.execution.places import WorkPlace, working_at
from deepconsensus_plugin.core.limits import show
from deepconsensus_plugin.core.methods import resolve
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    read_json_part,
    to_plain,
    write_json,
)

T = TypeVar("T")

logger = logging.getLogger(__name__)

_STAGES = {
    "simulate": ("pipeline.simulate:SimulateRequest", "pipeline.simulate:run"),
    "mask": ("pipeline.mask:MaskRequest", "pipeline.mask:run"),
    "pick": ("pipeline.pick:PickRequest", "pipeline.pick:run"),
    "negatives": ("pipeline.negatives:NegativesRequest", "pipeline.negatives:run"),
    "witness": ("pipeline.witness_request:WitnessRequest", "pipeline.witness:run"),
    "averages": (
        "pipeline.averages_request:AveragesRequest",
        "pipeline.averages:run",
    ),
    "score": ("deep_consensus.requests:ScoreRequest", "deep_consensus.score:run"),
    "fuse": ("pipeline.fuse_request:FuseRequest", "pipeline.fusion:run"),
    "particles": ("deep_consensus.stacks:StackRequest", "deep_consensus.stacks:run"),
    "try_model": (
        "pipeline.try_model_request:TryModelRequest",
        "pipeline.try_model:run",
    ),
    "network_pick": (
        "pipeline.network_pick_requests:NetworkPickRequest",
        "pipeline.network_pick:run",
    ),
}
"""Request and function of each kind of job that is no training of a method."""

_DEVICE = "networks.device:used_device"

STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""

_OPTIONS = "options"
"""Field of a request that holds a method's own choices (`Method.options`)."""


def write_job(path: Path, request: object) -> None:
    """Write a job file for a request."""
    result_path(path).unlink(missing_ok=True)
    write_json(path, {"kind": job_kind(request), "request": _to_plain(request)})


def job_kind(request: object) -> str:
    """Return the kind of job that a request is.

    Raises
    ------
    TypeError
        If no kind of job has such requests.
    """
    names = {kind: request_name for kind, (request_name, _) in _jobs().items()}
    for kind, name in names.items():
        if type(request) is resolve(name):
            return kind
    raise TypeError(f"expected one of {list(names)}, received {type(request)}")


def carry_out(request: object, progress: Progress) -> Any:
    """Carry out a request in this process, and return its result."""
    _, run_name = _jobs()[job_kind(request)]
    return resolve(run_name)(request, progress)


def run_job(
    path: Path, place: WorkPlace | None = None, gpus: Sequence[str] = ()
) -> Any:
    """Carry out a job file, write its result beside it, and return the result.

    Parameters
    ----------
    path : Path
        The job.
    place, gpus
        As for `working_at`. Default: in threads.

    Raises
    ------
    FileFormatError
        If the file is no job that this version knows.
    """
    request: Any = read_any_request(path)
    with working_at(place or WorkPlace(), gpus, path=progress_path(path)) as progress:
        result = carry_out(request, progress)
    done = {"result": to_plain(result)}
    if "keras" in sys.modules:  # a job without networks does not load it
        done["device"] = resolve(_DEVICE)()
    write_json(result_path(path), done)
    return result


def _jobs() -> dict[str, tuple[str, str]]:
    """Return the request and the function of each kind of job, to `resolve`."""
    return {**_STAGES, **{m.job: (m.request, m.run) for m in methods.METHODS}}


def _to_plain(request: Any) -> dict[str, Any]:
    """Return a request as JSON holds it: options under their method's kind."""
    plain: dict[str, Any] = to_plain(request)
    options = plain.pop(_OPTIONS, None)
    if options is not None:
        plain[_method_of(type(request.options))] = options
    return plain


def _method_of(options: type) -> str:
    """Return the kind of the method that offers options of a class.

    Raises
    ------
    TypeError
        If no method does.
    """
    known = {m.kind: resolve(m.options) for m in methods.METHODS if m.options}
    for kind, offered in known.items():
        if offered is options:
            return kind
    names = [offered.__name__ for offered in known.values()]
    raise TypeError(f"options: expected one of {names}, received {options.__name__}")


def _from_plain(plain: Any, kind: type[T], path: Path) -> T:
    """Return the request that `_to_plain` gave."""
    if not isinstance(plain, dict):
        return from_plain(plain, kind, path=path)
    declared: Any = kind
    options: Any = None
    if any(field.name == _OPTIONS for field in fields(declared)):
        if _OPTIONS in plain:
            raise FileFormatError(
                path,
                expected=f"no field {_OPTIONS} of {kind.__name__}",
                received=show(plain[_OPTIONS]),
            )
        for method in methods.METHODS:
            if method.options is not None and method.kind in plain:
                plain = dict(plain)
                chosen = plain.pop(method.kind)
                if chosen is not None:
                    options = from_plain(chosen, resolve(method.options), path=path)
    request: Any = from_plain(plain, kind, path=path)
    with_options: T = request if options is None else replace(request, options=options)
    return with_options


def read_any_request(path: Path) -> Any:
    """Return the request of the job at `path`, of the dataclass of its kind.

    Raises
    ------
    FileFormatError
        If the file is no job that this version knows.
    """
    kind, known = read_json_part(path, "kind"), _jobs()
    if not isinstance(kind, str) or kind not in known:
        raise FileFormatError(
            path, expected=f"kind to be one of {list(known)}", received=show(kind)
        )
    request_name, _ = known[kind]
    return read_request(path, resolve(request_name))


def read_request(path: Path, kind: type[T]) -> T:
    """Return the request, of dataclass `kind`, of the job at `path`."""
    return _from_plain(read_json_part(path, "request"), kind, path)


def read_result(path: Path, kind: type[T]) -> T:
    """Return the result, of dataclass `kind`, of the finished job at `path`."""
    source = result_path(path)
    return from_plain(read_json_part(source, "result"), kind, path=source)


def read_device(path: Path) -> str | None:
    """Return what the networks of the job at `path` were computed on.

    ``CPU``, or ``GPU`` and its name; None if the job has not finished, computes no
    network, or was carried out by an earlier version, which did not keep it.
    """
    source = result_path(path)
    return read_json(source).get("device") if source.exists() else None


def progress_path(path: Path) -> Path:
    """Return where the job at `path` tells its progress."""
    return path.with_suffix(".progress.json")


def result_path(path: Path) -> Path:
    """Return where the job at `path` writes its result."""
    return path.with_suffix(".result.json")


def main(arguments: list[str] | None = None) -> int:
    """Run one job from the command line; the exit status is 0 if it worked."""
    parser = argparse.ArgumentParser(prog="deepconsensus_plugin.core.jobs")
    parser.add_argument("job", type=Path, help="JSON file of the job")
    parser.add_argument("--verbose", action="store_true", help="log every step")
    parser.add_argument("--scheduler", help="where its work is done, as on forms")
    parser.add_argument("--gpus", help="as 0,1; of a queue's job, among those it has")
    options = parser.parse_args(arguments)
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.basicConfig(level=level, format="%(levelname)s %(message)s")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        gpus = choose_gpus(options.gpus)
        run_job(options.job, WorkPlace(options.scheduler), gpus)
    except (ValueError, OSError, LostWorkersError) as error:
        logger.error("%s", error)
        logger.debug("Where it happened:", exc_info=True)
        return 1
    except KeyboardInterrupt:
        logger.error("stopped; the same job goes on from here")
        return STOPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
