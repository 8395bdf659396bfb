"""Who is who: whether a person or an employer in a file is one that is known. Pure rules, no name alone decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal
from uuid import UUID

from app.directory.names import (
    COMPATIBLE,
    SAME,
    employer_core,
    employer_key,
    full_name_key,
    is_shared_mailbox,
    name_agreement,
    name_key,
    normalise_email,
)

Kind = Literal["matched", "new", "review"]

CLOSE = 0.88
"""From this likeness on, an employer's spelling is shown to a person as a suggestion."""
CORE = 0.75
"""The likeness that the words must have which are the employer's own: not "care", "home" and the like."""
MOST_SUGGESTIONS = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person as a file names them. `account` is made by `account_key`; names and employer are keys."""

    account: str | None = None
    email: str | None = None
    name: str = ""
    employer: str = ""


@dataclass(frozen=True, slots=True)
class KnownLearner:
    """A learner with all that is known: accounts and addresses as in `Candidate`, keys of names and employers."""

    id: UUID
    names: frozenset[str]
    accounts: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    employers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class KnownEmployer:
    """An employer with its CQC location id, where it has one, and the keys of all its spellings."""

    id: UUID
    keys: frozenset[str]
    location_id: str | None = None


@dataclass(frozen=True, slots=True)
class MatchDecision:
    """What a match came to. `reasons` are stable codes; `suggestions` are (id, score), best first, for a person."""

    kind: Kind
    learner_id: UUID | None
    score: float
    reasons: tuple[str, ...]
    suggestions: tuple[tuple[UUID, float], ...] = ()


@dataclass(frozen=True, slots=True)
class EmployerDecision:
    """As `MatchDecision`, of an employer."""

    kind: Kind
    employer_id: UUID | None
    score: float
    reasons: tuple[str, ...]
    suggestions: tuple[tuple[UUID, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Finding:
    learner_id: UUID
    kind: Kind
    score: float
    reason: str


def account_key(source: str, account: str) -> str:
    """An account with the system it belongs to: the same user name elsewhere is somebody else."""
    return f"{source.strip().casefold()}:{account.strip().casefold()}"


def candidate(
    *,
    source: str = "",
    account: str | None = None,
    email: str | None = None,
    given_name: str | None = None,
    family_name: str | None = None,
    display_name: str | None = None,
    employer: str | None = None,
) -> Candidate:
    """A candidate from the words of a file."""
    return Candidate(
        account=account_key(source, account) if account else None,
        email=normalise_email(email),
        name=full_name_key(given_name, family_name) or name_key(display_name or ""),
        employer=employer_key(employer) if employer else "",
    )


def match_learner(candidate: Candidate, known: Sequence[KnownLearner]) -> MatchDecision:
    """Whether the candidate is a known learner.

    An account of the same source decides. A personal address decides with a compatible name, a shared mailbox with the
    same name at the same employer. A name, even with the employer, never decides: a person is asked, or, where other
    evidence differs, the candidate is somebody new. `known` may hold any learners; the order does not matter.
    """
    holders = sum(candidate.email in learner.emails for learner in known) if candidate.email else 0
    shared = candidate.email is not None and (is_shared_mailbox(candidate.email) or holders > 1)
    findings = [found for learner in known if (found := _weigh(candidate, learner, shared)) is not None]
    by_account = [found for found in findings if found.reason == "SAME_ACCOUNT"]
    matched = by_account or [found for found in findings if found.kind == "matched"]
    if len({found.learner_id for found in matched}) == 1:
        best = max(matched, key=lambda found: found.score)
        return MatchDecision("matched", best.learner_id, best.score, (best.reason,))
    open_findings = matched or [found for found in findings if found.kind == "review"]
    if open_findings:
        reasons = {found.reason for found in open_findings} | ({"SEVERAL_MATCH"} if matched else set())
        return MatchDecision(
            "review",
            None,
            max(found.score for found in open_findings),
            tuple(sorted(reasons)),
            _best((found.learner_id, found.score) for found in open_findings),
        )
    if not candidate.account and (not candidate.email or shared):
        if not candidate.name:
            return MatchDecision("review", None, 0.0, ("NO_NAME",))
        if not candidate.email and not candidate.employer:
            return MatchDecision("review", None, 0.0, ("NAME_ONLY",))
    return MatchDecision("new", None, 0.0, ("NOBODY_KNOWN",))


def _weigh(candidate: Candidate, learner: KnownLearner, shared: bool) -> _Finding | None:
    """What speaks for one known learner; None when nothing does."""
    if candidate.account and candidate.account in learner.accounts:
        return _Finding(learner.id, "matched", 1.0, "SAME_ACCOUNT")
    agreement = max((name_agreement(candidate.name, name) for name in learner.names), default=0.0)
    nameless = not candidate.name or not any(learner.names)
    same_employer = bool(candidate.employer) and candidate.employer in learner.employers
    if candidate.email and candidate.email in learner.emails:
        if shared:
            return _weigh_shared(learner, agreement, nameless, same_employer)
        if nameless:
            return _Finding(learner.id, "matched", 0.85, "SAME_EMAIL")
        if agreement >= COMPATIBLE:
            return _Finding(learner.id, "matched", round(0.5 + agreement / 2, 3), "SAME_EMAIL_AND_NAME")
        return _Finding(learner.id, "review", 0.5, "SAME_EMAIL_OTHER_NAME")
    if same_employer and agreement >= COMPATIBLE:
        return _Finding(learner.id, "review", round(0.7 * agreement, 3), "SAME_NAME_AND_EMPLOYER")
    only_a_name = not (candidate.account or candidate.email or candidate.employer)
    if only_a_name and agreement >= COMPATIBLE:
        return _Finding(learner.id, "review", round(0.4 * agreement, 3), "NAME_ONLY")
    return None


def _weigh_shared(learner: KnownLearner, agreement: float, nameless: bool, same_employer: bool) -> _Finding | None:
    if nameless:
        return _Finding(learner.id, "review", 0.3, "SHARED_MAILBOX")
    if agreement >= SAME and same_employer:
        return _Finding(learner.id, "matched", round(0.4 + agreement / 2, 3), "SHARED_MAILBOX_NAME_AND_EMPLOYER")
    if agreement >= COMPATIBLE:
        return _Finding(learner.id, "review", round(0.7 * agreement, 3), "SHARED_MAILBOX")
    return None


def match_employer(name: str | None, location_id: str | None, known: Sequence[KnownEmployer]) -> EmployerDecision:
    """Whether an employer is known: by CQC location id, else by its name's key; a close spelling is a suggestion.

    The same name with another CQC location id is another employer. Close spellings come out as "review".
    """
    key = employer_key(name or "")
    wanted = location_id.upper() if location_id else None
    if wanted:
        there = [employer for employer in known if (employer.location_id or "").upper() == wanted]
        named = [employer for employer in there if key in employer.keys]
        if len(there) == 1 or len(named) == 1:
            return EmployerDecision("matched", (named or there)[0].id, 1.0, ("SAME_LOCATION",))
        if there:
            return _ask(((employer.id, 0.9) for employer in there), "SEVERAL_AT_LOCATION")
    if not key:
        return EmployerDecision("new", None, 0.0, ("NOBODY_KNOWN",))
    possible = [employer for employer in known if not wanted or not employer.location_id]
    same = [employer for employer in possible if key in employer.keys]
    if len(same) == 1:
        return EmployerDecision("matched", same[0].id, 0.95, ("SAME_NAME",))
    if same:
        return _ask(((employer.id, 0.8) for employer in same), "SEVERAL_OF_THIS_NAME")
    close = [(employer.id, likeness) for employer in possible if (likeness := _likeness(key, employer.keys)) >= CLOSE]
    return _ask(close, "CLOSE_SPELLING") if close else EmployerDecision("new", None, 0.0, ("NOBODY_KNOWN",))


def _ask(found: Iterable[tuple[UUID, float]], reason: str) -> EmployerDecision:
    suggestions = _best(found)
    return EmployerDecision("review", None, suggestions[0][1], (reason,), suggestions)


def _best(found: Iterable[tuple[UUID, float]]) -> tuple[tuple[UUID, float], ...]:
    best: dict[UUID, float] = {}
    for identifier, score in found:
        best[identifier] = max(score, best.get(identifier, 0.0))
    return tuple(sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_SUGGESTIONS])


def _likeness(key: str, others: Iterable[str]) -> float:
    return max((_alike(key, other) for other in others), default=0.0)


def _alike(one: str, other: str) -> float:
    """Likeness of two keys, symmetric. "Rose Lodge Care Home" is close to "Rose Lodge"; "Unit 1" is not to "Unit 2"."""
    if [word for word in one.split() if word.isdigit()] != [word for word in other.split() if word.isdigit()]:
        return 0.0
    core, other_core = employer_core(one), employer_core(other)
    if core == other_core:
        return 0.92
    if _ratio(core, other_core) < CORE:
        return 0.0
    return round(min(max(_ratio(core, other_core), _ratio(one, other)), 0.99), 3)


def _ratio(one: str, other: str) -> float:
    # The matcher's answer depends on the order of its two texts.
    matcher = SequenceMatcher(None, min(one, other), max(one, other), autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= CORE and matcher.quick_ratio() >= CORE else 0.0


__all__ = [
    "Candidate",
    "EmployerDecision",
    "KnownEmployer",
    "KnownLearner",
    "MatchDecision",
    "account_key",
    "candidate",
    "employer_key",
    "full_name_key",
    "is_shared_mailbox",
    "match_employer",
    "match_learner",
    "name_agreement",
    "name_key",
    "normalise_email",
]
