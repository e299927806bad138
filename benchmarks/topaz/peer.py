# SPDX-License-Identifier: GPL-3.0-or-later
"""Public package topaz-em on a `LearningSet`: same micrographs, labels and split.

It lives in an interpreter of its own (``make env-topaz``), in which
`benchmarks.topaz.driver` runs: read there what is patched so that a comparison is fair,
above all how many pixels a particle has, which ruins the package's training as it was
released. It prepares micrographs itself, at the set's pixel size, and keeps its last
weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.topaz.process import PickCosts, TrainCosts, drive
from benchmarks.topaz.sets import LearningSet
from deepconsensus_plugin.core.digests import digest_file
from deepconsensus_plugin.core.pickers.topaz.parameters import (
    Objective,
    TopazParameters,
)
from deepconsensus_plugin.core.types import Micrograph, ScoredCoordinates

NETWORKS = {
    "conv31": ("--model", "conv31"),
    "resnet8": ("--model", "resnet8"),
    "resnet8 from nothing": ("--model", "resnet8", "--no-pretrained"),
}
"""Options by name: the paper's network, which starts from nothing, and the package's
default, which starts from weights that the package ships."""

PRETRAINED = "resnet16_u64"
"""The detector that the package picks with where no other is given."""
PRETRAINED_A_PER_PX = 8.0
"""What its graphical interface recommends to downsample to."""

_METHODS = {
    Objective.PN: "PN",
    Objective.NNPU: "PU",
    Objective.GE_KL: "GE-KL",
    Objective.GE_BINOMIAL: "GE-binomial",
}
_LOWEST_SCORE = -6.0
"""Its default threshold, log-odds."""


@dataclass(frozen=True, eq=False)
class PeerPicks:
    """Picks of the package on some micrographs.

    Parameters
    ----------
    picks : dict of ScoredCoordinates
        Pixels of the micrographs; scores are log-odds, -6 and better.
    costs : PickCosts
        What that took.
    folder : Path
        Holds ``scores/STEM.npy``.
    """

    picks: dict[str, ScoredCoordinates]
    costs: PickCosts
    folder: Path

    def read_scores(self, name: str) -> NDArray[np.float32]:
        """Return the log-odds of every downsampled pixel of a micrograph."""
        return np.load(self.folder / "scores" / f"{Path(name).stem}.npy")


@dataclass(frozen=True, eq=False)
class PeerResult:
    """A network that the package trained, tried on the test micrographs."""

    training: TrainCosts
    picking: PeerPicks


def run(
    learning: LearningSet,
    labels: Mapping[str, ScoredCoordinates],
    folder: Path,
    *,
    parameters: TopazParameters,
    network: str = "conv31",
    threads: int = 2,
) -> PeerResult:
    """Train on the labels, and pick the test micrographs.

    Parameters
    ----------
    learning : LearningSet
        Its pixel size, radius and micrographs are used.
    labels : mapping of micrograph name to ScoredCoordinates
        As `draw_labels` returns them.
    folder : Path
        What it holds of the same run is kept.
    parameters : TopazParameters
        Objective and its strength, prior (default: from the number of particles),
        decoder, updates of all epochs together, batches, learning rate, seed.
    network : str
        A key of `NETWORKS`.
    threads : int
        Threads that torch uses.

    Raises
    ------
    FileNotFoundError
        If there is no interpreter with the package.
    RuntimeError
        If the package fails; names its log.
    """
    centres = {
        name: np.floor(marks.yx / learning.binning + 0.5).astype(int).tolist()
        for name, marks in sorted(labels.items())
    }
    common = {"binning": learning.binning, "threads": threads, "seed": parameters.seed}
    n_labels = sum(map(len, labels.values()))
    training = drive(
        folder / "train",
        learning.train,
        task="train",
        labels=[[Path(n).stem, x, y] for n, all_ in centres.items() for y, x in all_],
        n_updates=parameters.n_epochs * parameters.n_updates,
        options=_options(learning, parameters, n_labels, network),
        **common,
    )
    picking = _pick(
        learning.test,
        folder / "pick",
        model=folder / "train" / "model.sav",
        radius_px=learning.suppression_radius_px,
        **common,
    )
    return PeerResult(TrainCosts(**training), picking)


def pick_pretrained(
    micrographs: Sequence[Micrograph],
    diameter_A: float,
    folder: Path,
    *,
    model: str = PRETRAINED,
    threads: int = 2,
) -> PeerPicks:
    """Pick with a detector that the package ships, at 8 Å/px or nearly.

    Parameters
    ----------
    micrographs : sequence of Micrograph
        Micrographs of one pixel size.
    diameter_A : float
        Diameter of a particle; picks are half of it apart.
    folder : Path
        What it holds of the same run is kept.
    model : str
        ``resnet8_u32``, ``resnet8_u64``, ``resnet16_u32`` or ``resnet16_u64``.
    threads : int
        Threads that torch uses.
    """
    rate = micrographs[0].sampling_rate
    return _pick(
        micrographs,
        folder,
        model=model,
        radius_px=diameter_A / rate / 2,
        binning=max(1, round(PRETRAINED_A_PER_PX / rate)),
        threads=threads,
        seed=1,
    )


def _options(
    learning: LearningSet, parameters: TopazParameters, n_labels: int, network: str
) -> list[str]:
    """Return the words of ``topaz train`` that say how."""
    if network not in NETWORKS:
        raise ValueError(f"expected one of {list(NETWORKS)}, received {network!r}")
    words = {
        "--method": _METHODS[parameters.objective],
        "--slack": parameters.criterion_strength,
        "--autoencoder": parameters.decoder_strength(n_labels),
        "--units": parameters.n_units,
        "--radius": learning.radius_px,
        "--minibatch-size": parameters.batch_size,
        "--minibatch-balance": parameters.labelled_fraction,
        "--learning-rate": parameters.learning_rate,
    }
    if parameters.prior is not None:
        words["--pi"] = parameters.prior
    else:
        words["--num-particles"] = learning.n_particles
    given = [str(word) for option in words.items() for word in option]
    return [*NETWORKS[network], *given]


def _pick(
    micrographs: Sequence[Micrograph],
    folder: Path,
    *,
    model: Path | str,
    radius_px: float,
    binning: int,
    **common: Any,
) -> PeerPicks:
    costs = drive(
        folder,
        micrographs,
        task="pick",
        model=str(model),
        model_file=digest_file(model) if isinstance(model, Path) else None,
        extraction_radius=max(1, round(radius_px / binning)),
        threshold=_LOWEST_SCORE,
        binning=binning,
        **common,
    )
    picks = {}
    for micrograph in micrographs:
        stem = Path(micrograph.name).stem
        found = np.load(folder / "picks" / f"{stem}.npz")
        shape = np.load(folder / "scores" / f"{stem}.npy", mmap_mode="r").shape
        scale = np.divide(micrograph.shape, shape)
        yx = found["xy"][:, ::-1] * scale
        picks[micrograph.name] = ScoredCoordinates.from_arrays(yx, found["scores"])
    return PeerPicks(picks, PickCosts(**costs), folder)
