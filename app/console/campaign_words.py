"""Words of campaigns and contacts for people."""

STATES = {
    "draft": ("Draft", "nhsuk-tag--grey"),
    "submitted": ("Waits for approval", "nhsuk-tag--yellow"),
    "approved": ("Approved", "nhsuk-tag--blue"),
    "sending": ("Being sent", "nhsuk-tag--blue"),
    "sent": ("Sent", "nhsuk-tag--green"),
    "withdrawn": ("Withdrawn", "nhsuk-tag--red"),
}
CLASSES = {
    "programme": "News of the programme",
    "marketing": "Advertising, such as services that cost something",
}
WHO = {"contacts": "Contacts of providers", "learners": "Learners", "champions": "Medication Champions"}
CONTACT_ROLES = {
    "registered_manager": "Registered manager",
    "medicines_lead": "Medicines lead",
    "training_lead": "Training lead",
    "office": "Office",
}
REACH = (
    ("goes", "Addresses that get it"),
    ("objects", "Addresses of people who object"),
    ("undeliverable", "Addresses that mail came back from"),
    ("no_address", "People without an address"),
    ("shared", "People at an address that is counted already"),
)
FUNNEL = (
    ("recipients", "Copies", "One for each address."),
    ("waiting", "Still to be sent", "In the queue, or to be tried again."),
    ("sent", "Sent", "Handed over to the mail server."),
    ("delivered", "Delivered", "As far as the mail provider tells us; many do not."),
    ("bounced", "Came back", "There is no such mailbox. Nothing more is sent there."),
    ("failed", "Failed", "The mail server refused them, or the address had gone meanwhile."),
    ("withdrawn", "Taken back", "The campaign was withdrawn, or the person objects."),
    ("visited", "Visited", "Copies from whose link somebody pressed on."),
    ("registered", "Registered", "People who booked through a link, also one that was passed on to them."),
    ("attended", "Attended", "Those of them, or who came instead, whose attendance counts."),
)
