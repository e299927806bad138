# SPDX-License-Identifier: GPL-3.0-or-later
"""Corpus of simulated sets that a general picker is trained and tested on.

    export DEEPCONSENSUS_STRUCTURES=DIR
    python -m benchmarks.hydra.corpus OUT [--reduced] [--sets NAME,NAME]

makes the corpus, or what is still missing of it, from seeds, and prints a table of it;
`load_corpus` reads it. One folder a set: ``micrographs`` with the truth of each beside
it, ``truth.h5``, and ``set.json`` once it is complete.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hydra.drawn_acquisitions import find_acquisition
from benchmarks.hydra.drawn_samples import drawn_samples
from benchmarks.hydra.samples import SAMPLES, Role, Sample
from benchmarks.sets.simulated_sets import WHOLE
from benchmarks.sets.tables import markdown_table
from deepconsensus_plugin.core.digests import digest
from deepconsensus_plugin.core.execution import Progress
from deepconsensus_plugin.core.io.micrographs import read_shape
from deepconsensus_plugin.core.io.tables import read_coordinates
from deepconsensus_plugin.core.pipeline import simulate
from deepconsensus_plugin.core.pipeline.simulate import (
    MicrographRecord,
    SimulateRequest,
)
from deepconsensus_plugin.core.serialisation import (
    from_plain,
    read_json,
    to_plain,
    write_json,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

RECORD = "set.json"


@dataclass(frozen=True)
class Extent:
    """Size of the corpus: how much there is of every sample.

    Parameters
    ----------
    n_train, n_validation, n_test : int
        Micrographs.
    side : int
        Side of a micrograph, pixels.
    """

    n_train: int
    n_validation: int
    n_test: int
    side: int


FULL = Extent(12, 2, 4, 1536)
REDUCED = Extent(4, 1, 3, 1024)


@dataclass(frozen=True, eq=False)
class CorpusSet:
    """Micrographs of one sample, all with their truth.

    Parameters
    ----------
    name : str
        Name of the sample, unique in the corpus, good as a folder's name.
    role : Role
        Whether it may be trained on.
    train, validation, test : tuple of Micrograph
        Disjoint; names are unique within the set, not within the corpus.
    truth : mapping of micrograph name to ScoredCoordinates
        True centres on all of them, pixels of the micrographs: whole molecules of the
        sample, also those that touch another object or the border. No scores.
    diameter_A : float
        Diameter of the smallest sphere around a particle, Å.
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
    """Content of ``set.json`` once a set is complete.

    Parameters
    ----------
    name, role, diameter_A
        As in `CorpusSet`.
    sampling_rate : float
        Å/px.
    train, validation, test : tuple of str
        File names in the set's ``micrographs`` folder.
    snr, n_particles : float
        Medians over all micrographs: signal to noise as `SimulatedMicrograph` tells it,
        and number of true particles.
    origin : str
        Digest of what was asked for.
    """

    name: str
    role: Role
    diameter_A: float
    sampling_rate: float
    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]
    snr: float
    n_particles: float
    origin: str = ""


def make_set(
    sample: Sample, extent: Extent, folder: Path, *, workers: int = 2
) -> SetRecord:
    """Simulate a sample's micrographs; what `folder` holds of them is kept.

    Parameters
    ----------
    sample : Sample
        What is simulated.
    extent : Extent
        How much.
    folder : Path
        Folder of the set.
    workers : int
        Threads; any number gives the same pixels.

    Raises
    ------
    FileNotFoundError
        If the sample is a file, and the environment names no folder that has it.
    """
    acquisition = find_acquisition(sample.acquisition)
    origin = digest(*map(to_plain, (sample, acquisition, extent)))
    if (kept := _kept(folder, origin)) is not None:
        return kept
    parameters = sample.parameters(extent.side)
    n_micrographs = extent.n_train + extent.n_validation + extent.n_test
    request = SimulateRequest(
        parameters,
        n_micrographs,
        folder / "micrographs",
        folder / "truth.h5",
        accepted=WHOLE,
        pixel_type=acquisition.pixel_type,
        workers=workers,
    )
    (folder / RECORD).unlink(missing_ok=True)
    made = simulate.run(request, Progress()).micrographs
    names = tuple(each.path.name for each in made)
    first_test = extent.n_train + extent.n_validation
    record = SetRecord(
        sample.name,
        sample.role,
        round(sample.nominal_diameter_A(), 1),
        parameters.sampling_rate,
        train=names[: extent.n_train],
        validation=names[extent.n_train : first_test],
        test=names[first_test:],
        snr=round(statistics.median(each.snr for each in made), 4),
        n_particles=statistics.median(map(_count_particles, made)),
        origin=origin,
    )
    write_json(folder / RECORD, {"record": to_plain(record)})
    return record


def _kept(folder: Path, origin: str) -> SetRecord | None:
    """Return the record of a set that was finished as it is asked for now."""
    path = folder / RECORD
    if not path.exists() or (record := read_record(path)).origin != origin:
        return None
    names = (*record.train, *record.validation, *record.test)
    files = [folder / "truth.h5", *(folder / "micrographs" / name for name in names)]
    return record if all(each.exists() for each in files) else None


def _count_particles(made: MicrographRecord) -> int:
    return sum(made.counts[each.value] for each in WHOLE)


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
            "`python -m benchmarks.hydra.corpus` makes them"
        )
    return wanted


def read_record(path: Path) -> SetRecord:
    """Return what a ``set.json`` holds.

    Raises
    ------
    FileFormatError
        If it is none.
    """
    return from_plain(read_json(path).get("record", {}), SetRecord, path=path)


def _load(path: Path) -> CorpusSet:
    record = read_record(path)

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


def table(samples: Sequence[Sample], records: Sequence[SetRecord]) -> str:
    """Return the properties of the sets, as the thesis' Tables 4.1 and 4.2."""
    rows = [
        [
            *(record.name, record.role.value, sample.acquisition),
            *(f"{record.diameter_A:.0f}", f"{record.sampling_rate:.2f}"),
            f"{record.diameter_A / record.sampling_rate:.0f}",
            *(f"{record.n_particles:.0f}", f"{record.snr:.2f}"),
        ]
        for sample, record in zip(samples, records, strict=True)
    ]
    header = "set,role,acquisition,diameter Å,Å/px,diameter px,particles,SNR"
    return markdown_table(header.split(","), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--reduced", action="store_true", help=str(REDUCED))
    parser.add_argument("--sets", help="names; default: all")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    extent = REDUCED if asked.reduced else FULL
    known = (*SAMPLES, *drawn_samples())
    names = asked.sets.split(",") if asked.sets else [s.name for s in known]
    samples = [sample for sample in known if sample.name in names]
    records = []
    for sample in samples:
        place = asked.folder / sample.name
        records.append(make_set(sample, extent, place, workers=asked.workers))
        print(f"{sample.name}: {place}", flush=True)
    print(f"\n{table(samples, records)}")


if __name__ == "__main__":
    main()
