"""Lists of governance: what changed because of feedback, and incidents with medicines."""

from sqlalchemy import and_, func, select
from starlette.requests import Request
from starlette.responses import Response

from app.console.governance_pages import BACK, HOME
from app.console.governance_words import HARMS, NEED_STATES, STAGES
from app.console.pages import page, tenant_reads
from app.console.reports import one_file, report
from app.console.tables import Link, Table
from app.directory.models import CqcLocation, TenantLocation
from app.governance.models import (
    ChangeTheme,
    ContentChange,
    GovernanceItem,
    IncidentCategory,
    LearningNeed,
    MedicineIncident,
    ThemeResponse,
)
from app.identity.permissions import Permission
from app.training.mapping.models import Topic
from app.training.models import Course, TrainingSession


async def feedback_changes(request: Request) -> Response:
    """Themes of feedback with what they cite, and what was changed because of them."""
    return report(
        request,
        "Feedback and what changed because of it",
        back=BACK,
        intro=["From each change to the themes that led to it, and from each theme to what was changed."],
        tables=(await _feedback(request)).values(),
    )


async def feedback_changes_file(request: Request) -> Response:
    """One of its tables as a CSV."""
    return one_file(request, await _feedback(request))


async def _feedback(request: Request) -> dict[str, Table]:
    course = and_(Course.tenant_id == ContentChange.tenant_id, Course.id == ContentChange.course_id)
    async with tenant_reads(request) as session:
        themes = (
            await session.execute(
                select(GovernanceItem, func.count(ThemeResponse.id))
                .outerjoin(
                    ThemeResponse,
                    and_(
                        ThemeResponse.tenant_id == GovernanceItem.tenant_id,
                        ThemeResponse.theme_id == GovernanceItem.id,
                    ),
                )
                .where(GovernanceItem.kind == "feedback_theme")
                .group_by(GovernanceItem.tenant_id, GovernanceItem.id)
                .order_by(GovernanceItem.created_at.desc(), GovernanceItem.id)
                .limit(500)
            )
        ).all()
        changes = (
            await session.execute(
                select(ContentChange, Course.title, TrainingSession.title)
                .outerjoin(Course, course)
                .outerjoin(
                    TrainingSession,
                    and_(
                        TrainingSession.tenant_id == ContentChange.tenant_id,
                        TrainingSession.id == ContentChange.session_id,
                    ),
                )
                .order_by(ContentChange.changed_on.desc(), ContentChange.id)
                .limit(500)
            )
        ).all()
        ties = list(await session.scalars(select(ChangeTheme)))
    titles = {theme.id: theme.title for theme, _ in themes}
    described = {change.id: change.description for change, _, _ in changes}
    theme_rows = [
        (
            Link(theme.title, f"{HOME}/items/{theme.id}"),
            cited,
            [described[tie.change_id] for tie in ties if tie.theme_id == theme.id and tie.change_id in described],
        )
        for theme, cited in themes
    ]
    change_rows = [
        (
            change.changed_on,
            course_title or session_title,
            change.description,
            [titles[tie.theme_id] for tie in ties if tie.change_id == change.id and tie.theme_id in titles],
        )
        for change, course_title, session_title in changes
    ]
    return {
        "themes": Table(
            "Themes of feedback",
            ("Theme", "Responses cited", "What was changed"),
            theme_rows,
            f"{HOME}/feedback/themes.csv",
            (1,),
        ),
        "changes": Table(
            "Changes of content",
            ("Day", "Course or session", "What was changed", "Because of"),
            change_rows,
            f"{HOME}/feedback/changes.csv",
        ),
    }


async def medicine_incidents(request: Request) -> Response:
    """Incidents with medicines and the learning that they suggest."""
    return report(
        request,
        "Incidents with medicines",
        back=BACK,
        intro=["Nobody is named here: neither a resident nor who told of it."],
        tables=(await _incidents(request)).values(),
    )


async def medicine_incidents_file(request: Request) -> Response:
    """One of its tables as a CSV."""
    return one_file(request, await _incidents(request))


async def _incidents(request: Request) -> dict[str, Table]:
    place = and_(
        TenantLocation.tenant_id == MedicineIncident.tenant_id, TenantLocation.id == MedicineIncident.tenant_location_id
    )
    listed = (
        select(MedicineIncident, IncidentCategory.name, CqcLocation.name)
        .join(
            IncidentCategory,
            and_(
                IncidentCategory.tenant_id == MedicineIncident.tenant_id,
                IncidentCategory.id == MedicineIncident.category_id,
            ),
        )
        .join(TenantLocation, place)
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .order_by(MedicineIncident.occurred_on.desc(), MedicineIncident.id)
        .limit(500)
    )
    needed = (
        select(LearningNeed, Topic.code, Topic.title, CqcLocation.name)
        .join(Topic, and_(Topic.tenant_id == LearningNeed.tenant_id, Topic.id == LearningNeed.topic_id))
        .join(
            TenantLocation,
            and_(
                TenantLocation.tenant_id == LearningNeed.tenant_id,
                TenantLocation.id == LearningNeed.tenant_location_id,
            ),
        )
        .join(CqcLocation, CqcLocation.id == TenantLocation.location_id)
        .order_by(LearningNeed.created_at.desc(), LearningNeed.id)
        .limit(500)
    )
    async with tenant_reads(request) as session:
        incidents = (await session.execute(listed)).all()
        needs = (await session.execute(needed)).all()
    return {
        "incidents": Table(
            "Incidents",
            ("Day", "Category", "Stage", "Harm", "Location", "Safeguarding raised"),
            [
                (row.occurred_on, category, STAGES[row.stage], HARMS[row.harm], location, row.safeguarding_raised)
                for row, category, location in incidents
            ],
            f"{HOME}/incidents/incidents.csv",
        ),
        "needs": Table(
            "Learning that is suggested",
            ("Suggested", "Topic", "Location", "State"),
            [
                (row.created_at.date(), f"{code}: {title}", location, NEED_STATES[row.status])
                for row, code, title, location in needs
            ],
            f"{HOME}/incidents/needs.csv",
        ),
    }


_READ = Permission.GOVERNANCE_READ

ROUTES = [
    page("/governance/feedback", feedback_changes, needs=_READ),
    page("/governance/feedback/{table}.csv", feedback_changes_file, needs=_READ),
    page("/governance/incidents", medicine_incidents, needs=_READ),
    page("/governance/incidents/{table}.csv", medicine_incidents_file, needs=_READ),
]
