# SPDX-License-Identifier: GPL-3.0-or-later
"""Convolutions as layers in each form, and the form that is mostly the fastest.

All forms compute the same function of the same weights. As measured
(``docs/performance.md``):

======================  ===========================  ===============================
Where                   In training                  In scoring
======================  ===========================  ===============================
GPU, or not TensorFlow  plain: written for those     plain
CPU with AVX-512        Fourier space from 9×9 on;   the same from 8 channels; packed
                        packed: 7×7 of 8 channels    results: 7×7 of 8 channels
another CPU             Fourier space from 7×7 on    Fourier space from 9×9 on
======================  ===========================  ===============================

Smaller kernels gain nothing. Which form is the fastest depends on the processor, so
where a network is trained or scores it is measured (`fastest`); this is the rule where
it is not.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from pathlib import Path

import keras
from keras import layers

from deepconsensus_plugin.core.networks.forms import Convolution, Form
from deepconsensus_plugin.core.networks.fourier import FourierConv2D
from deepconsensus_plugin.core.networks.packed import PackedConv2D, StridedConv2D

CPUINFO = Path("/proc/cpuinfo")

LAYERS: dict[Form, type[layers.Conv2D]] = {
    Form.PLAIN: layers.Conv2D,
    Form.FOURIER: FourierConv2D,
    Form.PACKED: PackedConv2D,
    Form.STRIDED: StridedConv2D,
}

WIDE = 7
"""Kernels from which on another form can pay."""

_WIDER = 9
"""Kernels from which on Fourier space pays without gradients, its greatest gain, or
with vectors of 16 lanes."""

_PACKED_CHANNELS = 8
"""Input channels that half fill a vector of AVX-512."""


class Device(Enum):
    """Device that computes, as far as the form of a convolution depends on it."""

    ACCELERATOR = "a GPU, or another backend than TensorFlow"
    CPU_AVX512 = "a CPU whose vectors have 16 lanes"
    CPU = "another CPU"


def form_by_rule(convolution: Convolution, *, device: Device, scoring: bool) -> Form:
    """Return the form that is mostly the fastest.

    Parameters
    ----------
    convolution : Convolution
        Shape of the convolution.
    device : Device
        Where it is to run; see `current_device`.
    scoring : bool
        Whether only scores are computed, without gradients.
    """
    width = convolution.kernel_size
    if device is Device.ACCELERATOR or width < WIDE:
        return Form.PLAIN
    if device is Device.CPU:
        return Form.PLAIN if scoring and width < _WIDER else Form.FOURIER
    has_channels = convolution.n_in >= _PACKED_CHANNELS
    if width >= _WIDER:
        return Form.PLAIN if scoring and not has_channels else Form.FOURIER
    if convolution.n_in != _PACKED_CHANNELS:
        return Form.PLAIN
    return Form.STRIDED if scoring else Form.PACKED


@lru_cache(maxsize=1)
def current_device() -> Device:
    """Return what this process computes on."""
    if keras.backend.backend() != "tensorflow":
        return Device.ACCELERATOR
    import tensorflow as tf

    if tf.config.list_physical_devices("GPU"):
        return Device.ACCELERATOR
    cpuinfo = CPUINFO.read_text() if CPUINFO.exists() else ""
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
