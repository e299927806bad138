# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual screen in memory, with a window manager."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

WIDTH, HEIGHT = 1366, 768
"""The smallest laptop screen in wide use, pixels."""

_PACKAGES = {"Xvfb": "xvfb", "openbox": "openbox"}
"""Debian's and Ubuntu's package of each program."""

_START_SECONDS = 20.0


@contextmanager
def virtual_screen(*, width: int = WIDTH, height: int = HEIGHT) -> Iterator[str]:
    """Start a screen of this size and a window manager; yield its ``DISPLAY``.

    Raises
    ------
    RuntimeError
        If a program is not installed (its package is named) or does not start.
    """
    missing = [package for name, package in _PACKAGES.items() if not shutil.which(name)]
    if missing:
        raise RuntimeError(
            "the check of the windows needs a virtual screen: "
            f"apt-get install {' '.join(missing)}"
        )
    with ExitStack() as stack:
        display = _start_server(stack, width, height)
        _start_window_manager(stack, display)
        yield display


def _start_server(stack: ExitStack, width: int, height: int) -> str:
    """Start Xvfb on a display that it finds free."""
    read_end, write_end = os.pipe()
    command = ["Xvfb", "-displayfd", str(write_end), "-nolisten", "tcp"]
    command += ["-screen", "0", f"{width}x{height}x24"]
    stack.enter_context(_running(command, pass_fds=[write_end]))
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        number = answer.readline().strip()  # empty if Xvfb has ended
    if not number:
        raise RuntimeError(f"expected a display number of {command[0]}, received none")
    return f":{number}"


def _start_window_manager(stack: ExitStack, display: str) -> None:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    ready = folder / "ready"
    command = ["openbox", "--sm-disable", "--startup", f"touch {ready}"]
    process = stack.enter_context(_running(command, env={"DISPLAY": display}))
    deadline = time.monotonic() + _START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{command[0]} did not start on display {display}")
        time.sleep(0.05)


@contextmanager
def _running(
    command: Sequence[str],
    *,
    env: dict[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program, without its chatter, as long as the context lasts."""
    with subprocess.Popen(
        command,
        env={**os.environ, **(env or {})},
        pass_fds=pass_fds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
