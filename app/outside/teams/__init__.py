"""Microsoft Teams webinars by Graph: registrations and attendance reports."""
