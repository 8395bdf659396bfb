"""Tables of e-learning: learning systems and their secrets, what they told, about whom, and about which course."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from tenants.base import Base, TenantOwned, tenant_index, tenant_table, tenant_unique, to_tenant


class LearningSystem(TenantOwned, Base):
    """A system that sends statements. `source` names it in completions and in accounts of learners.

    `home_page`: by which address its statements name its own accounts; null: by any. `key_id` is the user name of its
    requests. Statements older than `keep_days` are deleted; null: none are.
    """

    __tablename__ = "learning_system"
    __table_args__ = tenant_table(
        CheckConstraint("keep_days >= 1", name="keep_days"), tenant_unique("source"), tenant_unique("key_id")
    )

    name: Mapped[str]
    source: Mapped[str]
    home_page: Mapped[str | None]
    key_id: Mapped[str]
    active: Mapped[bool]
    keep_days: Mapped[int | None]
    version: Mapped[int]
    created_at: Mapped[datetime]


class LearningSystemSecret(TenantOwned, Base):
    """A secret of a learning system, as a keyed hash; two are live while it changes over. `hint` is its end."""

    __tablename__ = "learning_system_secret"
    __table_args__ = tenant_table(
        to_tenant("learning_system_id", "learning_system"), tenant_index("learning_system_id")
    )

    learning_system_id: Mapped[UUID]
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class LearningActivity(TenantOwned, Base):
    """What statements are about, by its IRI, as a course or a part of one.

    `finishes`: what finishes the course: only `satisfied` statements, its `move_on` rule (as in cmi5), or nothing,
    because it is a part.
    """

    __tablename__ = "learning_activity"
    __table_args__ = tenant_table(
        to_tenant("course_id", "course"),
        CheckConstraint("kind in ('course', 'block', 'au', 'activity')", name="kind"),
        CheckConstraint("finishes in ('satisfied', 'move_on', 'never')", name="finishes"),
        CheckConstraint(
            "move_on in ('Passed', 'Completed', 'CompletedAndPassed', 'CompletedOrPassed', 'NotApplicable')",
            name="move_on",
        ),
        tenant_unique("iri"),
        tenant_index("course_id"),
    )

    iri: Mapped[str]
    kind: Mapped[str]
    title: Mapped[str]
    course_id: Mapped[UUID]
    finishes: Mapped[str]
    move_on: Mapped[str]
    created_at: Mapped[datetime]


class LearningAccount(TenantOwned, Base):
    """Whom statements of a learning system are about, by account or address; `learner_id` once that is known.

    `reason` is a stable code for why it waits for a person; `key` tells one from another within the system.
    """

    __tablename__ = "learning_account"
    __table_args__ = tenant_table(
        to_tenant("learning_system_id", "learning_system"),
        to_tenant("learner_id", "learner"),
        CheckConstraint("state in ('known', 'waiting', 'left_out')", name="state"),
        CheckConstraint("state <> 'known' or learner_id is not null", name="learner"),
        tenant_unique("learning_system_id", "key"),
        tenant_index("learner_id"),
        tenant_index("state", "last_heard_at", "id"),
    )

    learning_system_id: Mapped[UUID]
    key: Mapped[str]
    name: Mapped[str | None]
    account: Mapped[str | None]
    home_page: Mapped[str | None]
    email: Mapped[str | None]
    learner_id: Mapped[UUID | None]
    state: Mapped[str]
    reason: Mapped[str | None]
    suggestions: Mapped[list[Any]]
    first_heard_at: Mapped[datetime]
    last_heard_at: Mapped[datetime]


class XapiStatement(TenantOwned, Base):
    """A statement as it came; `id` is its own. Only `derived_at` changes: when its meaning was last taken in.

    `fingerprint` tells another content under the same id. `account_key` is that of `LearningAccount`; null: about
    nobody. `activity_iri` is what it is about, `voids_id` the statement that it takes back.
    """

    __tablename__ = "xapi_statement"
    __table_args__ = tenant_table(
        to_tenant("learning_system_id", "learning_system"),
        tenant_index("learning_system_id", "account_key"),
        tenant_index("activity_iri"),
        tenant_index("stored_at", "id"),
        tenant_index("voids_id", name="xapi_statement_voids_index", where="voids_id is not null"),
        tenant_index("learning_system_id", "id", name="xapi_statement_open_index", where="derived_at is null"),
    )

    learning_system_id: Mapped[UUID]
    body: Mapped[dict[str, Any]]
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    account_key: Mapped[str | None]
    activity_iri: Mapped[str | None]
    voids_id: Mapped[UUID | None]
    occurred_at: Mapped[datetime]
    stored_at: Mapped[datetime]
    derived_at: Mapped[datetime | None]


class StatementCompletion(TenantOwned, Base):
    """A completion that was made from statements (`rests_on`: their ids): once for each account, course and occasion.

    `occasion` is the registration, else the day in England. `completion_id` may be gone when learners were merged.
    """

    __tablename__ = "statement_completion"
    __table_args__ = tenant_table(
        to_tenant("account_id", "learning_account"),
        to_tenant("course_id", "course"),
        tenant_unique("account_id", "course_id", "occasion"),
        tenant_index("course_id"),
        tenant_index("completion_id"),
    )

    account_id: Mapped[UUID]
    course_id: Mapped[UUID]
    occasion: Mapped[str]
    completion_id: Mapped[UUID]
    rests_on: Mapped[list[Any]]
    created_at: Mapped[datetime]
