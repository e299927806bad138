# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of a foreign model, read first in a process of their own.

HDF5's library can hang, die or take all memory with a file that is made for it: this
ends the process, with a sentence that names the file, and nothing else. The process is
``python -m deepconsensus_plugin.core.pipeline.weights_apart FOLDER``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from deepconsensus_plugin.core.errors import FileFormatError, ModelFormatError
from deepconsensus_plugin.core.methods import load_card
from deepconsensus_plugin.core.networks.card import WEIGHTS_FILE
from deepconsensus_plugin.core.networks.weights import read_weights

LONGEST_S = 60.0
"""Time for reading; the largest archive that is taken needs a few seconds."""

_MOST_MEMORY = 2**32
"""Bytes of addresses of the process; the largest archive needs half of it."""

_REFUSED = 3
"""Exit status; Python itself gives 1 and 2."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Variables; each thread takes addresses."""

_MODULE = "deepconsensus_plugin.core.pipeline.weights_apart"


def try_weights(folder: Path, *, longest_s: float = LONGEST_S) -> None:
    """Read the weights of a model in a process of their own.

    Raises
    ------
    ModelFormatError
        If they cannot be read, or not within `longest_s` and 4 GB.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", _MODULE, str(folder)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, **_ONE_THREAD},
            timeout=longest_s,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelFormatError(
            folder / WEIGHTS_FILE,
            expected=f"weights that are read within {longest_s:g} s",
            received="a file with which the library of HDF5 comes to no end (damaged, "
            "or made to do so)",
        ) from error
    if done.returncode == _REFUSED:
        raise ModelFormatError(**json.loads(done.stdout))
    if done.returncode:
        last = [f"status {done.returncode}", *done.stderr.strip().splitlines()][-1]
        raise ModelFormatError(
            folder / WEIGHTS_FILE,
            expected="weights in HDF5",
            received=f"a file at which their reader died ({last[:200]})",
        )


def main(arguments: list[str]) -> int:
    """Read weights; the status is 0 if they are right."""
    (folder,) = map(Path, arguments)
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    try:
        read_weights(folder, load_card(folder))
    except FileFormatError as error:
        told = {"path": str(error.path)}
        told |= {"expected": error.expected, "received": error.received}
        sys.stdout.write(json.dumps(told))
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
