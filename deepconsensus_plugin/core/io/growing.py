# SPDX-License-Identifier: GPL-3.0-or-later
"""Append-only tables of numbers on disk; a kill loses only rows not yet appended."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import numpy as np

from deepconsensus_plugin.core.io.atomic import naming
from deepconsensus_plugin.core.types import FloatArray

_TYPE = np.dtype("<f8")


class AppendOnlyRows:
    """Rows that are appended in order and kept in a file, as a context manager.

    Parameters
    ----------
    path : Path
        Begins with `made_from`, then float64, little-endian, row after row.
    n_columns : int
        Numbers in a row.
    made_from : str
        Digest of the inputs of the rows; rows with another digest are discarded.
    step : int
        Rows that are appended together: of what a killed process left, whole steps
        are kept.
    """

    def __init__(
        self, path: Path, n_columns: int, *, made_from: str, step: int = 1
    ) -> None:
        self.path, self.n_columns = path, n_columns
        self._header = f"{made_from}\n".encode()
        self._file = open(path, "a+b")
        self.n_kept = self._whole_steps(step)
        end = len(self._header) + self.n_kept * self._row_bytes if self.n_kept else 0
        self._file.truncate(end)
        if not end:
            self._file.write(self._header)

    def __enter__(self) -> AppendOnlyRows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, rows: FloatArray) -> None:
        """Append rows, shape (any, n_columns); they are on the disk from now on."""
        with naming(self.path):
            self._file.write(np.ascontiguousarray(rows, _TYPE).tobytes())
            self._file.flush()
            os.fsync(self._file.fileno())

    def read(self) -> FloatArray:
        """Return all rows so far, shape (n, n_columns)."""
        self._file.seek(len(self._header))
        numbers = np.frombuffer(self._file.read(), _TYPE)
        return numbers.reshape(-1, self.n_columns).astype(np.float64)

    @property
    def _row_bytes(self) -> int:
        return self.n_columns * _TYPE.itemsize

    def _whole_steps(self, step: int) -> int:
        """Count the rows of the same origin that are there, in whole steps."""
        self._file.seek(0)
        if self._file.read(len(self._header)) != self._header:
            return 0
        n_bytes = self._file.seek(0, os.SEEK_END) - len(self._header)
        return n_bytes // (self._row_bytes * step) * step
