# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices that the Python of the jobs computes on; asking it starts the backend."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

from deepconsensus_plugin.job_environment.gpus import SeenDevices
from deepconsensus_plugin.job_environment.versions import last_line

_TIMEOUT_S = 180
_TENSORFLOW = """
import json, tensorflow as tf
def name(device):
    details = tf.config.experimental.get_device_details(device)
    return f"{device.device_type} {details.get('device_name', '')}".strip()
names = [name(device) for device in tf.config.list_physical_devices()]
built = tf.sysconfig.get_build_info().get("cuda_version", "")
"""
_JAX = """
import json, jax
kinds = [(d.platform, d.device_kind) for d in jax.devices()]
names = ["CPU" if platform == "cpu" else "GPU " + kind for platform, kind in kinds]
built = "12.0" if names[0] != "CPU" else ""
"""
_TORCH = """
import json, torch
count = torch.cuda.device_count() if torch.cuda.is_available() else 0
names = ["CPU", *(f"GPU {torch.cuda.get_device_name(i)}" for i in range(count))]
built = torch.version.cuda or ""
"""
_SCRIPTS = {"tensorflow": _TENSORFLOW, "jax": _JAX, "torch": _TORCH}
_ANSWER = "\nprint(json.dumps([names, built]))\n"


def ask_devices(python: str, backend: str, environ: Mapping[str, str]) -> SeenDevices:
    """Return what a backend sees in an interpreter with these environment variables."""
    try:
        answer = subprocess.run(
            [python, "-c", _SCRIPTS[backend] + _ANSWER],
            env={**environ, "TF_CPP_MIN_LOG_LEVEL": "0"},
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT_S,
        )
        names, built = json.loads(answer.stdout.splitlines()[-1])
    except subprocess.CalledProcessError as error:
        reason = last_line(error.stderr) or f"status {error.returncode}"
        return SeenDevices(backend, fault=reason)
    except (OSError, subprocess.TimeoutExpired, ValueError, IndexError) as error:
        return SeenDevices(backend, fault=str(error))
    return SeenDevices(backend, tuple(names), built, log=answer.stderr)
