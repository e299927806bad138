# SPDX-License-Identifier: GPL-3.0-or-later
"""Check of what was built: ``python -m tools.distributions dist``.

All that a user needs is in the wheel; the source distribution also has documents, tests
and recipes, so that it can be tested as it is.
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = "deepconsensus_plugin"
LARGEST_WHEEL_MB = 5
OF_SOURCE = (
    *("CHANGES.txt", "CITATION.cff", "CONTRIBUTING.rst", "LICENSE", "Makefile"),
    *("README.rst", "pyproject.toml", "requirements.txt", "setup.py"),
    *("requirements-learning.txt", "docs/method.md", "docs/scores.png"),
    *("recipes/Dockerfile", f"{PACKAGE}/tests/core/test_consensus.py"),
)


def main(folder: Path) -> int:
    """Print what is missing; the exit status is 0 if nothing is."""
    (wheel,) = folder.glob("*.whl")
    (source,) = folder.glob("*.tar.gz")
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(source) as archive:
        in_source = {name.partition("/")[2] for name in archive.getnames()}
    faults = [f"{wheel.name}: no {each}" for each in package_files() - in_wheel]
    faults += [
        f"{source.name}: no {each}"
        for each in {*package_files(with_tests=True), *OF_SOURCE} - in_source
    ]
    size = wheel.stat().st_size / 1e6
    if size > LARGEST_WHEEL_MB:
        faults.append(f"{wheel.name}: {size:.1f} MB, expected {LARGEST_WHEEL_MB}")
    print(*sorted(faults), sep="\n", end="\n" if faults else "")
    print(f"{wheel.name}: {size:.1f} MB, {len(in_wheel)} files")
    return 1 if faults else 0


def package_files(*, with_tests: bool = False) -> set[str]:
    """Return the files of the package, from the root of the repository."""
    return {
        str(path.relative_to(ROOT))
        for path in (ROOT / PACKAGE).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and (with_tests or "tests" not in path.parts)
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
