"""The audit trail: append-only rows beside every change, chained by hash per tenant, and the check of the chain."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import (
    SCHEMA,
    Base,
    TenantOwned,
    driver_of,
    local_table,
    table_of,
    tenant_index,
    tenant_table,
    tenant_unique,
)
from tenants.context import Context, TenantContext
from tenants.identifiers import new_id

GENESIS = b"\0" * 32


class Action(StrEnum):
    """The closed vocabulary of audited changes: `domain:subject:verb`."""

    TENANT_CREATED = "tenants:tenant:create"
    TENANT_STATUS_CHANGED = "tenants:tenant:change_status"
    OUTBOX_REPLAYED = "tenants:outbox:replay"
    SETTINGS_CHANGED = "tenants:settings:change"
    STAFF_CREATED = "identity:staff:create"
    STAFF_ROLE_CHANGED = "identity:staff:change_role"
    STAFF_ENDED = "identity:staff:end"
    LOGIN_CREATED = "identity:login:create"
    LOGIN_PASSWORD_CHANGED = "identity:login:change_password"  # noqa: S105 - the name of an action
    LOGIN_TOTP_ENROLLED = "identity:login:enrol_totp"
    LOGIN_LOCKED = "identity:login:lock"
    LOGIN_FEDERATED = "identity:login:federate"
    STAFF_INVITED = "identity:staff:invite"
    INVITATION_TAKEN = "identity:staff:take_invitation"
    SIGN_IN_FAILED = "identity:session:fail"
    SIGNED_IN = "identity:session:sign_in"
    TENANT_ENTERED = "identity:session:enter_tenant"
    SIGNED_OUT = "identity:session:sign_out"
    SESSION_STOLEN = "identity:session:end_on_reuse"
    IDENTITY_PROVIDER_CHANGED = "identity:identity_provider:change"
    API_CLIENT_CREATED = "identity:api_client:create"
    API_CLIENT_SECRET_ADDED = "identity:api_client:add_secret"  # noqa: S105 - the name of an action
    API_CLIENT_SECRET_REVOKED = "identity:api_client:revoke_secret"  # noqa: S105 - the name of an action
    API_CLIENT_REVOKED = "identity:api_client:revoke"
    PROVIDER_GROUP_CREATED = "directory:provider_group:create"
    PROVIDER_GROUP_CHANGED = "directory:provider_group:change"
    LEARNERS_MERGED = "directory:learner:merge"
    LEARNER_MERGE_UNDONE = "directory:learner:undo_merge"
    EMPLOYER_CREATED = "directory:employer:create"
    PROGRAMME_CREATED = "training:programme:create"
    SESSION_CREATED = "training:session:create"
    SESSION_CHANGED = "training:session:change"
    SESSION_CAPACITY_CHANGED = "training:session:change_capacity"
    SESSION_PUBLISHED = "training:session:publish"
    SESSION_MOVED = "training:session:move"
    SESSION_CANCELLED = "training:session:cancel"
    SESSION_GROUPED = "training:session:allocate_groups"
    SERIES_CREATED = "training:session_series:create"
    SERIES_CHANGED = "training:session_series:change"
    TEAM_MEMBER_SAVED = "training:team_member:save"
    VENUE_SAVED = "training:venue:save"
    BOOKING_MADE = "training:booking:make"
    BOOKING_CHANGED = "training:booking:change"
    ATTENDANCE_MARKED = "training:attendance:mark"
    PROGRAMME_CHANGED = "training:programme:change"
    PROGRAMME_PUBLISHED = "training:programme:publish"
    PROGRAMME_RETIRED = "training:programme:retire"
    TIER_CHANGED = "training:tier:change"
    TIERS_ARRANGED = "training:tier:arrange"
    SHORT_COURSE_LET_PASS = "training:course:let_short_pass"  # noqa: S105 - the name of an action
    PREREQUISITES_CHANGED = "training:prerequisite:change"
    PREREQUISITE_OVERRIDDEN = "training:prerequisite:override"
    OVERRIDE_ENDED = "training:prerequisite:end_override"
    CHAMPION_NOMINATED = "training:nomination:make"
    NOMINATION_APPROVED = "training:nomination:approve"
    NOMINATION_DECLINED = "training:nomination:decline"
    NOMINATION_WITHDRAWN = "training:nomination:withdraw"
    REQUIREMENTS_CHANGED = "training:requirement:change"
    EMPLOYMENT_CHANGED = "directory:employment:change"
    STANDING_COMPUTED = "training:standing:compute"
    STANDING_REQUESTED = "training:standing:request"
    COMPLETION_TOLD = "training:completion:tell"
    COMPLETION_TAKEN_BACK = "training:completion:take_back"
    LEARNING_SYSTEM_CONNECTED = "training:learning_system:connect"
    LEARNING_SYSTEM_CHANGED = "training:learning_system:change"
    LEARNING_SYSTEM_SECRET_ADDED = "training:learning_system:add_secret"  # noqa: S105 - the name of an action
    LEARNING_SYSTEM_SECRET_REVOKED = "training:learning_system:revoke_secret"  # noqa: S105 - the name of an action
    LEARNING_ACTIVITY_LINKED = "training:learning_activity:link"
    LEARNING_ACTIVITY_UNLINKED = "training:learning_activity:unlink"
    LEARNING_ACCOUNT_ANSWERED = "training:learning_account:answer"
    ASC_WDS_CHANGED = "training:asc_wds:change"
    ASC_WDS_WORKERS_READ = "training:asc_wds:read_workers"
    ASC_WDS_EXPORTED = "training:asc_wds:export"
    LDSS_COURSE_SAVED = "finance:ldss_course:save"
    LDSS_CLAIMS_FOUND = "finance:ldss_claim:find"
    LDSS_CLAIM_CHANGED = "finance:ldss_claim:change"
    PROGRESS_CORRECTED = "training:progress:correct"
    ASSESSOR_RULES_CHANGED = "training:assessor_rule:change"
    COMPETENCE_ASSESSED = "training:competence:assess"
    CONFIDENCE_RATED = "training:confidence:rate"
    COURSE_CREATED = "training:course:create"
    COURSE_CHANGED = "training:course:change"
    COURSE_ACCREDITED = "training:course:accredit"
    COURSE_ACCESS_ADDED = "training:course:add_access"
    COURSE_ACCESS_REMOVED = "training:course:remove_access"
    COURSES_MERGED = "training:course:merge"
    COURSE_MERGE_UNDONE = "training:course:undo_merge"
    TAXONOMY_LOADED = "training:taxonomy:load"
    GUIDANCE_SAVED = "training:guidance:save"
    TOPIC_SAVED = "training:topic:save"
    TOPIC_REFERENCE_ADDED = "training:topic:add_reference"
    TOPIC_REFERENCE_REMOVED = "training:topic:remove_reference"
    MAPPING_STARTED = "training:mapping:start"
    MAPPING_CELLS_SET = "training:mapping:set_cells"
    MAPPING_LOCKED = "training:mapping:lock"
    MAPPING_ANALYSED = "training:mapping:analyse"
    GAP_OPENED = "training:gap:open"
    GAP_CHANGED = "training:gap:change"
    GAP_CLOSED = "training:gap:close"
    TEMPLATE_PUBLISHED = "training:template:publish"
    TEMPLATE_CLONED = "training:template:clone"
    CERTIFICATE_TEMPLATE_SAVED = "training:certificate_template:save"
    CERTIFICATES_REQUESTED = "training:certificate:request"
    CERTIFICATE_ISSUED = "training:certificate:issue"
    CERTIFICATE_REISSUED = "training:certificate:reissue"
    CERTIFICATE_REVOKED = "training:certificate:revoke"
    CERTIFICATES_REVOKED = "training:certificate:revoke_many"
    ISSUER_KEY_MADE = "training:issuer_key:make"
    CHAMPION_APPOINTED = "training:champion:appoint"
    CHAMPION_CHANGED = "training:champion:change"
    CHAMPION_ENDED = "training:champion:end"
    CHAMPIONS_ENDED = "training:champion:end_with_employment"
    PATHWAY_CHANGED = "training:pathway:change"
    STEP_REACHED = "training:pathway:reach_step"
    ATTENDANCE_RECOMPUTED = "training:attendance:recompute"
    REFERENCE_ASKED = "reference:ask"
    REFERENCE_APPROVED = "reference:approve"
    REFERENCE_REJECTED = "reference:reject"
    WORK_PAUSED = "outbox:pause"
    PARTNER_SAVED = "governance:partner:save"
    PARTNERSHIP_CHANGED = "governance:partnership:change"
    GOVERNANCE_ITEM_CREATED = "governance:item:create"
    GOVERNANCE_ITEM_CHANGED = "governance:item:change"
    FORUM_MINUTES_WRITTEN = "governance:forum:write_minutes"
    FEEDBACK_CITED = "governance:theme:cite"
    FEEDBACK_SUBJECT_TOLD = "governance:feedback_form:tell_subject"
    CONTENT_CHANGED = "governance:content:change"
    PLAN_CREATED = "governance:plan:create"
    PLAN_CHANGED = "governance:plan:change"
    PLAN_ACTION_ADDED = "governance:plan_action:add"
    PLAN_ACTION_CHANGED = "governance:plan_action:change"
    OBJECTIVE_SAVED = "governance:objective:save"
    OBJECTIVE_TAGGED = "governance:objective:tag"
    OBJECTIVE_UNTAGGED = "governance:objective:untag"
    RECOGNITION_ADDED = "governance:recognition:add"
    INCIDENT_CATEGORY_SAVED = "governance:incident_category:save"
    INCIDENT_RECORDED = "governance:incident:record"
    LEARNING_NEED_DECIDED = "governance:learning_need:decide"
    STREAM_SAVED = "finance:stream:save"
    POOL_SAVED = "finance:pool:save"
    SEAT_ASKED = "finance:seat:ask"
    SEAT_RELEASED = "finance:seat:release"
    RATE_SET = "finance:rate:set"
    TIME_LOGGED = "finance:time:log"
    SENDER_CHANGED = "messages:sender:change"
    SENDING_PAUSED = "messages:sender:pause"
    CLOCK_MOVED = "messages:clock:move"
    MESSAGE_TEMPLATE_SAVED = "messages:template:save"
    MESSAGE_TEMPLATE_RETIRED = "messages:template:retire"
    MESSAGE_WITHDRAWN = "messages:message:withdraw"
    MESSAGE_RETRIED = "messages:message:retry"
    OBJECTION_NOTED = "messages:objection:note"
    OBJECTION_ENDED = "messages:objection:end"
    REMINDER_RULE_SAVED = "messages:reminder_rule:save"
    REMINDER_SENT = "messages:reminder:send"
    NUDGE_RULE_SAVED = "messages:nudge_rule:save"
    NUDGES_SENT = "messages:nudge:send"
    CONTACT_SAVED = "messages:contact:save"
    CAMPAIGN_SAVED = "messages:campaign:save"
    CAMPAIGN_SUBMITTED = "messages:campaign:submit"
    CAMPAIGN_APPROVED = "messages:campaign:approve"
    CAMPAIGN_WITHDRAWN = "messages:campaign:withdraw"
    CAMPAIGN_TRIED = "messages:campaign:try"
    CAMPAIGN_SENT = "messages:campaign:send"
    OUTSIDE_CONNECTED = "outside:connection:connect"
    OUTSIDE_DISCONNECTED = "outside:connection:disconnect"
    OUTSIDE_LOOK_ASKED = "outside:connection:ask_look"
    OUTSIDE_EVENT_LINKED = "outside:event:link"
    OUTSIDE_EVENT_UNLINKED = "outside:event:unlink"
    OUTSIDE_REGISTRATIONS_CAME = "outside:registration:come"
    OUTSIDE_REGISTRATION_PLACED = "outside:registration:place"
    OUTSIDE_REGISTRATION_LEFT_OUT = "outside:registration:leave_out"
    IMPORT_STARTED = "imports:import:start"
    IMPORT_STAGED = "imports:import:stage"
    IMPORT_CONFIRMED = "imports:import:confirm"
    IMPORT_CHUNK_APPLIED = "imports:import:apply_chunk"
    IMPORT_FINISHED = "imports:import:finish"
    IMPORT_FAILED = "imports:import:fail"
    IMPORT_CANCELLED = "imports:import:cancel"
    IMPORT_ROW_RESOLVED = "imports:row:resolve"
    IMPORT_REJECTS_EXPORTED = "imports:rejects:export"
    FIGURES_REFRESHED = "evidence:figures:refresh"
    FIGURES_REFRESH_REQUESTED = "evidence:figures:request_refresh"
    REPORT_REQUESTED = "reports:report:request"
    REPORT_BUILT = "reports:report:build"
    REPORT_DOWNLOADED = "reports:report:download"
    REPORT_FILES_RENEWED = "reports:report:renew_files"
    REPORT_SCHEDULE_SAVED = "reports:schedule:save"
    STORY_WRITTEN = "reports:story:write"
    STORY_CHANGED = "reports:story:change"
    STORY_CONSENT_RECORDED = "reports:story:record_consent"
    STORY_APPROVED = "reports:story:approve"
    STORY_CONSENT_WITHDRAWN = "reports:story:withdraw_consent"
    WEBHOOK_ENDPOINT_CREATED = "webhooks:endpoint:create"
    WEBHOOK_ENDPOINT_CHANGED = "webhooks:endpoint:change"
    WEBHOOK_SECRET_ROTATED = "webhooks:endpoint:rotate_secret"  # noqa: S105 - the name of an action
    WEBHOOK_ENDPOINT_ENABLED = "webhooks:endpoint:enable"
    WEBHOOK_ENDPOINT_DISABLED = "webhooks:endpoint:disable"
    WEBHOOK_ENDPOINT_DELETED = "webhooks:endpoint:delete"
    WEBHOOK_TEST_SENT = "webhooks:endpoint:send_test"
    WEBHOOK_REPLAYED = "webhooks:delivery:replay"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change, before it is chained. `before` and `after` hold allow-listed fields only, JSON-ready."""

    action: Action
    subject_type: str
    subject_id: UUID | None
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    id: UUID = field(default_factory=new_id)


