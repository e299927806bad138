# SPDX-License-Identifier: GPL-3.0-or-later
"""HDF5 files that appear whole or not at all, on a full disk as well.

HDF5 keeps small pieces of a dataset back, and writes them when the dataset is closed;
h5py drops the error of that. On a full disk a file would lack numbers without a word.
Here nothing is kept back, so that every write says whether it worked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from deepconsensus_plugin.core.io.atomic import whole_file
from deepconsensus_plugin.core.io.seal import seal

_ERRNO = re.compile(r"errno = (\d+)")
"""What HDF5's long messages say of a failure that the system reported."""


@contextmanager
def whole_hdf5(path: Path | str, *, is_sealed: bool = False) -> Iterator[Any]:
    """Yield a new HDF5 file; it takes the place of `path` at the end.

    Parameters
    ----------
    path : Path or str
        The file; its folder must exist.
    is_sealed : bool
        Whether a digest of the content follows at its end (`core.io.seal`).

    Raises
    ------
    OSError
        If it cannot be written; `path` then stays as it was.
    """
    try:
        with whole_file(path) as partial:
            with _created(partial) as file:
                yield file
                file.flush()
            if is_sealed:
                seal(partial)
    except (RuntimeError, OSError) as error:
        if (found := _ERRNO.search(str(error))) is None:
            raise
        number = int(found.group(1))
        raise OSError(number, os.strerror(number), str(path)) from error


def _created(path: Path) -> Any:
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    access.set_sieve_buf_size(0)
    return h5py.File(
        h5py.h5f.create(bytes(path), h5py.h5f.ACC_TRUNC, fapl=access),
    )
