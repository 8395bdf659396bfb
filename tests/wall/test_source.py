"""What the source must not hold: statements that break the wall on Citus, stray commits, the queue elsewhere."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import graphql
import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("app", "tenants", "workers", "graphql")


def _strings_and_calls(source: str) -> Iterator[str]:
    """Texts in the source that could be SQL, and names of called functions; docstrings and comments left out."""
    tree = ast.parse(source)
    documents = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            documents.add(id(body[0].value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            yield node.value
        elif isinstance(node, ast.Call):
            yield f"{ast.unparse(node.func)}("


FORBIDDEN = {
    "set_config": re.compile(r"\bset_config\b"),
    "COPY": re.compile(r"\bCOPY\s+\S+\s*(\([^)]*\)\s*)?(FROM|TO)\b|copy_(records|from|to)\w*\("),
    "MERGE": re.compile(r"\bMERGE\s+INTO\b"),
    "advisory locks": re.compile(r"\bpg_(try_)?advisory_\w+"),
    "INSERT from unnest": re.compile(r"\bINSERT\b.*\bSELECT\b.*\bunnest\b", re.DOTALL),
    "session settings": re.compile(r"\bSET\s+(SESSION\s+)?app\."),
}
BREACHES = {
    "set_config": "x = text(\"SELECT set_config('app.tenant_id', :t, true)\")",
    "COPY": "connection.copy_records_to_table('learner', records=rows)",
    "MERGE": 'x = "MERGE INTO medstead.learner USING"',
    "advisory locks": "func.pg_advisory_xact_lock(1)",
    "INSERT from unnest": 'x = "INSERT INTO t SELECT * FROM unnest($1::uuid[])"',
    "session settings": 'x = "SET app.tenant_id = 1"',
}


@cache
def _pieces(path: Path) -> tuple[str, ...]:
    """Those of a file, which several tests look through."""
    return tuple(dict.fromkeys(_strings_and_calls(path.read_text())))


def _files(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_runtime_role_is_given_no_statement_that_breaks_the_wall(name: str) -> None:
    forbidden = FORBIDDEN[name]
    assert any(forbidden.search(piece) for piece in _strings_and_calls(BREACHES[name])), "the test is blind"
    assert len(_files(*PRODUCT)) > 50
    offenders = [
        str(path.relative_to(ROOT))
        for path in _files(*PRODUCT)
        if any(forbidden.search(piece) for piece in _pieces(path))
    ]
    assert offenders == []


def test_only_the_unit_of_work_and_the_command_line_commit() -> None:
    committing = {
        path.relative_to(ROOT).as_posix()
        for path in _files(*PRODUCT)
        if any(piece.endswith(".commit(") for piece in _pieces(path))
    }
    assert "tenants/session.py" in committing
    assert {path for path in committing if not path.startswith("app/cli/")} == {"tenants/session.py"}


def test_only_the_queue_module_imports_arq() -> None:
    importing = set()
    for path in _files(*PRODUCT, "infra", "migrations"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.partition(".")[0] == "arq" for name in names):
                importing.add(path.relative_to(ROOT).as_posix())
    assert importing == {"workers/queue.py"}


def test_only_the_clock_and_the_ids_read_the_time() -> None:
    now = re.compile(r"^(datetime(\.datetime)?\.(now|utcnow|today)|(datetime\.)?date\.today|time\.time(_ns)?)\($")
    assert now.match("datetime.now(")
    reading = {
        path.relative_to(ROOT).as_posix()
        for path in _files("app", "tenants", "workers", "graphql")
        if any(now.match(piece) for piece in _pieces(path))
    }
    assert reading == {"tenants/clock.py", "tenants/identifiers.py"}


def test_our_graphql_folder_does_not_hide_the_library() -> None:
    assert not (ROOT / "graphql" / "__init__.py").exists()
    assert "site-packages" in Path(graphql.__file__).parts
