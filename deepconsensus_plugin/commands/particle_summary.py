# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary of a run that pruned given particles: which are kept, and all scores."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyworkflow.protocol import Protocol

from deepconsensus_plugin.constants import SCORE_ATTRIBUTE, SPREAD_ATTRIBUTE
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.io.atomic import write_text
from deepconsensus_plugin.core.serialisation import to_plain
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.protocols.deep_consensus.acceptance import readAcceptance
from deepconsensus_plugin.report.kept_particles import kept_particles, write_kept
from deepconsensus_plugin.report.reported_run import (
    SELECTORS,
    common_summary,
    score_histogram,
)
from deepconsensus_plugin.set_columns import read_columns, read_ids, read_scores

PARTICLES, SCORES = "particles.star", "scores.csv"


def summarise_particles(
    folder: Path,
    scored: Protocol,
    protocols: Sequence[Protocol],
    costs: Mapping[str, StageCost],
) -> dict[str, Any]:
    """Write the kept particles and all scores; return what the summary holds.

    Parameters
    ----------
    folder : Path
        Of the project.
    scored : Protocol
        Run that scored the particles.
    protocols : sequence of Protocol
        All of the run; one of them selected.
    costs : mapping of label to StageCost
        Cost of each protocol.
    """
    selected = next(p for p in protocols if p.getClassName() in SELECTORS)
    write_kept(folder / PARTICLES, scored, selected)
    n_given = scored.inputCoordinates.get().getSize()
    _write_scores(folder / SCORES, scored, kept_particles(selected, n_given))
    accepted = readAcceptance(selected)
    return {
        "particle_file": PARTICLES,
        "score_file": SCORES,
        **common_summary(protocols, costs),
        "acceptance": to_plain(accepted),
        "score_histogram": score_histogram(read_scores(scored.outputParticles)),
    }


def _write_scores(path: Path, scored: Protocol, kept: BoolArray) -> None:
    """Write one row per scored particle, in the order of the given file."""
    items = scored.outputParticles
    names = ("_index", "_filename", SCORE_ATTRIBUTE, SPREAD_ATTRIBUTE)
    columns = read_columns(items, *names)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["particle", "image", "score", "spread", "accepted"])
    rows = zip(read_ids(items), *(columns[name] for name in names), strict=True)
    for number, index, file, score, spread in rows:
        values = ["" if math.isnan(v) else f"{v:.6g}" for v in (score, spread)]
        writer.writerow([number, f"{index}@{file}", *values, int(kept[number - 1])])
    write_text(path, text.getvalue())
