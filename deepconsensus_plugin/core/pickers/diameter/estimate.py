# SPDX-License-Identifier: GPL-3.0-or-later
"""Estimate of the diameter of the particles of a set, from its micrographs alone.

The diameter is the longest extent of the particle: of the smallest sphere about its
centre that holds it, as everywhere in this package.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepconsensus_plugin.core.execution import map_ahead
from deepconsensus_plugin.core.io.micrographs import open_micrograph
from deepconsensus_plugin.core.pickers.diameter.looks import TRIALS_A, Scene, look
from deepconsensus_plugin.core.pickers.diameter.network import (
    DiameterNetwork,
    shipped_network,
)
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import BoolArray, FloatArray, Micrograph
from deepconsensus_plugin.core.usable_area.binning import bin_pixels, centre
from deepconsensus_plugin.core.usable_area.contamination import find_by_rule
from deepconsensus_plugin.core.usable_area.finding import find_kinds
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

LOOKED_AT = 5
"""Number of micrographs, spread evenly over the set, that are looked at."""

LEAST_PROBABILITY = 0.5
"""Probability of the diameters about the most likely one from which it is told."""

_SIDE = 1024
"""Least shorter side after binning, pixels, if the micrograph has as many."""

_PIXEL_SIZE_A = 3.5
"""Largest pixel after binning, Å, where micrographs are not larger than `_SIDE`."""

_WINDOW_A = 200.0
"""Diameter of the windows in which areas are compared, before any is known, Å."""

_RESAMPLES = 200
_LEVEL = 0.9
_LEAST_PROBABLE = 1e-3
"""Least probability that one micrograph can give; none of them decides alone."""

DISAGREEMENT = 0.25
"""Share of the given diameter by which the estimate may differ without a word."""


@dataclass(frozen=True)
class DiameterEstimate:
    """Estimated diameter of the particles of a set.

    Parameters
    ----------
    diameter_A : float, optional
        Longest extent, Å; None where it cannot be told.
    low_A, high_A : float
        Interval that holds it with a probability of 0.9, Å; also where it is not told.
    n_micrographs : int
        How many were looked at.
    trials_A, probabilities : list of float
        Trial diameters, and the probability of each; what is left to 1 is that of none
        of them.
    why : str, optional
        Why it is not told, one sentence.
    """

    diameter_A: float | None
    low_A: float
    high_A: float
    n_micrographs: int
    trials_A: list[float] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    why: str | None = None

    def write(self, path: Path) -> None:
        """Write the estimate as JSON."""
        write_json(path, to_plain(self))

    @classmethod
    def read(cls, path: Path) -> DiameterEstimate:
        """Read what `write` wrote; raises FileFormatError."""
        return from_plain(read_json(path), cls, path=path)

    def describe(self) -> str:
        """Return the estimate as a sentence."""
        looked = f"{self.n_micrographs} micrograph{'s' * (self.n_micrographs != 1)}"
        if self.diameter_A is None:
            return f"The diameter cannot be estimated from {looked}: {self.why}."
        return (
            f"Estimated diameter (longest): {self.diameter_A:.0f} Å "
            f"({self.low_A:.0f} – {self.high_A:.0f} Å), from {looked}."
        )

    def describe_disagreement(self, given_A: float) -> str | None:
        """Return a warning where a given diameter is off by more than a quarter."""
        if self.diameter_A is None:
            return None
        if abs(self.diameter_A - given_A) <= DISAGREEMENT * given_A:
            return None
        return (
            f"WARNING: the particle diameter is given as {given_A:.0f} Å, but the "
            f"micrographs look like particles of {self.diameter_A:.0f} Å "
            f"({self.low_A:.0f} – {self.high_A:.0f} Å). Check the diameter and the "
            "pixel size."
        )


def choose_looked_at(micrographs: Sequence[Micrograph]) -> list[Micrograph]:
    """Return the micrographs that are looked at: at most five, spread evenly."""
    chosen = np.linspace(0, len(micrographs) - 1, min(len(micrographs), LOOKED_AT))
    return [micrographs[i] for i in chosen.round().astype(int)]


def estimate_diameter(
    micrographs: Sequence[Micrograph],
    *,
    particles_dark: bool = True,
    workers: int = 2,
    network: DiameterNetwork | None = None,
) -> DiameterEstimate:
    """Return the diameter of the particles of some micrographs.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        At least one; at most five of them, spread evenly, are read.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    workers : int
        Threads.
    network : DiameterNetwork, optional
        None: the one that is part of the package.

    Raises
    ------
    ValueError
        If there is no micrograph.
    """
    if not micrographs:
        raise ValueError("expected micrographs to look at, received none")
    judge = network or shipped_network()

    def judged(micrograph: Micrograph) -> FloatArray:
        scene = scene_of(
            open_micrograph(micrograph.path),
            micrograph.sampling_rate,
            particles_dark=particles_dark,
        )
        return judge.probabilities(look(scene))

    some = choose_looked_at(micrographs)
    return combine(np.stack(list(map_ahead(judged, some, workers=workers))))


def combine(each: FloatArray) -> DiameterEstimate:
    """Return what micrographs tell together.

    Probabilities are averaged as logarithms, so that more micrographs make the answer
    no surer than they are alone, and only what most of them say is told.

    Parameters
    ----------
    each : array, shape (n_micrographs, n_trials + 1)
        Probabilities of trial diameters, and last of none.
    """
    together = _together(each)
    probabilities = together[:-1]
    told, mass = _most_likely(probabilities)
    low, high = _interval(each)
    why = None
    if together[-1] > mass:
        why = "nothing there repeats at one size more than in noise"
    elif mass < LEAST_PROBABILITY:
        why = f"sizes from {low:.0f} to {high:.0f} Å compete"
    return DiameterEstimate(
        told if why is None else None,
        low,
        high,
        len(each),
        TRIALS_A.tolist(),
        probabilities.tolist(),
        why,
    )


def _together(each: FloatArray) -> FloatArray:
    logs = np.log(np.maximum(each, _LEAST_PROBABLE)).mean(axis=0)
    odds = np.exp(logs - logs.max())
    return np.asarray(odds / odds.sum())


def _most_likely(probabilities: FloatArray) -> tuple[float, float]:
    """Return the most likely diameter, between the trials, and its probability."""
    best = int(probabilities.argmax())
    near = slice(max(0, best - 1), best + 2)
    mass = float(probabilities[near].sum())
    octaves = np.average(np.log2(TRIALS_A[near]), weights=probabilities[near])
    return float(2**octaves), mass


def _interval(each: FloatArray) -> tuple[float, float]:
    """Return the range of diameters that redrawn micrographs make likely, Å."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(each), size=(_RESAMPLES, len(each)))
    mean = np.mean([_together(each[rows])[:-1] for rows in drawn], axis=0)
    shares = np.cumsum(mean) / mean.sum()
    # Trial k stands for all diameters to half a step on each side.
    edges = np.log2(TRIALS_A) + math.log2(TRIALS_A[1] / TRIALS_A[0]) / 2
    tail = (1 - _LEVEL) / 2
    octaves = np.interp([tail, 1 - tail], np.append(0, shares), _with_first(edges))
    low, high = (2**octaves).tolist()
    return low, high


