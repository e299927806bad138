# SPDX-License-Identifier: GPL-3.0-or-later
"""Choice of the fastest form of a convolution for this processor and kernel.

All forms compute the same function of the same weights. As measured
(``docs/performance.md``):

============================  =======================  =========================
Where                         Kernels of               Form
============================  =======================  =========================
GPU, or not TensorFlow        any width                plain: written for those
CPU with AVX-512              7 and wider, 8 channels  packed columns
CPU without, in training      7 and wider              Fourier space
CPU without, in scoring       9 and wider              Fourier space
============================  =======================  =========================

A single channel gains nothing from packing, and kernels of 3×3 gain from neither.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from pathlib import Path

import keras
from keras import layers

from deepconsensus_plugin.core.networks.fourier import FourierConv2D
from deepconsensus_plugin.core.networks.packed import PackedConv2D, StridedConv2D

_CPUINFO = Path("/proc/cpuinfo")

_WIDE = 7
"""Kernels from which on another form can pay."""

_WIDE_IN_SCORING = 9
"""The same for Fourier space without the gradients, its greatest gain."""

_PACKED_CHANNELS = 8
"""Input channels that half fill a vector of AVX-512."""


class Device(Enum):
    """Device that computes, as far as the form of a convolution depends on it."""

    ACCELERATOR = "a GPU, or another backend than TensorFlow"
    CPU_AVX512 = "a CPU whose vectors have 16 lanes"
    CPU = "another CPU"


def convolution_layer(
    kernel_size: int, in_channels: int, *, device: Device, scoring: bool
) -> type[layers.Conv2D]:
    """Return the class of layer for a stride-1 "same" convolution.

    Parameters
    ----------
    kernel_size : int
        Side of the kernel, odd.
    in_channels : int
        Channels of the input.
    device : Device
        Where it is to run; see `current_device`.
    scoring : bool
        Whether only scores are computed, without gradients.
    """
    plain: type[layers.Conv2D] = layers.Conv2D
    if device is Device.ACCELERATOR or kernel_size < _WIDE:
        return plain
    if device is Device.CPU_AVX512:
        if in_channels != _PACKED_CHANNELS:
            return plain
        return StridedConv2D if scoring else PackedConv2D
    if scoring and kernel_size < _WIDE_IN_SCORING:
        return plain
    return FourierConv2D


@lru_cache(maxsize=1)
def current_device() -> Device:
    """Return what this process computes on."""
    if keras.backend.backend() != "tensorflow":
        return Device.ACCELERATOR
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return Device.ACCELERATOR
    cpuinfo = _CPUINFO.read_text() if _CPUINFO.exists() else ""
    return Device.CPU_AVX512 if has_avx512(cpuinfo) else Device.CPU


def memory_error() -> type[Exception]:
    """Return what is raised where the memory of a GPU is full."""
    if keras.backend.backend() != "tensorflow":
        return RuntimeError  # of which the other backends' errors are kinds
    import tensorflow as tf

    error: type[Exception] = tf.errors.ResourceExhaustedError
    return error


def has_avx512(cpuinfo: str) -> bool:
    """Return whether text like Linux' ``/proc/cpuinfo`` names the flag ``avx512f``."""
    for line in cpuinfo.splitlines():
        key, _, flags = line.partition(":")
        if key.strip() == "flags":
            return "avx512f" in flags.split()
    return False
