"""How a process logs: lines for people in development, JSON in production; ids and counts, never a person."""

import logging

import structlog

from app.settings import Settings


def configure_logs(settings: Settings) -> None:
    """Set level and form for this process; call it once, before anything is logged."""
    people = settings.environment != "production"
    renderer = structlog.dev.ConsoleRenderer(colors=False) if people else structlog.processors.JSONRenderer()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.log_level.upper())),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if people else "iso", utc=not people),
            renderer,
        ],
    )
