"""Verification of certificates for everybody, and what outside verifiers of badges read: issuer, keys, revocations."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from app.public.pages import MIDDLEWARE, Misses, form_of, reads, render, services_of, tenant_of
from app.training.certificates import badges
from app.training.certificates.keys import published_keys, signing_key
from app.training.certificates.rules import Standing
from app.training.certificates.verifying import certificate_by_code, certificate_by_number, told
from tenants.clock import london_date

WORDS = {
    Standing.VALID: ("This certificate is valid", "Valid", "nhsuk-tag--green", "It counts today."),
    Standing.EXPIRED: (
        "This certificate has expired",
        "Expired",
        "nhsuk-tag--orange",
        "It was valid until the day below and no longer counts. The training has to be renewed.",
    ),
    Standing.REVOKED: (
        "This certificate was revoked",
        "Revoked",
        "nhsuk-tag--red",
        "Its issuer took it back, so it does not count. Ask the issuer if you need to know more.",
    ),
    Standing.SUPERSEDED: (
        "This certificate was replaced",
        "Replaced",
        "nhsuk-tag--grey",
        "Its issuer gave a newer certificate in its place. Ask the learner for that one.",
    ),
}
NOT_FOUND = "We found no such certificate. Check what you typed against the certificate, and ask whoever showed it."


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with the form: the field's id and what to do."""

    field: str
    message: str


def _misses(request: Request) -> Misses:
    misses: Misses = request.app.state.verify_misses
    return misses


async def verify_form(request: Request) -> Response:
    """Ask for a code, or for a number and a name."""
    tenant = await tenant_of(request)
    return render(request, "verify.jinja", organisation=tenant.name, slug=tenant.slug)


async def verify_search(request: Request) -> Response:
    """Lead to the certificate that was typed. Only looks; it is a POST so that no name stands in an address."""
    tenant = await tenant_of(request)
    await _misses(request).refuse_guessing(request)
    form = await form_of(request)
    typed, name = form.get("code", "")[:200], form.get("name", "")[:200]
    async with reads(request, tenant) as session:
        found = await certificate_by_code(session, typed) or await certificate_by_number(session, typed, name)
    if found is None:
        await _misses(request).note(request)
        return _nothing(request, tenant.name, tenant.slug, {"code": typed, "name": name})
    return RedirectResponse(f"/verify/{tenant.slug}/{found.verification_code}", status_code=303)


def _nothing(request: Request, organisation: str, slug: str, values: dict[str, str]) -> Response:
    problems = [Problem("code", NOT_FOUND)]
    return render(
        request, "verify.jinja", status=404, organisation=organisation, slug=slug, problems=problems, values=values
    )


async def verify_certificate(request: Request) -> Response:
    """Whether the certificate with this code counts. Unknown and malformed codes get the same answer."""
    tenant = await tenant_of(request)
    await _misses(request).refuse_guessing(request)
    async with reads(request, tenant) as session:
        certificate = await certificate_by_code(session, request.path_params["code"])
        key = None if certificate is None else await signing_key(session, services_of(request).vault)
    if certificate is None:
        await _misses(request).note(request)
        return _nothing(request, tenant.name, tenant.slug, {})
    verified = told(certificate, london_date(services_of(request).clock()))
    heading, word, colour, meaning = WORDS[verified.standing]
    facts = [
        ("Name", verified.learner_name),
        ("For", verified.title),
        ("Achieved on", f"{verified.achieved_on:%-d %B %Y}"),
        ("Valid until", f"{verified.valid_until:%-d %B %Y}" if verified.valid_until else "It does not expire"),
        ("Issued by", verified.issuer_name),
    ]
    return render(
        request,
        "verified.jinja",
        organisation=tenant.name,
        slug=tenant.slug,
        heading=heading,
        word=word,
        colour=colour,
        meaning=meaning,
        rows=[{"key": {"text": label}, "value": {"text": value}} for label, value in facts],
        badge=f"{request.url.path.rstrip('/')}/badge.jwt" if key and verified.standing is Standing.VALID else None,
    )


async def verify_badge(request: Request) -> Response:
    """The certificate as a signed Open Badge; 404 as for a wrong code once it no longer counts."""
    tenant = await tenant_of(request)
    await _misses(request).refuse_guessing(request)
    services = services_of(request)
    async with reads(request, tenant) as session:
        certificate = await certificate_by_code(session, request.path_params["code"])
        key = await signing_key(session, services.vault)
    if certificate is None:
        await _misses(request).note(request)
    today = london_date(services.clock())
    if certificate is None or key is None or told(certificate, today).standing is not Standing.VALID:
        raise HTTPException(404)
    signed = badges.signed(certificate, services.settings.base_url, tenant.slug, key)
    name = f"{certificate.number}.jwt"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(signed, media_type="application/vc+jwt", headers=headers)


def _document(make: Callable[[Request, Any, str], Awaitable[dict[str, Any]]]) -> Any:
    async def answer(request: Request) -> Response:
        tenant = await tenant_of(request)
        made = await make(request, tenant, services_of(request).settings.base_url)
        headers = {"cache-control": "public, max-age=60", "access-control-allow-origin": "*"}
        return JSONResponse(made, headers=headers)

    return answer


async def _profile(_: Request, tenant: Any, base_url: str) -> dict[str, Any]:
    return badges.profile(base_url, tenant.slug, tenant.name)


async def _keys(request: Request, tenant: Any, _: str) -> dict[str, Any]:
    async with reads(request, tenant) as session:
        return await published_keys(session)


async def _revocations(request: Request, tenant: Any, base_url: str) -> dict[str, Any]:
    async with reads(request, tenant) as session:
        return await badges.revocations(session, base_url, tenant.slug)


VERIFY = [
    Route("/{slug}", verify_form, methods=["GET"]),
    Route("/{slug}", verify_search, methods=["POST"]),
    Route("/{slug}/{code}", verify_certificate, methods=["GET"]),
    Route("/{slug}/{code}/badge.jwt", verify_badge, methods=["GET"]),
]
ISSUERS = [
    Route("/{slug}", _document(_profile), methods=["GET"]),
    Route("/{slug}/jwks.json", _document(_keys), methods=["GET"]),
    Route("/{slug}/revocations.json", _document(_revocations), methods=["GET"]),
]


def verify_routes() -> list[BaseRoute]:
    """What the application mounts."""
    return [
        Mount("/verify", routes=VERIFY, middleware=MIDDLEWARE),
        Mount("/issuers", routes=ISSUERS, middleware=MIDDLEWARE),
    ]
