# SPDX-License-Identifier: GPL-3.0-or-later
"""Streaming: what was done of a stream of micrographs, and what is ready next.

While several pickers work, each at its own pace, micrographs are taken in by batches,
networks are trained on all that was taken in, again whenever the agreed particles have
doubled, and the batches are scored. What was done is one small file, so that a killed
run goes on after it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)

GROWTH = 2.0
"""Networks are trained again when the agreed particles have grown so many times."""


@dataclass(frozen=True)
class StreamRules(Declared):
    """Rules of a stream: when its input is looked at, and when work on it begins."""

    wait_s: int = field(
        default=10,
        metadata=declare(
            "Polling interval",
            "Time between two looks for new micrographs and picks.",
            unit="s",
            is_expert=True,
            ge=1,
        ),
    )
    batch_size: int = field(
        default=5,
        metadata=declare(
            "Micrographs per batch",
            "Minimum number of new micrographs, finished by all pickers, that are "
            "scored in one batch.",
            is_expert=True,
            ge=1,
        ),
    )
    first_positives: int = field(
        default=500,
        metadata=declare(
            "Particles for the first training",
            "The networks are trained for the first time when pickers agree on "
            "this many particles, and again, from where they are, whenever that "
            "number has doubled.",
            is_expert=True,
            ge=1,
        ),
    )


@dataclass(frozen=True)
class StreamInput:
    """One of the inputs of a stream.

    Parameters
    ----------
    observed : collection of str
        Micrographs that it is done with.
    is_open : bool
        Whether it may still grow.
    """

    observed: Collection[str]
    is_open: bool


def ready_micrographs(names: Iterable[str], inputs: Sequence[StreamInput]) -> list[str]:
    """Return those of `names`, in their order, that no input has anything to add to.

    Each input has either observed the micrograph or is closed.
    """
    return [
        name
        for name in names
        if all(name in each.observed or not each.is_open for each in inputs)
    ]


@dataclass(frozen=True)
class StreamBatch:
    """Micrographs that were taken in together.

    Parameters
    ----------
    micrographs : list of str
        Their names.
    n_candidates, n_agreed : int
        Numbers of candidates there, and of agreed ones.
    """

    micrographs: list[str]
    n_candidates: int
    n_agreed: int


@dataclass(frozen=True)
class StreamProgress:
    """Progress of a stream so far.

    Parameters
    ----------
    batches : list of StreamBatch
        Taken in, in their order.
    n_scored : int
        So many of them are scored, the first ones.
    trained_on : list of int
        Agreed particles at every training.
    n_seen : int
        Micrographs that any picker has looked at.
    n_open : int
        Inputs that may still grow.
    made_from : str
        Fingerprint of the form; progress with another one is discarded.
    """

    batches: list[StreamBatch] = field(default_factory=list)
    n_scored: int = 0
    trained_on: list[int] = field(default_factory=list)
    n_seen: int = 0
    n_open: int = 0
    made_from: str = ""

    @property
    def micrographs(self) -> list[str]:
        """Names of all micrographs that were taken in."""
        return [name for batch in self.batches for name in batch.micrographs]

    @property
    def n_agreed(self) -> int:
        """Agreed particles on the micrographs that were taken in."""
        return sum(batch.n_agreed for batch in self.batches)

    @property
    def n_candidates_scored(self) -> int:
        """Candidates of the batches that are scored."""
        return sum(batch.n_candidates for batch in self.batches[: self.n_scored])

    def taken_in(self, batch: StreamBatch) -> StreamProgress:
        """Return the progress with one more batch."""
        return replace(self, batches=[*self.batches, batch])

    def trained(self) -> StreamProgress:
        """Return the progress after a training on all that was taken in."""
        return replace(self, trained_on=[*self.trained_on, self.n_agreed])

    def is_training_due(self, n_first: int) -> bool:
        """Return whether there is enough to train on, for the first time or again.

        Parameters
        ----------
        n_first : int
            Agreed particles that the first training needs; >= 1.
        """
        if not self.trained_on:
            return self.n_agreed >= n_first
        return self.n_agreed >= GROWTH * self.trained_on[-1]

    def sentences(self) -> list[str]:
        """Return how far the stream is, for a summary."""
        n_scored = sum(len(b.micrographs) for b in self.batches[: self.n_scored])
        lines = [
            f"{self.n_seen} micrographs so far: {n_scored} scored, "
            f"{self.n_seen - n_scored} waiting ({len(self.micrographs) - n_scored} of "
            f"them seen by all pickers and taken in); {self.n_open} inputs are open.",
            f"{self.n_candidates_scored} candidates scored; {self.n_agreed} particles "
            "that pickers agree on.",
        ]
        if self.trained_on:
            lines.append(
                f"Trainings so far: {len(self.trained_on)}, the last on "
                f"{self.trained_on[-1]} agreed particles."
            )
        return lines


def read_progress(path: Path) -> StreamProgress | None:
    """Return what `write_progress` wrote; None if there is nothing.

    Raises
    ------
    FileFormatError
        If the file is not one of these.
    """
    if not path.exists():
        return None
    return from_plain(read_json(path), StreamProgress, path=path)


def write_progress(path: Path, progress: StreamProgress) -> None:
    """Write the progress, in one piece or not at all."""
    write_json(path, to_plain(progress))
