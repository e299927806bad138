# SPDX-License-Identifier: GPL-3.0-or-later
"""Packaging: requirements come from files, version and address from the package."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
PYTHON_REMEDY = (
    "scipion-em-deepconsensus needs Python 3.10, 3.11 or 3.12, this is {}.{}. "
    "Scipion's installer takes one with its option -python: "
    "python3 -m scipioninstaller -noAsk -python 3.11 DIR"
)
# pip alone would only say that the version does not fit.
if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit(PYTHON_REMEDY.format(*sys.version_info[:2]))

DEVELOPMENT = [
    "hypothesis>=6.100",
    "mypy>=1.11",
    "pre-commit>=3.5",
    "pytest>=8",
    "pytest-xdist>=3.6,<4",
    "ruff>=0.17,<0.18",
    "scikit-learn>=1.3,<2",  # a second opinion on the figures
]
DASK = ["dask>=2024.8", "distributed>=2024.8"]
INTEROPERATION = [
    "cryosparc-tools>=4.4",
    "pytest>=8",
    "scipion-app>=3.8,<4",  # Xmipp's plugin imports it, and does not say so
    "scipion-em-eman2>=3.7,<4",
    "scipion-em-xmipp>=29,<30",
]
SCIPION = [
    *INTEROPERATION,
    "scipion-em-cryosparc2>=5,<6",
    "scipion-em-relion>=5,<6",
    "scipion-em-repic>=3.2,<4",
    "scipion-em-sphire>=3.2,<4",
    "scipion-em-topaz>=3.1,<4",
]


def read_constant(path: str, name: str) -> str:
    """Return a constant of the package without importing it."""
    source = (HERE / "deepconsensus_plugin" / path).read_text(encoding="utf8")
    found = re.search(rf'^{name} = "(.+)"$', source, flags=re.MULTILINE)
    if found is None:
        raise ValueError(f"deepconsensus_plugin/{path}: expected {name}")
    return found.group(1)


VERSION = read_constant("__init__.py", "__version__")
URL = read_constant("constants.py", "URL")


def read_requirements(name: str) -> list[str]:
    """Return the lines of a file of requirements without comments."""
    lines = (HERE / name).read_text(encoding="utf8").splitlines()
    stripped = [line.split("#")[0].strip() for line in lines]
    return [line for line in stripped if line]


def with_cuda(requirements: list[str]) -> list[str]:
    """Return requirements where TensorFlow comes with NVIDIA's libraries."""
    return [
        line.replace("tensorflow", "tensorflow[and-cuda]", 1) for line in requirements
    ]


def read_description() -> str:
    """Return the README, whose pictures and documents are found from anywhere.

    They lie beside it; a page that shows only the README finds them at the address of
    the source, as of this version.
    """
    text = (HERE / "README.rst").read_text(encoding="utf8")
    text = re.sub(r"(?m)(figure:: )(docs/)", rf"\1{URL}/raw/v{VERSION}/\2", text)
    return re.sub(r"<(docs/[^>]+)>`", rf"<{URL}/blob/v{VERSION}/\1>`", text)


LEARNING = read_requirements("requirements-learning.txt")

setup(
    name="scipion-em-deepconsensus",
    version=VERSION,
    description="Scipion plugin: one clean set of particles from several pickers",
    long_description=read_description(),
    long_description_content_type="text/x-rst",
    author="The deepconsensus_plugin authors",
    url=URL,
    project_urls={
        "Documentation": f"{URL}/tree/v{VERSION}/docs",
        "Changes": f"{URL}/blob/v{VERSION}/CHANGES.txt",
        "Issues": f"{URL}/issues",
        "Method": "https://doi.org/10.1107/S2052252518014392",
    },
    license="GPL-3.0-or-later",
    keywords="scipion cryo-em single-particle picking consensus deep-learning",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Environment :: X11 Applications",
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Bio-Informatics",
        "Topic :: Scientific/Engineering :: Image Processing",
        "Typing :: Typed",
    ],
    python_requires=">=3.10,<3.13",
    packages=find_packages(include=["deepconsensus_plugin", "deepconsensus_plugin.*"]),
    package_data={
        "deepconsensus_plugin": [
            "report/report.html",
            "contaminant_network/*",
            "diameter_network/*",
            "general_model/*",
            "hosts.conf",
            "junk/*",
            "logo.png",
            "protocols.conf",
            "py.typed",
            "templates/*.json.template",
        ]
    },
    install_requires=read_requirements("requirements.txt"),
    extras_require={
        "learning": LEARNING,
        "gpu": with_cuda(LEARNING),
        "dask": DASK,
        "dev": [*DEVELOPMENT, *DASK, *LEARNING],
        "interop": [*INTEROPERATION, *LEARNING],
        "scipion": SCIPION,
    },
    entry_points={"pyworkflow.plugin": ["deepconsensus_plugin = deepconsensus_plugin"]},
)
