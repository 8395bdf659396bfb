"""One tier: its name, what meets it and for how long, and what somebody needs before a place on it."""

from typing import Any
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.console import prerequisite_form
from app.console import training_words as words
from app.console.pages import Form, Problem, page, principal_here, redirect, render, tenant_reads
from app.console.training_forms import form_about, number, tried, typed, version_of
from app.identity.permissions import Permission
from app.training.models import Programme, Tier
from app.training.requirements import prerequisites, programmes
from app.training.requirements.models import PrerequisiteRule
from tenants.session import UnitOfWork

FIELDS = ("name", "minimum_minutes", "validity_months", "renewal_lead_days")
SENT_AS = {"accepted_modes": "modes"}
"""The form's field where a refusal calls it otherwise."""


async def programme_tier(request: Request) -> Response:
    """Name a tier and set what meets it; see what it asks for."""
    if request.method == "GET":
        return await _tier_page(request, [], {})
    form = await form_about(request, Tier, request.path_params["tier_id"])

    async def change(work: UnitOfWork) -> None:
        wanted = programmes.TierChange(
            form.text("name"),
            number(form, "minimum_minutes"),
            form.texts("modes"),
            number(form, "validity_months"),
            number(form, "renewal_lead_days") or 0,
        )
        await programmes.change_tier(work, request.path_params["tier_id"], version_of(form), wanted)

    done = await tried(request, (*FIELDS, *SENT_AS), change)
    if isinstance(done, Problem):
        sent = typed(form, FIELDS) | {"modes": form.texts("modes")}
        return await _tier_page(request, [Problem(SENT_AS.get(done.field, done.field), done.message)], sent)
    return redirect("/console/programme", done="tier-changed")


async def tier_rule_add(request: Request) -> Response:
    """Ask for something more before a place."""
    form = await form_about(request, Tier, request.path_params["tier_id"])

    async def change(work: UnitOfWork) -> None:
        tier_id = request.path_params["tier_id"]
        shown = await _rules(work, tier_id)
        wanted = prerequisite_form.with_another(form, shown)
        await prerequisites.set_prerequisites(work, tier_id, version_of(form), wanted)

    return await _rules_changed(request, form, await tried(request, (), change), "prerequisite-added")


async def tier_rule_remove(request: Request) -> Response:
    """Ask for one thing less."""
    form = await form_about(request, Tier, request.path_params["tier_id"])

    async def change(work: UnitOfWork) -> None:
        tier_id = request.path_params["tier_id"]
        wanted = prerequisite_form.without(request.path_params["rule_id"], await _rules(work, tier_id))
        await prerequisites.set_prerequisites(work, tier_id, version_of(form), wanted)

    return await _rules_changed(request, form, await tried(request, (), change), "prerequisite-removed")


async def _rules(work: UnitOfWork, tier_id: UUID) -> prerequisite_form.Groups:
    return await prerequisite_form.shown_rules(work.session, work.tenant_id, PrerequisiteRule.tier_id == tier_id)


async def _rules_changed(request: Request, form: Form, problem: Problem | None, done: str) -> Response:
    if problem is not None:
        return await _tier_page(request, [problem], typed(form, prerequisite_form.FIELDS))
    return redirect(f"/console/programme/tiers/{request.path_params['tier_id']}", done=done)


async def _tier_page(request: Request, problems: list[Problem], sent: dict[str, Any]) -> Response:
    tenant_id, tier_id = principal_here(request).tenant_id, request.path_params["tier_id"]
    async with tenant_reads(request) as session:
        tier = await session.get(Tier, (tenant_id, tier_id))
        programme = None if tier is None else await session.get(Programme, (tier.tenant_id, tier.programme_id))
        if tier is None or programme is None:
            raise HTTPException(404)
        rules = await prerequisite_form.shown_rules(session, tier.tenant_id, PrerequisiteRule.tier_id == tier_id)
        path = f"/console/programme/tiers/{tier_id}/rules"
        add = await prerequisite_form.add_form(session, path, rules, version=programme.version, own_tier=tier_id)
    values: dict[str, Any] = {name: getattr(tier, name) for name in FIELDS} | {"modes": list(tier.accepted_modes)}
    return render(
        request,
        "programme_tier.jinja",
        status=422 if problems else 200,
        problems=problems,
        values={name: "" if value is None else value for name, value in values.items()} | sent,
        tier=tier,
        programme=programme,
        modes=words.MODES,
        rules=rules,
        rules_path=path,
        form=add,
    )


_WRITE = Permission.TRAINING_WRITE

ROUTES = [
    page("/programme/tiers/{tier_id:uuid}", programme_tier, needs=_WRITE, methods=("GET", "POST")),
    page("/programme/tiers/{tier_id:uuid}/rules/add", tier_rule_add, needs=_WRITE, methods=("POST",)),
    page(
        "/programme/tiers/{tier_id:uuid}/rules/{rule_id:uuid}/remove",
        tier_rule_remove,
        needs=_WRITE,
        methods=("POST",),
    ),
]
