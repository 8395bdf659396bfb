"""What forms of training share: fields as values, refusals as problems, words for stable codes."""

import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.console.pages import Form, Problem, form_of, principal_here, tenant_reads, tenant_work
from app.identity.permissions import Permission
from app.reporting.words import GAP_KINDS as GAP_KINDS
from app.reporting.words import SETTINGS as SETTINGS
from app.training.errors import TrainingRefusal
from tenants.base import TenantOwned
from tenants.session import UnitOfWork

Done = TypeVar("Done")

SCOPES = {"national": "National", "local": "Local", "provider_internal": "A provider’s own"}
DELIVERY_MODES = {
    "e_learning": "E-learning",
    "webinar": "Webinar",
    "face_to_face": "Face to face",
    "practical": "Practical, on the job",
    "blended": "Blended",
}
ACCESS_KINDS = {"free": "Free", "licensed": "Licensed", "local_venue": "Local venue"}
STATUSES = {"active": "In use", "retired": "Retired", "merged": "Merged into another"}
COVERAGES = {"full": "Full", "partial": "Part", "none": "None", "not_applicable": "Not applicable"}


class Invalid(Exception):
    """A field that cannot be read."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(field, message)


def problem(refusal: TrainingRefusal, fields: Iterable[str]) -> Problem:
    """The refusal beside its field, where the form has that; else about the whole form."""
    name = re.sub(r"([A-Z])", lambda letter: f"_{letter[1].lower()}", refusal.field)
    return Problem(name if name in set(fields) else "", refusal.message)


def problem_of(error: TrainingRefusal | Invalid, fields: Iterable[str]) -> Problem:
    """What is wrong with a form, whoever found it: the domain, or the reading of a field."""
    return error.problem if isinstance(error, Invalid) else problem(error, fields)


async def tried(
    request: Request, fields: Iterable[str], change: Callable[[UnitOfWork], Awaitable[Done]]
) -> Done | Problem:
    """What the change gives, in a unit of work; or what is wrong with the form that asked for it."""
    try:
        async with tenant_work(request) as work:
            return await change(work)
    except (TrainingRefusal, Invalid) as error:
        return problem_of(error, fields)


async def form_about(request: Request, model: type[TenantOwned], row_id: UUID) -> Form:
    """What was sent about a row that is there. HTTPException 404 if it is not, whatever else is wrong with the form."""
    async with tenant_reads(request) as session:
        if await session.get(model, (principal_here(request).tenant_id, row_id)) is None:
            raise HTTPException(404)
    return await form_of(request)


def version_of(form: Form) -> int:
    """The version that the form was made from."""
    text = form.text("version")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise HTTPException(400)
    return int(text)


def number(form: Form, name: str) -> int | None:
    """A whole number, or None. Raises Invalid."""
    text = form.text(name).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Invalid(name, "Enter a whole number.")
    return int(text)


def decimal(form: Form, name: str) -> Decimal | None:
    """A number such as pounds and pence, or None. Raises Invalid."""
    text = form.text(name).strip().removeprefix("£").replace(",", "")
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise Invalid(name, "Enter a number, such as 0.6 or 120.50.") from error
    if not found.is_finite() or abs(found) >= 10**8:
        raise Invalid(name, "Enter a smaller number.")
    return found


def needed_decimal(form: Form, name: str, what: str) -> Decimal:
    """A number such as pounds and pence. Raises Invalid."""
    found = decimal(form, name)
    if found is None:
        raise Invalid(name, f"Enter {what}.")
    return found


def day(form: Form, name: str) -> date | None:
    """A date, or None. Raises Invalid."""
    text = form.text(name).strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(name, "Enter a date, such as 2027-03-31.") from error
    if not 2000 <= found.year <= 2100:
        raise Invalid(name, "Enter a date from 2000 to 2100.")
    return found


def needed_day(form: Form, name: str, what: str) -> date:
    """A date. Raises Invalid."""
    found = day(form, name)
    if found is None:
        raise Invalid(name, f"Enter {what}.")
    return found


def key(form: Form, name: str) -> UUID | None:
    """An id that was chosen, or None. Raises Invalid."""
    text = form.text(name).strip()
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise Invalid(name, "Choose one from the list.") from error


def needed_key(form: Form, name: str, what: str) -> UUID:
    """An id that was chosen. Raises Invalid."""
    found = key(form, name)
    if found is None:
        raise Invalid(name, f"Choose {what}.")
    return found


def keys(form: Form, name: str) -> list[UUID]:
    """The ids that were ticked. Raises Invalid."""
    try:
        return [UUID(text) for text in form.texts(name)]
    except ValueError as error:
        raise Invalid(name, "Choose from the list.") from error


def chosen_word(form: Form, name: str, allowed: Iterable[str], what: str) -> str:
    """One of the stable words that a choice offers. Raises Invalid."""
    given = form.text(name)
    if given not in set(allowed):
        raise Invalid(name, f"Choose {what}.")
    return given


def asked_word(request: Request, name: str, allowed: Iterable[str]) -> str | None:
    """A word of the address, if it is one of those allowed."""
    given = request.query_params.get(name, "")
    return given if given in set(allowed) else None


def asked_page(request: Request) -> int:
    """The page of a long list that the address asks for, from 1 to 999."""
    given = request.query_params.get("page", "")
    return max(int(given), 1) if given.isascii() and given.isdigit() and len(given) < 4 else 1


def may_write(request: Request) -> bool:
    """Whether the person may run the programme."""
    return principal_here(request).may(Permission.TRAINING_WRITE)


def typed(form: Form, names: Iterable[str]) -> dict[str, Any]:
    """What was typed, for showing the form again."""
    return {name: form.text(name) for name in names}
