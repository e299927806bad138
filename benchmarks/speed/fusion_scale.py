# SPDX-License-Identifier: GPL-3.0-or-later
"""Time, memory and accuracy of the fusion, from ten thousand candidates to millions.

    python -m benchmarks.speed.fusion_scale OUT [--sizes N ...] [--compare N]

Candidates are drawn with a network's score, pickers' own scores and amplitudes of
averages, 600 a micrograph; particles of some micrographs are harder to find than those
of others. Each size is fused by the job of a run, in a process of its own, whose
processor time and highest memory are printed. Then the fit to a sample is compared with
the fit to all of N candidates.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.averages.table import AveragesTable, write_averages
from deepconsensus_plugin.core.calibration import Evidence, fuse
from deepconsensus_plugin.core.calibration.sampling import SAMPLE_SIZE
from deepconsensus_plugin.core.calibration.thresholds import (
    AUTOMATIC,
    choose_threshold,
)
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores import EnsembleScores, write_scores
from deepconsensus_plugin.core.io.tables import write_candidates
from deepconsensus_plugin.core.jobs import write_job
from deepconsensus_plugin.core.pipeline.fuse_request import FuseRequest
from deepconsensus_plugin.core.types import BoolArray, FloatArray
from deepconsensus_plugin.core.workflow.files import ChainFiles

SIZES = (10_000, 100_000, 1_000_000, 3_000_000)
COMPARED = 60_000
_ON_A_MICROGRAPH = 600
_SIDE = 4096
_FINDING = (0.8, 0.7, 0.4, 0.6, 0.5, 0.9)
_FALSE = (0.15, 0.1, 0.25, 0.1, 0.2, 0.3)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Candidates drawn with truth, n."""

    candidates: Candidates
    network: FloatArray
    amplitude: FloatArray
    is_true: BoolArray

    def evidence(self, *, with_averages: bool) -> Evidence:
        """Return the evidence that is fused."""
        amplitude = self.amplitude if with_averages else None
        return Evidence.of_candidates(
            self.candidates, self.network, amplitude=amplitude
        )


