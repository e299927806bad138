# SPDX-License-Identifier: GPL-3.0-or-later
"""Page of HTML, rendered as a browser does, without a window or network."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_WIDTH_PX, _HEIGHT_PX = 1000, 7000
_SECONDS = 120


def shoot_page(page: Path, picture: Path) -> str | None:
    """Save what a browser shows of a page; return what is wrong, or None.

    Parameters
    ----------
    page : Path
        HTML file, absolute.
    picture : Path
        PNG file to write; none is written where there is no browser.
    """
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu"]
        command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars"]
        command += [f"--user-data-dir={profile}", f"--screenshot={picture}"]
        command += [f"--window-size={_WIDTH_PX},{_HEIGHT_PX}", page.as_uri()]
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=_SECONDS
        )
    if picture.is_file():
        return None
    return f"{browser} made no picture of {page}: {done.stderr.strip()[-300:]}"
