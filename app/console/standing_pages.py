"""Who is trained and who is not: the overview with drill-down, and what an employer's people learned there."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import Date, Text, Uuid, and_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import training_words as words
from app.console.csv_files import csv_file
from app.console.pages import (
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_reads,
    tenant_work,
)
from app.directory.models import Employer, Employment, Learner
from app.identity.permissions import Permission
from app.training.models import Attendance, Completion, Course, Tier, TrainingSession
from app.training.requirements import oversight, standing
from app.training.requirements.oversight import By
from app.training.requirements.rules import Spell, visible_to_employer
from tenants.clock import london_date

PEOPLE_SHOWN = 100
HEADINGS = ("Needed", "Trained", "Not trained", "Share", "All staff")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _overview(request: Request) -> dict[str, Any]:
    """Rows of the chosen view, with what was chosen."""
    asked = request.query_params
    by = By(asked["by"]) if asked.get("by") in set(By) else By.PROVIDER
    inside = By(asked["within"]) if asked.get("within") in set(By) - {By.TIER} else None
    key, tier = asked.get("key", ""), _uuid(asked.get("tier", ""))
    principal = principal_here(request)
    day = london_date(services_of(request).clock())
    tenant = literal(principal.tenant_id, Uuid)
    statement = oversight.oversight(
        tenant,
        literal(day, Date),
        by,
        tier=None if tier is None else literal(tier, Uuid),
        within=None if inside is None else (inside, literal(key, Text)),
    )
    async with tenant_reads(request) as session:
        rows = (await session.execute(statement)).all()
        tiers = (await session.scalars(select(Tier).order_by(Tier.position, Tier.id))).all()
        coverage = (await session.execute(oversight.competence_coverage(tenant, literal(day, Date)))).one()
        waiting = (await session.execute(oversight.not_assessed(tenant, literal(day, Date)).limit(PEOPLE_SHOWN))).all()
        names = await _names(session, [row.learner_id for row in waiting])
    chosen = {"by": str(by), "tier": str(tier or ""), "within": str(inside or ""), "key": key if inside else ""}
    return {"by": by, "rows": rows, "tiers": tiers, "chosen": chosen, "day": day, "coverage": coverage,
            "waiting": waiting, "names": names}  # fmt: skip


async def _names(session: AsyncSession, learner_ids: Sequence[UUID]) -> dict[UUID, str]:
    found = await session.execute(select(Learner.id, Learner.display_name).where(Learner.id.in_(learner_ids)))
    return {row.id: row.display_name for row in found}


def _label(by: By, label: str) -> str:
    known = words.SETTINGS.get(label, label) if by is By.SETTING else label
    return known or words.UNKNOWN


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}%" if whole else "–"


def _counted(by: By, row: Any) -> list[object]:
    return [row.needing, row.trained, row.untrained, _share(row.trained, row.needing), row.staff]


async def standing_overview(request: Request) -> Response:
    """Trained and untrained by provider, setting, job role or tier; each label drills down."""
    found = await _overview(request)
    by, principal = found["by"], principal_here(request)
    table = []
    for row in found["rows"]:
        label: Any = _label(by, row.label)
        if by is not By.TIER and not found["chosen"]["within"]:
            deeper = {"by": "setting" if by is not By.SETTING else "provider", "within": str(by), "key": row.key}
            query = urlencode(deeper | {"tier": found["chosen"]["tier"]})
            label = {"text": label, "href": f"/console/standing?{query}"}
        table.append([label, *_counted(by, row)])
    totals = [sum(getattr(row, name) for row in found["rows"]) for name in ("needing", "trained", "untrained", "staff")]
    if found["rows"] and by is not By.TIER:
        table.append(["All", *totals[:3], _share(totals[1], totals[0]), totals[3]])
    elif found["rows"]:
        table.append(["All", *totals[:3], _share(totals[1], totals[0]), "–"])
    waiting = [
        [
            {
                "text": words.learner_name(principal, found["names"].get(row.learner_id), row.learner_id),
                "href": f"/console/standing/learners/{row.learner_id}",
            },
            "Never assessed" if row.outcome is None else words.OUTCOMES[row.outcome],
            row.review_due_on,
        ]
        for row in found["waiting"]
    ]
    return render(
        request,
        "standing.jinja",
        table=table,
        headings=[words.VIEWS[by], *HEADINGS],
        waiting=waiting,
        views=words.VIEWS,
        query=urlencode(found["chosen"]),
        may_write=principal.may(Permission.TRAINING_WRITE),
        **{name: found[name] for name in ("chosen", "tiers", "day", "coverage")},
    )


async def standing_csv(request: Request) -> Response:
    """The same rows as a file."""
    found = await _overview(request)
    by = found["by"]
    rows = [[_label(by, row.label), *_counted(by, row)] for row in found["rows"]]
    return csv_file("standing.csv", [words.VIEWS[by], *HEADINGS], rows)


async def standing_compute(request: Request) -> Response:
    """Have everybody's standing computed now rather than tonight."""
    async with tenant_work(request) as work:
        await standing.request_by_hand(work)
    return redirect("/console/standing", done="standing-asked")


