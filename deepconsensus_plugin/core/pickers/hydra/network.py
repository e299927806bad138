# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of HydraPicker (Masoumzadeh Tork 2019, section 3.1): a body, and heads.

Body: two stacked 3×3 convolutions, then three residual blocks of two such pairs,
without a non-linearity inside a pair, at full resolution. Head: blocks of a 3×3
convolution of stride 2, ReLU, group normalisation and dropout, then a 3×3 convolution
with three outputs for every anchor.

Input ``(batch, rows, columns, 1)``, particles dark; output
``(batch, rows / step, columns / step, 3)``: dy and dx from the anchor to the particle,
in steps, and the log-odds that there is one. Logits, no probabilities.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from deepconsensus_plugin.core.pickers.hydra.group_norm import GroupNorm
from deepconsensus_plugin.core.pickers.hydra.parameters import HydraArchitecture
from deepconsensus_plugin.core.pickers.hydra.stored_parts import BODY, HEAD, N_OUTPUTS

Tensor = Any
"""Tensor of Keras' backend."""

FIRST_LOG_ODDS = -math.log((1 - 0.01) / 0.01)
"""Log-odds of every anchor before training, so that background does not dominate the
loss (Lin et al. 2018)."""


class Form(enum.Enum):
    """Form of the network; all forms but `FOLDED` have the same weights."""

    PLAIN = "plain"
    """Form of Keras' own layers, for saving."""

    FAST = "fast"
    """Form of the same function that trains fast."""

    MEASURED = "measured"
    """Form that also returns the statistics of all crops together."""

    FOLDED = "folded"
    """Form whose normalisation is folded into convolutions, without padding. The first
    pair is one convolution of 5×5, a tenth of the work where there is one channel."""


@dataclass(eq=False)
class _Wiring:
    """Builder that connects the layers in one of the forms."""

    architecture: HydraArchitecture
    form: Form

    def __post_init__(self) -> None:
        self.affines: list[Tensor] = []
        self.is_folded = self.form is Form.FOLDED

    def pair(self, x: Tensor) -> Tensor:
        """Return the output of two stacked 3×3 convolutions (a view of 5×5 pixels)."""
        channels = self.architecture.body_channels
        if self.is_folded and x.shape[-1] == 1:
            return layers.Conv2D(channels, 5)(x)
        padding = "valid" if self.is_folded else "same"
        x = layers.Conv2D(channels, 3, padding=padding, use_bias=False)(x)
        return layers.Conv2D(channels, 3, padding=padding, use_bias=self.is_folded)(x)

    def group_normalise(self, x: Tensor) -> Tensor:
        """Group normalisation, where it is not folded."""
        n_groups = self.architecture.n_groups
        if self.form is Form.PLAIN:
            return layers.GroupNormalization(n_groups)(x)
        if self.form is Form.FAST:
            return GroupNorm(n_groups)(x)
        if self.form is Form.MEASURED:
            x, *affine = GroupNorm(n_groups, is_measured=True)(x)
            self.affines += affine
        return x

    def residual(self, x: Tensor) -> Tensor:
        """Return the output of a residual block of two pairs."""
        inner = layers.ReLU()(self.group_normalise(self.pair(x)))
        inner = self.group_normalise(self.pair(inner))
        carried = layers.Cropping2D(4)(x) if self.is_folded else x
        return layers.ReLU()(layers.Add()([carried, inner]))

    def halve(self, x: Tensor, channels: int, padding: tuple[int, int]) -> Tensor:
        """Return the output of one block of a head."""
        if not self.is_folded:
            x = layers.ZeroPadding2D((padding, padding))(x)
        x = layers.ReLU()(layers.Conv2D(channels, 3, 2)(x))
        return layers.Dropout(self.architecture.dropout)(self.group_normalise(x))


def build_body(architecture: HydraArchitecture, form: Form = Form.FAST) -> keras.Model:
    """Return an untrained body, from images to `body_channels` features per pixel.

    In `Form.MEASURED` also factor and shift of every normalisation, in turn.
    """
    wiring = _Wiring(architecture, form)
    image = keras.Input((None, None, 1), name="image")
    x = layers.ReLU()(wiring.group_normalise(wiring.pair(image)))
    for _ in range(architecture.n_residual):
        x = wiring.residual(x)
    outputs = [x, *wiring.affines] if wiring.affines else x
    return keras.Model(image, outputs, name=BODY)


def build_head(architecture: HydraArchitecture, form: Form = Form.FAST) -> keras.Model:
    """Return an untrained head, from a body's features to three numbers per anchor.

    In `Form.MEASURED` also factor and shift of every normalisation, in turn.
    """
    wiring = _Wiring(architecture, form)
    features = keras.Input((None, None, architecture.body_channels), name="features")
    x = features
    for channels, padding in zip(
        architecture.head_channels, head_paddings(architecture), strict=True
    ):
        x = wiring.halve(x, channels, padding)
    x = layers.Conv2D(
        N_OUTPUTS,
        3,
        padding="valid" if wiring.is_folded else "same",
        bias_initializer="zeros" if form is Form.PLAIN else _first_bias,
    )(x)
    outputs = [x, *wiring.affines] if wiring.affines else x
    return keras.Model(features, outputs, name=HEAD.format(number=0))


def head_paddings(architecture: HydraArchitecture) -> list[tuple[int, int]]:
    """Return the lines of zeros before and after the input of each block.

    A convolution of stride 2 needs one line, on either side. With the last block's
    before, and the others' after, anchors lie at the middles of their cells.
    """
    n_blocks = len(architecture.head_channels)
    return [(0, 1)] * (n_blocks - 1) + [(1, 0)]


def join(body: keras.Model, heads: Sequence[keras.Model]) -> keras.Model:
    """Return one network of a body and heads, with one named output per head."""
    image = keras.Input((None, None, 1), name="image")
    features = body(image)
    return keras.Model(image, {h.name: h(features) for h in heads}, name="hydra")


def _first_bias(shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Return 0, 0 and `FIRST_LOG_ODDS`."""
    return keras.ops.convert_to_tensor([0.0, 0.0, FIRST_LOG_ODDS], dtype=dtype)
