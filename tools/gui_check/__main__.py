# SPDX-License-Identifier: GPL-3.0-or-later
"""Command ``python -m tools.gui_check FOLDER``: open all windows, save screenshots.

The exit status is 0 if every form and viewer of the plugin opens without an error and
shows all of its text. Needs no display: it makes its own. The windows are those of a
small synthetic project, or, with ``--project``, of a copy of a finished one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deepconsensus_plugin.bootstrap import prepare_environment
from tools.gui_check.page import shoot_page
from tools.gui_check.screen import HEIGHT, WIDTH, virtual_screen


def main() -> int:
    """Make a finished project and a screen, and walk through the windows there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="new screenshots replace its content")
    parser.add_argument(
        "--project",
        type=Path,
        help="a finished one, a copy of which is opened; protocols that it has no run "
        "of are named as faults",
    )
    parser.add_argument(
        "--size",
        type=_size,
        default=(WIDTH, HEIGHT),
        help=f"of the screen, such as 1920x1080; {WIDTH}x{HEIGHT} by default",
    )
    arguments = parser.parse_args()
    folder, project = arguments.folder.absolute(), arguments.project
    try:
        with tempfile.TemporaryDirectory(prefix="gui-check-") as temporary:
            return _check(folder, Path(temporary), project, arguments.size)
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _size(text: str) -> tuple[int, int]:
    """Return width and height, pixels."""
    width, height = map(int, text.split("x"))
    return width, height


def _check(
    folder: Path, temporary: Path, finished: Path | None, size: tuple[int, int]
) -> int:
    prepare_environment(temporary / "home")
    # Scipion reads its environment when it is imported.
    from tools.gui_check.scene import make_finished_project

    with virtual_screen(width=size[0], height=size[1]) as display:
        if finished is None:
            project = make_finished_project(temporary)
        else:
            project = temporary / finished.name
            shutil.copytree(finished, project, symlinks=True)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        log = folder / "log.txt"
        with log.open("w") as file:
            done = subprocess.run(
                [sys.executable, "-O", "-m", "tools.gui_check.walk", project, folder],
                check=False,
                cwd=Path(__file__).parents[2],
                # Reports open in a browser that does nothing.
                env={**os.environ, "DISPLAY": display, "BROWSER": "true"},
                stdout=file,
                stderr=subprocess.STDOUT,
            )
    print(log.read_text(), end="")
    fault = shoot_page(project / "report.html", folder / "report.png")
    if fault is not None:
        print(fault)
    return 1 if fault else done.returncode


if __name__ == "__main__":
    sys.exit(main())
