"""Words of the console for people: names of roles and permissions, what has been done, what went wrong."""

from app.identity.permissions import Permission, Role

ROLES = {
    Role.TENANT_ADMINISTRATOR: "Tenant administrator",
    Role.PROGRAMME_LEAD: "Programme lead",
    Role.FACILITATOR: "Facilitator",
    Role.REVIEWER: "Reviewer",
    Role.ANALYST: "Analyst",
    Role.COMMUNICATIONS: "Communications",
    Role.INFORMATION_GOVERNANCE: "Information governance",
    Role.PROVIDER_MANAGER: "Provider manager",
    Role.NATIONAL_LEAD: "National lead",
    Role.PLATFORM_OPERATOR: "Platform operator",
}

PERMISSIONS = {
    Permission.TENANT_READ: "see the tenant and its settings",
    Permission.DIRECTORY_READ: "see care homes, providers and learners without names",
    Permission.TRAINING_READ: "see training: sessions, attendance, completions, feedback",
    Permission.EVIDENCE_READ: "see impact figures",
    Permission.IMPORTS_READ: "see imports and what they rejected",
    Permission.PEOPLE_READ: "see names of learners",
    Permission.IMPORTS_WRITE: "bring in files",
    Permission.DIRECTORY_WRITE: "merge records of learners, and part them again",
    Permission.SETTINGS_WRITE: "change the tenant's settings",
    Permission.STAFF_WRITE: "manage staff",
    Permission.API_CLIENTS_WRITE: "manage partner applications",
    Permission.WEBHOOKS_WRITE: "manage webhooks, and see what was sent",
    Permission.TRAINING_WRITE: "run the programme: courses, mapping, requirements, sessions, certificates, champions",
    Permission.BOOKINGS_WRITE: "book places, cancel them, and check people in",
    Permission.GOVERNANCE_READ: "see governance: forums, actions, risks, action plans",
    Permission.GOVERNANCE_WRITE: "keep governance: forums, actions, risks, action plans",
    Permission.FINANCE_READ: "see funding, licences and costs",
    Permission.FINANCE_WRITE: "keep funding, licences and costs",
    Permission.AUDIT_READ: "read the audit trail",
    Permission.TENANTS_READ: "see the list of tenants",
    Permission.BENCHMARK_READ: "compare systems nationally",
}

DONE = {
    "role-changed": "The role has been changed. It counts from the person's next page.",
    "staff-ended": "The person's access has ended, and they have been signed out.",
    "secret-revoked": "The secret has been revoked.",
    "client-revoked": "The application's access has been revoked. Tokens it holds stop working within a minute.",
    "joined": "You have joined. Choose where you want to work.",
    "password-chosen": "Your password is set. Sign in with it now.",
    "enrolled": "Your authenticator app is tied to your login. You will be asked for a code from now on.",
    "signed-out": "You have signed out.",
    "refresh-asked": "The monthly figures are being counted again. Load the page again in a moment.",
    "import-taken": "The file has been taken in.",
    "import-known": "The same file with the same options came in before. This is that import; nothing was added.",
    "import-applied": "You have said that the import shall be applied.",
    "import-cancelled": "The import has been given up. Nothing of it was applied.",
    "row-placed": "The rows have been given to that learner.",
    "row-new": "A new learner has been made, and the rows given to them.",
    "row-left": "The rows have been left out.",
    "programme-published": "The programme has been published. Its requirements count from now on.",
    "tier-changed": "The tier has been changed. Everybody’s standing is being computed.",
    "requirement-added": "The row has been added. Everybody’s standing is being computed.",
    "requirement-removed": "The row has been removed, and what stood by it.",
    "standing-asked": "Standing is being computed. Load the page again in a moment.",
    "override-granted": "The learner may pass what the tier asks for, until the day you chose.",
    "nominated": "The nomination has been made. It waits for a decision.",
    "nomination-decided": "The decision has been kept.",
    "settings-changed": "The settings have been changed.",
    "webhook-changed": "The endpoint has been changed.",
    "webhook-enabled": "The endpoint is enabled. What happens from now on is sent to it.",
    "webhook-disabled": "The endpoint is disabled. What waited for it has failed and can be replayed.",
    "webhook-deleted": "The endpoint and its deliveries have been deleted.",
    "webhook-test-sent": "The test is on its way. Load the page again in a moment.",
    "webhook-replayed": "The event is on its way once more. Load the page again in a moment.",
}

PROBLEMS = {
    "400": ("The form could not be read", "Go back, fill it in again and send it."),
    "403": (
        "Your role does not open this page",
        "Ask a tenant administrator if you need it for your work.",
    ),
    "404": ("There is no such page", "Check the address, or go to the start page and follow the menu."),
    "405": ("This page cannot be used that way", "Go to the start page and follow the menu."),
    "413": ("What you sent is too large", "Send a smaller file or a shorter text."),
    "500": (
        "Something went wrong on our side",
        "Nothing has been changed. Try again; if it stays, quote the number below to support.",
    ),
    "OTHER_ORIGIN": (
        "The request did not come from this service",
        "Nothing has been changed. Open the page here and send the form again.",
    ),
    "OLD_PAGE": (
        "The page was open for too long",
        "Nothing has been changed. Go back, load the page again and send the form once more.",
    ),
}
