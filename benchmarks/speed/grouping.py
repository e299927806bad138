# SPDX-License-Identifier: GPL-3.0-or-later
"""Time to group rows by micrograph, after one sort and with a mask for each micrograph.

    python -m benchmarks.speed.grouping [--whole] [N_MICROGRAPHS ...]

Prints processor seconds for 300 picks a micrograph, of an export (by names) and of the
table of candidates (by numbers). Masks cost the same for every micrograph: they are
timed for fifty, spread evenly, unless ``--whole`` is given. What both return is
compared.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.commands.export import best_first
from deepconsensus_plugin.core.candidates import Candidates
from deepconsensus_plugin.core.io.scores_csv import ScoreTable
from deepconsensus_plugin.core.kinds import Likeness
from deepconsensus_plugin.core.reasons import Reason
from deepconsensus_plugin.core.types import PickerPicks, ScoredCoordinates

_N_PICKS = 300
_N_TIMED = 50

Result = TypeVar("Result")
Grouped = Mapping[str, ScoredCoordinates]


def candidates_of(n_micrographs: int) -> Candidates:
    """Return random candidates of one picker."""
    rng = np.random.default_rng(0)
    return Candidates.of_one(
        PickerPicks(
            "picker",
            200,
            {
                f"20261019_FoilHole_{number:05d}_fractions.mrc": ScoredCoordinates(
                    rng.uniform(0, 4096, (_N_PICKS, 2)), rng.random(_N_PICKS)
                )
                for number in range(n_micrographs)
            },
        )
    )


def score_table(candidates: Candidates) -> ScoreTable:
    """Return the candidates as an export reads them; all are accepted."""
    n = len(candidates)
    score = candidates.picker_scores[:, 0]
    return ScoreTable(
        micrograph=tuple(
            candidates.micrographs[i] for i in candidates.micrograph_index.tolist()
        ),
        yx=candidates.yx,
        score=score,
        network_score=score,
        spread=np.zeros(n),
        votes=candidates.votes,
        observed=(("picker",),) * n,
        pickers=(("picker",),) * n,
        picker_scores=tuple((each,) for each in score.tolist()),
        reason=np.full(n, Reason.ACCEPTED.value),
        general_model=np.full(n, np.nan),
        likeness=Likeness.unknown(n),
    )


def export_by_masks(table: ScoreTable, names: list[str]) -> Grouped:
    """Return these micrographs' rows, best first: all names compared for each."""
    all_names = np.array(table.micrograph, dtype=str)
    order = np.argsort(-table.score, kind="stable")
    return {
        name: ScoredCoordinates(table.yx[rows], table.score[rows])
        for name in names
        for rows in [order[(table.accepted & (all_names == name))[order]]]
    }


def candidates_by_masks(candidates: Candidates, names: list[str]) -> Grouped:
    """Return these micrographs' candidates: all numbers compared for each."""
    values = candidates.picker_scores[:, 0]
    return {
        name: ScoredCoordinates(candidates.yx[rows], values[rows])
        for name in names
        for rows in [candidates.micrograph_index == candidates.micrographs.index(name)]
    }


def rows_for(n_micrographs: int, *, whole: bool) -> list[list[object]]:
    """Return a row of the table for either task."""
    candidates = candidates_of(n_micrographs)
    table = score_table(candidates)
    n_timed = n_micrographs if whole else min(_N_TIMED, n_micrographs)
    places = np.linspace(0, n_micrographs - 1, n_timed).round().astype(int)
    names = [candidates.micrographs[place] for place in places.tolist()]
    tasks: dict[str, tuple[Callable[[], Grouped], Callable[[], Grouped]]] = {
        "export, by names": (
            lambda: best_first(table, table.accepted),
            lambda: export_by_masks(table, names),
        ),
        "candidates, by numbers": (
            lambda: candidates.by_micrograph(candidates.picker_scores[:, 0]),
            lambda: candidates_by_masks(candidates, names),
        ),
    }
    rows: list[list[object]] = []
    for task, (after_sort, with_masks) in tasks.items():
        ours, grouped = timed(after_sort)
        other, plain = timed(with_masks)
        check_same({name: grouped[name] for name in names}, plain)
        masks = other * n_micrographs / n_timed
        cells = (f"{ours:.2f} s", f"{masks:.1f} s", f"{masks / ours:.0f}")
        rows.append([task, n_micrographs, len(candidates), *cells])
    return rows


def timed(act: Callable[[], Result]) -> tuple[float, Result]:
    """Return the processor seconds of one run, and what it returned."""
    started = time.process_time()
    result = act()
    return time.process_time() - started, result


def check_same(found: Grouped, expected: Grouped) -> None:
    """Raise if any micrograph has other rows, or its rows another order."""
    for name, picks in expected.items():
        np.testing.assert_array_equal(found[name].yx, picks.yx)
        np.testing.assert_array_equal(found[name].scores, picks.scores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("n_micrographs", nargs="*", type=int, default=[1000, 5000])
    parser.add_argument("--whole", action="store_true", help="all masks, minutes")
    arguments = parser.parse_args()
    rows = [
        row
        for n_micrographs in arguments.n_micrographs
        for row in rows_for(n_micrographs, whole=arguments.whole)
    ]
    header = "task,micrographs,rows,one sort,masks,times faster".split(",")
    print(markdown_table(header, rows))


if __name__ == "__main__":
    main()
