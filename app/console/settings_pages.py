"""The tenant's settings: when an attendance counts, and the columns of its completions files."""

from collections.abc import Mapping

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import Form, Problem, form_of, page, redirect, render, tenant_reads, tenant_work
from app.identity.permissions import Permission
from app.imports.formats import completions
from app.training.errors import TrainingRefusal
from app.training.settings import change_settings
from tenants.models import TenantSettings

LONGEST_HEADING = 300

COLUMNS = {
    "course": "Course",
    "course_version": "Version of the course",
    "training_provider": "Training provider",
    "account": "User name or account",
    "email": "E-mail address",
    "given_name": "First name",
    "family_name": "Family name",
    "full_name": "Full name",
    "cqc_location_id": "CQC location id",
    "employer": "Employer",
    "job_role": "Job role",
    "completed": "Completed on",
    "started": "Started on",
    "status": "Status",
    "minutes": "Time spent",
    "score": "Score",
    "certificate_number": "Certificate number",
}
"""Fields of the completions format, in words."""

FIELDS = {"INVALID_THRESHOLD": "threshold", "CHANGED_MEANWHILE": ""}
"""The field that each refusal is about."""


async def settings(request: Request) -> Response:
    """See and change the settings."""
    if request.method == "GET":
        return await _form(request, 200, None, [])
    form = await form_of(request)
    columns = {name: " ".join(form.text(f"column_{name}").split()) for name in COLUMNS}
    problems = _problems(form, columns)
    if problems:
        return await _form(request, 422, form, problems)
    try:
        async with tenant_work(request) as work:
            saved = (await work.session.execute(select(TenantSettings.column_mappings))).scalar_one()
            others = {name: mapping for name, mapping in saved.items() if name != completions.CODE}
            named = {name: heading for name, heading in columns.items() if heading}
            await change_settings(
                work,
                version=int(form.text("version")),
                attendance_threshold_percent=int(form.text("threshold")),
                count_unknown_durations=form.text("count_unknown") == "yes",
                column_mappings=others | ({completions.CODE: named} if named else {}),
            )
    except TrainingRefusal as refusal:
        return await _form(request, 422, form, [Problem(FIELDS[refusal.code], refusal.message)], refusal.code)
    return redirect("/console/settings", done="settings-changed")


def _problems(form: Form, columns: Mapping[str, str]) -> list[Problem]:
    problems = []
    if not form.text("version").isdecimal():
        problems.append(Problem("", "Load the page again and send the form once more."))
    threshold = form.text("threshold").strip()
    if not (threshold.isascii() and threshold.isdecimal() and len(threshold) <= 3):
        problems.append(Problem("threshold", "Enter the threshold as a whole number from 0 to 100."))
    if form.text("count_unknown") not in ("yes", "no"):
        problems.append(Problem("count_unknown", "Choose whether presence counts."))
    problems += [
        Problem(f"column_{name}", f"Enter a heading of at most {LONGEST_HEADING} characters.")
        for name, heading in columns.items()
        if len(heading) > LONGEST_HEADING or "\0" in heading
    ]
    return problems


async def _form(
    request: Request, status: int, form: Form | None, problems: list[Problem], code: str | None = None
) -> Response:
    async with tenant_reads(request) as session:
        saved = (await session.scalars(select(TenantSettings))).one()
    mapping = saved.column_mappings.get(completions.CODE, {})
    stored = {
        "threshold": str(saved.attendance_threshold_percent),
        "count_unknown": "yes" if saved.count_unknown_durations else "no",
        **{f"column_{name}": mapping.get(name, "") for name in COLUMNS},
    }
    typed = stored if form is None else {name: form.text(name) for name in stored}
    # After a change by somebody else the form shows it, and then carries the version that was seen.
    version = saved.version if form is None or code == "CHANGED_MEANWHILE" else form.text("version")
    changed = {name for name in stored if stored[name] != typed[name]} if code == "CHANGED_MEANWHILE" else set()
    return render(
        request,
        "settings.jinja",
        status=status,
        problems=problems,
        values=typed,
        stored=stored,
        changed=changed,
        version=version,
        columns=COLUMNS,
        named=any(typed[f"column_{name}"] for name in COLUMNS),
        updated=saved.updated_at,
    )


ROUTES = [page("/settings", settings, needs=Permission.SETTINGS_WRITE, methods=("GET", "POST"))]
