# SPDX-License-Identifier: GPL-3.0-or-later
"""Executor of the workers of a ``dask.distributed`` scheduler, given by its address.

The scheduler may be a cluster's of dask-jobqueue, of Kubernetes, of SSH, or a local
one: whoever started it decides how many workers there are, and they may come and go.
They see the files of the project under the same paths, and have this package.
"""

from __future__ import annotations

import asyncio
import logging
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from deepconsensus_plugin.core.execution.executor import (
    Item,
    LostWorkersError,
    Result,
    check_workers,
)
from deepconsensus_plugin.core.execution.worker import Sent, call

logger = logging.getLogger(__name__)

PREFIXES = ("tcp://", "tls://", "ucx://", "ws://", "wss://")
"""Beginnings of addresses of schedulers."""

_SECONDS_TO_ANSWER = 10
_SECONDS_BETWEEN_LOOKS = 5.0
_SMALL = 2**16
"""Bytes of a function that is sent with every item; a larger one is sent once."""


class DaskWorkers:
    """Workers of a scheduler; a context manager that ends the connection.

    Parameters
    ----------
    address : str
        Such as ``tcp://host:8786``.

    Raises
    ------
    ValueError
        If dask.distributed is not installed here, or nothing answers at the address.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client = _connect(address)

    def __enter__(self) -> DaskWorkers:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        workers: int,
    ) -> Iterator[Result]:
        """Yield ``function(item)`` in the order of `items`, computed by the workers."""
        return self._map(Sent.of(function, has_one_thread=True), items, workers)

    def for_networks(self) -> _NetworkWorkers:
        """Return the same workers, with all their threads for each network."""
        return _NetworkWorkers(self)

    def _map(self, sent: Sent, items: Iterable[Any], workers: int) -> Iterator[Any]:
        check_workers(workers)
        function = self._send(sent)
        waiting: deque[Any] = deque()
        try:
            for item in items:
                waiting.append(self._client.submit(call, function, item, pure=False))
                while len(waiting) > max(2 * self._n_threads(), workers):
                    yield self._result(waiting.popleft())
            while waiting:
                yield self._result(waiting.popleft())
        finally:
            if waiting:
                self._client.cancel(list(waiting))

    def _send(self, sent: Sent) -> Any:
        """Return a function as items get it: itself, or the name of its copy.

        The copy is the result of a task, so that it is made again where the worker that
        held it is lost.
        """
        if len(sent.pickled) <= _SMALL:
            return sent
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sending large graph")
            return self._client.submit(_kept, sent, pure=False)

    def _n_threads(self) -> int:
        return sum(self._client.nthreads().values())

    def _result(self, future: Any) -> Any:
        """Return a result when it is there; say so where nobody works on it."""
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        said = False
        try:
            while True:
                try:
                    return future.result(timeout=_SECONDS_BETWEEN_LOOKS)
                except (TimeoutError, asyncio.TimeoutError):  # one since Python 3.11
                    if future.done():  # the error is that of the function
                        raise
                if not said and not self._n_threads():
                    logger.warning("%s has no workers: waiting for some", self.address)
                    said = True
        except KilledWorker as error:
            raise LostWorkersError(
                f"{self.address}: workers were lost at the same work again and again; "
                f"were they killed because memory is short? ({error})"
            ) from error
        except FutureCancelledError as error:
            raise LostWorkersError(
                f"{self.address}: the scheduler ended ({error}); the same job goes on "
                "from here with another one"
            ) from error


def _kept(sent: Sent) -> Sent:
    return sent


class _NetworkWorkers:
    """Workers of a scheduler that compute networks."""

    def __init__(self, workers: DaskWorkers) -> None:
        self._workers = workers

    def map(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        *,
        workers: int,
    ) -> Iterator[Result]:
        """Yield ``function(item)`` in the order of `items`, computed by the workers."""
        sent = Sent.of(function, has_one_thread=False)
        return self._workers._map(sent, items, workers)


def check_answers(address: str) -> None:
    """Refuse an address at which no scheduler answers.

    Raises
    ------
    ValueError
        If none does, or dask.distributed is not installed here.
    """
    _connect(address).close()


def _connect(address: str) -> Any:
    if find_spec("distributed") is None:
        raise ValueError(
            f"scheduler {address}: it needs dask.distributed, which is not installed. "
            "Install the plugin with it: pip install scipion-em-deepconsensus[dask]"
        )
    from distributed import Client

    connect: Any = Client  # it has no types

    started = time.monotonic()
    try:
        return connect(address, timeout=_SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:  # a time-out is an OSError
        raise ValueError(
            f"scheduler {address}: expected a dask.distributed scheduler, received no "
            f"answer in {time.monotonic() - started:.0f} s"
        ) from error
