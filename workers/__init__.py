"""Background work: outbox relay, handlers and schedules."""
