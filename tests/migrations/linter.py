"""Finds statements in offline SQL that would stop a running service: on tables that an earlier revision made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

REVISION = re.compile(r"^-- Running upgrade .*-> (\w+)$", re.MULTILINE)
CREATED = re.compile(r"\bCREATE TABLE (\S+)")


@dataclass(frozen=True, slots=True)
class Hazard:
    """A kind of statement and what to do instead. The pattern's group `table` names the table it locks."""

    name: str
    pattern: re.Pattern[str]
    instead: str


HAZARDS = (
    Hazard(
        "index",
        re.compile(r"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON (?P<table>\S+)"),
        "create it CONCURRENTLY in an autocommit block",
    ),
    Hazard(
        "constraint",
        re.compile(r"ALTER TABLE (?P<table>\S+) ADD CONSTRAINT (?!.*(NOT VALID|USING INDEX))", re.DOTALL),
        "add it NOT VALID and validate it in a later statement",
    ),
    Hazard(
        "not null",
        re.compile(r"ALTER TABLE (?P<table>\S+) ALTER COLUMN \S+ SET NOT NULL"),
        "add a NOT VALID check, validate it, then set NOT NULL",
    ),
    Hazard(
        "new column",
        re.compile(r"ALTER TABLE (?P<table>\S+) ADD COLUMN (?=.*NOT NULL)(?!.*DEFAULT)", re.DOTALL),
        "give it a default, or add it nullable and fill it first",
    ),
    Hazard(
        "type",
        re.compile(r"ALTER TABLE (?P<table>\S+) ALTER COLUMN \S+ (SET DATA )?TYPE"),
        "add a new column and move over to it",
    ),
    Hazard(
        "removal",
        re.compile(r"(DROP TABLE|ALTER TABLE (?=.*(DROP COLUMN|RENAME))) ?(IF EXISTS )?(?P<table>\S+)", re.DOTALL),
        "stop using it in one release and remove it in the next",
    ),
)


def hazards(sql: str) -> Iterator[str]:
    """What the offline SQL holds that an earlier release would suffer from: revision, hazard, what to do instead."""
    pieces = REVISION.split(sql)
    for revision, body in zip(pieces[1::2], pieces[2::2], strict=True):
        made_here = set(CREATED.findall(body))
        for statement in body.split(";\n"):
            for hazard in HAZARDS:
                found = hazard.pattern.search(statement)
                if found and found["table"] not in made_here:
                    yield f"{revision}: {hazard.name} on {found['table']}: {hazard.instead}"
