# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of the masks on scenes to test on, the demonstration, and real micrographs.

The rule is `find_area` without a network, *package* the same with it. Real sets have no
truth of contamination: what the masks cover is shown beside the share of true particles
that they lose. docs/mask_network.md says which decisions they guided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.areas.evaluation import HEADER, MaskFigures
from benchmarks.areas.examples import Example, make_examples, read_or_make
from benchmarks.areas.masks import network_mask, package_mask, rule_mask
from benchmarks.areas.scenes import Split
from benchmarks.sets.picking_sets import SETS, PickingSet, load
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.pickers.classical.parameters import PickParameters
from deepconsensus_plugin.core.pickers.classical.picking import score_peaks
from deepconsensus_plugin.core.pickers.classical.working_image import (
    prepare_for_filters,
)
from deepconsensus_plugin.core.simulation import SimulationParameters
from deepconsensus_plugin.core.usable_area.contaminant_network import (
    ContaminantNetwork,
    read_network,
)
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

DEMO_SEEDS = (1, 2, 3)
_DEMO_DIAMETER_A = 160.0

Mask = NDArray[np.uint8]


Masks = Mapping[str, Callable[[Example], Mask]]


def compared_masks(network: ContaminantNetwork) -> Masks:
    """Return the masks that are compared, by name."""
    return {
        "rule": rule_mask,
        "network": lambda example: network_mask(example, network),
        "package": lambda example: package_mask(example, network),
    }


def print_figures(folder: Path, model: Path, n_test: int, n_demo: int) -> None:
    """Print all tables; simulated micrographs are kept in `folder`."""
    masks = compared_masks(read_network(model))
    print(
        _simulated_table(
            "Scenes to test on", make_examples(folder, Split.TEST, n_test), masks
        )
    )
    demo = list(_demonstration(folder, n_demo))
    print(_simulated_table("Demonstration, seeds 1 - 3", demo, masks))
    print(_places_table(demo, masks))
    for picking in SETS:
        print(_real_table(picking, masks))


def _demonstration(folder: Path, n: int) -> Iterator[Example]:
    for seed in DEMO_SEEDS:
        parameters = SimulationParameters(seed=seed)
        for index in range(n):
            path = folder / f"demo_{seed}_{index:02d}.npz"
            example = read_or_make(path, parameters, index)
            yield replace(example, diameter_A=_DEMO_DIAMETER_A)


def _simulated_table(title: str, examples: Iterable[Example], masks: Masks) -> str:
    figures = {name: MaskFigures() for name in masks}
    n_micrographs = 0
    for example in examples:
        n_micrographs += 1
        for name, mask in masks.items():
            figures[name].add(example, mask(example))
    rows = [figures[name].row(name) for name in masks]
    any_figures = figures["rule"]
    junk = sum(any_figures.n_true.values())
    return (
        f"\n{title}: {n_micrographs} micrographs, {any_figures.n_particles} particles "
        f"on usable area, {junk / 1e6:.1f} million pixels of contamination\n\n"
        + markdown_table(list(HEADER), rows)
    )


def _places_table(examples: Sequence[Example], masks: Masks) -> str:
    """Return how many of the picks that lie on contamination each mask catches."""
    on_junk = dict.fromkeys((*masks, "picks"), 0)
    on_usable = dict.fromkeys((*masks, "picks"), 0)
    for example in examples:
        working = prepare_for_filters(
            example.image,
            sampling_rate=example.pixel_size_A,
            diameter_A=example.diameter_A,
            avoid_contamination=False,
        )
        parameters = PickParameters(example.diameter_A)
        picks = working.to_micrograph(score_peaks(working, parameters, None))
        best = np.argsort(-picks.scores)[: len(example.particles_yx)]
        rows, columns = np.rint(picks.yx[best]).astype(int).T
        is_junk = example.kinds[rows, columns] != AreaKind.USABLE
        on_junk["picks"] += int(is_junk.sum())
        on_usable["picks"] += int((~is_junk).sum())
        for name, mask in masks.items():
            is_masked = mask(example)[rows, columns] != AreaKind.USABLE
            on_junk[name] += int((is_masked & is_junk).sum())
            on_usable[name] += int((is_masked & ~is_junk).sum())
    counts = [
        [
            name,
            f"{on_junk[name]} of {on_junk['picks']}",
            f"{on_usable[name]} of {on_usable['picks']}",
        ]
        for name in masks
    ]
    header = ["mask", "picks on contamination: caught", "other picks: masked"]
    return (
        "\nPicks of the difference of Gaussians, as many as there are particles\n\n"
        + markdown_table(header, counts)
    )


def _real_table(picking: PickingSet, masks: Masks) -> str:
    micrographs, truth = load(picking)
    figures = {name: MaskFigures() for name in masks}
    covered = dict.fromkeys(masks, 0.0)
    for micrograph in micrographs:
        image = np.asarray(open_micrograph(micrograph.path), np.float32)
        example = Example(
            image,
            np.zeros(image.shape, np.uint8),
            truth[micrograph.name].yx,
            picking.sampling_rate,
            picking.diameter_A,
        )
        for name, mask in masks.items():
            kinds = mask(example)
            figures[name].add(example, kinds)
            covered[name] += float((kinds != AreaKind.USABLE).mean())
    rows = [
        [
            name,
            f"{100 * covered[name] / len(micrographs):.1f} %",
            f"{figures[name].n_lost} of {figures[name].n_particles}",
            f"{100 * figures[name].share_lost:.2f} %",
        ]
        for name in masks
    ]
    header = ["mask", "area covered", "true particles lost", "share"]
    title = f"{picking.folder}: {len(micrographs)} micrographs"
    return f"\n{title}\n\n" + markdown_table(header, rows)
