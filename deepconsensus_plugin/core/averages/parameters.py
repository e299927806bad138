# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of averages, declared once."""

from __future__ import annotations

from dataclasses import dataclass, field

from deepconsensus_plugin.core.declared import Declared, declare

SIZE = 40
"""Side of reduced boxes, pixels."""
FEWEST_BOXES = 200
"""Candidates below which averages tell nothing reliable."""
MOST_RINGS = 12
"""Rings in alignment: an eighth of the diameter, or the resolution if it is lower."""

_BOXES_PER_AVERAGE = 40
_FEWEST_AVERAGES, _MOST_AVERAGES = 4, 32


@dataclass(frozen=True)
class AveragesParameters(Declared):
    """Parameters of reference-free averages."""

    n_averages: int | None = field(
        default=None,
        metadata=declare(
            "Number of averages",
            "How many averages the candidates are sorted into. Averages of very few "
            "boxes are dropped, so that fewer can be left.",
            auto=f"one for {_BOXES_PER_AVERAGE} candidates, {_FEWEST_AVERAGES} to "
            f"{_MOST_AVERAGES}",
            ge=2,
        ),
    )
    resolution_A: float = field(
        default=20.0,
        metadata=declare(
            "Resolution limit",
            "Finer detail is not used in the alignment, nor any finer than a "
            "twelfth of the box.",
            unit="Å",
            is_expert=True,
            gt=0,
        ),
    )
    sample: int = field(
        default=20000,
        metadata=declare(
            "Largest sample",
            "Candidates from which averages are made; all others are compared with "
            "these averages afterwards.",
            is_expert=True,
            ge=FEWEST_BOXES,
        ),
    )
    seed: int = field(
        default=0,
        metadata=declare(
            "Random seed", "Seed of the first averages.", is_expert=True, ge=0
        ),
    )

    def averages_for(self, n_boxes: int) -> int:
        """Return the number of averages to begin with for so many boxes."""
        if self.n_averages is not None:
            return min(self.n_averages, n_boxes)
        fitting = n_boxes // _BOXES_PER_AVERAGE
        return min(max(fitting, _FEWEST_AVERAGES), _MOST_AVERAGES, n_boxes)

    def rings_for(self, box_A: float, finest_A: float = 0.0) -> int:
        """Return the number of rings that show the resolution in boxes of this side.

        `finest_A` is the finest detail that the micrographs hold, Å.
        """
        rings = max(3, min(MOST_RINGS, round(box_A / self.resolution_A)))
        return min(rings, rings_within(box_A, finest_A))

    def aligned_A(self, box_A: float, finest_A: float = 0.0) -> float:
        """Return the finest detail that boxes of this side are aligned by, Å."""
        return box_A / self.rings_for(box_A, finest_A)


def rings_within(box_A: float, finest_A: float) -> int:
    """Return the number of rings as coarse as some detail, or coarser, at least one.

    Boxes of fewer pixels than `SIZE` are enlarged: beyond the detail of the micrograph
    there is nothing in them, on which two halves then agree.
    """
    most = SIZE // 2
    return max(1, most if finest_A <= 0 else min(most, int(box_A / finest_A + 1e-6)))
