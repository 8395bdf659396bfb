"""Learning systems: connected, with their secrets, and switched on and off."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console.pages import (
    Form,
    Problem,
    form_of,
    page,
    principal_here,
    redirect,
    render,
    services_of,
    tenant_reads,
)
from app.console.reports import Field, ShortForm, report
from app.console.tables import Button, Link, Table, csv_of
from app.console.training_forms import form_about, number, tried, typed, version_of
from app.identity.permissions import Permission
from app.training.elearning import systems
from app.training.elearning.models import LearningAccount, LearningSystem, LearningSystemSecret, XapiStatement
from app.training.elearning.systems import SystemGiven
from tenants.models import Tenant
from tenants.session import UnitOfWork

HOME = "/console/learning-systems"
BACK = Link("Back to learning systems", HOME)
FIELDS = ("name", "source", "home_page", "keep_days", "active")


async def learning_systems(request: Request) -> Response:
    """All learning systems, and what waits for a person."""
    async with tenant_reads(request) as session:
        waits = select(func.count()).select_from(LearningAccount).where(LearningAccount.state == "waiting")
        waiting = (await session.execute(waits)).scalar_one()
    return report(
        request,
        "Learning systems",
        intro=[
            "A learning system such as Moodle tells here how far people have come, by xAPI statements. Say which of "
            "its activities are your courses, and who its accounts are where that is not clear."
        ],
        actions=[Link("Connect a learning system", f"{HOME}/add")],
        links=[
            Link("Activities and courses", f"{HOME}/activities"),
            Link(f"Accounts that wait for an answer ({waiting:,})", f"{HOME}/waiting"),
        ],
        tables=[await _listed(request)],
    )


async def learning_systems_file(request: Request) -> Response:
    """The same as a CSV."""
    return csv_of("learning-systems.csv", await _listed(request))


async def _listed(request: Request) -> Table:
    async with tenant_reads(request) as session:
        heard = (
            select(XapiStatement.learning_system_id, func.max(XapiStatement.stored_at), func.count())
            .group_by(XapiStatement.learning_system_id)
            .order_by(XapiStatement.learning_system_id)
        )
        last = {system_id: (at, count) for system_id, at, count in await session.execute(heard)}
        rows = (await session.scalars(select(LearningSystem).order_by(LearningSystem.name, LearningSystem.id))).all()
    return Table(
        "Learning systems",
        ("Name", "Code", "State", "Last heard of", "Statements kept"),
        [
            (
                Link(row.name, f"{HOME}/{row.id}"),
                row.source,
                "On" if row.active else "Off",
                *last.get(row.id, ("Never", 0)),
            )
            for row in rows
        ],
        f"{HOME}/all.csv",
        (4,),
        "No learning system is connected yet.",
    )


def _fields(*, new: bool) -> list[Field]:
    source = Field(
        "text",
        "source",
        "Code",
        "Accounts and completions are kept under it, such as elearning. Take the one that imported files of this "
        "system have. It cannot be changed later.",
    )
    return [
        Field("text", "name", "Name"),
        *([source] if new else []),
        Field(
            "text",
            "home_page",
            "Web address in its statements (optional)",
            "As homePage of its accounts, such as https://lms.example. Accounts of other addresses then wait.",
        ),
        Field(
            "number",
            "keep_days",
            "Keep statements for so many days (optional)",
            "Older ones are deleted; completions stay. Left empty: for ever.",
        ),
        *([] if new else [Field("many", "active", "State", options=[("yes", "Take statements in")])]),
    ]


def _given(form: Form) -> SystemGiven:
    active = "yes" in form.texts("active")
    return SystemGiven(form.text("name"), form.text("home_page"), number(form, "keep_days"), active)


async def learning_system_add(request: Request) -> Response:
    """Connect one; its secret is shown once."""
    if request.method == "GET":
        return _add_page(request, [], {})
    form = await form_of(request)

    async def change(work: UnitOfWork) -> systems.NewSystem:
        return await systems.connect_system(work, services_of(request).vault, form.text("source"), _given(form))

    made = await tried(request, FIELDS, change)
    if isinstance(made, Problem):
        return _add_page(request, [made], typed(form, FIELDS))
    return await _secret_page(request, made.id, form.text("name"), made.key_id, made.secret)


def _add_page(request: Request, problems: list[Problem], values: dict[str, Any]) -> Response:
    form = ShortForm(f"{HOME}/add", "Connect", _fields(new=True))
    return report(
        request,
        "Connect a learning system",
        status=422 if problems else 200,
        problems=problems,
        values=values,
        back=BACK,
        forms=[form],
    )


async def _endpoint(request: Request) -> str:
    async with tenant_reads(request) as session:
        slug = (
            await session.execute(select(Tenant.slug).where(Tenant.id == principal_here(request).tenant_id))
        ).scalar_one()
    return f"{services_of(request).settings.base_url.rstrip('/')}/xapi/{slug}/"


async def _secret_page(request: Request, system_id: UUID, name: str, key_id: str, secret: str) -> Response:
    return render(
        request,
        "learning_system_secret.jinja",
        id=system_id,
        name=name,
        key_id=key_id,
        secret=secret,
        endpoint=await _endpoint(request),
    )


async def learning_system(request: Request) -> Response:
    """One system: how it is connected, its secrets, and what can be changed."""
    return await _page(request, [], {})


async def learning_system_secrets_file(request: Request) -> Response:
    """Its secrets by their ends, as a CSV."""
    return csv_of("secrets.csv", await _secrets(request))


async def _system(request: Request) -> LearningSystem:
    async with tenant_reads(request) as session:
        key = (principal_here(request).tenant_id, request.path_params["system_id"])
        row = await session.get(LearningSystem, key)
    if row is None:
        raise HTTPException(404)
    return row


async def _secrets(request: Request) -> Table:
    system = await _system(request)
    async with tenant_reads(request) as session:
        found = await session.scalars(
            select(LearningSystemSecret)
            .where(LearningSystemSecret.learning_system_id == system.id)
            .order_by(LearningSystemSecret.created_at, LearningSystemSecret.id)
        )
        rows = found.all()
    path = f"{HOME}/{system.id}/secrets"
    return Table(
        "Secrets",
        ("Ends with", "Added", "Revoked"),
        [(row.hint, row.created_at, row.revoked_at) for row in rows],
        f"{path}.csv",
        does="Revoke",
        buttons=[
            None if row.revoked_at else Button(f"{path}/{row.id}/revoke", f"the secret that ends with {row.hint}")
            for row in rows
        ],
    )


async def _page(request: Request, problems: list[Problem], sent: dict[str, Any]) -> Response:
    row, secrets = await _system(request), await _secrets(request)
    path = f"{HOME}/{row.id}"
    values = {
        "name": row.name,
        "home_page": row.home_page or "",
        "keep_days": row.keep_days or "",
        "active": ["yes"] if row.active else [],
    }
    change = ShortForm(f"{path}/change", "Save", _fields(new=False), "Change it", row.version)
    more = ShortForm(f"{path}/secrets", "Add a secret", [], "Change the secret", second=True)
    return report(
        request,
        row.name,
        status=422 if problems else 200,
        problems=problems,
        values=values | sent,
        caption="Learning system",
        back=BACK,
        intro=["To change the secret, add a second one, enter it in the learning system, then revoke the first."],
        facts=[
            ("State", "On" if row.active else "Off"),
            ("Endpoint", await _endpoint(request)),
            ("Key (user name)", row.key_id),
            ("Code", row.source),
        ],
        tables=[secrets],
        forms=[change, *([more] if sum(button is not None for button in secrets.buttons) < 2 else [])],
    )


async def learning_system_change(request: Request) -> Response:
    """Change what is said of it, or switch it on or off."""
    system_id = request.path_params["system_id"]
    form = await form_about(request, LearningSystem, system_id)
    version = version_of(form)

    async def change(work: UnitOfWork) -> None:
        await systems.change_system(work, system_id, version, _given(form))

    problem = await tried(request, FIELDS, change)
    if problem is not None:
        return await _page(request, [problem], typed(form, FIELDS[:-1]) | {"active": form.texts("active")})
    return redirect(f"{HOME}/{system_id}", done="learning-system-saved")


async def learning_system_add_secret(request: Request) -> Response:
    """A further secret, shown once."""
    row = await _system(request)

    async def change(work: UnitOfWork) -> str:
        return await systems.add_secret(work, services_of(request).vault, row.id)

    made = await tried(request, (), change)
    if isinstance(made, Problem):
        return await _page(request, [made], {})
    return await _secret_page(request, row.id, row.name, row.key_id, made)


async def learning_system_revoke_secret(request: Request) -> Response:
    """End a secret."""
    row = await _system(request)

    async def change(work: UnitOfWork) -> None:
        await systems.revoke_secret(work, row.id, request.path_params["secret_id"])

    if await tried(request, (), change) is not None:
        raise HTTPException(404)
    return redirect(f"{HOME}/{row.id}", done="secret-revoked")


_NEEDS, _POST = Permission.SETTINGS_WRITE, ("POST",)

ROUTES = [
    page("/learning-systems", learning_systems, needs=_NEEDS),
    page("/learning-systems/all.csv", learning_systems_file, needs=_NEEDS),
    page("/learning-systems/add", learning_system_add, needs=_NEEDS, methods=("GET", "POST")),
    page("/learning-systems/{system_id:uuid}", learning_system, needs=_NEEDS),
    page("/learning-systems/{system_id:uuid}/change", learning_system_change, needs=_NEEDS, methods=_POST),
    page("/learning-systems/{system_id:uuid}/secrets.csv", learning_system_secrets_file, needs=_NEEDS),
    page("/learning-systems/{system_id:uuid}/secrets", learning_system_add_secret, needs=_NEEDS, methods=_POST),
    page(
        "/learning-systems/{system_id:uuid}/secrets/{secret_id:uuid}/revoke",
        learning_system_revoke_secret,
        needs=_NEEDS,
        methods=_POST,
    ),
]
