# SPDX-License-Identifier: GPL-3.0-or-later
"""Installation of the jobs' environment by Scipion, as a plugin's program."""

from __future__ import annotations

import shlex
import shutil
import sys
from typing import Any

from deepconsensus_plugin.job_environment import create, location

# Scipion begins every package with an archive; these have none, and there is nothing
# to download.
_NO_ARCHIVE = {"tar": "void.tgz", "url": "file:/dev/null"}


def add_packages(env: Any, *, conda: str = "") -> None:
    """Add both environments to what ``scipion3 installb`` offers.

    The one that fits this machine is made when the plugin is installed.

    Parameters
    ----------
    env : scipion.install.funcs.Environment
        Scipion's list of packages.
    conda : str
        Command that activates conda, where Scipion has it.
    """
    with_gpu = shutil.which("nvidia-smi") is not None
    for package, extra, default in (
        (location.GPU_PACKAGE, "gpu", with_gpu),
        (location.CPU_PACKAGE, "learning", not with_gpu),
    ):
        env.addPackage(
            package,
            version=location.ENVIRONMENT_VERSION,
            commands=[(command(extra, conda=conda), location.MARKER)],
            default=default,
            **_NO_ARCHIVE,
        )


def command(extra: str, *, conda: str = "") -> str:
    """Return the command that makes an environment in the current folder."""
    words = [sys.executable, "-m", create.__name__, ".", "--extra", extra]
    if conda or shutil.which("conda"):
        words += ["--conda", conda]
    return shlex.join(words)
