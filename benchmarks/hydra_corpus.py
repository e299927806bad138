# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of simulated micrographs that a general picker learns on, and is tried on.

    python -m benchmarks.hydra_corpus OUT [--reduced]

makes the corpus, or what is still missing of it, from seeds; `load_corpus` reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.serialisation import from_plain, read_json
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

RECORD = "set.json"


class Role(Enum):
    """What a set is for."""

    SOURCE = "source"
    """To train the general model on."""
    TARGET = "target"
    """Never seen by the general model; for picking without training, and with few."""


@dataclass(frozen=True, eq=False)
class CorpusSet:
    """Micrographs of one sample, all with their truth.

    Parameters
    ----------
    name : str
        Of the sample, unique in the corpus, good as a folder's name.
    role : Role
        Whether it may be trained on.
    train, validation, test : tuple of Micrograph
        Disjoint; names are unique within the set, not within the corpus.
    truth : mapping of micrograph name to ScoredCoordinates
        True centres on all of them, pixels of the micrographs: whole molecules of the
        sample, also those that touch another object or the border. No scores.
    diameter_A : float
        Of the smallest sphere around a particle, Å.
    """

    name: str
    role: Role
    train: tuple[Micrograph, ...]
    validation: tuple[Micrograph, ...]
    test: tuple[Micrograph, ...]
    truth: Mapping[str, ScoredCoordinates]
    diameter_A: float

    @property
    def sampling_rate(self) -> float:
        """Å/px of the micrographs."""
        return self.train[0].sampling_rate

    @property
    def diameter_px(self) -> float:
        """Diameter of a particle, pixels of the micrographs; the side of its box."""
        return self.diameter_A / self.sampling_rate


@dataclass(frozen=True)
class SetRecord:
    """What ``set.json`` holds, once a set is complete.

    Parameters
    ----------
    name, role, diameter_A
        As in `CorpusSet`.
    sampling_rate : float
        Å/px.
    train, validation, test : tuple of str
        File names in the set's ``micrographs`` folder.
    """

    name: str
    role: Role
    diameter_A: float
    sampling_rate: float
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def load_corpus(folder: Path, role: Role | None = None) -> tuple[CorpusSet, ...]:
    """Return the complete sets of a corpus, by name.

    Parameters
    ----------
    folder : Path
        What the command wrote: one folder a set. It may have been moved.
    role : Role, optional
        Which sets; default: all.

    Raises
    ------
    FileNotFoundError
        If there is no complete set of that role.
    FileFormatError
        If the record of a set is none.
    """
    found = tuple(_load(path) for path in sorted(folder.glob(f"*/{RECORD}")))
    wanted = tuple(each for each in found if role in (None, each.role))
    if not wanted:
        kind = "" if role is None else f"{role.value} "
        raise FileNotFoundError(
            f"{folder}: expected {kind}sets of a corpus, received none; "
            "`python -m benchmarks.hydra_corpus` makes them"
        )
    return wanted


def _load(path: Path) -> CorpusSet:
    content = read_json(path)
    record = from_plain(content["record"], SetRecord, path=path)

    def micrographs(names: tuple[str, ...]) -> tuple[Micrograph, ...]:
        paths = [path.parent / "micrographs" / name for name in names]
        rate = record.sampling_rate
        return tuple(Micrograph(p.name, p, read_shape(p), rate) for p in paths)

    return CorpusSet(
        record.name,
        record.role,
        micrographs(record.train),
        micrographs(record.validation),
        micrographs(record.test),
        read_coordinates(path.parent / "truth.h5"),
        record.diameter_A,
    )
