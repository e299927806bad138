# SPDX-License-Identifier: GPL-3.0-or-later
"""Process that runs `benchmarks.topaz.driver` in the interpreter with topaz-em.

What a task cost comes back, and is kept with it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepconsensus_plugin.core.digests import digest, digest_file
from deepconsensus_plugin.core.serialisation import read_json, write_json
from deepconsensus_plugin.core.types import Micrograph

PYTHON = Path(__file__).parents[2] / ".venv-topaz" / "bin" / "python"
DRIVER = Path(__file__).with_name("driver.py")


@dataclass(frozen=True)
class TrainCosts:
    """Costs of training: to start, to prepare all micrographs, and of one update.

    Seconds of the clock; `update_cpu_s` of the processor, all threads together.
    """

    start_up_s: float
    prepare_s: float
    update_s: float
    update_cpu_s: float
    peak_mebibytes: float


@dataclass(frozen=True)
class PickCosts:
    """Costs of picking all micrographs.

    Seconds of the clock; `pick_cpu_s` of the processor, to score and extract.
    """

    start_up_s: float
    prepare_s: float
    score_s: float
    extract_s: float
    pick_cpu_s: float
    peak_mebibytes: float

    @property
    def total_s(self) -> float:
        """Seconds from files of micrographs to coordinates, without start-up."""
        return self.prepare_s + self.score_s + self.extract_s


def drive(
    folder: Path, micrographs: Sequence[Micrograph], **request: Any
) -> dict[str, float]:
    """Run a request in the driver; return what it cost.

    Parameters
    ----------
    folder : Path
        Gets what the driver writes, and ``log.txt``. What it holds of the same request
        on the same files is kept, of any other thrown away.
    micrographs : sequence of Micrograph
        Those to work on.
    **request
        What the driver takes besides; JSON can hold it.

    Raises
    ------
    FileNotFoundError
        If the interpreter is not there.
    RuntimeError
        If the driver fails.
    """
    origin = digest(request, [digest_file(each.path) for each in micrographs])
    done = folder / "result.json"
    if done.exists() and (kept := read_json(done))["origin"] == origin:
        return kept["costs"]
    if not PYTHON.exists():
        raise FileNotFoundError(f"{PYTHON} is not there; `make env-topaz` makes it")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    asked, costs, log = (folder / n for n in ("request.json", "costs.json", "log.txt"))
    paths = [str(each.path.resolve()) for each in micrographs]
    content = {**request, "folder": str(folder.resolve()), "micrographs": paths}
    asked.write_text(json.dumps(content))
    with log.open("w") as lines:
        command = [str(PYTHON), str(DRIVER), str(asked), str(costs)]
        ended = subprocess.run(command, stdout=lines, stderr=subprocess.STDOUT)
    if ended.returncode:
        raise RuntimeError(f"topaz-em ended with {ended.returncode}; see {log}")
    shutil.rmtree(folder / "prepared", ignore_errors=True)
    spent = json.loads(costs.read_text())
    write_json(done, {"origin": origin, "costs": spent})
    return spent
