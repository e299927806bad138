# SPDX-License-Identifier: GPL-3.0-or-later
"""Cases: inputs that tell nothing, that mislead, and one that tells enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.consensus.classical import PICKERS
from benchmarks.honesty.case import Case, Sample
from benchmarks.honesty.images import change, inverted, noise, with_random_phases
from benchmarks.sets.simulated_sets import make_set
from deepconsensus_plugin.core import PickParameters, pick
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.pickers.hydra.options import HydraPickOptions
from deepconsensus_plugin.core.pickers.hydra.shipped_model import general_model
from deepconsensus_plugin.core.simulation import Crowd, SimulationParameters
from deepconsensus_plugin.core.types import Micrograph, PickerPicks, ScoredCoordinates
from deepconsensus_plugin.core.workflow.chain import run_deep_consensus
from deepconsensus_plugin.core.workflow.options import DeepConsensusOptions

N_EMPTY = 4
"""Micrographs of the cases without particles."""

_JITTER_PX = 0.3
_LOST_BY_A_COPY = 0.01
_LOST_BY_A_VERSION = 0.1
_N_AGREED = 20

MadeImages = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]


def _without_particles(name: str, made: MadeImages, sample: Sample) -> Case:
    """Return micrographs changed until nothing is left, picked by both pickers."""
    folder = sample.folder / name.replace(" ", "-")
    micrographs = tuple(
        change(each, made, folder / "micrographs")
        for each in sample.simulated.whole.micrographs[:N_EMPTY]
    )
    return _picked(name, micrographs, sample)


def _picked(name: str, micrographs: tuple[Micrograph, ...], sample: Sample) -> Case:
    """Return the case of micrographs without truth, picked by both pickers."""
    whole = sample.simulated.whole
    pickers = tuple(
        pick(
            micrographs,
            PickParameters(whole.diameter_A, method),
            sample.folder / name.replace(" ", "-") / method.value,
            name=picker,
            box_size=whole.box_size,
        )
        for picker, method in PICKERS.items()
    )
    return Case(name, micrographs, pickers, {}, whole.match_radius_px)


def _of_wrong_contrast(sample: Sample) -> Case:
    """Return micrographs whose contrast is not the one that pickers were told."""
    case = _without_particles("contrast inverted", inverted, sample)
    return replace(case, truth=sample.simulated.whole.truth)


def _noise_of_the_shape(
    image: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    return noise((image.shape[0], image.shape[1]), rng)


def _empty_ice(sample: Sample) -> Case:
    name = "empty ice"
    parameters = SimulationParameters(crowd=Crowd(particles_per_micrograph=0), seed=7)
    made = make_set(
        name, parameters, sample.folder / "empty-ice", n_micrographs=N_EMPTY
    )
    return _picked(name, made.good.micrographs, sample)


def _binned(sample: Sample) -> Case:
    """Return picks of micrographs binned by two, imported without a scale."""
    case = sample.case("")
    pickers = (
        _moved(each, lambda yx, rng: yx / 2, each.picker) for each in case.pickers
    )
    return case.of("all pickers binned", *pickers)


def _bad_micrographs(sample: Sample) -> Case:
    """Return the sample with one micrograph of NaN and one of a single value."""
    case = sample.case("one micrograph NaN, one constant")
    folder = sample.folder / "bad"
    values = np.nan, 3.0
    bad = [
        change(each, partial(_filled, value), folder)
        for each, value in zip(case.micrographs, values, strict=False)
    ]
    micrographs = (*bad, *case.micrographs[len(bad) :])
    names = [each.name for each in bad]
    truth = {name: here for name, here in case.truth.items() if name not in names}
    return replace(case, micrographs=micrographs, truth=truth)


def _filled(
    value: float, image: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    del rng
    return np.full_like(image, value)


def _copies(sample: Sample, *, lost: float, jitter_px: float, name: str) -> Case:
    """Return one picker beside a copy that lost and gained a few picks."""
    case = sample.case("")
    original = case.pickers[0]
    return case.of(
        name,
        original,
        _copy(original, "its copy", lost=lost, jitter_px=jitter_px),
    )


def _copy_among_three(sample: Sample) -> Case:
    case = sample.case("")
    copy = _copy(case.pickers[0], "its copy", _LOST_BY_A_COPY, _JITTER_PX)
    return case.of("two pickers and a copy of one", *case.pickers, copy)


def _copy(picker: PickerPicks, name: str, lost: float, jitter_px: float) -> PickerPicks:
    def vary(yx: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        kept = yx[rng.random(len(yx)) >= lost]
        return np.asarray(kept + jitter_px * rng.standard_normal(kept.shape))

    return _moved(picker, vary, name)


def _moved(
    picker: PickerPicks,
    move: Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]],
    name: str,
) -> PickerPicks:
    """Return a picker whose picks are others, without scores."""
    rng = np.random.default_rng(3)
    moved = {
        micrograph: ScoredCoordinates.from_arrays(move(here.yx, rng))
        for micrograph, here in sorted(picker.coordinates.items())
    }
    return PickerPicks(name, picker.box_size, moved)


def _trained_on_consensus(sample: Sample) -> Case:
    """Return a third picker: a network that learnt from what the two agree on."""
    case = sample.case("")
    options = DeepConsensusOptions(
        training=TrainingParameters(n_models=1), fusion_seed=None
    )
    found = run_deep_consensus(
        case.micrographs, case.pickers, options, sample.folder / "network-as-picker"
    )
    chosen = found.candidates.take(found.rows[found.networks.mean >= 0.5])
    learnt = PickerPicks(
        "network trained on both", case.pickers[0].box_size, chosen.coordinates()
    )
    return case.of("two pickers and one trained on them", *case.pickers, learnt)


def _third_picker(name: str, sample: Sample, *, is_adversarial: bool) -> Case:
    """Return both pickers and a third: random places, or what both agree is none."""
    case = sample.case("")
    n_each = round(len(case.pickers[0]) / len(case.micrographs))
    rng = np.random.default_rng(4)
    picks = {}
    for micrograph in case.micrographs:
        high = np.array(micrograph.shape) - 1
        yx = rng.uniform(0, high, (4 * n_each, 2))
        if is_adversarial:
            known = case.pickers[0].coordinates[micrograph.name].yx
            distance = np.linalg.norm(yx[:, None] - known[None], axis=2).min(axis=1)
            yx = yx[distance > 0.5 * case.pickers[0].box_size]
        yx = yx[:n_each]
        picks[micrograph.name] = ScoredCoordinates.from_arrays(yx, rng.random(len(yx)))
    third = PickerPicks(f"{name} picker", case.pickers[0].box_size, picks)
    return case.of(f"two pickers and one that is {name}", *case.pickers, third)


def _few_agreed(sample: Sample) -> Case:
    """Return picks thinned until about twenty are agreed, on two micrographs."""
    case = sample.case("")
    names = tuple(each.name for each in case.micrographs[:2])
    first, second = (_on(each, names) for each in case.pickers)
    share = _N_AGREED / max(len(first), 1)
    thinned = _copy(first, first.picker, lost=1 - share, jitter_px=0.0)
    return case.of("20 agreed boxes", thinned, second, micrographs=names)


def _on(picker: PickerPicks, names: tuple[str, ...]) -> PickerPicks:
    return replace(picker, coordinates={n: picker.coordinates[n] for n in names})


def _three_pickers(sample: Sample) -> Case:
    """Return the sample with a third picker of another principle, which is ample."""
    case = sample.case("")
    general = pick(
        case.micrographs,
        general_model(),
        sample.folder / "general",
        name="general model",
        box_size=sample.simulated.whole.box_size,
        options=HydraPickOptions(particle_diameter_A=sample.simulated.whole.diameter_A),
    )
    three = case.of("three pickers, ample evidence", *case.pickers, general)
    return replace(three, is_ample=True)


def _one_picker(sample: Sample) -> Case:
    case = sample.case("")
    return case.of("one picker", case.pickers[0])


CASES: dict[str, Callable[[Sample], Case]] = {
    "noise": partial(_without_particles, "noise", _noise_of_the_shape),
    "ice": _empty_ice,
    "phases": partial(_without_particles, "random phases", with_random_phases),
    "inverted": _of_wrong_contrast,
    "binned": _binned,
    "bad": _bad_micrographs,
    "copy": partial(
        _copies,
        lost=_LOST_BY_A_COPY,
        jitter_px=_JITTER_PX,
        name="a picker and its copy",
    ),
    "version": partial(
        _copies,
        lost=_LOST_BY_A_VERSION,
        jitter_px=3 * _JITTER_PX,
        name="two versions of one picker",
    ),
    "copy-of-three": _copy_among_three,
    "trained": _trained_on_consensus,
    "useless": partial(_third_picker, "useless", is_adversarial=False),
    "adversarial": partial(_third_picker, "adversarial", is_adversarial=True),
    "few": _few_agreed,
    "one": _one_picker,
    "two": lambda sample: sample.case("two pickers"),
    "ample": _three_pickers,
}
"""Makers of the cases by the word that asks for them."""
