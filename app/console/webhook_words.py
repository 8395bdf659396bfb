"""Words of the webhook pages: what states and codes mean, and what to do about them."""

from app.webhooks.events import MEANINGS

ENDPOINT_STATES = {
    "enabled": ("Enabled", "nhsuk-tag--green"),
    "failing": ("Failing", "nhsuk-tag--orange"),
    "disabled": ("Disabled", "nhsuk-tag--red"),
}

REASONS = {
    "by_hand": "Somebody disabled it.",
    "failing": "Nothing but failures came back for days, so the service stopped sending.",
    "gone": "The receiver answered 410 Gone, which asks to be left alone.",
}

DELIVERY_STATES = {
    "waiting": ("Waiting", "nhsuk-tag--blue"),
    "delivered": ("Delivered", "nhsuk-tag--green"),
    "failed": ("Failed", "nhsuk-tag--red"),
}

FAILURES = {
    "GAVE_UP": "Nothing else than failures came back for 24 hours. Once the receiver works, replay it.",
    "REFUSED": "The receiver refused the request, and would again. Mend the receiver or the address, then replay it.",
    "GONE": "The receiver answered 410 Gone, so the endpoint was disabled.",
    "ENDPOINT_DISABLED": "The endpoint was disabled while this waited. Enable it, then replay this.",
}

ERRORS = {
    "CONNECTION_REFUSED": "Nothing listens at that port",
    "CONNECTION_FAILED": "The receiver could not be reached",
    "CONNECTION_CLOSED": "The receiver hung up without an answer",
    "DNS_FAILED": "The host name leads nowhere",
    "INTERRUPTED": "The service was cut off while it sent; it may have arrived",
    "INVALID_ANSWER": "The answer was not HTTP",
    "NOT_HTTPS": "The address does not begin with https://",
    "PRIVATE_ADDRESS": "The host name leads to an address that is not in the public internet",
    "REDIRECTED": "Redirects are not followed: register the final address",
    "TIMEOUT": "No answer came in time",
    "TLS_FAILED": "The certificate is not valid for that host name",
}

EVENTS = {str(kind): meaning for kind, meaning in MEANINGS.items()}
