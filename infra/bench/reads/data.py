"""Invented rows for the read bench, written by the database itself: employers, learners, employments, completions."""

import asyncpg

from tenants.provision import DatabaseUrls

COURSES = 12
LEARNERS_PER_EMPLOYER = 25
COMPLETIONS_PER_LEARNER = 10

_TENANTS = """
INSERT INTO medstead.tenant (id, slug, name, kind, status, created_at)
SELECT md5('tenant' || t)::uuid, 'bench-' || t, 'Bench ' || t, 'icb', 'live', now()
  FROM generate_series($1::int, $2::int) t
"""
_ROWS = (
    """
    INSERT INTO medstead.training_provider (tenant_id, id, name, key)
    SELECT tenant.id, md5('provider' || tenant.id)::uuid, 'Invented Training', 'invented training' FROM tenants tenant
    """,
    f"""
    INSERT INTO medstead.course (tenant_id, id, training_provider_id, title, title_key, version, created_at)
    SELECT tenant.id, md5(tenant.id || 'course' || n)::uuid, md5('provider' || tenant.id)::uuid,
           'Invented course ' || n, 'invented course ' || n, '1', now()
      FROM tenants tenant, generate_series(1, {COURSES}) n
    """,
    f"""
    INSERT INTO medstead.employer (tenant_id, id, name, kind, created_at)
    SELECT tenant.id, md5(tenant.id || 'employer' || n)::uuid, 'Invented Home ' || lpad(n::text, 6, '0'),
           'care_provider', now()
      FROM tenants tenant, generate_series(0, (tenant.learners - 1) / {LEARNERS_PER_EMPLOYER}) n
    """,
    """
    INSERT INTO medstead.learner (tenant_id, id, display_name, given_name, family_name, name_key, created_at)
    SELECT tenant.id, md5(tenant.id || 'learner' || n)::uuid, 'Given' || n || ' Family' || n,
           'Given' || n, 'Family' || n,
           'given' || n || ' family' || n, '2024-01-01'::timestamptz + n * interval '1 minute'
      FROM tenants tenant, generate_series(0, tenant.learners - 1) n
    """,
    f"""
    INSERT INTO medstead.employment (tenant_id, id, learner_id, employer_id, job_title, started_on, created_at)
    SELECT tenant.id, md5(tenant.id || 'employment' || n)::uuid, md5(tenant.id || 'learner' || n)::uuid,
           md5(tenant.id || 'employer' || n / {LEARNERS_PER_EMPLOYER})::uuid, 'Care worker',
           '2020-01-01'::date + n % 2000, now()
      FROM tenants tenant, generate_series(0, tenant.learners - 1) n
    """,
    f"""
    INSERT INTO medstead.completion (tenant_id, id, learner_id, course_id, completed_at, source, minutes,
                                     short_duration, created_at)
    SELECT tenant.id, md5(tenant.id || 'completion' || n)::uuid,
           md5(tenant.id || 'learner' || n % tenant.learners)::uuid,
           md5(tenant.id || 'course' || (n / tenant.learners % {COURSES} + 1))::uuid,
           '2020-01-01'::timestamptz + (n::bigint * 104729 % 200000000) * interval '1 second' , 'bench',
           n % 90, n % 90 < 10, now()
      FROM tenants tenant,
           generate_series(0, greatest(tenant.learners, 1) * {COMPLETIONS_PER_LEARNER} - 1) n
    """,
)


async def fill(superuser_url: str, first_tenant: int, last_tenant: int, completions: int) -> None:
    """Give each of the tenants so many completions, and learners and employers in proportion.

    Foreign keys and triggers are left out: the rows are right by construction, and millions of checks take minutes.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(_TENANTS, first_tenant, last_tenant)
        await connection.execute(
            f"""
            CREATE TEMPORARY TABLE tenants AS
            SELECT md5('tenant' || t)::uuid AS id, {completions // COMPLETIONS_PER_LEARNER} AS learners
              FROM generate_series({first_tenant}, {last_tenant}) t
            """
        )
        for statement in _ROWS:
            await connection.execute(statement)
        await connection.execute("DROP TABLE tenants")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def tenant_id(superuser_url: str, number: int) -> str:
    """The id of a tenant by its number."""
    connection = await asyncpg.connect(superuser_url)
    try:
        return str(await connection.fetchval("SELECT md5('tenant' || $1::int)::uuid", number))
    finally:
        await connection.close()


def superuser_url(urls: DatabaseUrls, server_url: str) -> str:
    """The superuser's address of the database that the roles' addresses name."""
    return server_url.rpartition("/")[0] + "/" + urls.app.rpartition("/")[2]
