# SPDX-License-Identifier: GPL-3.0-or-later
"""Network of Topaz: classifier and decoder (Bepler et al. 2018, Methods 6).

Convolutions without padding, each batch-normalised and followed by a PReLU with one
slope a channel; the last gives one log-odds. A patch of the size of the receptive field
gives one number, an image one per place. For images strides are replaced by dilations,
so that the same weights apply at every place.

Input ``(batch, rows, columns, 1)``; output ``(batch, 1)`` for patches,
``(batch, rows', columns', 1)`` for images: log-odds.
"""

from __future__ import annotations

import keras
from keras import layers

from deepconsensus_plugin.core.pickers.topaz.architecture import (
    Convolution,
    receptive_field,
)
from deepconsensus_plugin.core.pickers.topaz.covering import CoveringConv2D

LOG_ODDS, PATCH = "log_odds", "patch"
"""Names of the outputs of a network for patches."""

_STATISTICS_MOMENTUM = 0.9
"""Momentum of running mean and variance; Keras' 0.99 lags behind after few updates."""

_LEAK = 0.2
"""Slope of the decoder's units below 0, as DCGAN's, whose structure it follows."""


def build_network(
    architecture: tuple[Convolution, ...],
    *,
    map_step: int | None = None,
    folded: bool = False,
    fast: bool = False,
    has_decoder: bool = False,
) -> keras.Model:
    """Return an untrained classifier.

    Parameters
    ----------
    architecture : tuple of Convolution
        As `convolutions` makes it.
    map_step : int, optional
        Pixels between the places of the output: a power of 2, at most the product of
        the strides. Weights are the same whatever it is. Default: that product, with
        which a patch costs least.
    folded : bool
        Whether to leave out batch normalisation, for picking with weights that it was
        folded into (`folding`).
    fast : bool
        Whether convolutions take the form that trains fastest, which computes the same
        function of the same weights. Networks are saved in the plain form.
    has_decoder : bool
        Whether a second output reconstructs the patch from the last maps; only for
        patches, hence without `map_step`.
    """
    field = receptive_field(architecture)
    side = field if map_step is None else None
    kind = CoveringConv2D if fast else layers.Conv2D
    image = keras.Input((side, side, 1), name="image")
    x, step, walked = image, 1, 1
    for layer in architecture:
        onward = step * layer.stride
        reached = onward if map_step is None else min(onward, map_step)
        dilation, stride = step // walked, reached // walked
        # A layer either skips places or reaches over those its input did not skip.
        x = kind(layer.maps, layer.kernel, stride, dilation_rate=dilation)(x)
        if not folded:
            x = layers.BatchNormalization(momentum=_STATISTICS_MOMENTUM)(x)
        x = layers.PReLU(alpha_initializer=_slope(), shared_axes=[1, 2])(x)
        step, walked = onward, reached
    log_odds = layers.Conv2D(1, 1, dtype="float32")(x)
    if map_step is None:
        log_odds = layers.Flatten(name=LOG_ODDS)(log_odds)
    if not has_decoder:
        return keras.Model(image, log_odds, name="topaz")
    patch = _decode(x, field)
    return keras.Model(image, [log_odds, patch], name="topaz_autoencoder")


def classifier_of(network: keras.Model) -> keras.Model:
    """Return the classifier of a network for patches, without the decoder."""
    return keras.Model(network.inputs, network.get_layer(LOG_ODDS).output)


def _slope() -> keras.initializers.Initializer:
    """Return PReLU's usual first slope; Keras starts from 0."""
    return keras.initializers.Constant(0.25)


def _decode(maps: keras.KerasTensor, field: int) -> keras.KerasTensor:
    """Reconstruct patches of side `field` from the maps at their centres."""
    x, n_maps = maps, maps.shape[-1]
    side, kernel, stride, padding = 1, 4, 1, "valid"
    while 2 * side - 1 < field:
        x = layers.Conv2DTranspose(n_maps, kernel, stride, padding)(x)
        x = layers.BatchNormalization(momentum=_STATISTICS_MOMENTUM)(x)
        x = layers.LeakyReLU(_LEAK)(x)
        side, n_maps, stride, padding = x.shape[1], n_maps // 2, 2, "same"
    x = layers.Conv2DTranspose(1, 3, 2, "valid", dtype="float32")(x)
    return layers.Cropping2D(1, name=PATCH)(x)
