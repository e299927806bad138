# SPDX-License-Identifier: GPL-3.0-or-later
"""Micrographs that a window shows: names and files, read from a set at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pwem.objects import SetOfMicrographs

from deepconsensus_plugin.set_columns import read_columns


@dataclass(frozen=True)
class ShownMicrographs:
    """Micrographs that candidates lie on, m.

    Parameters
    ----------
    names : tuple of str
        Names in the coordinates.
    paths : tuple of Path
        Their files.
    sampling_rate : float
        Å/px.
    box_size : float
        Box size of the candidates, pixels; 0 if it is not known.
    masks : Path, optional
        Folder of masks of the usable area, which are outlined.
    """

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    sampling_rate: float
    box_size: float
    masks: Path | None = None

    @classmethod
    def of_set(
        cls,
        micrographs: SetOfMicrographs,
        *,
        folder: Path,
        box_size: float,
        masks: Path | None = None,
    ) -> ShownMicrographs:
        """Return the micrographs of a set, in the order of their ids.

        Parameters
        ----------
        micrographs : SetOfMicrographs
            Not empty; no file of a micrograph is opened.
        folder : Path
            Folder of the project, which paths start from.
        box_size : float
            Pixels; 0 if it is not known.
        masks : Path, optional
            Folder of their masks, from the folder of the project.
        """
        known = read_columns(micrographs, "_micName", "_filename")
        paths = tuple(folder / each for each in known["_filename"])
        names = known.get("_micName", [None] * len(paths))
        return cls(
            tuple(name or path.name for name, path in zip(names, paths, strict=True)),
            paths,
            sampling_rate=micrographs.getSamplingRate(),
            box_size=box_size,
            masks=None if masks is None else folder / masks,
        )

    def only(self, names: Iterable[str]) -> ShownMicrographs:
        """Return those with these names, sorted by them."""
        paths = dict(zip(self.names, self.paths, strict=True))
        chosen = tuple(sorted(names))
        return replace(self, names=chosen, paths=tuple(paths[each] for each in chosen))
