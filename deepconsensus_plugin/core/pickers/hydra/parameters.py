# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters of HydraPicker; importing them does not import Keras.

Sections and equations are those of the thesis (Masoumzadeh Tork 2019).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

GENERAL = "general"
"""Name of the generalisation head."""

_SIZE_PER_STEP = 3.75
"""Of a particle, per distance of anchors: the least (60 px per 16 px, up to rounding)
at which the nearest anchor of every particle has an IoU above 0.6."""


@dataclass(frozen=True)
class HydraArchitecture:
    """The sizes of the network (section 3.1).

    Defaults are the thesis'.

    Parameters
    ----------
    body_channels : int
        Of every convolution of the body.
    head_channels : tuple of int
        Of each block of a head, which halves rows and columns. Four give an anchor
        for every 16×16 pixels, three one for every 8×8.
    n_residual : int
        Residual blocks of the body.
    n_groups : int
        Of channels, which are normalised together.
    dropout : float
        Share of a head's values that are dropped in training (not in the thesis).
    """

    body_channels: int = 64
    head_channels: tuple[int, ...] = (128, 256, 512, 1024)
    n_residual: int = 3
    n_groups: int = 8
    dropout: float = 0.1

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
        """Pixels that an output looks at on each side of its anchor."""
        in_body = 2 + 4 * self.n_residual
        return in_body + (self.step - 1) + self.step

    @property
    def crop_px(self) -> int:
        """Side of the crops that are learnt from: 23 anchors (368 px of 16)."""
        return 23 * self.step


class Preset(enum.Enum):
    """Two sizes of the same network; see `ARCHITECTURES`."""

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
class HydraLoss:
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

    classification: float = 4.0
    bias: float = 1.0
    particle_weight: float = 0.25
    focus: float = 2.0


@dataclass(frozen=True)
class HydraParameters:
    """Training parameters of a HydraPicker (section 4.3).

    Parameters
    ----------
    architecture : HydraArchitecture
        Sizes of the network.
    n_epochs, n_head_epochs : int
        Epochs with one head for all data sets, and with one for each (0: it stays
        one head for all); every epoch ends with a validation.
    n_updates : int
        Of an epoch.
    n_crops : int
        In one update, all of one data set (thesis: 4).
    restart_epochs : int
        Epochs after which the learning rate, which falls as a cosine, starts again
        (thesis: 40).
    learning_rate : float
        Of Adam at the start and after restarts.
    head_learning_rate : float
        Of the gradient descent that trains the heads; momentum 0.98.
    size_jitter : float
        Crops are magnified by up to this, relative, at random: nobody knows diameters
        exactly (not in the thesis).
    noise : float
        Crops get noise of up to this deviation, in those of the background (not in the
        thesis).
    filtering : float
        How far contrast transfer of crops is changed at random (not in the thesis).
    loss : HydraLoss
        What is minimised.
    seed : int
        Of every random act.
    """

    architecture: HydraArchitecture = ARCHITECTURES[Preset.FAST]
    n_epochs: int = 20
    n_head_epochs: int = 10
    n_updates: int = 100
    n_crops: int = 4
    restart_epochs: int = 10
    learning_rate: float = 1e-3
    head_learning_rate: float = 1e-3
    size_jitter: float = 0.15
    noise: float = 1.0
    filtering: float = 1.0
    loss: HydraLoss = HydraLoss()
    seed: int = 1


@dataclass(frozen=True)
class HydraPickOptions:
    """Options for picking with a HydraPicker.

    Parameters
    ----------
    head : str, optional
        Name of the head. Default: that of the data set where there is one, else the
        general one.
    particle_diameter_A : float, optional
        Longest diameter, Å. Default: that of the head's data set.
    are_particles_dark : bool, optional
        Whether they are darker than the background. Default: as in the head's set.
    border : float
        Picks closer to the border than this are left out; diameters (section 4.5).
    """

    head: str | None = None
    particle_diameter_A: float | None = None
    are_particles_dark: bool | None = None
    border: float = 0.0
