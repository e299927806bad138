# SPDX-License-Identifier: GPL-3.0-or-later
"""Convolutions of few channels, made fast where vectors have 16 lanes (AVX-512).

Eight channels half fill a vector of 16 floats, and for kernels wider than 14 oneDNN
has no fast gradient. Treating P neighbouring columns as channels fills the vectors
and narrows the kernel. With r = k // 2, column P·J + a of the result is

    y[P·J + a] = Σ_t w[t] · x[P·J + a + t − r]        t = 0 … k − 1

**For training**, put the input's column as P·(J + s) + b. The tap that meets it is
t = P·s + b − a + r, so with columns packed on both sides, a free reshape,

    y[J, a] = Σ_s Σ_b w[P·s + b − a + r] · x[J + s, b]        s = −⌈r / P⌉ … ⌈r / P⌉

which is an ordinary "same" convolution, of stride 1, with P·C channels in and P·F out
and a kernel that is zero outside the taps. Its gradients take the fast kernels too.

**For scoring**, pack the result only, and put j = a + t: a convolution of stride P,

    y[J, a] = Σ_j w[j − a] · x[P·J + j − r]        j = 0 … k + P − 2

of fewer multiply-adds, k + P − 1 columns instead of P·(2⌈r / P⌉ + 1). Weight gradients
of strided convolutions are slow: not for training.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from deepconsensus_plugin.core.types import IntArray

P = 2
"""Neighbouring columns that become channels: 2 × 8 channels fill 16 lanes."""


class PackedConv2D(layers.Conv2D):  # type: ignore[misc]
    """A stride-1 "same" convolution with columns of input and result packed.

    Same weights as ``keras.layers.Conv2D``, same result but for rounding. Odd, square
    kernels; images whose width is no multiple of `P` are convolved plainly.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve; called by ``Conv2D.call``."""
        _, height, width, channels = inputs.shape
        if width % P:
            return super().convolution_op(inputs, kernel)
        packed = ops.reshape(inputs, (-1, height, width // P, P * channels))
        result = ops.conv(packed, _packed_kernel(kernel), padding="same")
        return ops.reshape(result, (-1, height, width, self.filters))


class StridedConv2D(layers.Conv2D):  # type: ignore[misc]
    """A stride-1 "same" convolution with columns of the result packed; for scoring.

    Same weights as ``keras.layers.Conv2D``, same result but for rounding. Odd, square
    kernels; images whose width is no multiple of `P` are convolved plainly.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve; called by ``Conv2D.call``."""
        _, height, width, _ = inputs.shape
        if width % P:
            return super().convolution_op(inputs, kernel)
        r = kernel.shape[0] // 2
        padded = ops.pad(inputs, ((0, 0), (r, r), (r, r), (0, 0)))
        result = ops.conv(
            padded, _strided_kernel(kernel), strides=(1, P), padding="valid"
        )
        return ops.reshape(result, (-1, height, width, self.filters))


def _packed_kernel(kernel: Any) -> Any:
    """Return a kernel ``(k, k, c, f)`` as ``(k, 2⌈r / P⌉ + 1, P·c, P·f)``."""
    k, _, channels, filters = kernel.shape
    reach = -(-(k // 2) // P)
    phase = np.arange(P)
    shift = np.arange(-reach, reach + 1)
    taps = P * shift[:, None, None] + phase[:, None] - phase + k // 2  # s, b, a
    wide = ops.einsum("sbat,htcf->hsbcaf", _one_hot(taps, k), kernel)
    return ops.reshape(wide, (k, len(shift), P * channels, P * filters))


def _strided_kernel(kernel: Any) -> Any:
    """Return a kernel ``(k, k, c, f)`` as ``(k, k + P − 1, c, P·f)``."""
    k, _, channels, filters = kernel.shape
    taps = np.arange(k + P - 1)[:, None] - np.arange(P)  # j, a
    wide = ops.einsum("jat,htcf->hjcaf", _one_hot(taps, k), kernel)
    return ops.reshape(wide, (k, k + P - 1, channels, P * filters))


def _one_hot(taps: IntArray, k: int) -> NDArray[np.float32]:
    """Return which of the `k` taps each place takes; none where there is no tap."""
    return np.asarray(taps[..., None] == np.arange(k), dtype=np.float32)
