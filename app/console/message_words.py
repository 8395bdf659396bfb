"""Words for messages: occasions, states, why one did not go out."""

OCCASIONS = {
    "booking_confirmed": "A place was given",
    "booking_offered": "A place is offered",
    "booking_asked_again": "A session was moved",
    "booking_ended": "A booking ended",
    "session_changed": "A session was changed",
    "reminder": "Reminder before a session",
    "after_attended": "After a session, to those who came",
    "after_absent": "After a session, to those who did not come",
    "certificate_issued": "A certificate was issued",
    "nudge_dormant": "Nudge: has not learned for long",
    "nudge_no_show": "Nudge: did not come",
    "nudge_next_tier": "Nudge: could go on to the next tier",
    "campaign": "Campaign",
    "campaign_trial": "Trial of a campaign",
    "report_ready": "A report is ready",
}
STATES = {
    "queued": "Waiting",
    "inflight": "Being sent",
    "sent": "Sent",
    "delivered": "Delivered",
    "bounced": "Came back",
    "failed": "Failed",
    "withdrawn": "Taken back",
}
CLASSES = {
    "service": "Service: about something that the person has",
    "programme": "Programme: news and reminders of the programme",
    "marketing": "Marketing: what somebody pays for, or what others offer",
}
CHANNELS = {"smtp": "E-mail by our mail server", "notify": "GOV.UK Notify, by your own service there"}
REASONS = {
    "NO_ADDRESS": "There is no address of the person’s own.",
    "ADDRESS_UNDELIVERABLE": "An earlier message to the address came back.",
    "BAD_ADDRESS": "The address is none that mail can be sent to.",
    "STAFF_ENDED": "The person does not work here any more.",
    "OBJECTED": "The person does not want such messages.",
    "OBJECTS": "Does not want such messages",
    "BOOKING_ENDED": "The booking has ended.",
    "SESSION_CANCELLED": "The session was cancelled.",
    "SESSION_MOVED": "The session was moved to another day.",
    "TOO_LATE": "The session had begun.",
    "OFFER_ENDED": "The offer had ended.",
    "CERTIFICATE_ENDED": "The certificate was revoked or replaced.",
    "CONTACT_ENDED": "The contact has ended.",
    "BY_HAND": "Somebody took it back.",
    "CAMPAIGN_WITHDRAWN": "The campaign was withdrawn.",
    "SENDER_UNAVAILABLE": "The mail server did not answer; it is tried again.",
    "BOOKED_AFTER_DUE": "Booked after it was due",
    "NOT_ATTENDED": "Did not come",
    "ATTENDED": "Came, or will",
    "BOOKED": "Has a place",
    "ABSENT": "Did not come",
    "DORMANT": "Has not learned since",
    "NO_SHOW": "Did not come",
    "NEXT_TIER": "Has the first tier and nothing of the second",
}
REMINDER_STATES = {"scheduled": "To come", "done": "Sent", "missed": "Missed", "withdrawn": "Taken back"}
AUDIENCES = {
    "booked": "Before it begins: everybody with a place",
    "attended": "After it ended: those who came",
    "absent": "After it ended: those who did not come",
}
NUDGES = {
    "dormant": "Has not learned for long",
    "no_show": "Had a place and did not come",
    "next_tier": "Has the first tier and nothing of the second",
}
OBJECTIONS = {
    "all": "Everything but messages about their own bookings and certificates",
    "programme": "Messages of the programme",
    "marketing": "Marketing",
    "dormant": "The nudge after a long time",
    "no_show": "The nudge after a missed session",
    "next_tier": "The nudge to the next tier",
}


def reason(code: str | None) -> str | None:
    """A code in words; an answer of a mail server or of Notify as it is."""
    if code is None:
        return None
    if code.startswith("SMTP_"):
        return f"The mail server answered {code[5:]}."
    if code.startswith("NOTIFY_"):
        return f"Notify answered: {code[7:].replace('_', ' ').lower()}."
    return REASONS.get(code, code)
