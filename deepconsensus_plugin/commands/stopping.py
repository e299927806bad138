# SPDX-License-Identifier: GPL-3.0-or-later
"""End of a command that is asked to stop: at once, with one line and its exit status.

An exception would have to find its way through foreign code, some of which catches all,
some of which waits or prints. A command may be killed at any moment without loss, so it
ends itself in the handler of the signal, after the processes that it started.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_ASKED = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending_at_once(
    line: str = "stopped", then: Callable[[], None] | None = None
) -> Iterator[None]:
    """Let SIGINT (Ctrl-C) and SIGTERM end this process with 130 and 143.

    Parameters
    ----------
    line : str
        What is said then.
    then : callable, optional
        Called last, when the processes that were started have ended.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return

    def leave(number: int, frame: object) -> None:
        for each in _ASKED:
            signal.signal(each, signal.SIG_IGN)
        start = "\n" if sys.stderr.isatty() else ""  # a bar may be on this line
        with suppress(OSError):
            os.write(2, f"{start}{line}\n".encode())
        try:
            _stop_children()
            if then is not None:
                then()
        finally:
            os._exit(128 + number)

    before = {each: signal.getsignal(each) for each in _ASKED}
    # What a shell starts in the background ignores Ctrl-C, and still does.
    heard = [each for each in _ASKED if before[each] not in (None, signal.SIG_IGN)]
    try:
        for each in heard:
            signal.signal(each, leave)
        yield
    finally:
        for each in heard:
            signal.signal(each, before[each])


def _stop_children() -> None:
    # Imported late: `check` works without the requirements.
    from deepconsensus_plugin.commands.processes import stop_children

    stop_children()
