"""Messages to the tenant's own staff: trials of campaigns, and word of reports that are ready."""

import sqlalchemy as sa
from alembic import op

from migrations.guards import beside_the_service

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

OCCASIONS = (
    "'booking_confirmed', 'booking_offered', 'booking_asked_again', 'booking_ended', 'session_changed', 'reminder', "
    "'after_attended', 'after_absent', 'certificate_issued', 'nudge_dormant', 'nudge_no_show', 'nudge_next_tier', "
    "'campaign'"
)
MORE = f"{OCCASIONS}, 'campaign_trial', 'report_ready'"
TEMPLATES, MESSAGES = "message_template_occasion_check", "message_occasion_check"
RECIPIENT, WRITTEN_BY = "message_recipient_check", "message_written_by_check"
STAFF = "message_tenant_id_staff_member_id_fkey"
ONE_OF_THREE = "num_nonnulls(learner_id, contact_id, staff_member_id) = 1"
TEXT = "occasion = 'campaign_trial' or (template_id is null) <> (campaign_id is null)"


def upgrade() -> None:
    """Let a message go to a member of the staff, and add the two occasions."""
    op.add_column("message", sa.Column("staff_member_id", sa.Uuid(), nullable=True), schema="medstead")
    op.execute(
        f"ALTER TABLE medstead.message ADD CONSTRAINT {STAFF} FOREIGN KEY (tenant_id, staff_member_id) "
        "REFERENCES medstead.staff_member (tenant_id, id) NOT VALID"
    )
    _drop("message_template", TEMPLATES)
    for name in (MESSAGES, "message_who_check", "message_text_check"):
        _drop("message", name)
    _check("message_template", TEMPLATES, f"occasion in ({MORE})")
    _check("message", MESSAGES, f"occasion in ({MORE})")
    _check("message", RECIPIENT, ONE_OF_THREE)
    _check("message", WRITTEN_BY, TEXT)
    with beside_the_service():
        _validate("message_template", TEMPLATES)
        for name in (MESSAGES, RECIPIENT, WRITTEN_BY, STAFF):
            _validate("message", name)


def downgrade() -> None:
    """Forget the messages to staff, and undo the rest."""
    op.execute("DELETE FROM medstead.message WHERE staff_member_id IS NOT NULL")
    op.execute("DELETE FROM medstead.message_template WHERE occasion in ('campaign_trial', 'report_ready')")
    _drop("message_template", TEMPLATES)
    for name in (MESSAGES, RECIPIENT, WRITTEN_BY, STAFF):
        _drop("message", name)
    op.drop_column("message", "staff_member_id", schema="medstead")
    _check("message_template", TEMPLATES, f"occasion in ({OCCASIONS})")
    _check("message", MESSAGES, f"occasion in ({OCCASIONS})")
    _check("message", "message_who_check", "(learner_id is null) <> (contact_id is null)")
    _check("message", "message_text_check", "(template_id is null) <> (campaign_id is null)")
    with beside_the_service():
        _validate("message_template", TEMPLATES)
        for name in (MESSAGES, "message_who_check", "message_text_check"):
            _validate("message", name)


def _drop(table: str, name: str) -> None:
    op.execute(f"ALTER TABLE medstead.{table} DROP CONSTRAINT {name}")


def _check(table: str, name: str, rule: str) -> None:
    op.execute(f"ALTER TABLE medstead.{table} ADD CONSTRAINT {name} CHECK ({rule}) NOT VALID")


def _validate(table: str, name: str) -> None:
    op.execute(f"ALTER TABLE medstead.{table} VALIDATE CONSTRAINT {name}")
