"""Where each type and field of the contract is read from, and with which scope, told once more for the oracle."""

from collections.abc import Callable, Mapping
from typing import Any

TABLES = {
    "Tenant": "tenant",
    "TenantSettings": "tenant_settings",
    "Organisation": "organisation",
    "CqcProvider": "cqc_provider",
    "CqcLocation": "cqc_location",
    "Location": "tenant_location",
    "Employer": "employer",
    "JobRole": "job_role",
    "Learner": "learner",
    "LearnerMerge": "learner_merge",
    "Employment": "employment",
    "Tier": "tier",
    "Programme": "programme",
    "PrerequisiteRule": "prerequisite_rule",
    "PrerequisiteOverride": "prerequisite_override",
    "ChampionNomination": "champion_nomination",
    "TrainingProvider": "training_provider",
    "Course": "course",
    "Completion": "completion",
    "Session": "training_session",
    "Attendance": "attendance",
    "MedicationChampion": "medication_champion",
    "Venue": "venue",
    "TeamMember": "team_member",
    "SessionSeries": "session_series",
    "SessionFacilitator": "session_facilitator",
    "AgendaItem": "agenda_item",
    "PlaceReserve": "place_reserve",
    "SessionPlaces": "session_places",
    "Booking": "booking",
    "PlaceOffer": "place_offer",
    "FeedbackForm": "feedback_form",
    "FeedbackQuestion": "feedback_question",
    "FeedbackResponse": "feedback_response",
    "FeedbackAnswer": "feedback_answer",
    "Import": "import_run",
    "ImportRow": "import_row",
    "MetricDefinition": "metric_definition",
    "FigurePoint": "tenant_metric",
    "WebhookEndpoint": "webhook_endpoint",
    "WebhookEvent": "webhook_event",
    "WebhookDelivery": "webhook_delivery",
    "WebhookAttempt": "webhook_attempt",
}
LINKS = {
    "Tenant.organisation": ("organisation_id", "id"),
    "Tenant.settings": ("id", "tenant_id"),
    "CqcLocation.provider": ("provider_id", "id"),
    "Location.cqc": ("location_id", "id"),
    "Employer.location": ("tenant_location_id", "id"),
    "Learner.mergedInto": ("merged_into_id", "id"),
    "LearnerMerge.kept": ("kept_learner_id", "id"),
    "LearnerMerge.merged": ("merged_learner_id", "id"),
    "Employment.jobRole": ("job_role_code", "code"),
    "Employment.employer": ("employer_id", "id"),
    "Employment.learner": ("learner_id", "id"),
    "Programme.provider": ("cqc_provider_id", "id"),
    "Tier.programme": ("programme_id", "id"),
    "PrerequisiteRule.tier": ("tier_id", "id"),
    "PrerequisiteRule.needsTier": ("needs_tier_id", "id"),
    "PrerequisiteRule.needsCourse": ("needs_course_id", "id"),
    "PrerequisiteOverride.learner": ("learner_id", "id"),
    "PrerequisiteOverride.tier": ("tier_id", "id"),
    "PrerequisiteOverride.rule": ("rule_id", "id"),
    "ChampionNomination.learner": ("learner_id", "id"),
    "ChampionNomination.location": ("tenant_location_id", "id"),
    "Course.trainingProvider": ("training_provider_id", "id"),
    "Course.tier": ("tier_id", "id"),
    "Completion.learner": ("learner_id", "id"),
    "Completion.course": ("course_id", "id"),
    "Session.tier": ("tier_id", "id"),
    "Session.venue": ("venue_id", "id"),
    "Session.series": ("series_id", "id"),
    "Session.places": ("id", "session_id"),
    "SessionFacilitator.teamMember": ("team_member_id", "id"),
    "SessionFacilitator.session": ("session_id", "id"),
    "Booking.learner": ("learner_id", "id"),
    "Booking.session": ("session_id", "id"),
    "Booking.employer": ("employer_id", "id"),
    "Booking.follows": ("follows_id", "id"),
    "Attendance.learner": ("learner_id", "id"),
    "Attendance.session": ("session_id", "id"),
    "MedicationChampion.learner": ("learner_id", "id"),
    "MedicationChampion.location": ("tenant_location_id", "id"),
    "FeedbackForm.tier": ("tier_id", "id"),
    "FeedbackResponse.form": ("form_id", "id"),
    "FeedbackAnswer.question": ("question_id", "id"),
    "ImportRow.learner": ("learner_id", "id"),
    "ImportRow.inImport": ("import_id", "id"),
    "WebhookDelivery.endpoint": ("endpoint_id", "id"),
    "WebhookDelivery.event": ("event_id", "id"),
    "WebhookDelivery.replayOf": ("replay_of_id", "id"),
    "WebhookAttempt.delivery": ("delivery_id", "id"),
}
CONNECTIONS = {
    "Location.employers": "tenant_location_id",
    "Location.champions": "tenant_location_id",
    "Employer.employments": "employer_id",
    "Learner.employments": "learner_id",
    "Learner.completions": "learner_id",
    "Learner.attendances": "learner_id",
    "Learner.championRoles": "learner_id",
    "Tier.courses": "tier_id",
    "Tier.prerequisites": "tier_id",
    "Programme.tiers": "programme_id",
    "Course.completions": "course_id",
    "Session.attendances": "session_id",
    "Session.reserves": "session_id",
    "Session.facilitators": "session_id",
    "Session.agenda": "session_id",
    "Session.bookings": "session_id",
    "SessionSeries.sessions": "series_id",
    "Learner.bookings": "learner_id",
    "Booking.offers": "booking_id",
    "FeedbackForm.questions": "form_id",
    "FeedbackForm.responses": "form_id",
    "FeedbackResponse.answers": "response_id",
    "Import.rows": "import_id",
    "WebhookEndpoint.deliveries": "endpoint_id",
    "WebhookDelivery.attempts": "delivery_id",
}
UNIONS = {"LearningRecord": ("Attendance", "Completion")}
MIXED = {"Learner.learning": "learner_id"}
"""Connections to a union, latest first: the column of every part that holds the parent's id."""
COLUMNS = {"CqcLocation.cqcLocationId": "original_id", "WebhookEvent.webhookId": "id"}
DEFAULT_ORDERS = {
    "Organisation": ("NAME_ASC",),
    "Location": ("LOCATION_ID_ASC",),
    "Employer": ("NAME_ASC",),
    "Learner": ("NAME_KEY_ASC",),
    "Employment": ("STARTED_ON_DESC",),
    "LearnerMerge": ("MERGED_AT_DESC",),
    "Tier": ("POSITION_ASC",),
    "Programme": ("NAME_ASC",),
    "PrerequisiteRule": ("ALTERNATIVES_ASC",),
    "PrerequisiteOverride": ("GRANTED_AT_DESC",),
    "ChampionNomination": ("NOMINATED_AT_DESC",),
    "TrainingProvider": ("KEY_ASC",),
    "Course": ("TITLE_KEY_ASC",),
    "Completion": ("COMPLETED_AT_DESC",),
    "Session": ("STARTS_AT_DESC",),
    "Attendance": (),
    "Venue": ("NAME_ASC",),
    "TeamMember": ("NAME_ASC",),
    "SessionSeries": ("CREATED_AT_DESC",),
    "SessionFacilitator": (),
    "AgendaItem": ("POSITION_ASC",),
    "PlaceReserve": (),
    "Booking": ("BOOKED_AT_DESC",),
    "PlaceOffer": ("OFFERED_AT_DESC",),
    "MedicationChampion": ("TRAINED_ON_DESC",),
    "FeedbackForm": ("TITLE_ASC",),
    "FeedbackQuestion": ("POSITION_ASC",),
    "FeedbackResponse": ("SUBMITTED_AT_DESC",),
    "FeedbackAnswer": (),
    "Import": ("CREATED_AT_DESC",),
    "ImportRow": ("ROW_NUMBER_ASC",),
    "MetricDefinition": ("CODE_ASC", "VERSION_ASC"),
    "FigurePoint": ("METRIC_CODE_ASC", "PERIOD_START_ASC"),
    "WebhookEndpoint": ("CREATED_AT_ASC",),
    "WebhookDelivery": ("CREATED_AT_DESC",),
    "WebhookAttempt": ("NUMBER_ASC",),
}
SCOPES = {
    "Query.impactSummary": "evidence:read",
    "Learner.displayName": "people:read",
    "Learner.givenName": "people:read",
    "Learner.familyName": "people:read",
    "LearnerMerge.reason": "people:read",
    "Venue.dayCost": "finance:read",
    "TeamMember.registrationNumber": "people:read",
    "Session.checkInCode": "bookings:write",
    "Booking.reference": "bookings:write",
    "Booking.endedBecause": "people:read",
    "PrerequisiteOverride.reason": "people:read",
    "ChampionNomination.nominatorName": "people:read",
    "ChampionNomination.statement": "people:read",
    "ChampionNomination.decidedBecause": "people:read",
    "FeedbackAnswer.text": "people:read",
    "ImportRow.cells": "people:read",
}
"""What a field needs of itself; what it leads to is in NODE_SCOPES."""
NODE_SCOPES = {
    "Tenant": "tenant:read",
    **dict.fromkeys(("Organisation", "MetricDefinition"), None),
    **dict.fromkeys(
        ("CqcProvider", "CqcLocation", "Location", "Employer", "Employment", "Learner", "LearnerMerge"),
        "directory:read",
    ),
    **dict.fromkeys(
        ("Tier", "TrainingProvider", "Course", "Completion", "Session", "Attendance", "MedicationChampion"),
        "training:read",
    ),
    **dict.fromkeys(
        ("Programme", "PrerequisiteRule", "PrerequisiteOverride", "ChampionNomination"),
        "training:read",
    ),
    **dict.fromkeys(("FeedbackForm", "FeedbackQuestion", "FeedbackResponse", "FeedbackAnswer"), "training:read"),
    **dict.fromkeys(("Venue", "TeamMember", "SessionSeries", "SessionFacilitator", "AgendaItem"), "training:read"),
    **dict.fromkeys(("PlaceReserve", "SessionPlaces", "Booking", "PlaceOffer"), "training:read"),
    **dict.fromkeys(("Import", "ImportRow"), "imports:read"),
    "FigurePoint": "evidence:read",
    **dict.fromkeys(("WebhookEndpoint", "WebhookEvent", "WebhookDelivery", "WebhookAttempt"), "webhooks:write"),
}


def _bookings(state: str) -> Callable[[Mapping[str, list[Any]], Any], int]:
    def counted(rows: Mapping[str, list[Any]], places: Any) -> int:
        return sum(row["session_id"] == places["session_id"] and row["state"] == state for row in rows["booking"])

    return counted


def _waiting_position(rows: Mapping[str, list[Any]], booking: Any) -> int | None:
    waiting = [
        row for row in rows["booking"] if row["session_id"] == booking["session_id"] and row["state"] == "waiting"
    ]
    numbers = [row["number"] for row in waiting if row["number"] <= booking["number"]]
    return len(numbers) if booking["state"] == "waiting" else None


COMPUTED: dict[str, Callable[[Mapping[str, list[Any]], Any], Any]] = {
    "Learner.identifierCount": lambda rows, learner: sum(
        row["learner_id"] == learner["id"] for row in rows["learner_identifier"]
    ),
    "SessionPlaces.confirmed": _bookings("confirmed"),
    "SessionPlaces.offered": _bookings("offered"),
    "SessionPlaces.waiting": _bookings("waiting"),
    "Booking.waitingPosition": _waiting_position,
}
"""Fields that are counted: from all rows that the tenant sees, by table, and the row that the field is of."""
