"""Messages: who sends, templates, contacts, objections, reminders and nudges."""

import sqlalchemy as sa
from alembic import op

from tenants.policies import distribute, wall

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "message_settings",
    "message_template",
    "nudge_rule",
    "provider_contact",
    "message_objection",
    "reminder_rule",
    "reminder",
)


def upgrade() -> None:
    """Widen the identifier; create the tables, distribute them where Citus is, put up the wall, grant."""
    op.add_column(
        "learner_identifier",
        sa.Column("undeliverable_since", sa.DateTime(timezone=True), nullable=True),
        schema="medstead",
    )
    op.create_table(
        "message_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("sender_name", sa.Text(), nullable=False),
        sa.Column("from_address", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("brand_name", sa.Text(), nullable=False),
        sa.Column("brand_colour", sa.Text(), nullable=False),
        sa.Column("footer", sa.Text(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("training", sa.Boolean(), nullable=False),
        sa.Column("clock_ahead_seconds", sa.Integer(), nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notify_key", sa.LargeBinary(), nullable=True),
        sa.Column("notify_template_id", sa.Text(), nullable=True),
        sa.Column("notify_callback_token", sa.LargeBinary(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("channel in ('smtp', 'notify')", name=op.f("message_settings_channel_check")),
        sa.CheckConstraint("clock_ahead_seconds = 0 or training", name=op.f("message_settings_clock_check")),
        sa.CheckConstraint("id = tenant_id", name=op.f("message_settings_single_check")),
        sa.CheckConstraint("per_minute between 1 and 1000000", name=op.f("message_settings_per_minute_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("message_settings_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("message_settings_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_table(
        "message_template",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.Text(), nullable=False),
        sa.Column("message_class", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "message_class in ('service', 'programme', 'marketing')", name=op.f("message_template_message_class_check")
        ),
        sa.CheckConstraint(
            "occasion in ('booking_confirmed', 'booking_offered', 'booking_asked_again', 'booking_ended', 'session_changed', 'reminder', 'after_attended', 'after_absent', 'certificate_issued', 'nudge_dormant', 'nudge_no_show', 'nudge_next_tier', 'campaign')",
            name=op.f("message_template_occasion_check"),
        ),
        sa.CheckConstraint("state in ('draft', 'ready', 'retired')", name=op.f("message_template_state_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("message_template_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("message_template_pkey")),
        sa.UniqueConstraint("tenant_id", "code", "version", name=op.f("message_template_tenant_id_code_version_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("message_template_tenant_id_created_at_id_index"),
        "message_template",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("message_template_tenant_id_occasion_state_index"),
        "message_template",
        ["tenant_id", "occasion", "state"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "nudge_rule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("template_code", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('dormant', 'no_show', 'next_tier')", name=op.f("nudge_rule_kind_check")),
        sa.CheckConstraint("days between 1 and 730", name=op.f("nudge_rule_days_check")),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("nudge_rule_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("nudge_rule_pkey")),
        sa.UniqueConstraint("tenant_id", "kind", name=op.f("nudge_rule_tenant_id_kind_key")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("nudge_rule_tenant_id_kind_id_index"),
        "nudge_rule",
        ["tenant_id", "kind", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "provider_contact",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_location_id", sa.Uuid(), nullable=True),
        sa.Column("employer_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("undeliverable_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role in ('registered_manager', 'medicines_lead', 'training_lead', 'office')",
            name=op.f("provider_contact_role_check"),
        ),
        sa.CheckConstraint(
            "(tenant_location_id is null) <> (employer_id is null)", name=op.f("provider_contact_belongs_check")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "employer_id"],
            ["medstead.employer.tenant_id", "medstead.employer.id"],
            name=op.f("provider_contact_tenant_id_employer_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "tenant_location_id"],
            ["medstead.tenant_location.tenant_id", "medstead.tenant_location.id"],
            name=op.f("provider_contact_tenant_id_tenant_location_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("provider_contact_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("provider_contact_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "employer_id", "address", name=op.f("provider_contact_tenant_id_employer_id_address_key")
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "tenant_location_id",
            "address",
            name=op.f("provider_contact_tenant_id_tenant_location_id_address_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("provider_contact_tenant_id_created_at_id_index"),
        "provider_contact",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "message_objection",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("learner_id", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind in ('all', 'programme', 'marketing', 'dormant', 'no_show', 'next_tier')",
            name=op.f("message_objection_kind_check"),
        ),
        sa.CheckConstraint("source in ('link', 'team', 'learner')", name=op.f("message_objection_source_check")),
        sa.CheckConstraint("(learner_id is null) <> (contact_id is null)", name=op.f("message_objection_who_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["medstead.provider_contact.tenant_id", "medstead.provider_contact.id"],
            name=op.f("message_objection_tenant_id_contact_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "learner_id"],
            ["medstead.learner.tenant_id", "medstead.learner.id"],
            name=op.f("message_objection_tenant_id_learner_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("message_objection_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("message_objection_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        "message_objection_contact_key",
        "message_objection",
        ["tenant_id", "contact_id", "kind"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "message_objection_learner_key",
        "message_objection",
        ["tenant_id", "learner_id", "kind"],
        unique=True,
        schema="medstead",
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        op.f("message_objection_tenant_id_created_at_id_index"),
        "message_objection",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "reminder_rule",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("moment", sa.Text(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("at_time", sa.Time(), nullable=True),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("template_code", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(audience = 'booked') = (moment = 'before_start')", name=op.f("reminder_rule_audience_moment_check")
        ),
        sa.CheckConstraint("audience in ('booked', 'attended', 'absent')", name=op.f("reminder_rule_audience_check")),
        sa.CheckConstraint("moment in ('before_start', 'after_end')", name=op.f("reminder_rule_moment_check")),
        sa.CheckConstraint(
            "days between 0 and 90 and minutes between 0 and 1439", name=op.f("reminder_rule_distance_check")
        ),
        sa.CheckConstraint("session_id is null or series_id is null", name=op.f("reminder_rule_scope_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "series_id"],
            ["medstead.session_series.tenant_id", "medstead.session_series.id"],
            name=op.f("reminder_rule_tenant_id_series_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("reminder_rule_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("reminder_rule_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("reminder_rule_pkey")),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        op.f("reminder_rule_tenant_id_created_at_id_index"),
        "reminder_rule",
        ["tenant_id", "created_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("reminder_rule_tenant_id_series_id_index"),
        "reminder_rule",
        ["tenant_id", "series_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_index(
        op.f("reminder_rule_tenant_id_session_id_index"),
        "reminder_rule",
        ["tenant_id", "session_id"],
        unique=False,
        schema="medstead",
        postgresql_where=None,
    )
    op.create_table(
        "reminder",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("occurs_on", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state in ('scheduled', 'done', 'missed', 'withdrawn')", name=op.f("reminder_state_check")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rule_id"],
            ["medstead.reminder_rule.tenant_id", "medstead.reminder_rule.id"],
            name=op.f("reminder_tenant_id_rule_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "session_id"],
            ["medstead.training_session.tenant_id", "medstead.training_session.id"],
            name=op.f("reminder_tenant_id_session_id_fkey"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["medstead.tenant.id"], name=op.f("reminder_tenant_id_fkey")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("reminder_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "rule_id",
            "session_id",
            "occurs_on",
            name=op.f("reminder_tenant_id_rule_id_session_id_occurs_on_key"),
        ),
        schema="medstead",
        info={"kind": "tenant"},
    )
    op.create_index(
        "reminder_scheduled_index",
        "reminder",
        ["tenant_id", "due_at", "id"],
        unique=False,
        schema="medstead",
        postgresql_where=sa.text("state = 'scheduled'"),
    )
    op.create_index(
        op.f("reminder_tenant_id_session_id_index"),
        "reminder",
        ["tenant_id", "session_id"],
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
    """Drop the tables and the column."""
    for table in reversed(TENANT_TABLES):
        op.drop_table(table, schema="medstead")
    op.drop_column("learner_identifier", "undeliverable_since", schema="medstead")
