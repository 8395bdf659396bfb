"""Which reports there are: what each is made of, in order, who may ask for it, and whether it leaves the tenant.

The one definition of each: the page, the PDF, the spreadsheet and the CSVs are all told from what these parts give.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from app.identity.permissions import Permission
from app.reporting import impact_parts, programme_parts, provider_parts
from app.reporting.content import Section
from app.reporting.reading import Reading

Part = Callable[[Reading], Awaitable[Section]]


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of report. A change of what it tells is a new version.

    `masked`: it is made to leave the tenant, so small numbers are hidden. `of_provider`: it is about one provider.
    `names`: it can name people, if whoever asks may see names.
    """

    kind: str
    version: int
    title: str
    purpose: str
    parts: Sequence[Part]
    needs: frozenset[Permission]
    masked: bool = False
    of_provider: bool = False
    names: bool = False


_EVIDENCE = frozenset({Permission.EVIDENCE_READ})
_GOVERNANCE = _EVIDENCE | {Permission.GOVERNANCE_READ}

DEFINITIONS: Mapping[str, Definition] = {
    definition.kind: definition
    for definition in (
        Definition(
            "impact",
            1,
            "Impact report for funders",
            "What the programme has come to. Made to be handed on: it names nobody and hides small numbers.",
            (
                impact_parts.reach,
                impact_parts.champions,
                impact_parts.said,
                impact_parts.attendance_trend,
                impact_parts.citations,
                impact_parts.stories,
            ),
            _EVIDENCE,
            masked=True,
        ),
        Definition(
            "board",
            1,
            "Programme board report",
            "Coverage, what is overdue, forums, gaps and champions, for those who govern the programme.",
            (
                programme_parts.coverage,
                programme_parts.competence,
                programme_parts.open_items,
                programme_parts.forums,
                programme_parts.gaps,
                programme_parts.champions,
            ),
            _GOVERNANCE,
            names=True,
        ),
        Definition(
            "coverage",
            1,
            "Coverage by tier and setting",
            "How many of those who need a tier have it, and the same in each setting.",
            (programme_parts.coverage,),
            _EVIDENCE,
        ),
        Definition(
            "actions",
            1,
            "Action list",
            "Everything that is not closed, with its owner and day.",
            (programme_parts.actions,),
            _GOVERNANCE,
            names=True,
        ),
        Definition(
            "evidence_pack",
            1,
            "Evidence pack for an inspection",
            "What one provider can show: staff, training, certificates, competence, champions and action plans.",
            (
                provider_parts.staff,
                provider_parts.training,
                provider_parts.certificates,
                provider_parts.competence,
                provider_parts.champions,
                provider_parts.plans,
                provider_parts.awards,
            ),
            _EVIDENCE | {Permission.TRAINING_READ},
            of_provider=True,
            names=True,
        ),
        Definition(
            "stories",
            1,
            "Success stories",
            "Stories that may be told, with consent and approval.",
            (impact_parts.stories,),
            _EVIDENCE,
            masked=True,
        ),
    )
}
