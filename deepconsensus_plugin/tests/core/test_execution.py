# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import threading
import time

import pytest

from deepconsensus_plugin.core.execution import Progress, map_ahead


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers):
    def slow_first(i):
        time.sleep(0.02 if i == 0 else 0)
        return i * i

    results = list(map_ahead(slow_first, range(20), workers=workers))
    assert results == [i * i for i in range(20)]


def test_never_works_further_ahead_than_asked():
    started = []
    lock = threading.Lock()

    def count(i):
        with lock:
            started.append(i)
        return i

    for done in map_ahead(count, range(50), workers=2):
        time.sleep(0.001)
        assert len(started) <= done + 4


def test_an_error_is_raised_in_its_turn():
    received = []
    with pytest.raises(ZeroDivisionError):
        for value in map_ahead(lambda i: 1 / (2 - i), range(5), workers=2):
            received.append(value)
    assert received == [0.5, 1.0]


def test_refuses_no_workers():
    with pytest.raises(ValueError, match="workers must be >= 1, received 0"):
        list(map_ahead(int, "12", workers=0))


def test_progress_is_told_in_a_file_and_costs_are_kept(tmp_path):
    progress = Progress(tmp_path / "job.progress.json")
    with progress.stage("score", 10) as advance:
        advance(4)
        advance(6)
    told = json.loads((tmp_path / "job.progress.json").read_text())
    assert told == {"stage": "score", "done": 10, "total": 10}
    assert progress.timings["score"].seconds >= 0
    assert progress.timings["score"].peak_memory_mb > 1
