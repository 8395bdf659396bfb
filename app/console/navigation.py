"""The menu and the start page: what is where, and who may open it."""

from dataclasses import dataclass

from app.identity.permissions import Permission


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """An entry of the menu and the home page, shown to those who may open it."""

    path: str
    label: str
    purpose: str
    needs: Permission


NAVIGATION = [
    NavigationItem(
        "/console/impact",
        "Impact",
        "See what the programme has come to: each figure explained, with the rows behind it.",
        Permission.EVIDENCE_READ,
    ),
    NavigationItem(
        "/console/reports",
        "Reports",
        "Ask for reports and evidence packs, see how far they are, and download them.",
        Permission.EVIDENCE_READ,
    ),
    NavigationItem(
        "/console/imports",
        "Imports",
        "Bring in files, see what became of each row, and answer what waits for a person.",
        Permission.IMPORTS_READ,
    ),
    NavigationItem(
        "/console/sessions",
        "Sessions",
        "Plan webinars, full days and forums, see who has a place and who waits, and check people in.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/mapping",
        "Mapping",
        "See what each course covers of each topic, before you build on it.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/gaps",
        "Gaps",
        "See what training lacks, who sees to it, and what closed it.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/courses",
        "Courses",
        "Look up every course: what it is, who relies on it, who can reach it.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/regulations",
        "Regulations",
        "See which topics and courses evidence a regulation, and how many people learned them.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/templates",
        "Templates",
        "Give your programme to others, or build from one of theirs.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/programme",
        "Programme",
        "See the tiers and what they ask for, change them, publish.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/requirements",
        "Requirements",
        "Say who needs which topic or tier: by job role, setting and task.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/standing",
        "Standing",
        "See who is trained and who is not, and why.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/nominations",
        "Nominations",
        "Decide who may become a Medication Champion.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/certificates",
        "Certificates",
        "Issue certificates, find them, and take them back.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/learning-systems",
        "Learning systems",
        "Let e-learning tell how far people have come, and say what and whom it speaks of.",
        Permission.SETTINGS_WRITE,
    ),
    NavigationItem(
        "/console/ldss",
        "LDSS deadlines",
        "See what employers can still claim for from the Learning and Development Support Scheme.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/asc-wds",
        "ASC-WDS files",
        "Make training files that providers upload to the Adult Social Care Workforce Data Set.",
        Permission.TRAINING_WRITE,
    ),
    NavigationItem(
        "/console/champions",
        "Champions",
        "See who is Medication Champion where, and which locations have none.",
        Permission.TRAINING_READ,
    ),
    NavigationItem(
        "/console/campaigns",
        "Campaigns",
        "Write to many at once in your organisation’s name, and see who came because of it.",
        Permission.MESSAGES_READ,
    ),
    NavigationItem(
        "/console/contacts",
        "Contacts",
        "See where providers read what you write, and add to it.",
        Permission.MESSAGES_READ,
    ),
    NavigationItem(
        "/console/my-locations",
        "My locations",
        "See who works at your locations and what they need, and book them.",
        Permission.GROUP_READ,
    ),
    NavigationItem(
        "/console/our-area",
        "Our area",
        "See how far your council’s area has come.",
        Permission.AREA_READ,
    ),
    NavigationItem(
        "/console/governance",
        "Governance",
        "See policies, decisions, risks, actions and plans: who owns them, and what is overdue.",
        Permission.GOVERNANCE_READ,
    ),
    NavigationItem(
        "/console/messages",
        "Messages",
        "See what people are sent and what came of it, and set reminders, nudges and templates.",
        Permission.MESSAGES_READ,
    ),
    NavigationItem(
        "/console/stories",
        "Stories",
        "Tell what went well, with the consent of whom it is about.",
        Permission.GOVERNANCE_READ,
    ),
    NavigationItem(
        "/console/costs",
        "Costs",
        "See what sessions and licences cost, and which numbers are missing.",
        Permission.FINANCE_READ,
    ),
    NavigationItem(
        "/console/equity",
        "Equity",
        "See whether every group of people gets the training that it needs.",
        Permission.EVIDENCE_READ,
    ),
    NavigationItem(
        "/console/directory",
        "Directory",
        "Look up locations, employers and learners.",
        Permission.DIRECTORY_READ,
    ),
    NavigationItem(
        "/console/provider-groups",
        "Provider groups",
        "Put locations of one manager or brand together.",
        Permission.DIRECTORY_READ,
    ),
    NavigationItem(
        "/console/registry",
        "Registry",
        "Look up tenants, organisations and their codes.",
        Permission.TENANTS_READ,
    ),
    NavigationItem(
        "/console/reference-data",
        "Reference data",
        "See what CQC and ODS have changed, and approve it.",
        Permission.REFERENCE_WRITE,
    ),
    NavigationItem(
        "/console/settings",
        "Settings",
        "Choose when an attendance counts, and which columns your files have.",
        Permission.SETTINGS_WRITE,
    ),
    NavigationItem(
        "/console/staff",
        "Staff",
        "See who works here, invite people, change roles, end access.",
        Permission.STAFF_WRITE,
    ),
    NavigationItem(
        "/console/api-clients",
        "Partner applications",
        "Let a partner's software read your data, and take that away again.",
        Permission.API_CLIENTS_WRITE,
    ),
    NavigationItem(
        "/console/webhooks",
        "Webhooks",
        "Have a partner's software told when something happens, and see what was sent.",
        Permission.WEBHOOKS_WRITE,
    ),
    NavigationItem(
        "/console/outside",
        "Outside systems",
        "Have registrations and attendance come from Eventbrite and Teams by themselves.",
        Permission.SETTINGS_WRITE,
    ),
    NavigationItem(
        "/console/background-work",
        "Background work",
        "See what waits to be done by itself, and try again what was given up.",
        Permission.SETTINGS_WRITE,
    ),
    NavigationItem(
        "/console/audit",
        "Audit trail",
        "See who changed what and when. Nothing can be altered here.",
        Permission.AUDIT_READ,
    ),
]
