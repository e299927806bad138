# SPDX-License-Identifier: GPL-3.0-or-later
"""A few disturbed runs, and the disk that stands for a full one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.faults.disk import small_disk


@pytest.mark.slow
def test_a_few_disturbed_runs_end_as_the_undisturbed_one(tmp_path):
    command = [sys.executable, "-m", "benchmarks.faults", str(tmp_path), "--quick"]
    root = Path(__file__).parents[2]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=root
    )
    said = f"{done.stdout}\n{done.stderr[-2000:]}"
    assert done.returncode == 0, said
    row = next(line for line in done.stdout.splitlines() if line.startswith("| all"))
    *_, runs, _same, _refused, wrong = row.strip("| ").split(" | ")
    assert (runs, wrong) == ("3", "0"), said
    assert [path.name for path in tmp_path.iterdir()] == ["table.md"]


def test_a_full_disk_takes_what_is_left_and_no_more(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("only root mounts disks")
        with disk.filled(but=8192):
            (disk.path / "small").write_bytes(bytes(4096))
            with pytest.raises(OSError, match="No space left"):
                (disk.path / "large").write_bytes(bytes(65536))
        (disk.path / "large").write_bytes(bytes(65536))
        with disk.read_only(), pytest.raises(OSError, match="Read-only"):
            (disk.path / "other").touch()
    assert [*(tmp_path / "disk").iterdir()] == []
