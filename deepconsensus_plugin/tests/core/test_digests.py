# SPDX-License-Identifier: GPL-3.0-or-later
"""Identity of input files: another content is noticed, whatever its time says."""

from __future__ import annotations

import os

import pytest

from deepconsensus_plugin.core.digests import digest_content, digest_file


def _replace(path, content: bytes) -> None:
    """Put other content into a file, which keeps its time."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("identify", [digest_file, digest_content])
@pytest.mark.parametrize("size", [10, 5000, 2**20 + 7])
def test_a_file_of_the_same_size_and_time_is_another(tmp_path, identify, size):
    path = tmp_path / "mic.mrc"
    path.write_bytes(os.urandom(size))
    before = identify(path)
    assert identify(path) == before
    _replace(path, os.urandom(size))
    assert identify(path) != before


def test_a_small_file_that_was_touched_has_the_same_content(tmp_path):
    path = tmp_path / "picks.box"
    path.write_text("1 2 3 4\n")
    content, file = digest_content(path), digest_file(path)
    os.utime(path, (1, 1))
    assert digest_content(path) == content
    assert digest_file(path) != file
