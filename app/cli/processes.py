"""A crew of child processes in one terminal: prefixed lines, one end for all, nobody left behind."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.text import Text

from app.cli.console_output import out
from infra.embedded.process import die_with_parent

GRACE_SECONDS = 25.0
COLOURS = ("cyan", "magenta", "green", "yellow", "blue")
WIDTH = 7


def tell(name: str, line: str, colour: str = "white") -> None:
    """One line of one member of the crew."""
    out.print(Text.assemble((f"{name:<{WIDTH}}", colour), ("│ ", "dim"), line), soft_wrap=True)


@dataclass
class Crew:
    """Children of this process. They die with it, even after kill -9."""

    environment: Mapping[str, str]
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _members: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: bool = False

    async def start(self, name: str, *arguments: str) -> None:
        """Start `python -m …` under a name."""
        colour = COLOURS[len(self._members) % len(COLOURS)]
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(self.environment),
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        self._members[name] = process
        self._readers.append(asyncio.create_task(self._read(name, colour, process)))

    async def _read(self, name: str, colour: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            tell(name, line.decode(errors="replace").rstrip(), colour)
        code = await process.wait()
        if not self._stopping:
            tell(name, f"ended with code {code}; everything else is stopped too", "red")
            self.ended.set()

    async def stop(self) -> None:
        """Ask all to end, wait, and kill those that do not."""
        self._stopping = True
        for process in self._members.values():
            if process.returncode is None:
                process.terminate()
        waits = [asyncio.create_task(process.wait()) for process in self._members.values()]
        if waits:
            _, late = await asyncio.wait(waits, timeout=GRACE_SECONDS)
            if late:
                for process in self._members.values():
                    if process.returncode is None:
                        process.kill()
        await asyncio.gather(*self._readers)