def _with_first(edges: FloatArray) -> FloatArray:
    return np.concatenate([edges[:1] - (edges[1] - edges[0]), edges])


def scene_of(
    pixels: NDArray[Any], sampling_rate: float, *, particles_dark: bool = True
) -> Scene:
    """Return a micrograph as it is looked at: binned, particles white, no padding.

    Parameters
    ----------
    pixels : array, shape (rows, columns)
        Any real type; may be memory-mapped.
    sampling_rate : float
        Å/px.
    particles_dark : bool
        Whether particles are darker than their surroundings.
    """
    most = int(_PIXEL_SIZE_A // sampling_rate)
    binning = max(1, min(pixels.shape) // _SIDE, most)
    binned = bin_pixels(pixels, binning)
    kinds = find_kinds(
        binned,
        pixel_size_A=sampling_rate * binning,
        diameter_A=_WINDOW_A,
        find=_find_by_rule,
    )
    is_inside = kinds != AreaKind.PADDING
    inside = _extent(is_inside.any(axis=1)), _extent(is_inside.any(axis=0))
    image, _ = centre(binned[inside])
    sign = np.float32(-1 if particles_dark else 1)
    is_usable = np.asarray(kinds[inside] == AreaKind.USABLE)
    return Scene(sign * image, is_usable, sampling_rate * binning)


def _extent(is_inside: BoolArray) -> slice:
    lines = np.flatnonzero(is_inside)
    return slice(lines[0], lines[-1] + 1) if len(lines) else slice(None)


def _find_by_rule(
    image: NDArray[np.float32],
    has_signal: BoolArray,
    *,
    pixel_size_A: float,
    diameter_A: float,
    particles_dark: bool = True,
) -> NDArray[np.uint8]:
    """Return the kind of each pixel, of any contrast; the rule needs no diameter."""
    return find_by_rule(
        image, has_signal, pixel_size_A=pixel_size_A, diameter_A=diameter_A
    )
