"""Words for stable codes, as reports and the pages of the console say them."""

SETTINGS = {
    "care_home_with_nursing": "Care home with nursing",
    "care_home_without_nursing": "Care home without nursing",
    "extra_care": "Extra care",
    "supported_living": "Supported living",
    "domiciliary": "Home care",
    "shared_lives": "Shared Lives",
    "other": "Other",
}
ITEM_KINDS = {
    "policy": "Policy",
    "decision": "Decision",
    "risk": "Risk",
    "forum_action": "Action of a forum",
    "feedback_theme": "Theme of feedback",
    "plan_action": "Action of a plan",
}
ITEM_STATES = {"open": "Open", "in_progress": "In progress", "done": "Done", "withdrawn": "Withdrawn"}
GAP_KINDS = {"content": "Content", "delivery": "Delivery", "accessibility": "Accessibility"}
STANDING = {"met": "Met", "expiring": "Ends soon", "expired": "Expired", "missing": "Missing"}
OUTCOMES = {"competent": "Competent", "not_yet_competent": "Not yet competent"}
