"""The schema obeys each rule, and each rule would notice if it did not."""

import asyncpg
import pytest

from app.models import metadata
from tenants.base import LOCAL, REFERENCE, TENANT
from tests import servers
from tests.wall.rules import RULES, Rule, tables_of_kind

pytestmark = pytest.mark.one_login

BROKEN = {
    "the runtime role may neither change nor delete what is append-only": "audit_event",
    "the runtime role only reads reference tables": "tenant",
    "the runtime role has no powers of its own": "medstead_app",
}


@pytest.mark.row("C1")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
async def test_rule(database_name: str, rule: Rule) -> None:
    connection = await asyncpg.connect(servers.running().urls(database_name).owner)
    superuser = await asyncpg.connect(
        servers.running().superuser_url.rpartition("/")[0] + f"/{database_name}", timeout=10
    )
    try:
        assert await connection.fetch(rule.query, *rule.arguments) == []
        transaction = superuser.transaction()
        await transaction.start()
        await superuser.execute(rule.breach)
        found = await superuser.fetch(rule.query, *rule.arguments)
        await transaction.rollback()
        assert {row[0] for row in found} == {BROKEN.get(rule.name, "bad")}, "the rule does not see its own breach"
    finally:
        await superuser.close()
        await connection.close()


def test_every_model_says_its_kind() -> None:
    kinds = {kind: set(tables_of_kind(kind)) for kind in (TENANT, REFERENCE, LOCAL)}
    assert set().union(*kinds.values()) == {table.name for table in metadata.tables.values()}
    assert sum(map(len, kinds.values())) == len(metadata.tables)
    for table in metadata.tables.values():
        if table.name in kinds[TENANT]:
            assert [column.name for column in table.primary_key][:1] == ["tenant_id"], table.name