class AuditEvent(TenantOwned, Base):
    """One audited change of a tenant. The runtime role may insert and read, never update or delete."""

    __tablename__ = "audit_event"
    __table_args__ = tenant_table(
        tenant_unique("sequence"),
        tenant_index("subject_type", "subject_id"),
        tenant_index("at"),
    )

    sequence: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    request_id: Mapped[UUID]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID | None]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(TenantOwned, Base):
    """The end of a tenant's chain: how many rows there are and the last hash. `id` equals `tenant_id`."""

    __tablename__ = "audit_head"
    __table_args__ = tenant_table(CheckConstraint("id = tenant_id", name="single"))

    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class PlatformAuditEvent(Base):
    """One audited change that belongs to no tenant, such as a login locked before a tenant was chosen."""

    __tablename__ = "platform_audit_event"
    __table_args__ = local_table()

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    request_id: Mapped[UUID]
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[UUID | None]
    after: Mapped[dict[str, Any] | None]


_COLUMNS = tuple(column.name for column in table_of(AuditEvent).columns)
_LOCK = f"SELECT sequence, hash FROM {SCHEMA}.audit_head WHERE tenant_id = $1 AND id = $1 FOR UPDATE"
_START = (
    f"INSERT INTO {SCHEMA}.audit_head (tenant_id, id, sequence, hash) VALUES ($1, $1, 0, $2) ON CONFLICT DO NOTHING"
)
_MOVE = f"UPDATE {SCHEMA}.audit_head SET sequence = $2, hash = $3 WHERE tenant_id = $1 AND id = $1"
_APPEND = (
    f"INSERT INTO {SCHEMA}.audit_event ({', '.join(_COLUMNS)}) "
    f"VALUES ({', '.join(f'${position}' for position in range(1, len(_COLUMNS) + 1))})"
)
"""Sent with every change, so they are not built anew each time."""


