# SPDX-License-Identifier: GPL-3.0-or-later
"""HydraPicker: the thesis' Tables 4.3, 4.6, 4.8 and 4.9 in kind, and real sets.

    make env-topaz
    export DEEPCONSENSUS_DATA=DIR DEEPCONSENSUS_STRUCTURES=DIR
    python -m benchmarks.hydra CORPUS OUT [--parts targets,sources,real]

CORPUS is what `benchmarks.hydra_corpus` made. Figures on its sets are those of boxes as
wide as particles, at an IoU of 0.6; on real sets, of centres one-to-one within 0.25 of
the box. What OUT holds of an earlier run is not computed again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.hydra_corpus import CorpusSet, load_corpus
from benchmarks.hydra_figures import (
    REACH_IN_BOXES,
    evaluate_boxes,
    match_boxes,
    mean_precision_interval,
)
from benchmarks.hydra_rows import (
    CLASSICAL,
    PEERS,
    Picker,
    SetPicker,
    on_test,
)
from benchmarks.hydra_samples import Role
from benchmarks.pickers import SETS, lattice_row
from benchmarks.tables import figure, markdown_table, with_interval
from benchmarks.truth_sets import TruthSet, load_truth_set
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import MatchedPicks, match_picks
from deepconsensus_plugin.core.metrics.lattice import evaluate_blind_lattice

PARTS = ("targets", "sources", "real")


def corpus_table(
    sets: Sequence[CorpusSet], pickers: Mapping[str, SetPicker], folder: Path
) -> str:
    """Return AP and AROC on the test micrographs: one row a set, one column a picker.

    Below them their means, the 95 % interval of the mean AP, and the figures of all
    sets in one: scores of different sets are then set beside each other.
    """
    columns = [
        [_match(each, picker, folder / name / each.name) for each in sets]
        for name, picker in pickers.items()
    ]
    rows = [
        [
            *(each.name, f"{each.diameter_px:.0f}", blind_lattice_f1(each)),
            *(_cell([column[number]]) for column in columns),
        ]
        for number, each in enumerate(sets)
    ]
    mean_lattice = sum(map(blind_lattice_f1, sets)) / len(sets)
    rows.append(["**mean**", "", mean_lattice, *map(_mean_cell, columns)])
    rows.append(["AP, 95 %", "", None, *map(_interval_cell, columns)])
    rows.append(["all in one", "", None, *map(_cell, columns)])
    return markdown_table(["AP / AROC", "px", "lattice F1", *pickers], rows)


def _match(corpus_set: CorpusSet, picker: SetPicker, folder: Path) -> MatchedPicks:
    picks = picker(corpus_set, folder)
    truth = {each.name: corpus_set.truth[each.name] for each in corpus_set.test}
    return match_boxes(picks, truth, side_px=corpus_set.diameter_px)


def _cell(matched: Sequence[MatchedPicks]) -> str:
    found = evaluate_boxes(matched)
    return f"{figure(found.average_precision)} / {figure(found.area_under_roc)}"


def _mean_cell(matched: Sequence[MatchedPicks]) -> str:
    found = [evaluate_boxes([each]) for each in matched]
    precision = sum(each.average_precision for each in found) / len(found)
    area = sum(each.area_under_roc for each in found) / len(found)
    return f"{figure(precision)} / {figure(area)}"


def _interval_cell(matched: Sequence[MatchedPicks]) -> str:
    interval = mean_precision_interval(matched)
    return f"{figure(interval.low)} – {figure(interval.high)}"


def blind_lattice_f1(corpus_set: CorpusSet) -> float:
    """Return what a lattice that never saw the images reaches within 0.25 of boxes."""
    shapes = {each.name: each.shape for each in corpus_set.test}
    found = evaluate_blind_lattice(
        {name: corpus_set.truth[name] for name in shapes},
        shapes,
        box_size=corpus_set.diameter_px,
        radius_px=REACH_IN_BOXES * corpus_set.diameter_px,
    )
    return found.f1


def real_table(name: str, pickers: Mapping[str, Picker], folder: Path) -> str:
    """Return one row a picker on a real set, the blind lattice last."""
    truth_set = load_truth_set(name, folder)
    rows = [
        [picker, *_real_figures(truth_set, pick, folder / picker / name)]
        for picker, pick in pickers.items()
    ]
    (real,) = (each for each in SETS if each.folder == name)
    blind = lattice_row(real)
    rows.append(["blind lattice", None, blind[4], *blind[2:4], None, blind[1]])
    header = "picker,AP (95 %),best F1,precision,recall,at score,picks"
    return markdown_table(header.split(","), rows)


def _real_figures(truth_set: TruthSet, picker: Picker, folder: Path) -> list[object]:
    picks = picker(truth_set.micrographs, truth_set.diameter_A, folder)
    matched = match_picks(picks, truth_set.truth, radius_px=truth_set.match_radius_px)
    found = summarise_matches(matched)
    interval = mean_precision_interval([matched])
    best = summarise_matches(
        match_picks(
            picks,
            truth_set.truth,
            radius_px=truth_set.match_radius_px,
            threshold=found.best_f1_threshold,
        )
    )
    return [
        with_interval(found.average_precision, interval.low, interval.high),
        *(best.f1, best.precision, best.recall),
        *(found.best_f1_threshold, best.n_accepted),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    asked = parser.parse_args()
    parts = asked.parts.split(",")
    untrained = CLASSICAL | PEERS
    for role in (Role.TARGET, Role.SOURCE):
        if f"{role.value}s" in parts:
            sets = load_corpus(asked.corpus, role)
            print(f"### {role.value.capitalize()}s\n")
            pickers = {name: on_test(picker) for name, picker in untrained.items()}
            print(corpus_table(sets, pickers, asked.folder), end="\n\n", flush=True)
    if "real" in parts:
        for real in SETS:
            print(f"### {real.folder}\n")
            rows = real_table(real.folder, untrained, asked.folder)
            print(rows, end="\n\n", flush=True)


if __name__ == "__main__":
    main()