def draw(n: int, *, n_pickers: int = 3, seed: int = 0) -> Drawn:
    """Return about `n` candidates of a number of pickers."""
    rng = np.random.default_rng(seed)
    n_places = int(n / _share_found(n_pickers))
    n_micrographs = max(2, n // _ON_A_MICROGRAPH)
    where = np.sort(rng.integers(0, n_micrographs, n_places))
    is_true = rng.random(n_places) < 0.5
    trait = rng.normal(0, 0.9, n_places) + rng.normal(0, 0.45, n_micrographs)[where]
    found = np.empty((n_places, n_pickers), dtype=bool)
    own = np.full((n_places, n_pickers), np.nan)
    for column in range(n_pickers):
        true = expit(logit(_FINDING[column]) + trait)
        rate = np.where(is_true, true, _FALSE[column])
        found[:, column] = rng.random(n_places) < rate
        score = rng.normal(size=n_places) + is_true * (0.7 + 0.3 * trait)
        own[:, column] = np.where(found[:, column], score, np.nan)
    seen = found.any(axis=1)
    network = expit(rng.normal(size=n_places) + is_true * (2 + 0.5 * trait) - 1)
    amplitude = 5 + rng.normal(0, 0.8, n_places) + 1.5 * is_true
    n_seen = int(seen.sum())
    yx = rng.uniform(0, _SIDE, (n_seen, 2))
    candidates = Candidates(
        micrographs=tuple(f"{number:05d}.mrc" for number in range(n_micrographs)),
        pickers=tuple(f"picker {number}" for number in range(n_pickers)),
        observed=np.ones((n_micrographs, n_pickers), dtype=bool),
        micrograph_index=where[seen],
        yx=yx,
        found=found[seen],
        picker_scores=own[seen],
        agreement=found[seen].sum(axis=1),
        agreed_yx=yx,
    )
    return Drawn(candidates, network[seen], amplitude[seen], is_true[seen])


def _share_found(n_pickers: int) -> float:
    """Return about which share of the places any picker finds."""
    false = 1 - np.prod(1 - np.array(_FALSE[:n_pickers]))
    return float((0.93 + false) / 2)


def write_job_of(folder: Path, drawn: Drawn) -> Path:
    """Write the files of the stages before a fusion, and its job; return the job."""
    folder.mkdir(parents=True, exist_ok=True)
    files, n = ChainFiles(folder), len(drawn.network)
    write_candidates(files.candidates, drawn.candidates)
    write_scores(files.scores, EnsembleScores.of(drawn.network[:, np.newaxis]))
    table = AveragesTable(
        average=np.zeros(n, dtype=np.int64),
        angle_deg=np.zeros(n),
        offset_yx=np.zeros((n, 2)),
        amplitude=drawn.amplitude,
        correlation=np.zeros(n),
        images=np.zeros((1, 8, 8), dtype=np.float32),
        resolution_A=np.array([20.0]),
        pixel_size_A=5.0,
        diameter_A=30.0,
    )
    write_averages(files.averages, table)
    request = FuseRequest(
        candidates=files.candidates,
        rows=None,
        scores=files.scores,
        shapes=dict.fromkeys(drawn.candidates.micrographs, (_SIDE, _SIDE)),
        seed=1,
        score=files.score,
        calibration=files.calibration,
        witness=files.witness,
        witness_peaks=files.witness_peaks,
        null=files.null,
        averages=files.averages,
    )
    job = folder / "fuse.json"
    write_job(job, request)
    return job


class Cost(NamedTuple):
    """Cost of one job in a process of its own."""

    n_candidates: int
    cpu_s: float
    peak_mb: float


def measure(folder: Path, n: int, *, n_pickers: int) -> Cost:
    """Return the cost of a fusion of about `n` candidates, start-up included."""
    drawn = draw(n, n_pickers=n_pickers)
    n_candidates, job = len(drawn.network), write_job_of(folder, drawn)
    del drawn
    module = "deepconsensus_plugin.core.jobs"
    words = [sys.executable, "-m", module, str(job)]
    child = os.posix_spawn(sys.executable, words, os.environ)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{job}: the job failed")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Cost(n_candidates, cpu_s, usage.ru_maxrss / 1024)


def growths(costs: Sequence[Cost]) -> list[float]:
    """Return the exponent of growth of processor time from each size to the next."""
    return [
        float(np.log(b.cpu_s / a.cpu_s) / np.log(b.n_candidates / a.n_candidates))
        for a, b in itertools.pairwise(costs)
    ]


def describe_costs(folder: Path, sizes: Sequence[int], n_pickers: int) -> str:
    """Return the table of time, memory and growth over some sizes."""
    costs = [measure(folder / str(n), n, n_pickers=n_pickers) for n in sizes]
    exponents = ["", *(f"{each:.2f}" for each in growths(costs))]
    rows = [
        [cost.n_candidates, f"{cost.cpu_s:.1f}", f"{cost.peak_mb:.0f}", growth]
        for cost, growth in zip(costs, exponents, strict=True)
    ]
    return markdown_table(["candidates", "CPU s", "peak MB", "growth"], rows)


def compare(n: int, *, n_pickers: int, seed: int, with_averages: bool) -> list[object]:
    """Return a row: what a sample changes against a fit to all of `n` candidates."""
    drawn = draw(n, n_pickers=n_pickers, seed=seed)
    evidence = drawn.evidence(with_averages=with_averages)
    times, probabilities, wrong = [], [], []
    for size in (len(evidence), SAMPLE_SIZE):
        started, rng = time.process_time(), np.random.default_rng(seed)
        fusion = fuse(evidence, rng=rng, sample_size=size)
        times.append(time.process_time() - started)
        accepted = fusion.probability >= choose_threshold(fusion.probability, AUTOMATIC)
        probabilities.append((fusion.probability, accepted))
        at = int(np.searchsorted(fusion.thresholds, 0.5))
        above = fusion.probability >= 0.5
        wrong.append(fusion.precision.value[at] - drawn.is_true[above].mean())
    (whole, kept), (sampled, also_kept) = probabilities
    return [
        *(len(evidence), n_pickers, "yes" if with_averages else "no", seed),
        *(f"{each:.1f}" for each in times),
        f"{np.abs(whole - sampled).mean():.4f}",
        f"{np.abs(whole - sampled).max():.3f}",
        f"{(kept != also_kept).mean():.2%}",
        *(f"{each:+.3f}" for each in wrong),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path, help="folder of the jobs")
    parser.add_argument("--sizes", nargs="*", type=int, default=[*SIZES])
    parser.add_argument("--pickers", type=int, default=3)
    parser.add_argument("--compare", type=int, default=COMPARED)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    if arguments.sizes:
        print(describe_costs(arguments.out, arguments.sizes, arguments.pickers))
    if not arguments.compare:
        return
    header = (
        "candidates,pickers,averages,seed,all: CPU s,sample: CPU s,mean change,"
        "largest change,decisions changed,all: precision too high by,"
        "sample: precision too high by"
    )
    rows = [
        compare(
            arguments.compare,
            n_pickers=arguments.pickers,
            seed=seed,
            with_averages=with_averages,
        )
        for with_averages in (False, True)
        for seed in range(arguments.seeds)
    ]
    print(markdown_table(header.split(","), rows))


if __name__ == "__main__":
    main()
