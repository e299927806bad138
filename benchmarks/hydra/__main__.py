# SPDX-License-Identifier: GPL-3.0-or-later
"""HydraPicker: the thesis' Tables 4.3, 4.6, 4.8 and 4.9 in kind, and real sets.

    make env-topaz
    export DEEPCONSENSUS_DATA=DIR DEEPCONSENSUS_STRUCTURES=DIR
    python -m benchmarks.hydra CORPUS OUT [--model DIR] [--one-head DIR] [--short]
        [--parts targets,sources,speed,real,tuned,thresholds] [--peers [NAME …]]
        [--untrained]

CORPUS is what `benchmarks.hydra.corpus` made. Figures on its sets are those of boxes as
wide as particles, at an IoU of 0.6; on real sets, of centres one-to-one within 0.25 of
the box. The general model is the package's own, which has no other head, or that of
`benchmarks.hydra.general`; ``--one-head`` names one that had one head for all sources
to the end. What OUT holds of an earlier run is not computed again.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from benchmarks.hydra.corpus import load_corpus
from benchmarks.hydra.rows import (
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
from benchmarks.hydra.samples import Role
from benchmarks.hydra.speed import speed_table
from benchmarks.hydra.tables import (
    corpus_table,
    differences,
    match_all,
    real_table,
    tuned_table,
)
from benchmarks.hydra.thresholds import threshold_table
from benchmarks.sets.picking_sets import SETS
from benchmarks.sets.truth_sets import load_truth_set
from benchmarks.speed.ratios import describe_machine
from deepconsensus_plugin.core.methods import load_card_of
from deepconsensus_plugin.core.pickers.hydra.card import HydraCard
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraParameters
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model

PARTS = ("targets", "sources", "speed", "real", "tuned", "thresholds")


FULL = HydraParameters(n_epochs=6, n_updates=50, restart_epochs=6)
SHORT = HydraParameters(n_epochs=2, n_updates=25, restart_epochs=2)
"""How long is learnt on a target, whether from nothing or with a general body."""


def target_pickers(
    plan: HydraParameters, model: Path | None, one_head: Path | None
) -> dict[str, SetPicker]:
    """Return the HydraPickers that pick targets: Tables 4.6, 4.8 and 4.9."""
    pickers: dict[str, SetPicker] = {}
    if model is not None:
        pickers |= {
            "zero-shot": on_test(partial(pick_with_hydra, model=model)),
            "few-shot": when_trained(plan, model),
        }
    if one_head is not None:
        pickers |= {
            "one head, zero-shot": on_test(partial(pick_with_hydra, model=one_head)),
            "one head, few-shot": when_trained(plan, one_head),
        }
    return pickers | {"alone": when_trained(plan)}


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
    if "tuned" in parts and model is not None:
        pickers = target_pickers(SHORT if asked.short else FULL, model, None)
        for each in SETS:
            print(f"### {each.folder}, its first half learnt\n")
            print(tuned_table(each.folder, pickers, asked.folder), end="\n\n")
    if "thresholds" in parts and model is not None:
        targets = load_corpus(asked.corpus, Role.TARGET)
        real = [load_truth_set(each.folder, asked.folder) for each in SETS]
        print("### Thresholds\n")
        print(threshold_table(model, [*targets, *real], asked.folder), flush=True)


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
