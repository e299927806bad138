# SPDX-License-Identifier: GPL-3.0-or-later
"""Limit of linear algebra to one thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from deepconsensus_plugin.core.blas import one_blas_thread


def _n_threads() -> set[int]:
    """Return the threads of NumPy's linear algebra; SciPy may bring another."""
    found = [each for each in threadpool_info() if each["user_api"] == "blas"]
    own = [each for each in found if "numpy" in each["filepath"]]
    return {each["num_threads"] for each in own or found}


@pytest.fixture(autouse=True)
def _two_threads():
    with threadpool_limits(2):
        yield


def test_threads_that_leave_in_any_order_leave_what_was():
    """The last one out restores it, whoever came first."""
    inside, first_left = Barrier(2), Barrier(2)

    def first() -> set[int]:
        with one_blas_thread():
            inside.wait()
        first_left.wait()
        return _n_threads()

    def second() -> set[int]:
        with one_blas_thread():
            inside.wait()
            first_left.wait()
            return _n_threads()

    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(first), pool.submit(second)]
        assert both[1].result() == {1}
    assert _n_threads() == {2}


def test_an_error_restores_what_was():
    with pytest.raises(ZeroDivisionError), one_blas_thread(), one_blas_thread():
        assert _n_threads() == {1}
        raise ZeroDivisionError
    assert _n_threads() == {2}
