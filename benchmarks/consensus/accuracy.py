# SPDX-License-Identifier: GPL-3.0-or-later
"""Accuracy of fused probabilities on EMPIAR-10017, as tables for docs/fusion.md.

    export DEEPCONSENSUS_DATA=DIR
    python -m benchmarks.consensus.accuracy OUT   # network scores of OUT/A, OUT/B, ...

OUT holds finished `run` projects, as ``benchmarks.consensus.real_data OUT --run``
leaves them; a set without one is fused from votes and the pickers' scores alone. One
setting for all sets; the truth is used for evaluation only. Takes three minutes, most
of them for REPIC's rule on six pickers.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.consensus.accuracy_rows import (
    HEADER,
    Floats,
    baseline_rows,
    fused_row,
    row,
)
from benchmarks.sets.real_sets import (
    BOX_SIZE,
    MATCH_RADIUS_PX,
    PICKERS,
    RealSet,
    load_set,
)
from benchmarks.sets.tables import figure, markdown_table, with_interval
from deepconsensus_plugin.core.averages.table import read_amplitude
from deepconsensus_plugin.core.calibration import Evidence, Fusion, fuse
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.consensus import find_consensus
from deepconsensus_plugin.core.io.scores_csv import read_scores_csv
from deepconsensus_plugin.core.metrics.matching import match_best_first
from deepconsensus_plugin.core.pipeline.combine import ConsensusRules
from deepconsensus_plugin.core.workflow.files import ChainFiles

MERGE_RADIUS_PX = 0.3 * BOX_SIZE


def network_scores(
    project: Path, candidates: Candidates
) -> tuple[Floats, Floats | None, Floats | None]:
    """Return the scores of a network, the general model's opinion, and amplitudes."""
    path = project / "scores.csv"
    table = read_scores_csv(path)
    if table.yx.shape != candidates.yx.shape or not np.allclose(
        table.yx, candidates.yx, atol=0.01
    ):
        raise SystemExit(
            f"{path}: expected the {len(candidates)} candidates of these picks and "
            f"radii, received {len(table)} others"
        )
    opinion = amplitude = None
    for folder in project.glob("Runs/*Score*/extra"):
        files = ChainFiles(folder)
        opinion = files.find_opinion(candidates)
        amplitude = read_amplitude(files.averages, len(candidates))
    return table.network_score, opinion, amplitude


def picker_table(real: RealSet, candidates: Candidates, fusion: Fusion) -> str:
    """Return estimated against true figures of each picker."""
    is_true = np.concatenate(
        [
            match_best_first(
                found.yx, found.scores, real.truth[name].yx, MATCH_RADIUS_PX
            )
            for name, found in candidates.by_micrograph(fusion.probability).items()
        ]
    )
    found = candidates.found
    alone = found & (candidates.votes == 1)[:, np.newaxis]
    n_true = (found & is_true[:, np.newaxis]).sum(axis=0)
    true_precision, true_recall = n_true / found.sum(axis=0), n_true / is_true.sum()
    rows = []
    for index, picker in enumerate(candidates.pickers):
        cells: list[object] = [picker]
        for estimate, true in (
            (fusion.picker_precision, true_precision),
            (fusion.picker_recall, true_recall),
        ):
            ends = (estimate.low[index], estimate.high[index])
            cells += [with_interval(estimate.value[index], *ends), float(true[index])]
        cells += [
            f"{fusion.found_alone.value[index]:.0f}",
            int(is_true[alone[:, index]].sum()),
        ]
        rows.append(cells)
    header = "picker,precision,against truth,recall,against truth,alone,against truth"
    return markdown_table(header.split(","), rows)


def expected_sentence(fusion: Fusion, seconds: float) -> str:
    """Return what the model expects at its own threshold."""
    best = choose_threshold(fusion.probability, AUTOMATIC)
    at = int(np.searchsorted(fusion.thresholds, best))
    precision, recall = (
        with_interval(float(e.value[at]), float(e.low[at]), float(e.high[at]))
        for e in (fusion.precision, fusion.recall)
    )
    return (
        f"Expected at {figure(best)}: precision {precision}, recall among the "
        f"candidates {recall}; {fusion.n_missed.value:.0f} particles that no picker "
        f"found ({fusion.n_missed.low:.0f} – {fusion.n_missed.high:.0f}). "
        f"{seconds:.0f} s."
    )


def report(real: RealSet, project: Path, *, radius: float) -> str:
    """Return all tables of one set."""
    candidates = find_consensus(
        real.read_pickers(),
        consensus_radius_px=radius * BOX_SIZE,
        merge_radius_px=MERGE_RADIUS_PX,
    )
    rows = list(baseline_rows(real, candidates))
    network = witness = amplitude = None
    if (project / "scores.csv").exists():
        network, witness, amplitude = network_scores(project, candidates)
        rows.append(row(real, "network", candidates.by_micrograph(network), 0.5))
        for name, *scores in (
            ("fused, no network",),
            ("fused, no general model", network),
            ("fused, no averages", network, witness),
        ):
            less = fuse(
                Evidence.of_candidates(candidates, *scores),
                rng=np.random.default_rng(0),
                n_resamples=0,
            )
            rows.append(fused_row(real, name, candidates, less))
    started = time.monotonic()
    fusion = fuse(
        Evidence.of_candidates(candidates, network, witness, amplitude),
        rng=np.random.default_rng(0),
    )
    seconds = time.monotonic() - started
    name = "**fused**" if network is not None else "**fused**, no network"
    rows.append(fused_row(real, name, candidates, fusion))
    return "\n\n".join(
        [
            f"## {real.name}: {', '.join(PICKERS[real.name])}; "
            f"{len(real.micrographs)} micrographs",
            markdown_table(HEADER, rows),
            expected_sentence(fusion, seconds),
            picker_table(real, candidates, fusion),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder of finished projects")
    parser.add_argument("--sets", nargs="+", choices=PICKERS, default=list(PICKERS))
    parser.add_argument(
        "--radius",
        type=float,
        default=ConsensusRules().consensus_radius,
        help="consensus radius of the projects, as a part of the box",
    )
    arguments = parser.parse_args()
    for name in arguments.sets:
        text = report(load_set(name), arguments.out / name, radius=arguments.radius)
        print(text, end="\n\n", flush=True)


if __name__ == "__main__":
    main()
