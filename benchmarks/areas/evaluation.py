# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of masks against the truth of simulated micrographs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from benchmarks.areas.examples import Example
from deepconsensus_plugin.core.types import BoolArray
from deepconsensus_plugin.core.usable_area.kinds import AreaKind

JUNK = (AreaKind.CARBON, AreaKind.ICE, AreaKind.CONTAMINATION)
MOST_PARTICLES_LOST = 0.004
"""Share of particles that a threshold may lose where it is chosen."""


_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98)


@dataclass
class MaskFigures:
    """Counts of pixels and particles, and what they come to.

    Parameters
    ----------
    n_both, n_either : int
        Pixels that are contamination in mask and truth, and in one of them at least.
    n_found, n_true : dict of AreaKind to int
        Pixels of each kind: masked, whatever the mask calls them, and all.
    n_named : dict of AreaKind to int
        Pixels of each kind that the mask calls so.
    n_lost, n_particles : int
        Particles on usable area: masked, and all.
    """

    n_both: int = 0
    n_either: int = 0
    n_found: dict[AreaKind, int] = field(default_factory=lambda: dict.fromkeys(JUNK, 0))
    n_named: dict[AreaKind, int] = field(default_factory=lambda: dict.fromkeys(JUNK, 0))
    n_true: dict[AreaKind, int] = field(default_factory=lambda: dict.fromkeys(JUNK, 0))
    n_lost: int = 0
    n_particles: int = 0

    @property
    def iou(self) -> float:
        """Intersection over union of contamination, over all micrographs together."""
        return self.n_both / max(self.n_either, 1)

    @property
    def share_lost(self) -> float:
        """Share of the particles on usable area that the mask covers."""
        return self.n_lost / max(self.n_particles, 1)

    def add(self, example: Example, kinds: NDArray[np.uint8]) -> None:
        """Count the mask of one more micrograph; `kinds` is of the shape of its image.

        Kinds that are no contamination, such as padding, count as contamination too:
        they take area away.
        """
        is_masked = kinds != AreaKind.USABLE
        is_junk = example.kinds != AreaKind.USABLE
        self.n_both += int((is_masked & is_junk).sum())
        self.n_either += int((is_masked | is_junk).sum())
        for kind in JUNK:
            is_kind = example.kinds == kind
            self.n_true[kind] += int(is_kind.sum())
            self.n_found[kind] += int((is_kind & is_masked).sum())
            self.n_named[kind] += int((is_kind & (kinds == kind)).sum())
        rows, columns = pixels_at(example)
        on_usable = ~is_junk[rows, columns]
        self.n_particles += int(on_usable.sum())
        self.n_lost += int((is_masked[rows, columns] & on_usable).sum())

    def row(self, name: str) -> list[str]:
        """Return the cells of a table."""
        recalls = [
            f"{found[kind] / self.n_true[kind]:.2f}" if self.n_true[kind] else "–"
            for kind in JUNK
            for found in (self.n_found,)
        ]
        return [name, f"{self.iou:.3f}", *recalls, f"{100 * self.share_lost:.2f} %"]


HEADER = (
    "mask",
    "IoU",
    *(f"{kind.label}: recall" for kind in JUNK),
    "particles lost",
)


def pixels_at(example: Example) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of an example's particles."""
    last = np.array(example.image.shape) - 1
    at = np.clip(np.rint(example.particles_yx), 0, last).astype(np.intp)
    return at[:, 0], at[:, 1]


def figures_of(
    examples: Iterable[Example], mask: Callable[[Example], NDArray[np.uint8]]
) -> MaskFigures:
    """Return the figures of a way to make masks."""
    figures = MaskFigures()
    for example in examples:
        figures.add(example, mask(example))
    return figures


def choose_threshold(
    examples: Sequence[Example], probabilities: Sequence[NDArray[np.float32]]
) -> float:
    """Return the threshold of best IoU among those that lose few enough particles."""
    best, chosen = -1.0, _THRESHOLDS[-1]
    for threshold in _THRESHOLDS:
        figures = MaskFigures()
        for example, probability in zip(examples, probabilities, strict=True):
            is_masked: BoolArray = probability >= threshold
            kinds = np.where(is_masked, AreaKind.CONTAMINATION, AreaKind.USABLE)
            figures.add(example, kinds.astype(np.uint8))
        if figures.share_lost <= MOST_PARTICLES_LOST and figures.iou > best:
            best, chosen = figures.iou, threshold
        print(
            f"threshold {threshold:.2f}: IoU {figures.iou:.3f}, "
            f"particles lost {100 * figures.share_lost:.2f} %"
        )
    return chosen
