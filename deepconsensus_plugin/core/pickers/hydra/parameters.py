# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of HydraPicker; importing them does not import Keras.

Sections and equations are those of the thesis (Masoumzadeh Tork 2019).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from deepconsensus_plugin.core.declared import Declared, declare, declare_training_seed
from deepconsensus_plugin.core.limits import BlockCount, Count, Fraction, NotNegative
from deepconsensus_plugin.core.published import Published

GENERAL = "general"
"""Name of the generalisation head."""

FEW_EPOCHS = 6
"""Default number of epochs for heads alone."""

_MOST_HALVINGS = 12
"""Blocks of a head; each halves rows and columns."""

_SIZE_PER_STEP = 3.75
"""Least particle diameter in anchor spacings for an IoU above 0.6 everywhere."""


@dataclass(frozen=True)
class HydraArchitecture(Declared):
    """Architecture of the network (section 3.1).

    Defaults are the thesis'.

    Parameters
    ----------
    body_channels : int
        Channels of every convolution of the body.
    head_channels : tuple of int
        Channels of each block of a head; a block halves rows and columns. Four give an
        anchor for every 16×16 pixels, three one for every 8×8.
    n_residual : int
        Residual blocks of the body.
    n_groups : int
        Groups of channels that are normalised together.
    dropout : float
        Share of a head's values that are dropped in training (not in the thesis).
    """

    body_channels: Count = 64
    head_channels: tuple[Count, ...] = (128, 256, 512, 1024)
    n_residual: BlockCount = 3
    n_groups: Count = 8
    dropout: Fraction = 0.1

    def conflicts(self) -> list[str]:
        """Return that a head has too many blocks."""
        n = len(self.head_channels)
        return [] if n <= _MOST_HALVINGS else [f"head_channels: {n} blocks of a head"]

    @property
    def step(self) -> int:
        """Pixels between anchors."""
        return 1 << len(self.head_channels)

    @property
    def first_anchor(self) -> int:
        """Row and column of the first anchor: the pixel before a cell's middle."""
        return self.step // 2 - 1

    @property
    def particle_px(self) -> float:
        """Diameter of every particle, after rescaling, and side of an anchor's box."""
        return _SIZE_PER_STEP * self.step

    @property
    def reach(self) -> int:
        """Radius of the receptive field of an output, pixels."""
        in_body = 2 + 4 * self.n_residual
        return in_body + (self.step - 1) + self.step

    @property
    def crop_px(self) -> int:
        """Side of the training crops, pixels: 23 anchors (368 px at a step of 16)."""
        return 23 * self.step


class Preset(enum.Enum):
    """Size of the network; see `ARCHITECTURES`."""

    THESIS = "thesis"
    """As published: particles of 60 px, an anchor every 16 px."""

    FAST = "fast"
    """The same geometry with a quarter of the pixels along a side, particles of 15 px
    and an anchor every 4 px, and half of the channels: for processors."""


ARCHITECTURES = {
    Preset.THESIS: HydraArchitecture(),
    Preset.FAST: HydraArchitecture(
        body_channels=32, head_channels=(64, 128), n_groups=8
    ),
}


@dataclass(frozen=True)
class HydraLoss(Declared):
    """Weights of the losses (section 3.2); the thesis gives γ only.

    Parameters
    ----------
    classification, bias : float
        λ of the focal loss and of the distance of heads from the general one.
    particle_weight : float
        α of particles; 1 − α is that of the background (RetinaNet's 0.25).
    focus : float
        γ.
    """

    classification: NotNegative = 4.0
    bias: NotNegative = 1.0
    particle_weight: Fraction = 0.25
    focus: NotNegative = 2.0


@dataclass(frozen=True)
class HydraParameters(Declared):
    """Training parameters of a HydraPicker (section 4.3)."""

    architecture: HydraArchitecture = field(
        default=ARCHITECTURES[Preset.FAST],
        metadata=declare(
            "Network",
            "*fast*: particles are scaled to 15 pixels; the network has 32 "
            "channels.\n"
            "*as published*: particles are scaled to 60 pixels; the network has 64 "
            "channels, its heads up to 1024. This needs a GPU.",
        ),
    )
    n_epochs: int = field(
        default=20,
        metadata=declare(
            "Number of epochs",
            "The network is validated after each epoch, and the best weights are kept.",
            auto=f"{FEW_EPOCHS}, which takes minutes, if only heads are trained, and "
            "{n_epochs} if the network is trained from scratch",
            ge=1,
        ),
    )
    n_head_epochs: int = field(
        default=10,
        metadata=declare(
            "Epochs with one head per data set",
            "Epochs after those in which all data sets share one head. With 0 "
            "there is only the shared head.",
            ge=0,
        ),
    )
    n_updates: int = field(
        default=100,
        metadata=declare(
            "Batches per epoch",
            "Number of updates between two validations, of {n_crops} crops of one "
            "data set each.",
            is_expert=True,
            ge=1,
        ),
    )
    n_crops: int = field(
        default=4,
        metadata=declare(help="Crops in one update, all of one data set.", ge=1),
    )
    restart_epochs: int = field(
        default=10,
        metadata=declare(
            "Epochs per learning rate cycle",
            "The learning rate falls along a cosine, then starts again, once in "
            "this many epochs.",
            is_expert=True,
            ge=1,
        ),
    )
    learning_rate: float = field(
        default=1e-3,
        metadata=declare(
            "Learning rate",
            "Initial learning rate of the optimiser (Adam).",
            is_expert=True,
            gt=0,
        ),
    )
    head_learning_rate: float = field(
        default=1e-3,
        metadata=declare(
            "Learning rate with one head per data set",
            "Learning rate of gradient descent with momentum 0.98, in the epochs "
            "with one head per data set.",
            is_expert=True,
            gt=0,
        ),
    )
    size_jitter: float = field(
        default=0.15,
        metadata=declare(
            help="Crops are magnified by up to this, relative, at random: nobody knows "
            "diameters exactly (not in the thesis).",
            ge=0,
            lt=1,
        ),
    )
    noise: float = field(
        default=1.0,
        metadata=declare(
            help="Crops get noise of up to this deviation, in those of the background "
            "(not in the thesis).",
            ge=0,
        ),
    )
    filtering: float = field(
        default=1.0,
        metadata=declare(
            help="How far contrast transfer of crops is changed at random (not in the "
            "thesis).",
            ge=0,
        ),
    )
    loss: HydraLoss = HydraLoss()
    seed: int = field(default=1, metadata=declare_training_seed())

    PUBLISHED: ClassVar[Mapping[str, Published]] = {
        "architecture": Published(
            ARCHITECTURES[Preset.THESIS],
            "3.1: 64 channels; heads of 128, 256, 512 and 1024",
            "particles of 60 px, 64 channels",
        ),
        "n_epochs": Published(5000, '4.3: "a generic particle picker for 5000 epochs"'),
        "n_head_epochs": Published(100, '4.3: "100 epochs using a SGD optimizer"'),
        "n_crops": Published(4, '4.3: "mini-batches of 4 were used"'),
        "restart_epochs": Published(40, '4.3: "warm restarts every 40 epochs"'),
        "size_jitter": Published(0.0, "not in the thesis; sizes are made equal (4.1)"),
        "noise": Published(0.0, "not in the thesis"),
        "filtering": Published(0.0, "not in the thesis"),
        "loss": Published(HydraLoss(), "3.2: γ is 2; λ and α are not given", "γ = 2"),
    }
    """Learning rates, dropout and the batches of an epoch are not given."""
