"""The demonstration's e-learning: a learning system that tells of a course, LDSS deadlines, ids of the ASC-WDS.

The course is of no tier, so that figures of tier 1 stay those of the files. All of it is invented, the amount too.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import and_, exists, select

from app.directory.models import Employer, Employment, Learner, LearnerIdentifier, ProviderGroupLocation
from app.identity.secrets import Vault
from app.training.asc_wds import operations as asc_wds
from app.training.asc_wds.worker_file import WorkerLine
from app.training.certificates.issuing import Wanted, issue_chunk, request_certificates
from app.training.certificates.models import CertificateTemplate
from app.training.elearning import activities, meaning, receiving, statements, systems
from app.training.elearning.deriving import Busy, derive_some
from app.training.elearning.models import LearningSystem
from app.training.mapping.inventory import create_course
from app.training.refunds import operations as refunds
from app.training.refunds.models import LdssClaim
from app.training.sessions.rules import to_utc
from tenants.clock import london_date
from tenants.context import TenantContext
from tenants.session import Database, UnitOfWork

SOURCE = "elearning"
"""As the demonstration's files say, so that their accounts are the system's."""
HOME = "https://lms.example"
COURSE = ("Invented Care Academy", "Supporting people with their medicines (invented)", "1")
ABOUT, ELSEWHERE = f"{HOME}/courses/supporting-people", f"{HOME}/courses/infection-control"
TITLES = {ABOUT: COURSE[1], ELSEWHERE: "Infection control (invented)"}
COMPLETED = (150, 118, 99, 96, 88, 85, 80, 60, 45, 40, 20, 9, 3)
"""Days ago: the first four can be claimed no more, the next three not for long."""
BECAME = {150: "paid", 118: "claimed"}
BEGUN, TAKEN_BACK = 4, 45
CERTIFIED = (100, 50)
WORKERS = 4


@dataclass(frozen=True, slots=True)
class _Person:
    """Somebody at work today, with an account of the learning system and an address."""

    learner_id: UUID
    name: str
    employer_id: UUID
    since: date
    account: str
    email: str | None


async def add_elearning(database: Database, context: TenantContext, vault: Vault) -> None:
    """All of it or nothing, once: a tenant that has a learning system is left as it is."""
    while True:
        try:
            async with database.unit_of_work(context) as work:
                run_id = await _add(work, vault)
        except Busy:  # a worker places learners
            await asyncio.sleep(0.2)
        else:
            break
    more = run_id is not None
    while more and run_id is not None:  # a worker may do the same meanwhile
        async with database.unit_of_work(context) as work:
            more = await issue_chunk(work, run_id, vault)


async def _add(work: UnitOfWork, vault: Vault) -> UUID | None:
    """Gives the run of certificates, if there is one."""
    if (await work.session.scalars(select(LearningSystem.id).limit(1))).first() is not None:
        return None
    people = await _people(work)
    learners = _chosen(people, london_date(work.now))
    if not learners:
        return None
    course_id = await create_course(work, *COURSE)
    system = await systems.connect_system(work, vault, SOURCE, systems.SystemGiven("Invented e-learning", HOME))
    await activities.link_activity(work, activities.Link(ABOUT, course_id, title=COURSE[1]))
    today = london_date(work.now)
    sent = await _send(work, system.id, _told(learners, people, today))
    await _send(work, system.id, [_voiding(str(sent[TAKEN_BACK]))] if TAKEN_BACK in sent else [])
    given = refunds.CourseGiven(
        course_id, "INVENTED-01 (amount invented)", Decimal("45.00"), today - timedelta(days=400)
    )
    await refunds.save_course(work, given)
    await refunds.find_claims(work)
    await _became(work, today)
    await _name_workers(work, learners)
    return await _certify(work, course_id, today)


async def _people(work: UnitOfWork) -> list[_Person]:
    """Those who work for the largest employer of a provider group first, then for its others, then for all others."""
    grouped = exists().where(
        ProviderGroupLocation.tenant_id == Employer.tenant_id,
        ProviderGroupLocation.tenant_location_id == Employer.tenant_location_id,
    )
    rows = (
        await work.session.execute(
            select(
                Learner.id, Learner.display_name, Learner.name_key, Employment.started_on, Employment.employer_id,
                Employer.name, grouped.label("grouped"),
            )
            .join(Employment, and_(Employment.tenant_id == Learner.tenant_id, Employment.learner_id == Learner.id))
            .join(Employer, and_(Employer.tenant_id == Employment.tenant_id, Employer.id == Employment.employer_id))
            .where(Employment.ended_on.is_(None), Learner.merged_into_id.is_(None))
        )
    ).all()  # fmt: skip
    held: dict[str, dict[UUID, str]] = {"account": {}, "email": {}}
    identifiers = await work.session.execute(
        select(LearnerIdentifier.kind, LearnerIdentifier.value, LearnerIdentifier.learner_id)
        .where(LearnerIdentifier.shared.is_(False))
        .order_by(LearnerIdentifier.kind, LearnerIdentifier.value)
    )
    for kind, value, learner_id in identifiers:
        if kind != "account" or value.startswith(f"{SOURCE}:"):
            held[kind].setdefault(learner_id, value)
    staff = Counter(row.employer_id for row in rows if row.grouped)
    people: dict[UUID, _Person] = {}
    for row in sorted(rows, key=lambda row: (-staff[row.employer_id], row.name, row.name_key, row.started_on)):
        if row.id in held["account"]:
            account, email = held["account"][row.id].partition(":")[2], held["email"].get(row.id)
            person = _Person(row.id, row.display_name, row.employer_id, row.started_on, account, email)
            people.setdefault(row.id, person)
    return list(people.values())


def _chosen(people: Sequence[_Person], today: date) -> dict[int, _Person]:
    """Who completed the course, by how many days ago: whoever worked there on that day already."""
    left, chosen = list(people), {}
    for ago in COMPLETED:
        person = next((one for one in left if one.since <= today - timedelta(days=ago)), None)
        if person is not None:
            left.remove(person)
            chosen[ago] = person
    return chosen


def _statement(actor: dict[str, Any], verb: str, about: str, at: datetime, **result: Any) -> dict[str, Any]:
    return {
        "actor": actor,
        "verb": {"id": verb, "display": {"en-GB": verb.rpartition("/")[2]}},
        "object": {"id": about, "definition": {"name": {"en-GB": TITLES[about]}}},
        "timestamp": at.isoformat(),
    } | ({"result": result} if result else {})


def _account(name: str) -> dict[str, Any]:
    return {"account": {"homePage": HOME, "name": name}}


def _told(
    learners: dict[int, _Person], people: Sequence[_Person], today: date
) -> Iterator[tuple[int | None, dict[str, Any]]]:
    """Statements, with the days of those that finish the course."""

    def at(ago: int) -> datetime:
        return to_utc(datetime.combine(today - timedelta(days=ago), time(14, 30)))

    for number, (ago, person) in enumerate(learners.items()):
        who = _account(person.account)
        yield None, _statement(who, meaning.INITIALIZED, ABOUT, at(ago + 2))
        score, spent = {"scaled": (80 + number) / 100}, f"PT{2 + number % 2}H{number % 6}0M"
        yield ago, _statement(who, meaning.COMPLETED, ABOUT, at(ago), completion=True, score=score, duration=spent)
    others = [person for person in people if person not in learners.values()]
    for person in others[:BEGUN]:
        yield None, _statement(_account(person.account), meaning.INITIALIZED, ABOUT, at(2))
        yield None, _statement(_account(person.account), meaning.COMPLETED, ELSEWHERE, at(7), completion=True)
    yield None, _statement(_account("el999001"), meaning.COMPLETED, ABOUT, at(6), completion=True)
    hidden = {"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"}
    yield None, _statement(hidden, meaning.COMPLETED, ABOUT, at(5), completion=True)
    shared = next((person.email for person in others if person.email is not None), None)
    if shared is not None:
        actor = {"name": "Somebody Else-Example", "mbox": f"mailto:{shared}"}
        yield None, _statement(actor, meaning.COMPLETED, ABOUT, at(4), completion=True)


def _voiding(statement_id: str) -> tuple[None, dict[str, Any]]:
    target = {"objectType": "StatementRef", "id": statement_id}
    return None, {
        "actor": _account("administrator"),
        "verb": {"id": statements.VOIDED, "display": {"en-GB": "voided"}},
        "object": target,
    }


async def _send(
    work: UnitOfWork, system_id: UUID, told: Iterable[tuple[int | None, dict[str, Any]]]
) -> dict[int, UUID]:
    """Keep statements as if they had been posted, and take their meaning in; ids by days. Raises Busy."""
    given = list(told)
    if not given:
        return {}
    found = statements.read(orjson.dumps([body for _, body in given]), work.now, _account("demonstration"))
    await receiving.keep(work, system_id, found)
    while await derive_some(work):
        pass
    return {ago: one.id for (ago, _), one in zip(given, found, strict=True) if ago is not None}


async def _became(work: UnitOfWork, today: date) -> None:
    """Say of some claims what became of them."""
    for row in (await work.session.scalars(select(LdssClaim).order_by(LdssClaim.due_on, LdssClaim.id))).all():
        state = BECAME.get((today - row.completed_on).days)
        if state is not None:
            await refunds.change_claim(work, row.id, row.version, state)


async def _certify(work: UnitOfWork, course_id: UUID, today: date) -> UUID | None:
    """Ask for certificates of some completions: too late for some claims, in time for others."""
    if (await work.session.scalars(select(CertificateTemplate.id).limit(1))).first() is None:
        return None
    first, last = (today - timedelta(days=ago) for ago in CERTIFIED)
    return await request_certificates(work, Wanted(None, course_id, first, last))


async def _name_workers(work: UnitOfWork, learners: dict[int, _Person]) -> None:
    """Ids of one employer's staff: some by hand, and one out of a worker file of whom nobody has said who it is."""
    employer_id = next(iter(learners.values())).employer_id
    here = [person for person in learners.values() if person.employer_id == employer_id]
    await asc_wds.name_workplace(work, employer_id, "INVENTED-1")
    for number, person in enumerate(here[: max(1, min(WORKERS, len(here) - 1))], 1):
        await asc_wds.name_worker(work, employer_id, person.learner_id, f"W{number:03}")
    line = WorkerLine(2, "INVENTED-1", "W099", here[-1].name, "UPDATE", "", "")
    await asc_wds.take_workers(work, [employer_id], [line])
