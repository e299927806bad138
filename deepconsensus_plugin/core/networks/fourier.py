# SPDX-License-Identifier: GPL-3.0-or-later
"""Convolutions with wide kernels, made fast on a CPU by the convolution theorem.

A 15×15 convolution of 8 channels on 128×128 pixels, the heart of Table 1, is 236 M
multiply-adds a box when done directly. In Fourier space it is a product of 8×8 numbers
at each of 135×68 frequencies, between two sets of 8 transforms: a twentieth of the
work, for the result and for both gradients.

With x of side n, a kernel w of side k, r = k // 2 and transforms F of a side of n + r
or more (the next that has small factors), in which what wraps around falls outside the
rows and columns that are kept:

    y      = F⁻¹( Σ_c F(x_c) · F(w̄_cd) )        kept from r to r + n, w̄ = w mirrored
    ∂x     = F⁻¹( Σ_d F(∂y_d) · F(w̄_cd)* )      kept from 0 to n, ∂y placed at r
    ∂w̄_cd  = F⁻¹( Σ_b F(x_c)* · F(∂y_d) )       kept from 0 to k
"""

from __future__ import annotations

from typing import Any

import scipy.fft
from keras import layers


class FourierConv2D(layers.Conv2D):  # type: ignore[misc]
    """A stride-1 "same" convolution of square images, computed in Fourier space.

    Same weights as ``keras.layers.Conv2D``, same result to 1e-6 of its range. Odd,
    square kernels; TensorFlow only.
    """

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        """Convolve; called by ``Conv2D.call``."""
        return _convolve(inputs, kernel)


def _convolve(images: Any, kernel: Any) -> Any:
    """Convolve ``(b, n, n, c)`` with ``(k, k, c, d)``; same-padded, stride 1."""
    import tensorflow as tf

    n, k = images.shape[1], kernel.shape[0]
    r = k // 2
    kept = slice(r, r + n)
    to_fourier, from_fourier = _transforms(scipy.fft.next_fast_len(n + r, real=True))

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolve(x: Any, w: Any) -> Any:
        fx = to_fourier(tf.transpose(x, (0, 3, 1, 2)))
        fw = to_fourier(tf.transpose(w, (2, 3, 0, 1))[:, :, ::-1, ::-1])
        y = from_fourier(tf.einsum("bcij,cdij->bdij", fx, fw))[:, :, kept, kept]

        def gradient(dy: Any) -> tuple[Any, Any]:
            placed = ((0, 0), (0, 0), (r, 0), (r, 0))
            fdy = to_fourier(tf.pad(tf.transpose(dy, (0, 3, 1, 2)), placed))
            dx = from_fourier(tf.einsum("bdij,cdij->bcij", fdy, tf.math.conj(fw)))
            dw = from_fourier(tf.einsum("bcij,bdij->cdij", tf.math.conj(fx), fdy))
            mirrored = dw[:, :, :k, :k][:, :, ::-1, ::-1]
            return (
                tf.transpose(dx[:, :, :n, :n], (0, 2, 3, 1)),
                tf.transpose(mirrored, (2, 3, 0, 1)),
            )

        return tf.transpose(y, (0, 2, 3, 1)), gradient

    return convolve(images, tf.convert_to_tensor(kernel))


def _transforms(side: int) -> tuple[Any, Any]:
    """Return the real 2-D transform, zero-padded to `side`, and its inverse."""
    import tensorflow as tf

    lengths = [side, side]
    return (
        lambda images: tf.signal.rfft2d(images, lengths),
        lambda spectra: tf.signal.irfft2d(spectra, lengths),
    )
