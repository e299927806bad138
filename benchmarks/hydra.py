# SPDX-License-Identifier: GPL-3.0-or-later
"""HydraPicker: the thesis' Tables 4.3, 4.6, 4.8 and 4.9 in kind, and real sets.

    make env-topaz
    export DEEPCONSENSUS_DATA=DIR DEEPCONSENSUS_STRUCTURES=DIR
    python -m benchmarks.hydra CORPUS OUT [--model DIR] [--one-head DIR] [--short]
        [--parts targets,sources,speed,real] [--peers [NAME …]] [--untrained]

CORPUS is what `benchmarks.hydra_corpus` made. Figures on its sets are those of boxes as
wide as particles, at an IoU of 0.6; on real sets, of centres one-to-one within 0.25 of
the box. The general model is the package's own, which has no other head, or that of
`benchmarks.hydra_general`; ``--one-head`` names one that had one head for all sources
to the end. What OUT holds of an earlier run is not computed again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
    PEER_MODELS,
    Picker,
    SetPicker,
    on_test,
    peers,
    pick_with_hydra,
    when_trained,
    with_own_head,
)
from benchmarks.hydra_samples import Role
from benchmarks.hydra_speed import speed_table
from benchmarks.pickers import SETS, lattice_row
from benchmarks.speed import describe_machine
from benchmarks.tables import figure, markdown_table, with_interval
from benchmarks.truth_sets import TruthSet, load_truth_set
from deepconsensus_plugin.core.metrics import summarise_matches
from deepconsensus_plugin.core.metrics.detections import MatchedPicks, match_picks
from deepconsensus_plugin.core.metrics.lattice import evaluate_blind_lattice
from deepconsensus_plugin.core.models.general import general_model
from deepconsensus_plugin.core.models.kinds import load_card_of
from deepconsensus_plugin.core.models.picker_card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraParameters

PARTS = ("targets", "sources", "speed", "real")


@dataclass(frozen=True)
class Plan:
    """How long is learnt on a target.

    Parameters
    ----------
    alone, few : HydraParameters
        From nothing; with a general model's body.
    """

    alone: HydraParameters
    few: HydraParameters


FULL = Plan(
    alone=HydraParameters(n_epochs=12, n_updates=100, restart_epochs=12),
    few=HydraParameters(n_epochs=6, n_updates=50, restart_epochs=6),
)
SHORT = Plan(
    alone=HydraParameters(n_epochs=3, n_updates=50, restart_epochs=3),
    few=HydraParameters(n_epochs=2, n_updates=25, restart_epochs=2),
)


COMPARED = (
    ("specialised", "general"),
    ("general", "one head"),
    ("zero-shot", "alone"),
    ("few-shot", "zero-shot"),
    ("few-shot", "one head, few-shot"),
)
"""Pairs of pickers: whether the first is better, micrograph by micrograph."""

Matches = Mapping[str, Sequence[MatchedPicks]]
"""By picker, one for each set."""


def match_all(
    sets: Sequence[CorpusSet], pickers: Mapping[str, SetPicker], folder: Path
) -> Matches:
    """Pick the test micrographs of all sets, and match what is found."""
    return {
        name: [_match(each, picker, folder / name / each.name) for each in sets]
        for name, picker in pickers.items()
    }


def corpus_table(sets: Sequence[CorpusSet], matches: Matches) -> str:
    """Return AP and AROC on the test micrographs: one row a set, one column a picker.

    Below them their means, the 95 % interval of the mean AP, and the figures of all
    sets in one: scores of different sets are then set beside each other.
    """
    columns = list(matches.values())
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
    return markdown_table(["AP / AROC", "px", "lattice F1", *matches], rows)


def differences(matches: Matches) -> str:
    """Return by how much mean APs differ, with the interval of the difference."""
    rows = []
    for better, other in COMPARED:
        if better in matches and other in matches:
            interval = mean_precision_interval(matches[better], matches[other])
            by = _mean_precision(matches[better]) - _mean_precision(matches[other])
            bounds = f"{interval.low:+.3f} – {interval.high:+.3f}"
            rows.append([f"{better} − {other}", f"{by:+.3f}", bounds])
    return markdown_table(["difference of mean AP", "", "95 %"], rows) if rows else ""


def _mean_precision(matched: Sequence[MatchedPicks]) -> float:
    return sum(evaluate_boxes([m]).average_precision for m in matched) / len(matched)


def _match(corpus_set: CorpusSet, picker: SetPicker, folder: Path) -> MatchedPicks:
    picks = picker(corpus_set, folder)
    truth = {each.name: corpus_set.truth[each.name] for each in corpus_set.test}
    return match_boxes(picks, truth, side_px=corpus_set.diameter_px)


def _cell(matched: Sequence[MatchedPicks]) -> str:
    found = evaluate_boxes(matched)
    return f"{figure(found.average_precision)} / {figure(found.area_under_roc)}"


def _mean_cell(matched: Sequence[MatchedPicks]) -> str:
    area = sum(evaluate_boxes([m]).area_under_roc for m in matched) / len(matched)
    return f"{figure(_mean_precision(matched))} / {figure(area)}"


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


def target_pickers(
    plan: Plan, model: Path | None, one_head: Path | None
) -> dict[str, SetPicker]:
    """Return the HydraPickers that pick targets: Tables 4.6, 4.8 and 4.9."""
    pickers = {"alone": when_trained(plan.alone)}
    if model is not None:
        zero_shot = partial(pick_with_hydra, model=model)
        pickers |= {
            "zero-shot": on_test(zero_shot),
            "few-shot": when_trained(plan.few, model),
        }
    if one_head is not None:
        zero_shot = partial(pick_with_hydra, model=one_head)
        pickers |= {
            "one head, zero-shot": on_test(zero_shot),
            "one head, few-shot": when_trained(plan.few, one_head),
        }
    return pickers


def source_pickers(model: Path | None, one_head: Path | None) -> dict[str, SetPicker]:
    """Return the HydraPickers that pick sources' test micrographs: Table 4.3."""
    pickers: dict[str, SetPicker] = {}
    if one_head is not None:
        pickers["one head"] = on_test(partial(pick_with_hydra, model=one_head))
    if model is not None:
        pickers["general"] = on_test(partial(pick_with_hydra, model=model))
        if len(load_card_of(model, HydraCard).heads) > 1:
            pickers["specialised"] = with_own_head(model)
    return pickers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, help="default: the package's, if it has")
    parser.add_argument("--one-head", type=Path)
    parser.add_argument("--short", action="store_true", help="two sets, little learnt")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument(
        "--peers", nargs="*", default=PEER_MODELS[:1], help=", ".join(PEER_MODELS)
    )
    parser.add_argument("--untrained", action="store_true", help="without HydraPicker")
    asked = parser.parse_args()
    parts, model = asked.parts.split(","), asked.model or shipped_model()
    others = CLASSICAL | peers(asked.peers)
    for role in (Role.TARGET, Role.SOURCE):
        if f"{role.value}s" in parts:
            sets = load_corpus(asked.corpus, role)[: 2 if asked.short else None]
            pickers = _pickers(role, others, model, asked)
            matches = match_all(sets, pickers, asked.folder)
            print(f"### {role.value.capitalize()}s\n\n{corpus_table(sets, matches)}\n")
            print(differences(matches), flush=True)
    if "speed" in parts and model is not None:
        print(f"### Speed\n\n{describe_machine()}\n")
        print(speed_table(model, asked.folder / "speed"), end="\n\n", flush=True)
    if model is not None and not asked.untrained:
        others = others | {"zero-shot": partial(pick_with_hydra, model=model)}
    for each in SETS if "real" in parts else ():
        print(f"### {each.folder}\n")
        print(real_table(each.folder, others, asked.folder), end="\n\n", flush=True)


def _pickers(
    role: Role,
    others: Mapping[str, Picker],
    model: Path | None,
    asked: argparse.Namespace,
) -> dict[str, SetPicker]:
    pickers = {name: on_test(each) for name, each in others.items()}
    if asked.untrained:
        return pickers
    if role is Role.SOURCE:
        return pickers | source_pickers(model, asked.one_head)
    plan = SHORT if asked.short else FULL
    return pickers | target_pickers(plan, model, asked.one_head)


def shipped_model() -> Path | None:
    """Return the general model of the package, if it comes with one."""
    try:
        return general_model()
    except FileNotFoundError:
        return None


if __name__ == "__main__":
    main()
