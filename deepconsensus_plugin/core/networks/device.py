# SPDX-License-Identifier: GPL-3.0-or-later
"""Device that networks are computed on, in the words of summaries and reports."""

from __future__ import annotations

import keras

CPU = "CPU"
"""Name of the device where no GPU is used."""


def used_device() -> str | None:
    """Return what this process computes on: ``CPU``, or ``GPU`` and its name.

    None for other backends than TensorFlow, which are not asked.
    """
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return CPU
    details = tf.config.experimental.get_device_details(gpus[0])  # the one that is used
    return f"GPU {details.get('device_name', '')}".strip()
