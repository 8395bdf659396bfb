"""Words of e-learning, the ASC-WDS and refunds for people."""

KINDS = {"course": "Course", "block": "Block of a course", "au": "Unit of a course", "activity": "Other activity"}
FINISHES = {
    "move_on": "The rule that you choose",
    "satisfied": "Only that the learning system calls it satisfied",
    "never": "Nothing: it is a part of the course",
}
MOVE_ON = {
    "CompletedOrPassed": "Completed or passed",
    "Completed": "Completed",
    "Passed": "Passed",
    "CompletedAndPassed": "Completed and passed",
    "NotApplicable": "Opened",
}
ACCOUNTS = {"known": "Known", "waiting": "Waits for an answer", "left_out": "Left out"}
CLAIMS = {
    "to_claim": "To claim",
    "claimed": "Claimed",
    "paid": "Paid",
    "refused": "Refused",
    "not_claimed": "Not claimed",
}
CLAIM_FILTERS = {"overdue": "Overdue", "soon": "Due within two weeks"} | CLAIMS
