# SPDX-License-Identifier: GPL-3.0-or-later
"""Executors: the same results in the same order, wherever the workers are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from deepconsensus_plugin.core.execution import Executor, Here, Threads
from deepconsensus_plugin.core.execution.dask_scheduler import DaskWorkers
from deepconsensus_plugin.core.execution.executor import LostWorkersError
from deepconsensus_plugin.core.execution.gpus import choose_gpus
from deepconsensus_plugin.core.execution.places import WorkPlace, working_at
from deepconsensus_plugin.core.execution.processes import Processes
from deepconsensus_plugin.core.execution.worker import VISIBLE_DEVICES
from deepconsensus_plugin.tests.clusters import local_cluster
from deepconsensus_plugin.tests.work import (
    KilledOnce,
    inverse_of_two_less,
    killed_always,
    length_and,
    loaded_libraries,
    seen_device,
    slow_first_square,
)

N_ITEMS = 20
SQUARES = [i * i for i in range(N_ITEMS)]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    with local_cluster() as address:
        yield address


@pytest.fixture(params=["here", "threads", "processes", "dask"])
def executor(request) -> Iterator[Executor]:
    if request.param == "dask":
        with DaskWorkers(request.getfixturevalue("scheduler")) as workers:
            yield workers
    else:
        plain = {"here": Here, "threads": Threads, "processes": Processes}
        yield plain[request.param]()


def test_results_come_in_the_order_of_the_items(executor):
    found = executor.map(slow_first_square, range(N_ITEMS), workers=2)
    assert list(found) == SQUARES


def test_an_error_is_raised_in_its_turn(executor):
    received = []
    with pytest.raises(ZeroDivisionError):
        for value in executor.map(inverse_of_two_less, range(5), workers=2):
            received.append(value)
    assert received == [0.5, 1.0]


def test_refuses_no_workers(executor):
    with pytest.raises(ValueError, match="workers must be >= 1, received 0"):
        list(executor.map(slow_first_square, range(2), workers=0))


def test_never_takes_items_further_ahead_than_there_are_workers(executor):
    taken = []
    found = executor.map(slow_first_square, map(_noting(taken), range(50)), workers=2)
    for done, _ in enumerate(found):
        assert len(taken) <= done + 6  # two workers, twice, and the one that waits


def _noting(taken: list[int]) -> Callable[[int], int]:
    def note(i: int) -> int:
        taken.append(i)
        return i

    return note


def test_a_large_function_is_sent_once(executor):
    function = partial(length_and, bytes(2**20))
    assert list(executor.map(function, range(4), workers=2)) == [
        2**20 + i for i in range(4)
    ]


@pytest.mark.slow
def test_nothing_is_lost_with_a_killed_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function = KilledOnce(7, Path("killed"))
    found = Processes().map(function, range(N_ITEMS), workers=2)
    assert list(found) == SQUARES
    assert (tmp_path / "killed").exists()


@pytest.mark.slow
def test_nothing_is_lost_with_a_killed_worker_of_a_scheduler(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with local_cluster() as address, DaskWorkers(address) as workers:
        function = KilledOnce(7, Path("killed"))
        assert list(workers.map(function, range(N_ITEMS), workers=2)) == SQUARES
    assert (tmp_path / "killed").exists()


@pytest.mark.slow
def test_what_kills_every_process_is_given_up():
    with pytest.raises(LostWorkersError, match="lost 4 times without a result"):
        list(Processes().map(killed_always, range(3), workers=1))


def test_each_device_has_a_process_of_its_own():
    found = set(Processes(["3", "5"]).map(seen_device, range(6), workers=1))
    assert {device for _, device in found} == {"3", "5"}
    assert len({process for process, _ in found}) == 2


def test_workers_that_need_no_network_load_none(scheduler):
    with DaskWorkers(scheduler) as workers:
        for executor in (Processes(), workers):
            assert [*executor.map(loaded_libraries, range(2), workers=1)] == [set()] * 2


@pytest.mark.parametrize("name", [None, "threads", "processes", "tcp://host:8786"])
def test_places_that_are_known(name):
    assert WorkPlace(name).scheduler == name


@pytest.mark.parametrize("name", ["", "slurm", "tcp://", "host:8786"])
def test_refuses_a_place_that_is_not_known(name):
    with pytest.raises(ValueError, match="it must be threads, processes or an address"):
        WorkPlace(name)


def test_a_scheduler_that_does_not_answer_is_refused(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(
        "deepconsensus_plugin.core.execution.dask_scheduler._SECONDS_TO_ANSWER", 0.5
    )
    began = time.monotonic()
    with (
        pytest.raises(ValueError, match=r"127\.0\.0\.1:9.* received no answer"),
        working_at(WorkPlace("tcp://127.0.0.1:9")),
    ):
        pass
    assert time.monotonic() - began < 10


def test_several_gpus_compute_networks_side_by_side():
    with working_at(WorkPlace(), ["0", "1"]) as progress:
        assert progress.networks.devices == ("0", "1")
    with working_at(WorkPlace(), ["0"]) as progress:
        assert progress.networks is None


@pytest.mark.parametrize(
    ("given", "numbers", "chosen"),
    [
        (None, None, []),
        ("2,3", None, ["2", "3"]),
        (None, "0,1", ["0", "1"]),
        ("4,7", "0,1", ["4", "7"]),
        ("GPU-a,GPU-b", "1", ["GPU-b"]),
        ("4", "", []),
    ],
)
def test_gpus_of_a_queue_are_those_that_it_gave(monkeypatch, given, numbers, chosen):
    with ExitStack() as stack:
        monkeypatch.delenv(VISIBLE_DEVICES, raising=False)
        stack.callback(monkeypatch.undo)
        if given is not None:
            monkeypatch.setenv(VISIBLE_DEVICES, given)
        assert choose_gpus(numbers) == chosen


def test_refuses_more_gpus_than_a_queue_gave(monkeypatch):
    monkeypatch.setenv(VISIBLE_DEVICES, "4,7")
    with pytest.raises(ValueError, match=r"numbers below 2, .*4,7.*, received 2"):
        choose_gpus("0,2")
