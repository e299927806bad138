# SPDX-License-Identifier: GPL-3.0-or-later
"""Heavy work in its own process: one JSON file in, one JSON file out.

``python -m deepconsensus_plugin.core.jobs JOB.json`` carries out the request in the
file, tells its progress in JOB.progress.json and writes the result to JOB.result.json.
So TensorFlow's memory and crashes stay out of Scipion, and a queue or another
environment can do the work.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from pathlib import Path
from typing import Any, TypeVar

from deepconsensus_plugin.core.deep_consensus.requests import ScoreRequest, TrainRequest
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.pickers.deepem.request import DeepEMTrainRequest
from deepconsensus_plugin.core.pickers.hydra.request import HydraTrainRequest
from deepconsensus_plugin.core.pickers.topaz.request import TopazTrainRequest
from deepconsensus_plugin.core.pipeline.negatives import NegativesRequest
from deepconsensus_plugin.core.pipeline.network_pick_requests import NetworkPickRequest
from deepconsensus_plugin.core.pipeline.pick import PickRequest
from deepconsensus_plugin.core.pipeline.simulate import SimulateRequest
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)

T = TypeVar("T")

logger = logging.getLogger(__name__)

_KINDS: dict[str, type] = {
    "simulate": SimulateRequest,
    "pick": PickRequest,
    "negatives": NegativesRequest,
    "train": TrainRequest,
    "score": ScoreRequest,
    "train_topaz": TopazTrainRequest,
    "train_deepem": DeepEMTrainRequest,
    "train_hydra": HydraTrainRequest,
    "network_pick": NetworkPickRequest,
}
"""Request of each kind of job."""

_RUNNERS = {
    "simulate": "pipeline.simulate",
    "pick": "pipeline.pick",
    "negatives": "pipeline.negatives",
    "train": "deep_consensus.train",
    "score": "deep_consensus.score",
    "train_topaz": "pickers.topaz.train",
    "train_deepem": "pickers.deepem.train",
    "train_hydra": "pickers.hydra.train",
    "network_pick": "pipeline.network_pick",
}
"""Module of `core` whose ``run`` carries out each kind of job."""


def write_job(path: Path, request: object) -> None:
    """Write a job file for a request."""
    kinds = [kind for kind, of_type in _KINDS.items() if type(request) is of_type]
    if not kinds:
        raise TypeError(f"expected one of {list(_KINDS)}, received {type(request)}")
    result_path(path).unlink(missing_ok=True)
    write_json(path, {"kind": kinds[0], "request": to_plain(request)})


def run_job(path: Path) -> Any:
    """Carry out a job file, write its result beside it, and return the result."""
    content = read_json(path)
    kind = content["kind"]
    request: Any = from_plain(content["request"], _KINDS[kind], path=path)
    runner = importlib.import_module(f"deepconsensus_plugin.core.{_RUNNERS[kind]}")
    result = runner.run(request, Progress(progress_path(path)))
    write_json(result_path(path), {"result": to_plain(result)})
    return result


def read_request(path: Path, kind: type[T]) -> T:
    """Return the request, of dataclass `kind`, of the job at `path`."""
    return from_plain(read_json(path)["request"], kind, path=path)


def read_result(path: Path, kind: type[T]) -> T:
    """Return the result, of dataclass `kind`, of the finished job at `path`."""
    source = result_path(path)
    return from_plain(read_json(source)["result"], kind, path=source)


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
    options = parser.parse_args(arguments)
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.basicConfig(level=level, format="%(levelname)s %(message)s")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        run_job(options.job)
    except (ValueError, OSError) as error:
        logger.error("%s", error)
        logger.debug("Where it happened:", exc_info=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
