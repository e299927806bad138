# SPDX-License-Identifier: GPL-3.0-or-later
"""What a finished run came to: ``summary.json``, ``scores.csv``, ``metrics.json``."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin import __version__
from deepconsensus_plugin.commands.launcher import Protocols
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.constants import (
    NETWORK_SCORE_ATTRIBUTE,
    SCORE_ATTRIBUTE,
    SPREAD_ATTRIBUTE,
)
from deepconsensus_plugin.convert import candidates_and_items
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.io.scores_csv import write_scores_csv
from deepconsensus_plugin.core.serialisation import to_plain, write_json
from deepconsensus_plugin.core.types import FloatArray
from deepconsensus_plugin.set_columns import read_numbers

SUMMARY, SCORES, METRICS = "summary.json", "scores.csv", "metrics.json"
_N_BINS = 20


def write_summary(
    project: Project,
    protocols: Protocols,
    settings: RunSettings,
    costs: Mapping[str, StageCost],
) -> dict[str, Any]:
    """Write the files of a finished run into the project's folder.

    Returns
    -------
    dict
        What ``summary.json`` holds.
    """
    folder = Path(project.getPath())
    by_class = {p.getClassName(): p for p in protocols.values()}
    selected = by_class["ProtDeepConsensusSelect"]
    scores = _write_scores(
        folder / SCORES, by_class["ProtDeepConsensusScore"], selected
    )
    summary = {
        "settings": settings.to_plain(),
        "sets": _sizes(protocols),
        "protocols": {p.getObjLabel(): p.summary() for p in protocols.values()},
        "box_size": by_class["ProtDeepConsensusScore"].outputCoordinates.getBoxSize(),
        "score_file": SCORES,
        "threshold": selected.lowestScore.get(),
        "score_histogram": _histogram(scores),
        "timings": {name: to_plain(cost) for name, cost in costs.items()},
        "versions": _versions(),
    }
    if "ProtEvaluatePicks" in by_class:
        metrics = Path(by_class["ProtEvaluatePicks"]._getExtraPath(METRICS))
        shutil.copyfile(folder / metrics, folder / METRICS)
        summary["metrics_file"] = METRICS
    write_json(folder / SUMMARY, summary)
    return summary


def _write_scores(path: Path, scored: Protocol, selected: Protocol) -> FloatArray:
    """Write one row per candidate; return the scores."""
    coordinates = scored.outputCoordinates
    candidates, item = candidates_and_items(coordinates)
    names = (SCORE_ATTRIBUTE, NETWORK_SCORE_ATTRIBUTE, SPREAD_ATTRIBUTE)
    score, network_score, spread = read_numbers(coordinates, *names)[item].T
    kept = getattr(selected, "outputCoordinates", None)
    accepted = np.isin(_ids(coordinates)[item], [] if kept is None else _ids(kept))
    write_scores_csv(
        path,
        candidates,
        score=score,
        network_score=network_score,
        spread=spread,
        accepted=accepted,
    )
    return np.asarray(score)


def _ids(items: Any) -> np.ndarray:
    return np.array(sorted(items.getIdSet()))


def _sizes(protocols: Protocols) -> dict[str, int]:
    """Return the number of items of every output, by protocol and output."""
    return {
        f"{protocol.getObjLabel()}.{name}": output.getSize()
        for protocol in protocols.values()
        for name, output in protocol.iterOutputAttributes()
        if hasattr(output, "getSize")
    }


def _histogram(scores: FloatArray) -> dict[str, list[float]]:
    counts, edges = np.histogram(
        scores[np.isfinite(scores)], bins=_N_BINS, range=(0, 1)
    )
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _versions() -> dict[str, str]:
    names = ("scipion-pyworkflow", "scipion-em", "keras", "tensorflow", "numpy")
    return {
        "python": platform.python_version(),
        "deepconsensus_plugin": __version__,
        **{name: _version(name) for name in names},
    }


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "not installed as a package"