async def _employer_rows(request: Request) -> tuple[str, list[list[object]]]:
    """An employer's people and what they learned while they worked there, latest first."""
    employer_id: UUID = request.path_params["employer_id"]
    principal = principal_here(request)
    async with tenant_reads(request) as session:
        employer = await session.get(Employer, (principal.tenant_id, employer_id))
        if employer is None:
            raise HTTPException(404)
        here = select(Employment.learner_id).where(Employment.employer_id == employer_id)
        known = await session.execute(select(Learner.id, Learner.display_name).where(Learner.id.in_(here)))
        names = {row.id: row.display_name for row in known}
        spells: dict[UUID, list[Spell]] = {learner_id: [] for learner_id in names}
        for row in await session.scalars(select(Employment).where(Employment.employer_id == employer_id)):
            spells.setdefault(row.learner_id, []).append(Spell(row.employer_id, row.started_on, row.ended_on))
        completed = select(Completion.learner_id, Course.title, Completion.completed_at).join(
            Course, and_(Course.tenant_id == Completion.tenant_id, Course.id == Completion.course_id)
        )
        attended = (
            select(Attendance.learner_id, TrainingSession.title, TrainingSession.ends_at)
            .join(
                TrainingSession,
                and_(TrainingSession.tenant_id == Attendance.tenant_id, TrainingSession.id == Attendance.session_id),
            )
            .where(Attendance.qualifies)
        )
        records = [
            (kind, *row)
            for kind, statement, column in (
                ("Completed", completed, Completion.learner_id),
                ("Attended", attended, Attendance.learner_id),
            )
            for row in await session.execute(statement.where(column.in_(list(names))))
        ]
    visible = [
        (london_date(at), kind, title, learner_id)
        for kind, learner_id, title, at in records
        if visible_to_employer(london_date(at), spells[learner_id], employer_id)
    ]
    visible.sort(key=lambda one: (one[0], one[2], str(one[3])), reverse=True)
    rows: list[list[object]] = [
        [words.learner_name(principal, names[learner_id], learner_id), kind, title, day]
        for day, kind, title, learner_id in visible
    ]
    return employer.name, rows


EMPLOYER_HEADINGS = ("Learner", "What", "Course or session", "On")


async def standing_employer(request: Request) -> Response:
    """What an employer's people learned while they worked there."""
    name, rows = await _employer_rows(request)
    employer_id = request.path_params["employer_id"]
    shown = rows[:PEOPLE_SHOWN]
    return render(
        request, "standing_employer.jinja", name=name, rows=shown, total=len(rows), headings=EMPLOYER_HEADINGS,
        employer_id=employer_id,
    )  # fmt: skip


async def standing_employer_csv(request: Request) -> Response:
    """The same as a file, whole."""
    _, rows = await _employer_rows(request)
    return csv_file("learning.csv", EMPLOYER_HEADINGS, rows)


_READ, _WRITE = Permission.TRAINING_READ, Permission.TRAINING_WRITE

ROUTES = [
    page("/standing", standing_overview, needs=_READ),
    page("/standing/overview.csv", standing_csv, needs=_READ),
    page("/standing/compute", standing_compute, needs=_WRITE, methods=("POST",)),
    page("/standing/employers/{employer_id:uuid}", standing_employer, needs=_READ),
    page("/standing/employers/{employer_id:uuid}/learning.csv", standing_employer_csv, needs=_READ),
]
