# SPDX-License-Identifier: GPL-3.0-or-later
"""Peaks of classical pickers on micrographs and on their nulls, each kept in a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.execution import Executor, Progress
from deepconsensus_plugin.core.io.tables import read_coordinates, write_coordinates
from deepconsensus_plugin.core.null_control.comparison import NullComparison
from deepconsensus_plugin.core.pickers.classical.correlation import Reference
from deepconsensus_plugin.core.pickers.classical.parameters import (
    PickMethod,
    PickParameters,
)
from deepconsensus_plugin.core.pickers.classical.picking import (
    pick_micrograph,
    pick_null,
)
from deepconsensus_plugin.core.pipeline.nulls import Null, choose_nulls, compare_peaks
from deepconsensus_plugin.core.types import FloatArray, Micrograph, ScoredCoordinates

_CODE_VERSION = 3
"""Raised when the same request gives other peaks; older files are then ignored."""

Peaks = dict[str, ScoredCoordinates]


@dataclass(frozen=True, eq=False)
class KeptPeaks:
    """Peaks that are found once: files named by a digest of their inputs.

    Parameters
    ----------
    folder : Path
        Folder of the files.
    parameters : PickParameters
        Parameters of the picker.
    profile : array, shape (n,), optional
        Learnt profile, where the method learns one.
    """

    folder: Path
    parameters: PickParameters
    profile: FloatArray | None = None

    def of(self, micrograph: Micrograph) -> ScoredCoordinates:
        """Return all peaks of a micrograph."""
        return self._kept(
            micrograph,
            lambda: pick_micrograph(micrograph, self.parameters, profile=self.profile),
        )

    def of_null(self, null: Null) -> ScoredCoordinates:
        """Return all peaks of a null."""
        return self._kept(
            null.micrograph,
            lambda: pick_null(
                null.micrograph, self.parameters, null.rng(), profile=self.profile
            ),
            "null",
            null.seed,
        )

    def _kept(
        self,
        micrograph: Micrograph,
        find: Callable[[], ScoredCoordinates],
        *others: Any,
    ) -> ScoredCoordinates:
        origin = digest(
            _CODE_VERSION,
            self.parameters,
            micrograph.sampling_rate,
            digest_file(micrograph.path),
            [] if self.profile is None else self.profile.tolist(),
            *others,
        )
        path = self.folder / f"{Path(micrograph.name).name}.{origin[:16]}.h5"
        if path.is_file():
            return read_coordinates(path)[micrograph.name]
        peaks = find()
        write_coordinates(path, {micrograph.name: peaks})
        return peaks


def find_all_peaks(
    kept: KeptPeaks,
    micrographs: Sequence[Micrograph],
    progress: Progress,
    *,
    workers: int,
) -> Peaks:
    """Return all peaks by micrograph."""
    peaks = {}
    with progress.stage("pick", len(micrographs)) as advance:
        found = progress.executor.map(kept.of, micrographs, workers=workers)
        for micrograph, here in zip(micrographs, found, strict=True):
            peaks[micrograph.name] = here
            advance(1)
    return peaks


def compare_with_nulls(
    kept: KeptPeaks,
    micrographs: Sequence[Micrograph],
    peaks: Mapping[str, ScoredCoordinates],
    progress: Progress,
    *,
    workers: int,
) -> NullComparison | None:
    """Return what the picker finds on a few micrographs and on their nulls.

    Crowded particles are spread more evenly than noise of the same spectrum, so that
    their *contrast* does not exceed that of the null (apoferritin); their shape does.
    So where a difference of Gaussians finds no more than on the nulls, the normalised
    correlation with a disc is compared instead, and the reverse.

    Parameters
    ----------
    kept : KeptPeaks
        The picker.
    micrographs : sequence of Micrograph
        Those that were picked.
    peaks : mapping of micrograph name to ScoredCoordinates
        All of its peaks.
    progress : Progress
        Shows the stage.
    workers : int
        Threads.

    Returns
    -------
    NullComparison or None
        None where nothing was found.
    """
    nulls = choose_nulls(micrographs, peaks)
    with progress.stage("pick nulls", len(nulls)) as advance:
        work = progress.executor
        found = list(work.map(kept.of_null, nulls, workers=workers))
        own = compare_peaks(kept.parameters.method.value, nulls, peaks, found)
        if own is not None and not own.has_evidence:
            own = _compare_otherwise(kept, nulls, work, workers) or own
        advance(len(nulls))
    return own


def _compare_otherwise(
    kept: KeptPeaks, nulls: Sequence[Null], work: Executor, workers: int
) -> NullComparison | None:
    """Return the comparison of the other method's peaks; None without evidence."""
    if kept.parameters.method is PickMethod.GAUSSIANS:
        name, method = "correlation with a disc", PickMethod.CORRELATION
    else:
        name, method = "difference of Gaussians", PickMethod.GAUSSIANS
    parameters = replace(kept.parameters, method=method, reference=Reference.DISC)
    other = KeptPeaks(kept.folder, parameters)
    some = list({null.micrograph.name: null.micrograph for null in nulls}.values())
    real = work.map(other.of, some, workers=workers)
    peaks = {each.name: here for each, here in zip(some, real, strict=True)}
    found = work.map(other.of_null, nulls, workers=workers)
    compared = compare_peaks(name, nulls, peaks, found)
    return compared if compared is not None and compared.has_evidence else None
