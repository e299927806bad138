# SPDX-License-Identifier: GPL-3.0-or-later
"""Check of the built wheel in an empty environment of the Python that runs this.

``make test-wheel``, or ``python -m tools.wheel_check DIST FOLDER [--demo]``: installs
the wheel with ``[learning]`` and uses it from the folder, without this checkout on the
path. With ``--demo`` it runs the whole demonstration, else three micrographs.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

_SMALL = ("numberOfMicrographs=3", "nEpochs=1", "nModels=1")


def main(words: list[str]) -> int:
    """Install and try the wheel; the exit status is 0 if all works."""
    dist, folder = Path(words[0]).absolute(), Path(words[1]).absolute()
    (wheel,) = dist.glob("*.whl")
    python = folder / "env" / "bin" / "python"
    folder.mkdir(parents=True, exist_ok=True)
    if not python.exists():
        _run(folder, sys.executable, "-m", "venv", str(python.parents[1]))
    _run(folder, str(python), "-m", "pip", "install", "-q", f"{wheel}[learning]")
    _run(folder, str(python), "-m", "pip", "check")
    start, project = time.monotonic(), folder / "demo"
    shutil.rmtree(project, ignore_errors=True)
    plugin = (str(python), "-m", "deepconsensus_plugin")
    _run(folder, *plugin, "check")
    small = () if "--demo" in words else _SMALL
    run = ("run", "deep_consensus_demo", *small, "--project", str(project))
    _run(folder, *plugin, *run)
    found = json.loads((project / "metrics.json").read_text())
    version = ".".join(map(str, sys.version_info[:3]))
    print(
        f"Python {version}: F1 {found['f1']:.2f} on {found['n_micrographs']} "
        f"micrographs, {time.monotonic() - start:.0f} s"
    )
    return 0


def _run(folder: Path, *command: str) -> None:
    """Run a command in the folder, without this checkout on Python's path."""
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run(command, cwd=folder, env=environ, check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
