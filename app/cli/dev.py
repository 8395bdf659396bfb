"""Everything on one machine in one terminal: servers, migrations, API with console, worker, mail, demonstration."""

import asyncio
import os
import signal
import time
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx2

from app.cli import demo as demonstration
from app.cli.console_output import err, say
from app.cli.machine import Machine, forget_everything, only_one, start_machine
from app.cli.processes import Crew, tell
from app.reference import load_reference_data
from infra.embedded import EmbeddedServerError
from migrations import runner

READY_SECONDS = 60.0


def run_everything(port: int | None, *, demo: bool, reset: bool) -> int:
    """Run until Ctrl-C, SIGTERM or the end of a child; the exit code."""
    data_dir = Path(os.environ.get("MEDSTEAD_DATA_DIR", ".data")).absolute()
    started = time.monotonic()
    with only_one(data_dir), ExitStack() as stack:
        if reset:
            forget_everything(data_dir)
        try:
            machine = start_machine(stack, data_dir, port)
        except (EmbeddedServerError, OSError, asyncpg.PostgresError) as error:
            err.print(str(error), style="red", markup=False, soft_wrap=True)
            return 1
        tell("servers", "PostgreSQL and Valkey are up")
        runner.upgrade(machine.database.owner)
        asyncio.run(load_reference_data(machine.database.owner))
        tell("servers", "the database is up to date")
        return asyncio.run(_run(machine, demo=demo, started=started))


async def _run(machine: Machine, *, demo: bool, started: float) -> int:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    crew = Crew(machine.environment())
    try:
        await crew.start("api", "app.cli.main", "serve", "--port", str(machine.port))
        await crew.start("worker", "app.cli.main", "worker")
        await crew.start("mail", "app.cli.mailbox", str(machine.smtp_port), str(machine.mailbox_port))
        work = asyncio.create_task(_open_doors(machine, demo=demo, started=started))
        ends = [asyncio.create_task(stopped.wait()), asyncio.create_task(crew.ended.wait())]
        done, _ = await asyncio.wait([work, *ends], return_when=asyncio.FIRST_COMPLETED)
        if work in done:
            work.result()
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        for end in ends:
            end.cancel()
    finally:
        tell("medstead", "stopping …")
        await crew.stop()
    return 1 if crew.ended.is_set() and not stopped.is_set() else 0


async def _open_doors(machine: Machine, *, demo: bool, started: float) -> None:
    await _wait_for_api(machine)
    tell("medstead", f"answers after {time.monotonic() - started:.1f} s: {machine.base_url}")
    if demo:
        contract = await demonstration.load(machine, lambda line: tell("demo", line))
        tell("medstead", f"the demonstration is ready after {time.monotonic() - started:.1f} s")
        _show(contract)
    say(
        f"\n  Console   {machine.base_url}/console\n  GraphQL   {machine.base_url}/graphql\n"
        f"  Mailbox   {machine.mailbox_url}\n  Stop with Ctrl-C.\n"
    )


async def _wait_for_api(machine: Machine) -> None:
    end = time.monotonic() + READY_SECONDS
    async with httpx2.AsyncClient() as client:
        while True:
            try:
                if (await client.get(f"{machine.base_url}/health/ready")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            if time.monotonic() > end:
                raise TimeoutError("The API did not answer in time. Look at its lines above.")
            await asyncio.sleep(0.05)


def _show(contract: demonstration.Contract) -> None:
    say("\n  Sign-ins of the demonstration (all people are invented):")
    for role in ("operator", "national"):
        person = contract["console"][role]
        say(f"    {person['email']:<52} {person['password']}")
    for tenant in contract["tenants"]:
        person = next(member for member in tenant["staff"] if member["role"] == "programme_lead")
        say(f"    {person['email']:<52} {person['password']}   {tenant['name']}")
    say(f"  All of them, and API tokens: {demonstration.FILE} in the data folder.")
