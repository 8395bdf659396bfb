"""Gets npm packages that tests need once and keeps them; without node, npm or the packages those tests are not run."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
HOW_TO_GET_NODE = "Install node: examples in JavaScript are run with it."


def have_node() -> bool:
    """Whether examples in JavaScript can be run."""
    return shutil.which("node") is not None


@dataclass(frozen=True)
class Packages:
    """Packages in a folder of their own, for the tests with a marker; the first one is the last to be there."""

    marker: str
    folder: Path
    names: tuple[str, ...]

    @property
    def how_to_get_them(self) -> str:
        """What to do where they are not there."""
        return f"Install node and npm, and let npm reach its registry: it brings {', '.join(self.names)}."

    @property
    def _variable(self) -> str:
        return f"MEDSTEAD_TEST_{self.marker.upper()}"

    def find(self) -> None:
        """The controlling process asks once, so that worker processes do not fetch at the same time."""
        os.environ[self._variable] = "yes" if self._fetched() else "no"

    def there(self) -> bool:
        """Whether the tests can be run."""
        return os.environ.get(self._variable) != "no"

    def _fetched(self) -> bool:
        if shutil.which("node") is None or shutil.which("npm") is None:
            return False
        fetched = self.folder / "fetched"
        wanted = "\n".join(self.names)
        if not fetched.exists() or fetched.read_text() != wanted:
            # Beside its place first: what is there is there whole, also where two runs fetch at once.
            beside = self.folder.with_name(f"{self.folder.name}.{os.getpid()}")
            beside.mkdir(parents=True, exist_ok=True)
            options = ("--silent", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", beside)
            try:
                subprocess.run(["npm", "install", *options, *self.names], check=True, capture_output=True, timeout=180)
                (beside / "fetched").write_text(wanted)
                shutil.rmtree(self.folder, ignore_errors=True)
                beside.rename(self.folder)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError):
                shutil.rmtree(beside, ignore_errors=True)
                return False
        return True


AUDITS = Packages("audits", CACHE / "graphql-http", ("graphql-http@1.23.1", "graphql@16.14.0"))
CLIENTS = Packages(
    "clients",
    CACHE / "graphql-clients",
    ("relay-compiler@21.0.1", "@apollo/client@4.3.8", "@urql/core@6.0.3", "graphql@16.14.0", "rxjs@7.8.2"),
)
