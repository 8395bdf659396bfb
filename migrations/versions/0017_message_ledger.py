"""The ledger of messages, and campaigns with their links, visits and registrations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tenants.policies import distribute, wall

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "campaign",
    "message",
    "campaign_link",
    "campaign_registration",
    "campaign_visit",
)


def upgrade() -> None:
    """Create the tables, distribute them where Citus is, put up the wall, grant."""
    op.create_table(
        "campaign",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("message_class", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("segment", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("session_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("message_class in ('programme', 'marketing')", name=op.f("campaign_message_class_check")),
        sa.CheckConstraint(
            "state in ('draft', 'submitted', 'approved', 'sending', 'sent', 'withdrawn')",
            name=op.f("campaign_state_check"),
        ),
        sa.CheckConstraint(
            "approved_by is null or approved_by <> written_by", name=op.f("campaign_second_person_check")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("campaign_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("campaign_pkey")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("campaign_tenant_id_name_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("campaign_tenant_id_created_at_id_index"),
        "campaign",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "message",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("send_key", sa.Text(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("message_class", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("campaign_id", sa.Uuid(), nullable=True),
        sa.Column("reminder_id", sa.Uuid(), nullable=True),
        sa.Column("learner_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("uncertain", sa.Boolean(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_reference", sa.Text(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel in ('smtp', 'notify')", name=op.f("message_channel_check")),
        sa.CheckConstraint(
            "message_class in ('service', 'programme', 'marketing')", name=op.f("message_message_class_check")
        ),
        sa.CheckConstraint(
            "occasion in ('booking_confirmed', 'booking_offered', 'booking_asked_again', 'booking_ended', 'session_changed', 'reminder', 'after_attended', 'after_absent', 'certificate_issued', 'nudge_dormant', 'nudge_no_show', 'nudge_next_tier', 'campaign')",
            name=op.f("message_occasion_check"),
        ),
        sa.CheckConstraint(
            "state in ('queued', 'inflight', 'sent', 'delivered', 'bounced', 'failed', 'withdrawn')",
            name=op.f("message_state_check"),
        ),
        sa.CheckConstraint("(learner_id is null) <> (contact_id is null)", name=op.f("message_who_check")),
        sa.CheckConstraint("(template_id is null) <> (campaign_id is null)", name=op.f("message_text_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["medstead.booking.tenant_id", "medstead.booking.id"],
            name=op.f("message_tenant_id_booking_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "campaign_id"],
            ["medstead.campaign.tenant_id", "medstead.campaign.id"],
            name=op.f("message_tenant_id_campaign_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["medstead.provider_contact.tenant_id", "medstead.provider_contact.id"],
            name=op.f("message_tenant_id_contact_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("message_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "reminder_id"],
            ["medstead.reminder.tenant_id", "medstead.reminder.id"],
            name=op.f("message_tenant_id_reminder_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("message_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "template_id"],
            ["medstead.message_template.tenant_id", "medstead.message_template.id"],
            name=op.f("message_tenant_id_template_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("message_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("message_pkey")),
        sa.UniqueConstraint("tenant_id", "send_key", name=op.f("message_tenant_id_send_key_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        "message_booking_index",
        "message",
        ["tenant_id", "booking_id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "message_campaign_index",
        "message",
        ["tenant_id", "campaign_id", "state"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("campaign_id is not null"),
    )
    op.create_index(
        "message_contact_index",
        "message",
        ["tenant_id", "contact_id", "created_at"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("contact_id is not null"),
    )
    op.create_index(
        "message_inflight_index",
        "message",
        ["tenant_id", "lease_until", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("state = 'inflight'"),
    )
    op.create_index(
        "message_provider_reference_index",
        "message",
        ["tenant_id", "provider_reference"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("provider_reference is not null"),
    )
    op.create_index(
        "message_queued_index",
        "message",
        ["tenant_id", "due_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index(
        "message_sent_index",
        "message",
        ["tenant_id", "sent_at"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("sent_at is not null"),
    )
    op.create_index(
        "message_session_index",
        "message",
        ["tenant_id", "session_id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("session_id is not null"),
    )
    op.create_index(
        op.f("message_tenant_id_created_at_id_index"),
        "message",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("message_tenant_id_learner_id_created_at_index"),
        "message",
        ["tenant_id", "learner_id", "created_at"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "campaign_link",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "campaign_id"],
            ["medstead.campaign.tenant_id", "medstead.campaign.id"],
            name=op.f("campaign_link_tenant_id_campaign_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "message_id"],
            ["medstead.message.tenant_id", "medstead.message.id"],
            name=op.f("campaign_link_tenant_id_message_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("campaign_link_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("campaign_link_pkey")),
        sa.UniqueConstraint("tenant_id", "message_id", name=op.f("campaign_link_tenant_id_message_id_key")),
        sa.UniqueConstraint("tenant_id", "token", name=op.f("campaign_link_tenant_id_token_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("campaign_link_tenant_id_campaign_id_index"),
        "campaign_link",
        ["tenant_id", "campaign_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "campaign_registration",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["medstead.booking.tenant_id", "medstead.booking.id"],
            name=op.f("campaign_registration_tenant_id_booking_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "link_id"],
            ["medstead.campaign_link.tenant_id", "medstead.campaign_link.id"],
            name=op.f("campaign_registration_tenant_id_link_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["medstead.tenant.id"], name=op.f("campaign_registration_tenant_id_fkey")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("campaign_registration_pkey")),
        sa.UniqueConstraint("tenant_id", "booking_id", name=op.f("campaign_registration_tenant_id_booking_id_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("campaign_registration_tenant_id_link_id_index"),
        "campaign_registration",
        ["tenant_id", "link_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "campaign_visit",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "link_id"],
            ["medstead.campaign_link.tenant_id", "medstead.campaign_link.id"],
            name=op.f("campaign_visit_tenant_id_link_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("campaign_visit_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("campaign_visit_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("campaign_visit_tenant_id_link_id_at_index"),
        "campaign_visit",
        ["tenant_id", "link_id", "at"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    for table in TENANT_TABLES:
        op.execute(distribute(table))
    for table in TENANT_TABLES:
        for statement in wall(table):
            op.execute(statement)


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TENANT_TABLES):
        op.drop_table(table, schema="medstead")
