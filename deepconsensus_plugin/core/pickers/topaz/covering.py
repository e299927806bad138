# SPDX-License-Identifier: GPL-3.0-or-later
"""Convolutions whose kernel covers all of their input, made fast on a CPU.

There is one place for the kernel, and the result is a matrix product. oneDNN's gradient
with respect to the input takes ten times as long in the form of a convolution
(docs/performance.md).
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops


class CoveringConv2D(layers.Conv2D):  # type: ignore[misc]
    """Convolution without padding, a matrix product if its kernel covers its input.

    It has the weights of ``keras.layers.Conv2D``, and its result up to rounding. An
    input that is larger, or of unknown size, is convolved as usual.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve; called by ``Conv2D.call``."""
        side, _, channels, filters = kernel.shape
        if tuple(inputs.shape[1:3]) != (side, side):
            return super().convolution_op(inputs, kernel)
        length = side * side * channels
        product = ops.matmul(
            ops.reshape(inputs, (-1, length)), ops.reshape(kernel, (length, filters))
        )
        return ops.reshape(product, (-1, 1, 1, filters))
