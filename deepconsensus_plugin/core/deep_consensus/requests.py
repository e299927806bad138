# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to train and to score with Deep Consensus, and their results.

They cross the process border as JSON (`core.jobs`), so they hold numbers, names and
paths only, and importing them does not import Keras.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from deepconsensus_plugin.core.declared import Declared, declare
from deepconsensus_plugin.core.deep_consensus.parameters import TrainingParameters
from deepconsensus_plugin.core.execution import StageCost
from deepconsensus_plugin.core.limits import Count, Positive, Side
from deepconsensus_plugin.core.metrics.classification import ClassificationMetrics
from deepconsensus_plugin.core.networks.forms import Form
from deepconsensus_plugin.core.networks.history import Checkpoint
from deepconsensus_plugin.core.preprocessing import BoxPreprocessing
from deepconsensus_plugin.core.types import Micrograph


class Role(Enum):
    """Role of a set of labelled coordinates in the training."""

    TRAINING = "training"
    TESTING = "testing"


@dataclass(frozen=True)
class BoxSource(Declared):
    """One set of labelled coordinates.

    Parameters
    ----------
    name : str
        Shown in the model card.
    coordinates : Path
        File of `core.io.tables.write_coordinates`.
    is_particle : bool
        Label of all of them.
    weight : float
        Weight of each of its boxes in the loss, > 0.
    role : Role
        Whether the network learns from it or is only tested on it.
    believed : bool
        Whether its labels are exempt from pruning, since a user chose them.
    """

    name: str
    coordinates: Path
    is_particle: bool
    weight: Positive = 1.0
    role: Role = Role.TRAINING
    believed: bool = False


@dataclass(frozen=True)
class TrainRequest(Declared):
    """Request to train an ensemble on labelled coordinates.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Where the coordinates lie.
    sources : tuple of BoxSource
        At least one of particles and one of background for training.
    box_size : int
        Pixels of the micrographs.
    preprocessing : BoxPreprocessing
        From box to network input.
    parameters : TrainingParameters
        Training parameters.
    dataset : Path
        HDF5 file of boxes to write.
    model : Path
        Model folder to write.
    initial_model : Path, optional
        Model folder to start from instead of random weights.
    workers : int
        Threads that cut boxes.
    """

    micrographs: tuple[Micrograph, ...]
    sources: tuple[BoxSource, ...]
    box_size: Side
    preprocessing: BoxPreprocessing
    parameters: TrainingParameters
    dataset: Path
    model: Path
    initial_model: Path | None = None
    workers: Count = 2


@dataclass(frozen=True)
class TrainResult:
    """Result of a training.

    Parameters
    ----------
    model : Path
        Model folder.
    n_positives, n_negatives : int
        Training boxes used.
    validation : list of ClassificationMetrics
        One per network, on its own validation micrographs.
    testing : ClassificationMetrics, optional
        Metrics of the ensemble, on the testing sets, where given.
    history : list of list of Checkpoint
        Training history of each network.
    timings : dict of StageCost
        By stage.
    """

    model: Path
    n_positives: int
    n_negatives: int
    validation: list[ClassificationMetrics]
    testing: ClassificationMetrics | None
    history: list[list[Checkpoint]] = field(default_factory=list)
    timings: dict[str, StageCost] = field(default_factory=dict)


@dataclass(frozen=True)
class StackOptions(Declared):
    """Particle stacks written while scoring, one MRC stack per micrograph.

    Parameters
    ----------
    folder : Path
        Where; a stack is named after its micrograph, suffix ``.mrcs``.
    """

    folder: Path
    normalise: bool = field(
        default=True,
        metadata=declare(
            "Normalise particles",
            "Scales each particle so that the background, outside the circle "
            "inscribed in the box, has mean 0 and standard deviation 1, as RELION "
            "expects.",
        ),
    )
    invert: bool = field(
        default=True,
        metadata=declare(
            "Particle contrast",
            "Contrast of the particles in the micrographs.\n"
            "*dark on light (raw)*: as recorded; the written particles are "
            "inverted, to light on dark, as programs for 2D and 3D classification "
            "expect.\n"
            "*light on dark*: the micrographs were inverted before; the particles "
            "are written as they are.",
        ),
    )
    half_size: bool = field(
        default=False,
        metadata=declare(
            "Images in 16 bits",
            "*Yes*: images are written as 16-bit floating point numbers (MRC mode 12) "
            "and take half the disk. RELION 4, cryoSPARC 4.4 and later ones, and this "
            "plugin read them; older programs do not.\n"
            "*No*: 32-bit, which every program reads.",
            is_expert=True,
        ),
    )


def stack_path(folder: Path, micrograph: str) -> Path:
    """Return the stack that holds the particles of a micrograph."""
    return folder / f"{Path(micrograph).stem}.mrcs"


@dataclass(frozen=True, kw_only=True)
class ScoringParameters(Declared):
    """Parameters of scoring coordinates.

    Parameters
    ----------
    stacks : StackOptions, optional
        Also write particle stacks.
    """

    stacks: StackOptions | None = None
    batch_size: int | None = field(
        default=None,
        metadata=declare(
            "Batch size",
            "Number of boxes scored at once. It changes speed and memory, not the "
            "scores.",
            auto="few on CPUs, as many as the memory holds on a GPU",
            is_expert=True,
            ge=1,
        ),
    )
    half_precision: bool = field(
        default=False,
        metadata=declare(
            "Half precision",
            "*Yes*: scores are computed in bfloat16, which needs less memory and "
            "is faster on hardware that supports it, slower elsewhere. Scores "
            "change slightly.",
            is_expert=True,
        ),
    )


@dataclass(frozen=True)
class ScoreRequest(ScoringParameters):
    """Score every coordinate with a trained ensemble.

    Parameters
    ----------
    micrographs : tuple of Micrograph
        Where the coordinates lie.
    coordinates : Path
        File of `core.io.tables.write_coordinates`; all of them are scored.
    box_size : int
        Pixels of the micrographs.
    model : Path
        Model folder.
    scores : Path
        HDF5 file to write; rows in the order of `coordinates`.
    workers : int
        Threads that cut boxes.
    """

    micrographs: tuple[Micrograph, ...]
    coordinates: Path
    box_size: Side
    model: Path
    scores: Path
    workers: Count = 2


@dataclass(frozen=True)
class ScoreResult:
    """Result of scoring: the number of boxes, the time, and the forms of convolutions.

    Scores of other forms, on another machine, differ by rounding.
    """

    scores: Path
    n_scored: int
    timings: dict[str, StageCost] = field(default_factory=dict)
    forms: tuple[Form, ...] = ()
