# SPDX-License-Identifier: GPL-3.0-or-later
"""Packaging: requirements come from requirements.txt, the version from the package."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
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


def read_version() -> str:
    """Return ``__version__`` without importing the package."""
    source = (HERE / "deepconsensus_plugin" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "(.+)"$', source, flags=re.MULTILINE)
    if found is None:
        raise ValueError("deepconsensus_plugin/__init__.py: expected a __version__")
    return found.group(1)


def read_requirements() -> list[str]:
    """Return the lines of requirements.txt without comments."""
    lines = (HERE / "requirements.txt").read_text().splitlines()
    stripped = [line.split("#")[0].strip() for line in lines]
    return [line for line in stripped if line]


def with_cuda(requirements: list[str]) -> list[str]:
    """Return TensorFlow's requirement, same range, with NVIDIA's libraries."""
    return [
        line.replace("tensorflow", "tensorflow[and-cuda]", 1)
        for line in requirements
        if line.startswith("tensorflow")
    ]


setup(
    name="scipion-em-deepconsensus",
    version=read_version(),
    description="Scipion plugin: one clean set of particles from several pickers",
    long_description=(HERE / "README.rst").read_text(encoding="utf8"),
    long_description_content_type="text/x-rst",
    license="GPL-3.0-or-later",
    keywords="scipion cryo-em single-particle picking consensus deep-learning",
    classifiers=[
        "Intended Audience :: Science/Research",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Image Processing",
    ],
    python_requires=">=3.10,<3.13",
    packages=find_packages(include=["deepconsensus_plugin", "deepconsensus_plugin.*"]),
    package_data={
        "deepconsensus_plugin": [
            "report/report.html",
            "contaminant_network/*",
            "general_model/*",
            "hosts.conf",
            "junk/*",
            "logo.png",
            "protocols.conf",
            "py.typed",
            "templates/*.json.template",
        ]
    },
    install_requires=read_requirements(),
    extras_require={
        "gpu": with_cuda(read_requirements()),
        "dask": DASK,
        "dev": [*DEVELOPMENT, *DASK],
        "interop": INTEROPERATION,
    },
    entry_points={"pyworkflow.plugin": ["deepconsensus_plugin = deepconsensus_plugin"]},
)
