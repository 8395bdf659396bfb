"""The rules of the schema as queries over the catalogue. Each gives the offenders; a sound schema gives no row."""

from dataclasses import dataclass

from app.models import metadata
from tenants.base import LOCAL, TENANT
from tenants.policies import POLICY

PREDICATE = "(tenant_id = (current_setting('app.tenant_id'::text))::uuid)"
"""The predicate of the wall as PostgreSQL writes it back."""

KNOW_THEIR_TENANT = (
    "api_client_directory",
    "identity_provider",
    "login_session",
    "login_tenant",
    "staff_invitation",
    "tenant_work",
)
"""Local tables that name a tenant and lie outside the wall, because they are read before a tenant is bound."""


WRITTEN_BY_IMPORTS = ("cqc_provider", "cqc_location")
"""Reference tables that the runtime role adds to and corrects: the public register, which files of tenants bring."""

WRITTEN_BY_REFRESHES = ("organisation", "organisation_code", "organisation_succession")
"""Reference tables that the runtime role adds to and corrects after a person of the platform has approved it."""

PUBLISHED_BY_TENANTS = ("programme_template",)
"""Reference tables that the runtime role adds to and never changes: what tenants give to all others."""

APPEND_ONLY = (
    *("audit_event", "platform_audit_event", "access_log", "platform_access_log", "report_content", "report_rows"),
    *PUBLISHED_BY_TENANTS,
)


def tables_of_kind(kind: str) -> list[str]:
    """Names of the tables that the models declare to be of this kind."""
    return [table.name for table in metadata.tables.values() if table.info.get("kind") == kind]


