"""Responses to feedback forms as people choose among them: a page of them at a time, each with its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from app.console.training_forms import asked_page
from app.governance.models import ThemeResponse
from app.training.models import FeedbackAnswer, FeedbackForm, FeedbackQuestion, FeedbackResponse
from tenants.base import among

PAGE, MOST_ANSWERS = 20, 4


@dataclass(frozen=True, slots=True)
class Asked:
    """Which responses the address asks for: of a form or all, with these words in an answer, and which page."""

    form: UUID | None
    words: str
    page: int

    @classmethod
    def of(cls, request: Request) -> "Asked":
        """As the address says; what cannot be read is left out."""
        given = request.query_params
        try:
            form = UUID(given.get("form", ""))
        except ValueError:
            form = None
        return cls(form, " ".join(given.get("words", "").split())[:100], asked_page(request))

    @property
    def first(self) -> int:
        """The number of the first response of the page."""
        return (self.page - 1) * PAGE + 1

    def query(self, page: int) -> str:
        """The address's query of a page."""
        said = {"form": str(self.form or ""), "words": self.words, "page": str(page)}
        return f"?{urlencode({name: value for name, value in said.items() if value})}"


async def cited(session: AsyncSession, theme_id: UUID, most: int) -> Sequence[Any]:
    """Responses that a theme cites, the latest first: id, submitted_at, form."""
    ours = select(ThemeResponse.response_id).where(ThemeResponse.theme_id == theme_id)
    listed = _responses().where(FeedbackResponse.id.in_(ours)).limit(most)
    return (await session.execute(listed)).all()


async def responses_not_cited(session: AsyncSession, theme_id: UUID, asked: Asked) -> tuple[Sequence[Any], int]:
    """A page of the responses that a theme does not cite yet, as `cited`; and how many there are in all."""
    ours = select(ThemeResponse.response_id).where(ThemeResponse.theme_id == theme_id)
    conditions: list[ColumnElement[bool]] = [FeedbackResponse.id.not_in(ours)]
    if asked.form is not None:
        conditions.append(FeedbackResponse.form_id == asked.form)
    if asked.words:
        said = FeedbackAnswer.text.icontains(asked.words, autoescape=True)
        conditions.append(FeedbackResponse.id.in_(select(FeedbackAnswer.response_id).where(said)))
    count = (await session.scalars(select(func.count()).select_from(FeedbackResponse).where(*conditions))).one()
    listed = _responses().where(*conditions).offset(asked.first - 1).limit(PAGE)
    return (await session.execute(listed)).all(), count


def _responses() -> Any:
    return (
        select(FeedbackResponse.id, FeedbackResponse.submitted_at, FeedbackForm.title.label("form"))
        .join(
            FeedbackForm,
            and_(FeedbackForm.tenant_id == FeedbackResponse.tenant_id, FeedbackForm.id == FeedbackResponse.form_id),
        )
        .order_by(FeedbackResponse.submitted_at.desc(), FeedbackResponse.id)
    )


async def answers_of(session: AsyncSession, ids: Sequence[UUID], *, names: bool) -> dict[UUID, str]:
    """Some answers of each response: first what was written (for those who see names), then what was chosen."""
    given = (
        select(FeedbackAnswer, FeedbackQuestion.text, FeedbackQuestion.options)
        .join(
            FeedbackQuestion,
            and_(
                FeedbackQuestion.tenant_id == FeedbackAnswer.tenant_id,
                FeedbackQuestion.id == FeedbackAnswer.question_id,
            ),
        )
        .where(among(FeedbackAnswer.response_id, ids))
        .order_by(FeedbackAnswer.text.is_(None), FeedbackQuestion.position)
    )
    told: dict[UUID, list[str]] = {}
    for answer, question, options in await session.execute(given):
        if answer.text is not None:
            shown = answer.text if names else "not shown, for it may name people"
        elif answer.option_number is not None:
            shown = str(options[answer.option_number - 1])
        else:
            continue
        answers = told.setdefault(answer.response_id, [])
        if len(answers) < MOST_ANSWERS:
            answers.append(f"{question.rstrip(' ?:')}: {shown}")
    return {response_id: " · ".join(answers) for response_id, answers in told.items()}
