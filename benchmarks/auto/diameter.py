# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimated diameters beside true ones: real and simulated sets, noise, two sizes.

    export DEEPCONSENSUS_DATA=DIR DEEPCONSENSUS_STRUCTURES=DIR
    python -m benchmarks.auto.diameter OUT [--sets NAME …]

Prints a Markdown table: each set whole, with pixels twice as large, its first and last
micrograph alone, and with randomised phases. `two sizes` holds two molecules, as many
of each; its truth is that there is no one diameter. What OUT holds is not made again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.hydra.corpus import REDUCED, load_corpus
from benchmarks.hydra.corpus import make_set as make_corpus_set
from benchmarks.hydra.samples import SAMPLES, Role
from benchmarks.sets.picking_sets import SETS, load
from benchmarks.sets.simulated_sets import make_set
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.io.pixel_types import PixelType, write_micrograph
from deepconsensus_plugin.core.null_control.phases import randomise_phases
from deepconsensus_plugin.core.pickers.diameter.estimate import (
    choose_looked_at,
    estimate_diameter,
)
from deepconsensus_plugin.core.simulation import (
    Phantom,
    SimulationParameters,
    Structure,
)
from deepconsensus_plugin.core.simulation.library import load_library
from deepconsensus_plugin.core.types import Micrograph
from deepconsensus_plugin.core.usable_area.binning import bin_pixels

LONGEST_A = {"apoferritin": 120.0, "empiar10017": 180.0}
"""Longest extents of the real molecules: apoferritin, β-galactosidase."""

PHANTOMS = (Phantom.TETRAMER, Phantom.BARREL, Phantom.SHELL, Phantom.TWO_LOBES)
TWO_SIZES = (Phantom.GLOBULE, Phantom.BARREL)
TARGETS = tuple(each.name for each in SAMPLES if each.role is Role.TARGET)
NAMES = (*LONGEST_A, *TARGETS, *(each.value for each in PHANTOMS), "two sizes")

RIGHT = 0.15
N_SIMULATED = 4
HEADER = ("set", "micrographs", "true Å", "estimate Å", "90 %", "off", "right", "CPU s")


@dataclass(frozen=True)
class SizedSet:
    """Micrographs of one particle, and its longest extent; None where there is none."""

    name: str
    micrographs: tuple[Micrograph, ...]
    diameter_A: float | None


def load_sized(name: str, folder: Path) -> SizedSet:
    """Return a set of `NAMES`; what is simulated is made in `folder`."""
    if name in LONGEST_A:
        picking = next(each for each in SETS if each.folder == name)
        return SizedSet(name, load(picking)[0], LONGEST_A[name])
    if name in TARGETS:
        sample = next(each for each in SAMPLES if each.name == name)
        make_corpus_set(sample, REDUCED, folder / "corpus" / name)
        found = next(s for s in load_corpus(folder / "corpus") if s.name == name)
        return SizedSet(name, (*found.train, *found.test), found.diameter_A)
    phantoms = TWO_SIZES if name == "two sizes" else (Phantom(name),)
    parameters = SimulationParameters(
        structures=tuple(map(Structure, phantoms)), seed=5
    )
    made = make_set(name, parameters, folder / "sets" / name, n_micrographs=N_SIMULATED)
    true = load_library(parameters).diameter_A if len(phantoms) == 1 else None
    return SizedSet(name, made.whole.micrographs, true)


def variants(sized: SizedSet, folder: Path) -> Iterator[SizedSet]:
    """Yield a set and what is made of it: binned, single micrographs, noise."""
    yield sized
    some = tuple(choose_looked_at(sized.micrographs))
    binned = tuple(_binned(each, folder / "binned" / sized.name) for each in some)
    yield SizedSet(f"{sized.name}, binned by 2", binned, sized.diameter_A)
    for number in (0, -1):
        alone = sized.micrographs[number]
        yield SizedSet(f"{sized.name}, {alone.path.stem}", (alone,), sized.diameter_A)
    noise = tuple(_noise(each, folder / "noise" / sized.name) for each in some)
    yield SizedSet(f"{sized.name}, random phases", noise, None)


def _binned(micrograph: Micrograph, folder: Path) -> Micrograph:
    pixels = bin_pixels(open_micrograph(micrograph.path), 2)
    return _kept(micrograph, folder, pixels, 2 * micrograph.sampling_rate)


def _noise(micrograph: Micrograph, folder: Path) -> Micrograph:
    pixels = open_micrograph(micrograph.path)
    noise = randomise_phases(np.asarray(pixels), np.random.default_rng(0))
    return _kept(micrograph, folder, noise, micrograph.sampling_rate)


def _kept(
    micrograph: Micrograph, folder: Path, pixels: np.ndarray, rate: float
) -> Micrograph:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{micrograph.path.stem}.mrc"
    write_micrograph(path, pixels, PixelType.FLOAT32, sampling_rate=rate)
    return replace(
        micrograph, name=path.name, path=path, shape=pixels.shape, sampling_rate=rate
    )


def row(sized: SizedSet) -> list[object]:
    """Return the row of a set, under `HEADER`."""
    started = time.process_time()
    estimate = estimate_diameter(sized.micrographs, workers=1)
    seconds = time.process_time() - started
    told, true = estimate.diameter_A, sized.diameter_A
    off = None if told is None or true is None else told / true - 1
    is_right = told is None if true is None else off is not None and abs(off) <= RIGHT
    return [
        sized.name,
        estimate.n_micrographs,
        "none" if true is None else f"{true:.0f}",
        f"not told ({estimate.why})" if told is None else f"{told:.0f}",
        f"{estimate.low_A:.0f} – {estimate.high_A:.0f}",
        "" if off is None else f"{off:+.0%}",
        "yes" if is_right else ("not told" if told is None else "**no**"),
        f"{seconds:.1f}",
    ]


def main(words: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", nargs="*", default=NAMES)
    parser.add_argument("--whole", action="store_true", help="no variants of sets")
    asked = parser.parse_args(words)
    rows = []
    for name in asked.sets:
        sized = load_sized(name, asked.folder)
        for each in [sized] if asked.whole else variants(sized, asked.folder):
            rows.append(row(each))
            print(markdown_table(HEADER, rows[-1:]).splitlines()[-1], flush=True)
    print(f"\n{markdown_table(HEADER, rows)}")


if __name__ == "__main__":
    main()