_TABLES = """
    SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, c.reloptions
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'medstead'
"""
_WALLED = f"""
    SELECT t.* FROM ({_TABLES}) t WHERE t.relkind IN ('r', 'p') AND t.relname <> ALL ($1::text[])
       AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'tenant_id')
"""
_FIRST_COLUMN = "(SELECT attname FROM pg_attribute WHERE attrelid = {table} AND attnum = {key})"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the schema. `query` gives offenders in its first column; `breach` makes one called `bad`."""

    name: str
    query: str
    breach: str

    @property
    def arguments(self) -> list[list[str]]:
        """What the query is asked with: the local tables that know their tenant, when it wants them."""
        return [list(KNOW_THEIR_TENANT)] if "$1" in self.query else []


_TABLE = "CREATE TABLE medstead.bad (tenant_id uuid NOT NULL, id uuid, other uuid, PRIMARY KEY (tenant_id, id))"
_WALL = (
    "ALTER TABLE medstead.bad ENABLE ROW LEVEL SECURITY; ALTER TABLE medstead.bad FORCE ROW LEVEL SECURITY; "
    f"CREATE POLICY {POLICY} ON medstead.bad USING {PREDICATE} WITH CHECK {PREDICATE}"
)
_SOUND = f"{_TABLE}; {_WALL}"

RULES = (
    Rule(
        "row-level security is enabled and forced",
        f"SELECT relname FROM ({_WALLED}) t WHERE NOT (relrowsecurity AND relforcerowsecurity)",
        f"{_SOUND}; ALTER TABLE medstead.bad NO FORCE ROW LEVEL SECURITY",
    ),
    Rule(
        "there is one policy, for everybody and everything, and it is the wall's",
        f"""SELECT t.relname FROM ({_WALLED}) t LEFT JOIN pg_policy p ON p.polrelid = t.oid GROUP BY t.relname
            HAVING count(p.oid) <> 1 OR NOT bool_and(
                p.polname = '{POLICY}' AND p.polpermissive AND p.polcmd = '*' AND p.polroles = '{{0}}'
                AND pg_get_expr(p.polqual, p.polrelid) IS NOT DISTINCT FROM $wall${PREDICATE}$wall$)""",
        f"{_SOUND}; CREATE POLICY hole ON medstead.bad FOR SELECT USING (true)",
    ),
    Rule(
        "the policy's check is the wall's too",
        f"""SELECT t.relname FROM ({_WALLED}) t JOIN pg_policy p ON p.polrelid = t.oid
             WHERE pg_get_expr(p.polwithcheck, p.polrelid) IS DISTINCT FROM pg_get_expr(p.polqual, p.polrelid)""",
        f"{_SOUND}; ALTER POLICY {POLICY} ON medstead.bad WITH CHECK (true)",
    ),
    Rule(
        "tenant_id is a uuid and never null",
        f"""SELECT t.relname FROM ({_WALLED}) t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'tenant_id'
             WHERE a.atttypid <> 'uuid'::regtype OR NOT a.attnotnull""",
        f"CREATE TABLE medstead.bad (id uuid PRIMARY KEY, tenant_id uuid); {_WALL}",
    ),
    Rule(
        "every table has a primary key",
        f"""SELECT relname FROM ({_TABLES}) t WHERE relkind IN ('r', 'p') AND relname <> 'alembic_version'
             AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')""",
        "CREATE TABLE medstead.bad (id uuid)",
    ),
    Rule(
        "every key and index starts with tenant_id",
        f"""SELECT t.relname, i.indexrelid::regclass FROM ({_WALLED}) t JOIN pg_index i ON i.indrelid = t.oid
             WHERE {_FIRST_COLUMN.format(table="t.oid", key="i.indkey[0]")} IS DISTINCT FROM 'tenant_id'""",
        f"{_SOUND}; CREATE INDEX ON medstead.bad (other, tenant_id)",
    ),
    Rule(
        "unique keys start with tenant_id",
        f"""SELECT t.relname, k.conname FROM ({_WALLED}) t
              JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('p', 'u', 'x')
             WHERE {_FIRST_COLUMN.format(table="t.oid", key="k.conkey[1]")} IS DISTINCT FROM 'tenant_id'""",
        f"{_SOUND}; ALTER TABLE medstead.bad ADD UNIQUE (other)",
    ),
    Rule(
        "foreign keys between tenant tables are aligned on tenant_id",
        f"""SELECT t.relname, k.conname FROM ({_WALLED}) t JOIN ({_WALLED}) target ON true
              JOIN pg_constraint k ON k.conrelid = t.oid AND k.confrelid = target.oid AND k.contype = 'f'
             WHERE {_FIRST_COLUMN.format(table="t.oid", key="k.conkey[1]")} IS DISTINCT FROM 'tenant_id'
                OR {_FIRST_COLUMN.format(table="target.oid", key="k.confkey[1]")} IS DISTINCT FROM 'tenant_id'
                OR cardinality(k.conkey) < 2""",
        f"{_SOUND}; ALTER TABLE medstead.bad ADD FOREIGN KEY (other, id) REFERENCES medstead.learner (tenant_id, id)",
    ),
    Rule(
        "nothing outside the wall refers into it",
        f"""SELECT origin.relname FROM ({_WALLED}) t
              JOIN pg_constraint k ON k.confrelid = t.oid AND k.contype = 'f'
              JOIN ({_TABLES}) origin ON origin.oid = k.conrelid
             WHERE NOT EXISTS (SELECT FROM ({_WALLED}) w WHERE w.oid = k.conrelid)""",
        "CREATE TABLE medstead.bad (id uuid PRIMARY KEY, a uuid, b uuid, "
        "FOREIGN KEY (a, b) REFERENCES medstead.learner (tenant_id, id))",
    ),
    Rule(
        "foreign keys neither set null nor set defaults",
        f"""SELECT t.relname FROM ({_TABLES}) t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f'
             WHERE k.confdeltype IN ('n', 'd') OR k.confupdtype <> 'a'""",
        f"{_SOUND}; ALTER TABLE medstead.bad ADD FOREIGN KEY (tenant_id, other) REFERENCES medstead.learner "
        "ON DELETE SET NULL (other)",
    ),
    Rule(
        "no constraint is deferrable",
        f"SELECT t.relname FROM ({_TABLES}) t JOIN pg_constraint k ON k.conrelid = t.oid WHERE k.condeferrable",
        f"{_SOUND}; ALTER TABLE medstead.bad ADD UNIQUE (tenant_id, other) DEFERRABLE",
    ),
    Rule(
        "no triggers",
        f"SELECT t.relname FROM ({_TABLES}) t JOIN pg_trigger g ON g.tgrelid = t.oid WHERE NOT g.tgisinternal",
        f"{_SOUND}; CREATE TRIGGER g BEFORE UPDATE ON medstead.bad FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ),
    Rule(
        "no rules",
        f"""SELECT t.relname FROM ({_TABLES}) t JOIN pg_rewrite r ON r.ev_class = t.oid
             WHERE t.relkind NOT IN ('v', 'm')""",
        f"{_SOUND}; CREATE RULE r AS ON DELETE TO medstead.bad DO INSTEAD NOTHING",
    ),
    Rule(
        "no function runs with its owner's rights",
        """SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')""",
        "CREATE FUNCTION medstead.bad() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    ),
    Rule(
        "views ask with the rights of the caller",
        f"""SELECT relname FROM ({_TABLES}) t WHERE relkind = 'v'
             AND NOT coalesce(reloptions @> '{{security_invoker=true}}', false)""",
        "CREATE VIEW medstead.bad AS SELECT * FROM medstead.learner",
    ),
    Rule(
        "no materialised views, foreign tables or sequences",
        f"SELECT relname FROM ({_TABLES}) t WHERE relkind IN ('m', 'f', 'S')",
        "CREATE SEQUENCE medstead.bad",
    ),
    Rule(
        "nothing is granted to everybody",
        f"""SELECT relname FROM ({_TABLES}) t, aclexplode(relacl) g WHERE g.grantee = 0
            UNION ALL SELECT t.relname FROM ({_TABLES}) t JOIN pg_attribute a ON a.attrelid = t.oid,
                   aclexplode(a.attacl) g WHERE g.grantee = 0
            UNION ALL SELECT nspname FROM pg_namespace, aclexplode(nspacl) g
             WHERE nspname = 'medstead' AND g.grantee = 0
            UNION ALL SELECT datname FROM pg_database, aclexplode(datacl) g
             WHERE datname = current_database() AND g.grantee = 0""",
        f"{_SOUND}; GRANT SELECT (other) ON medstead.bad TO PUBLIC",
    ),
    Rule(
        "the runtime role owns nothing",
        f"SELECT relname FROM ({_TABLES}) t WHERE relkind <> 'i' AND pg_has_role('medstead_app', relowner, 'MEMBER')",
        f"{_SOUND}; ALTER TABLE medstead.bad OWNER TO medstead_app",
    ),
    Rule(
        "the runtime role may not empty tables, nor refer to them or hang triggers on them",
        f"""SELECT relname FROM ({_TABLES}) t WHERE relkind IN ('r', 'p')
             AND has_table_privilege('medstead_app', oid, 'TRUNCATE, REFERENCES, TRIGGER, MAINTAIN')""",
        f"{_SOUND}; GRANT TRUNCATE ON medstead.bad TO medstead_app",
    ),
    Rule(
        "the runtime role may neither change nor delete what is append-only",
        f"""SELECT t FROM unnest(ARRAY{list(APPEND_ONLY)!r}) t
            WHERE has_table_privilege('medstead_app', 'medstead.' || t, 'UPDATE, DELETE')
               OR has_any_column_privilege('medstead_app', 'medstead.' || t, 'UPDATE')""",
        "GRANT UPDATE (after) ON medstead.audit_event TO medstead_app",
    ),
    Rule(
        "the runtime role only reads reference tables",
        f"""SELECT t FROM unnest(ARRAY{tables_of_kind("reference")!r}) t
             WHERE has_table_privilege('medstead_app', 'medstead.' || t, 'DELETE')
                OR (has_table_privilege('medstead_app', 'medstead.' || t, 'INSERT, UPDATE')
                    AND t <> ALL (ARRAY{[*WRITTEN_BY_IMPORTS, *WRITTEN_BY_REFRESHES, *PUBLISHED_BY_TENANTS]!r}))""",
        "GRANT DELETE ON medstead.tenant TO medstead_app",
    ),
    Rule(
        "the runtime role has no powers of its own",
        """SELECT rolname FROM pg_roles WHERE rolname IN ('medstead_app', 'medstead_benchmark')
             AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication
                  OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = pg_roles.oid))
            UNION ALL SELECT nspname FROM pg_namespace
             WHERE nspname = 'medstead' AND has_schema_privilege('medstead_app', nspname, 'CREATE')""",
        "ALTER ROLE medstead_app BYPASSRLS",
    ),
    Rule(
        "every table has a declared kind, and the tenant's are those that lie behind the wall",
        f"""SELECT coalesce(declared, relname) FROM ({_WALLED}) t
              FULL JOIN unnest(ARRAY{tables_of_kind(TENANT)!r}) declared ON declared = relname
             WHERE declared IS NULL OR relname IS NULL
            UNION ALL SELECT relname FROM ({_TABLES}) t WHERE relkind IN ('r', 'p') AND relname <> 'alembic_version'
               AND relname <> ALL (ARRAY{[table.name for table in metadata.tables.values()]!r})
            UNION ALL SELECT known FROM unnest($1::text[]) known
             WHERE known <> ALL (ARRAY{tables_of_kind(LOCAL)!r})""",
        "CREATE TABLE medstead.bad (id uuid PRIMARY KEY)",
    ),
)
