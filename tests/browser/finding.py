"""Finds a browser for journeys through pages."""

import glob
import os
import shutil
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FIXED = ("/usr/bin/chromium-headless-shell", "/usr/bin/chromium")
PROGRAMS = ("headless_shell", "chrome-headless-shell", "chrome")
HOW_TO_GET_ONE = (
    "No Chromium was found on PATH, in /usr/bin or in playwright's cache. Get one with "
    "“apt-get install chromium-headless-shell” or “playwright install chromium-headless-shell”."
)


def find_browser() -> str | None:
    """A Chromium on PATH, in Debian's places, or in playwright's own cache."""
    cache = Path.home() / ".cache" / "ms-playwright"
    cached = (path for program in PROGRAMS for path in sorted(glob.glob(f"{cache}/chromium*/*/{program}")))
    found = (*(shutil.which(name) for name in NAMES), *FIXED, *cached)
    return next((path for path in found if path and os.access(path, os.X_OK)), None)
