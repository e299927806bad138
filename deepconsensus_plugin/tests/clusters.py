# SPDX-License-Identifier: GPL-3.0-or-later
"""Scheduler with workers of its own on this computer, where dask is installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def local_cluster(n_workers: int = 2) -> Iterator[str]:
    """Start a scheduler with processes on this computer; give its address."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address
