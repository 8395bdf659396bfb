"""Words of sessions and bookings for people."""

KINDS = {"training": "Training", "champions_day": "Champions’ day", "forum": "Champions’ forum"}
STATES = {"draft": "Draft", "published": "Published", "cancelled": "Cancelled"}
ONLINE_MODES = {"webinar": "Webinar", "meeting": "Meeting", "town_hall": "Town hall", "none": "Face to face"}
WAITING_LISTS = {
    "promote": "Whoever waits gets the place at once",
    "offer": "The place is offered, and held until it is answered",
    "none": "Nobody waits; a full session is full",
}
BOOKING_STATES = {
    "confirmed": "Has a place",
    "waiting": "Waits",
    "offered": "Is offered a place",
    "cancelled": "Cancelled",
    "declined": "Declined",
    "expired": "Offer ran out",
    "transferred": "Went to another session",
    "swapped": "A colleague comes instead",
}
BOOKED_BY = {"learner": "Learner", "manager": "Manager", "team": "Programme team"}
DECISIONS = {
    "reaches_threshold": "Stayed long enough",
    "below_threshold": "Did not stay long enough",
    "unknown_counted": "Present; for how long is not known",
    "unknown_not_counted": "For how long is not known, so it does not count",
    "checked_in": "Checked in",
    "marked_absent": "Marked as not there",
    "both_halves": "Both halves",
    "half_missing": "A half is missing",
    "overridden": "Counted by hand",
    "overridden_absent": "Not counted, by hand",
}
PROFESSIONS = {
    "pharmacist": "Pharmacist",
    "pharmacy_technician": "Pharmacy technician",
    "nurse": "Nurse",
    "dietitian": "Dietitian",
    "care_professional": "Care professional",
    "other": "Other",
}
TEAM_ROLES = {"lead": "Lead", "facilitator": "Facilitator", "reviewer": "Reviewer", "administrator": "Administrator"}
