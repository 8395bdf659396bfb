"""Words for the stable codes of governance and money, as people read them."""

from app.reporting.words import ITEM_KINDS as ITEM_KINDS
from app.reporting.words import ITEM_STATES as ITEM_STATES

PLAN_KINDS = {"cqc": "After a CQC inspection", "local": "Local improvement"}
PLAN_STATES = {"open": "Open", "completed": "Completed", "withdrawn": "Withdrawn"}
PARTNER_KINDS = {
    "icb": "Integrated care board",
    "council": "Council",
    "care_provider": "Care provider",
    "nhs_trust": "NHS trust",
    "community_pharmacy": "Community pharmacy",
    "voluntary": "Voluntary organisation",
    "other": "Other",
}
PARTNERSHIP_STAGES = {
    "invited": "Invited",
    "agreed": "Agreed",
    "agreement_signed": "Agreement signed",
    "live": "Live",
    "ended": "Ended",
}
STAGES = {
    "prescribing": "Prescribing",
    "dispensing": "Dispensing",
    "administration": "Giving",
    "monitoring": "Monitoring",
    "transfer": "Moving between services",
    "storage": "Storage",
}
HARMS = {"none": "None", "low": "Low", "moderate": "Moderate", "severe": "Severe", "fatal": "Fatal"}
NEED_STATES = {"suggested": "Suggested", "accepted": "Accepted", "declined": "Declined", "met": "Met"}
OBJECTIVE_STATES = {"current": "Current", "past": "Past"}
SERVING = {"programme": "Programme", "course": "Course", "plan": "Action plan"}
MEASURES = {"attendee": "One attendee", "champion": "One champion trained", "learner": "One learner with a licence"}
ACTIVITIES = {"preparation": "Preparation", "delivery": "Delivery", "administration": "Administration"}
BEYOND = {"wait": "Whoever comes then waits for a seat", "refuse": "Whoever comes then is refused"}
SEAT_STATES = {"charged": "Has a seat", "waiting": "Waits", "released": "Released"}
DIMENSIONS = {
    "setting": "Setting",
    "provider_size": "Size of the provider (its people in post)",
    "place": "Place (local authority)",
    "deprivation": "Deprivation (1 is the most deprived fifth)",
    "rurality": "Town or country",
}
"""What each dimension of the equity report is called."""
CHANGES = {
    "governance:item:create": "Written down",
    "governance:item:change": "Changed",
    "governance:theme:cite": "Responses cited",
    "governance:plan:create": "Begun",
    "governance:plan:change": "Changed",
}
"""Entries of a history."""
