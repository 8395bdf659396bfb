"""Root fields for changing things."""

import strawberry

from medstead_graphql.mutations.booking import BookingMutations
from medstead_graphql.mutations.campaigns import CampaignMutations
from medstead_graphql.mutations.certificates import CertificateMutations
from medstead_graphql.mutations.champions import ChampionMutations
from medstead_graphql.mutations.courses import CourseMutations
from medstead_graphql.mutations.directory import DirectoryMutations
from medstead_graphql.mutations.execute import execute_mutation
from medstead_graphql.mutations.funding import FundingMutations
from medstead_graphql.mutations.governance import GovernanceMutations
from medstead_graphql.mutations.governance_plans import PlanMutations
from medstead_graphql.mutations.imports import ImportMutations
from medstead_graphql.mutations.learner_records import LearnerRecordMutations
from medstead_graphql.mutations.mapping import MappingMutations
from medstead_graphql.mutations.messages import MessageMutations
from medstead_graphql.mutations.nominations import NominationMutations
from medstead_graphql.mutations.programmes import ProgrammeMutations
from medstead_graphql.mutations.reporting import ReportMutations
from medstead_graphql.mutations.sessions import SessionMutations
from medstead_graphql.mutations.settings import SettingsMutations
from medstead_graphql.mutations.taxonomy import TaxonomyMutations
from medstead_graphql.mutations.webhooks import WebhookMutations


@strawberry.type(description="Changes. Each answers with a success type or a typed refusal.")
class Mutation(
    BookingMutations,
    CampaignMutations,
    CertificateMutations,
    ChampionMutations,
    CourseMutations,
    DirectoryMutations,
    FundingMutations,
    GovernanceMutations,
    ImportMutations,
    LearnerRecordMutations,
    MappingMutations,
    MessageMutations,
    NominationMutations,
    PlanMutations,
    ProgrammeMutations,
    ReportMutations,
    SessionMutations,
    SettingsMutations,
    TaxonomyMutations,
    WebhookMutations,
):
    """Changes."""


__all__ = ["Mutation", "execute_mutation"]
