# SPDX-License-Identifier: GPL-3.0-or-later
"""What a finished run came to: ``summary.json``, ``scores.csv``, ``metrics.json``.

And ``picture.png``, the micrograph on which there was most to tell apart, and
``report.html``, all of it on one page.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pyworkflow.project import Project
from pyworkflow.protocol import Protocol

from deepconsensus_plugin import __version__
from deepconsensus_plugin.commands.evaluation import (
    Truth,
    compare,
    evaluate_accepted,
    evaluate_pickers,
)
from deepconsensus_plugin.commands.finished_run import FinishedRun
from deepconsensus_plugin.commands.html_report import write_html_report
from deepconsensus_plugin.commands.picture import write_picture
from deepconsensus_plugin.commands.project import Protocols
from deepconsensus_plugin.commands.scored import (
    ScoredCandidates,
    is_fixed,
    read_scored,
)
from deepconsensus_plugin.commands.settings import RunSettings
from deepconsensus_plugin.convert import micrographs_from_set, observed_in
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.io.scores_csv import write_scores_csv
from deepconsensus_plugin.core.serialisation import to_plain, write_json
from deepconsensus_plugin.core.types import FloatArray

SUMMARY, SCORES, METRICS = "summary.json", "scores.csv", "metrics.json"
PICTURE, REPORT = "picture.png", "report.html"
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
    scored = read_scored(by_class["ProtDeepConsensusScore"], selected)
    coordinates = by_class["ProtDeepConsensusScore"].outputCoordinates
    micrographs = micrographs_from_set(coordinates.getMicrographs())
    _write_scores(folder / SCORES, scored)
    write_picture(
        folder / PICTURE,
        micrographs,
        scored.candidates,
        scored.accepted,
        box_size=coordinates.getBoxSize(),
    )
    summary = {
        "settings": settings.to_plain(),
        "sets": _sizes(protocols),
        "protocols": {p.getObjLabel(): p.summary() for p in protocols.values()},
        "box_size": coordinates.getBoxSize(),
        "observed": observed_in(scored.candidates).observed,
        "micrograph_shapes": {item.name: item.shape for item in micrographs},
        "score_file": SCORES,
        "picture_file": PICTURE,
        "report_file": REPORT,
        "threshold": to_plain(scored.threshold),
        "calibration": to_plain(by_class["ProtDeepConsensusScore"].readCalibration()),
        "score_histogram": _histogram(scored.score),
        "timings": {name: to_plain(cost) for name, cost in costs.items()},
        "versions": _versions(),
    }
    figures = None
    if "ProtEvaluatePicks" in by_class:
        figures = _figures(by_class, scored)
        text = json.dumps(figures, indent=1, allow_nan=False)
        write_text(folder / METRICS, text + "\n")
        summary["metrics_file"] = METRICS
        summary["comparison"] = compare(figures)
    write_html_report(
        folder / REPORT,
        FinishedRun(
            folder, summary, [*protocols.values()], scored, micrographs, figures
        ),
    )
    write_json(folder / SUMMARY, summary)
    return summary


def _write_scores(path: Path, scored: ScoredCandidates) -> None:
    """Write one row per candidate."""
    write_scores_csv(
        path,
        scored.candidates,
        score=scored.score,
        network_score=scored.network_score,
        spread=scored.spread,
        accepted=scored.accepted,
    )


def _figures(
    by_class: Mapping[str, Protocol], scored: ScoredCandidates
) -> dict[str, Any]:
    """Return the figures at what was accepted, and those of the pickers."""
    evaluated = by_class["ProtEvaluatePicks"]
    selected = by_class["ProtDeepConsensusSelect"]
    truth = Truth.of(evaluated)
    figures = (
        evaluated.readFigures()
        if is_fixed(selected)
        else evaluate_accepted(
            truth,
            scored.candidates,
            scored.score,
            scored.accepted,
            threshold=scored.threshold,
        )
    )
    consensus = by_class["ProtDeepConsensusPicks"]
    pickers = evaluate_pickers(truth, consensus, scored.candidates)
    return {**figures, "pickers": pickers}


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