def chain_hash(previous: bytes, fields: dict[str, Any]) -> bytes:
    """SHA-256 over the previous hash and the canonical JSON of the row's fields (keys sorted, UTC times)."""
    body = orjson.dumps(fields, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
    return hashlib.sha256(previous + body).digest()


def _hashed_fields(event: AuditEvent) -> dict[str, Any]:
    return {
        "tenant_id": event.tenant_id,
        "id": event.id,
        "sequence": event.sequence,
        "at": event.at.astimezone(UTC),
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "request_id": event.request_id,
        "action": event.action,
        "subject_type": event.subject_type,
        "subject_id": event.subject_id,
        "before": event.before,
        "after": event.after,
    }


def _json_ready(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """What PostgreSQL's jsonb will give back, so that the hash can be recomputed from the stored row."""
    if value is None:
        return None
    parsed: dict[str, Any] = _plain_numbers(orjson.loads(orjson.dumps(value, default=str)))
    return parsed


def _plain_numbers(value: Any) -> Any:
    """jsonb writes 1e16 out in digits, which then reads as a whole number, and knows no negative zero."""
    if isinstance(value, dict):
        return {key: _plain_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain_numbers(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and -(2**63) <= value < 2**64:
        return int(value)
    return value


async def append(session: AsyncSession, context: Context, entries: Sequence[AuditEntry], at: datetime) -> None:
    """Chain `entries` to the tenant's trail inside the current transaction.

    Locks the chain's head until commit, so call it last. Within one tenant writers queue here for that moment only.
    """
    if not isinstance(context, TenantContext):
        session.add_all(
            PlatformAuditEvent(
                id=entry.id,
                at=at,
                actor_kind=context.actor_kind,
                actor_id=context.actor_id,
                request_id=context.request_id,
                action=entry.action,
                subject_type=entry.subject_type,
                subject_id=entry.subject_id,
                after=_json_ready(entry.after),
            )
            for entry in entries
        )
        await session.flush()
        return
    tenant_id = context.tenant_id
    driver = await driver_of(session)
    head = await driver.fetchrow(_LOCK, tenant_id)
    if head is None:
        await driver.execute(_START, tenant_id, GENESIS)
        head = await driver.fetchrow(_LOCK, tenant_id)
    sequence, last = head["sequence"], head["hash"]
    rows = []
    for entry in entries:
        sequence += 1
        event = AuditEvent(
            tenant_id=tenant_id,
            id=entry.id,
            sequence=sequence,
            at=at,
            actor_kind=context.actor_kind.value,
            actor_id=context.actor_id,
            request_id=context.request_id,
            action=entry.action.value,
            subject_type=entry.subject_type,
            subject_id=entry.subject_id,
            before=_json_ready(entry.before),
            after=_json_ready(entry.after),
            previous_hash=last,
        )
        last = event.hash = chain_hash(last, _hashed_fields(event))
        rows.append([_stored(getattr(event, name)) for name in _COLUMNS])
    await driver.executemany(_APPEND, rows)
    await driver.execute(_MOVE, tenant_id, sequence, last)


def _stored(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, dict) else value


@dataclass(frozen=True, slots=True)
class ChainFault:
    """Where a tenant's trail does not hold: the sequence number and what is wrong there."""

    sequence: int
    problem: str


async def verify(
    session: AsyncSession, tenant_id: UUID, walked: Callable[[], None] = lambda: None
) -> AsyncIterator[ChainFault]:
    """Walk a tenant's chain from its start and give every altered, removed or inserted row.

    After a fault the walk goes on from the stored hash of that row, so that one change is told once. `walked` is called
    after each row. The session must read one snapshot (REPEATABLE READ), or rows written meanwhile look like faults.
    """
    previous, expected = GENESIS, 1
    rows = await session.stream_scalars(
        select(AuditEvent).where(AuditEvent.tenant_id == tenant_id).order_by(AuditEvent.sequence)
    )
    async for event in rows:
        if event.sequence < expected:
            yield ChainFault(event.sequence, "the row stands before the start of the chain: it was inserted")
        elif event.sequence > expected:
            yield ChainFault(expected, f"rows {expected} to {event.sequence - 1} are missing")
        elif event.previous_hash != previous:
            yield ChainFault(event.sequence, "the row does not follow the row before it: one was replaced or inserted")
        if event.hash != chain_hash(event.previous_hash, _hashed_fields(event)):
            yield ChainFault(event.sequence, "the row was altered after it was written")
        previous, expected = event.hash, max(event.sequence, 0) + 1
        walked()
    head = (await session.execute(select(AuditHead).where(AuditHead.tenant_id == tenant_id))).scalar_one_or_none()
    if head is None:
        # A trail is never empty: its first row is the tenant's own creation.
        yield ChainFault(expected, "the head of the chain is missing" if expected > 1 else "the whole trail is missing")
    elif head.sequence >= expected:
        yield ChainFault(expected, f"rows {expected} to {head.sequence} are missing from the end")
    elif head.sequence < expected - 1 or head.hash != previous:
        yield ChainFault(
            expected - 1, "the head of the chain does not match the last row: a row was added outside the application"
        )
