"""The console as one mounted application: all its pages and what surrounds them."""

from collections.abc import Sequence
from pathlib import Path

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from app.console import (
    api_client_pages,
    area_pages,
    asc_wds_pages,
    asc_wds_settings,
    audit_pages,
    background_work_pages,
    booking_pages,
    campaign_forms,
    campaign_pages,
    certificate_pages,
    champion_pages,
    competence_pages,
    competence_settings,
    contact_pages,
    cost_pages,
    course_forms,
    course_pages,
    feedback_form_pages,
    feedback_pages,
    forum_pages,
    gap_pages,
    governance_pages,
    group_pages,
    home_pages,
    impact_pages,
    import_pages,
    incident_pages,
    item_pages,
    ldss_pages,
    learner_pages,
    learning_activity_pages,
    learning_system_pages,
    mapping_pages,
    message_pages,
    message_settings_pages,
    message_template_pages,
    objective_pages,
    outside_pages,
    outside_registration_pages,
    partner_pages,
    plan_pages,
    pool_pages,
    programme_page,
    programme_pages,
    provider_group_pages,
    reference_pages,
    registry_pages,
    regulation_pages,
    reminder_pages,
    report_files,
    report_pages,
    report_schedule_pages,
    review_pages,
    session_pages,
    settings_pages,
    sign_in_pages,
    staff_pages,
    standing_learner_pages,
    standing_pages,
    story_pages,
    stream_pages,
    team_pages,
    template_pages,
    tier_pages,
    topic_pages,
    webhook_pages,
)
from app.console.middleware import MIDDLEWARE
from app.console.pages import ConsoleRoute

STATIC = Path(__file__).resolve().parent / "static"

ROUTES: list[BaseRoute] = [
    *home_pages.ROUTES,
    *sign_in_pages.ROUTES,
    *staff_pages.ROUTES,
    *api_client_pages.ROUTES,
    *audit_pages.ROUTES,
    *impact_pages.ROUTES,
    *import_pages.ROUTES,
    *topic_pages.ROUTES,
    *mapping_pages.ROUTES,
    *gap_pages.ROUTES,
    *course_pages.ROUTES,
    *course_forms.ROUTES,
    *regulation_pages.ROUTES,
    *template_pages.ROUTES,
    *programme_pages.ROUTES,
    *programme_page.ROUTES,
    *tier_pages.ROUTES,
    *standing_pages.ROUTES,
    *standing_learner_pages.ROUTES,
    *learner_pages.ROUTES,
    *competence_pages.ROUTES,
    *competence_settings.ROUTES,
    *certificate_pages.ROUTES,
    *champion_pages.ROUTES,
    *campaign_pages.ROUTES,
    *campaign_forms.ROUTES,
    *contact_pages.ROUTES,
    *plan_pages.ROUTES,
    *objective_pages.ROUTES,
    *item_pages.ROUTES,
    *forum_pages.ROUTES,
    *feedback_form_pages.ROUTES,
    *feedback_pages.ROUTES,
    *incident_pages.ROUTES,
    *governance_pages.ROUTES,
    *stream_pages.ROUTES,
    *pool_pages.ROUTES,
    *cost_pages.ROUTES,
    *report_schedule_pages.ROUTES,
    *report_files.ROUTES,
    *report_pages.ROUTES,
    *story_pages.ROUTES,
    *asc_wds_settings.ROUTES,
    *asc_wds_pages.ROUTES,
    *ldss_pages.ROUTES,
    *learning_activity_pages.ROUTES,
    *learning_system_pages.ROUTES,
    *group_pages.ROUTES,
    *area_pages.ROUTES,
    *partner_pages.ROUTES,
    *reference_pages.ROUTES,
    *provider_group_pages.ROUTES,
    *review_pages.ROUTES,
    *registry_pages.ROUTES,
    *session_pages.ROUTES,
    *booking_pages.ROUTES,
    *team_pages.ROUTES,
    *settings_pages.ROUTES,
    *webhook_pages.ROUTES,
    *message_settings_pages.ROUTES,
    *message_template_pages.ROUTES,
    *reminder_pages.ROUTES,
    *message_pages.ROUTES,
    *outside_registration_pages.ROUTES,
    *outside_pages.ROUTES,
    *background_work_pages.ROUTES,
]


class UndeclaredRoute(RuntimeError):
    """A console route does not say what it needs: a fault of ours that must be seen at start."""


def refuse_undeclared(routes: Sequence[BaseRoute]) -> None:
    """Raise UndeclaredRoute unless every route says what it needs."""
    undeclared = [getattr(route, "path", repr(route)) for route in routes if not isinstance(route, ConsoleRoute)]
    if undeclared:
        raise UndeclaredRoute(f"declare with page(…, needs=…): {', '.join(undeclared)}")


def console_routes() -> list[BaseRoute]:
    """What the application mounts. Style sheets and scripts are for everybody and are not logged."""
    refuse_undeclared(ROUTES)
    return [
        Mount("/console/static", StaticFiles(directory=STATIC)),
        Mount("/console", routes=ROUTES, middleware=MIDDLEWARE),
    ]
