"""Messages to people: templates, the ledger of what is sent, reminders, nudges, campaigns, objections."""
