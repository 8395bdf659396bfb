"""What `./bench` shows: booking, certificates, import, reads, hostile, oracle, reminders, reports, standing, start."""

from typing import Annotated

import typer

from infra.bench import (
    booking,
    certifying,
    fairness,
    hostile,
    importing,
    oracle,
    reminding,
    reporting,
    standing,
    starting,
)
from infra.bench.reads import measuring

bench = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@bench.command("import")
def import_(rows: Annotated[int, typer.Option(help="Completions in the file.")] = 200_000) -> None:
    """Completions end to end, against COPY of the same rows into the same table."""
    importing.run(rows)


@bench.command("oracle")
def oracle_(documents: Annotated[int, typer.Option(help="New documents, both logins together.")] = 20_000) -> None:
    """Compare new generated documents: the compiler's answers with the plain executor's."""
    raise typer.Exit(oracle.run(documents))


@bench.command("hostile")
def hostile_(requests: Annotated[int, typer.Option(help="Requests that mean it ill.")] = 20_000) -> None:
    """Memory of the API's process, and its haste, before and after hostile input."""
    hostile.run(requests)


@bench.command("reads")
def reads(
    rows: Annotated[int, typer.Option(help="Completions of the tenant whose documents are compared.")] = 1_000_000,
    large: Annotated[int, typer.Option(help="Completions of the largest tenant; 0 leaves it out.")] = 10_000_000,
    rounds: Annotated[int, typer.Option(help="Turns of three seconds for each server and document.")] = 5,
) -> None:
    """The API against hand-written SQL and PostGraphile on the same rows, and the cost of a page as data grow."""
    measuring.run(rows, large, rounds)


@bench.command("booking")
def booking_(
    learners: Annotated[int, typer.Option(help="Learners who rush.")] = 5_000,
    places: Annotated[int, typer.Option(help="Places of each session.")] = 400,
    sessions: Annotated[int, typer.Option(help="Sessions that are rushed at once.")] = 50,
) -> None:
    """A rush to few places through GraphQL, against the same transaction by hand; one session, and many at once."""
    booking.run(learners, places, sessions + 1)


@bench.command("standing")
def standing_(
    learners: Annotated[int, typer.Option(help="Learners, each with one employer.")] = 12_000,
    requirements: Annotated[int, typer.Option(help="Requirements that fit all of them.")] = 40,
) -> None:
    """Computing where everybody stands, against a plain scan of the same rows."""
    standing.run(learners, requirements)


@bench.command("certificates")
def certificates_(people: Annotated[int, typer.Option(help="People who attended the webinar.")] = 400) -> None:
    """Certificates for everybody who attended one webinar, and their PDFs."""
    certifying.run(people)


@bench.command("reminders")
def reminders_(count: Annotated[int, typer.Option(help="Reminders that are due.")] = 100_000) -> None:
    """Due reminders to a local mail server, against a bare loop; then with the worker killed five times."""
    reminding.run(count)


@bench.command("reports")
def reports_(
    staff: Annotated[int, typer.Option(help="Staff in post.")] = 12_000,
    locations: Annotated[int, typer.Option(help="CQC locations, all of one provider.")] = 350,
) -> None:
    """Each report of the largest tenant: time and memory to build it, and to tell it as PDF, spreadsheet and CSV."""
    reporting.run(staff, locations)


@bench.command("fairness")
def fairness_(count: Annotated[int, typer.Option(help="Reminders of the other tenant.")] = 100_000) -> None:
    """The delay of one tenant's message while another tenant sends very many."""
    fairness.run(count)


@bench.command("start")
def start() -> None:
    """Cold and warm start of everything, in a fresh copy of this checkout."""
    starting.run()


if __name__ == "__main__":
    bench()
