# SPDX-License-Identifier: GPL-3.0-or-later
"""File that labels candidates, as requests name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.limits import Positive
from deepconsensus_plugin.core.types import Micrograph


@dataclass(frozen=True)
class FeedbackFile:
    """File of labels, and what is needed to read it (`core.pipeline.feedback`).

    Parameters
    ----------
    path : Path
        The file, or a folder of files.
    micrographs : tuple of Micrograph
        Micrographs of the candidates.
    box_size : float
        Pixels of the micrographs.
    scale : float
        Pixels of the micrographs per pixel of the file; marks need none.
    """

    path: Path
    micrographs: tuple[Micrograph, ...]
    box_size: Positive
    scale: Positive = 1.0

    def files(self) -> Iterator[Path]:
        """Yield the files that are read."""
        if not self.path.is_dir():
            yield self.path
            return
        yield from (each for each in sorted(self.path.rglob("*")) if each.is_file())
