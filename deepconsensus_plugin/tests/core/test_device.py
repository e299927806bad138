# SPDX-License-Identifier: GPL-3.0-or-later
"""Device that networks are computed on, by name."""

from __future__ import annotations

import pytest
import tensorflow as tf

from deepconsensus_plugin.core.networks.device import used_device


def test_without_a_gpu_it_is_the_cpu():
    assert used_device() == "CPU"


@pytest.mark.parametrize(
    ("details", "expected"),
    [({"device_name": "NVIDIA H200"}, "GPU NVIDIA H200"), ({}, "GPU")],
)
def test_a_gpu_is_named_as_its_driver_does(monkeypatch, details, expected):
    config = tf.config
    monkeypatch.setattr(config, "list_physical_devices", lambda kind: ["first", "next"])
    monkeypatch.setattr(
        config.experimental, "get_device_details", {"first": details}.get
    )
    assert used_device() == expected
