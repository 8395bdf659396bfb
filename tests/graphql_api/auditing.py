"""Gets the npm package graphql-http once and keeps it; without node, npm or the package its audits are not run."""

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("graphql-http@1.23.1", "graphql@16.14.0")
FOLDER = Path(__file__).resolve().parents[2] / ".cache" / "graphql-http"
HOW_TO_GET_THEM = "Install node and npm, and let npm reach its registry: the audits come with the package graphql-http."

_VARIABLE = "MEDSTEAD_TEST_AUDITS"


def find_audits() -> None:
    """The controlling process asks once, so that worker processes do not fetch at the same time."""
    os.environ[_VARIABLE] = "yes" if _fetched() else "no"


def have_audits() -> bool:
    """Whether the audits can be run."""
    return os.environ.get(_VARIABLE) != "no"


def have_node() -> bool:
    """Whether examples in JavaScript can be run."""
    return shutil.which("node") is not None


def _fetched() -> bool:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    if not (FOLDER / "node_modules" / "graphql-http").is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        options = ("--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(FOLDER))
        command = ["npm", "install", *options, *PACKAGES]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=120)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False
    return True
