"""The committed contract is the schema that is served."""

from pathlib import Path

from medstead_graphql.schema import schema

CONTRACT = Path(__file__).resolve().parents[2] / "graphql" / "schema.graphql"


def test_the_committed_schema_is_the_served_one() -> None:
    assert schema.as_str() + "\n" == CONTRACT.read_text(encoding="utf-8"), (
        "The schema changed. Look at the difference, then run: medstead schema --write"
    )
