# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration of pytest: an environment of its own, set before any import.

No display, no GPU, two cores (one, where files of tests run side by side), and a
Scipion home in a temporary folder, so that tests never see a user's projects.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile

import pytest

from deepconsensus_plugin.bootstrap import prepare_environment
from deepconsensus_plugin.tests.marks import SLOW
from deepconsensus_plugin.tests.shared import shared_root

_SCIPION_VARIABLES = (
    "SCIPION_HOME",
    "SCIPION_USER_DATA",
    "SCIPION_HOSTS",
    "SCIPION_TESTS_OUTPUT",
    "SCIPION_CONFIG",
    "SCIPION_LOCAL_CONFIG",
    "SCIPION_SOFTWARE",
    "SCIPION_LOGS",
    "SCIPION_LOG",
)
_DEFAULTS = {
    "CUDA_VISIBLE_DEVICES": "",
    "DEEPCONSENSUS_FORMS": "rule",  # no trial of the fastest forms
    "MPLBACKEND": "Agg",
    "QT_QPA_PLATFORM": "offscreen",
    "TF_CPP_MIN_LOG_LEVEL": "2",
}
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
_LONGEST = (
    *("test_protocol_screen.py", "test_run.py", "test_resume.py"),
    *("test_pipeline.py", "test_run_stops.py", "test_protocol_hydra.py"),
)
"""Files of tests, by the time that they take."""

_home = None


def pytest_configure(config):
    """Set the environment; child processes inherit it."""
    global _home
    _home = tempfile.mkdtemp(prefix="deepconsensus-tests-")
    # Processes that tests start compile this package once, not each of them.
    for name in (*_SCIPION_VARIABLES, "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(name, None)
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    at_once = getattr(config.option, "numprocesses", None)  # of pytest-xdist
    for name in _THREADS:
        os.environ.setdefault(name, "1" if at_once else "2")
    # Protocols run in processes of their own; their Python must be this one.
    os.environ["SCIPION_PYTHON"] = sys.executable
    prepare_environment(_home)
    shared_root()  # before other processes ask for it


def pytest_unconfigure(config):
    """Delete the projects that tests made."""
    shutil.rmtree(_home, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items):
    """Put files with slow tests last, and the longest first, for workers in parallel.

    Each takes the next file when it is done; so they end at about the same time.
    """
    for item in items:
        if hasattr(item.obj, SLOW) or hasattr(item.cls, SLOW):
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    place = {name: number for number, name in enumerate(_LONGEST)}
    items.sort(
        key=lambda item: (item.path in slow, place.get(item.path.name, len(place)))
    )


@pytest.fixture
def eagerly():
    """Run TensorFlow without graphs: to make one takes longer than a few steps do."""
    import tensorflow as tf  # heavy

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
