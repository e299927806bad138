# SPDX-License-Identifier: GPL-3.0-or-later
"""Work that tests send to other processes, which import it by name."""

from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from deepconsensus_plugin.core.execution.worker import VISIBLE_DEVICES


def slow_first_square(i: int) -> int:
    """Return the square of a number; that of 0 takes long."""
    time.sleep(0.2 if i == 0 else 0)
    return i * i


def inverse_of_two_less(i: int) -> float:
    """Return 1 / (2 - i)."""
    return 1 / (2 - i)


def seen_device(_: int) -> tuple[int, str]:
    """Return this process and the GPUs that it sees; slow, so that all have to work."""
    time.sleep(0.2)
    return os.getpid(), os.environ.get(VISIBLE_DEVICES, "")


def loaded_libraries(_: int) -> set[str]:
    """Return which learning libraries this process has loaded."""
    return {"keras", "tensorflow"} & sys.modules.keys()


@dataclass(frozen=True)
class KilledOnce:
    """Square of a number, whose process is killed before it returns that of `number`.

    Parameters
    ----------
    number : int
        Which.
    mark : Path
        File that says that it happened. Relative: to the sender's folder.
    """

    number: int
    mark: Path

    def __call__(self, i: int) -> int:
        """Return the square."""
        time.sleep(0.02)
        if i == self.number and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return i * i


def killed_always(_: int) -> None:
    """End this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def length_and(held: bytes, i: int) -> int:
    """Return the number of bytes, and a number more."""
    return len(held) + i
