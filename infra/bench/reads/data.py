"""Invented rows for the read bench and for the plans that are kept, written by the database itself."""

import hashlib
from uuid import UUID

import asyncpg

COURSES = 12
LEARNERS_PER_EMPLOYER = 25
COMPLETIONS_PER_LEARNER = 10
LEARNERS_PER_SESSION = 40
LOCATIONS = 200


def _id(kind: str, number: str = "n", tenant: str = "tenant.id") -> str:
    """SQL of the id of the tenant's n-th row of a kind."""
    return f"md5({tenant} || '{kind}' || ({number}))::uuid"


_TENANTS = """
INSERT INTO medstead.tenant (id, slug, name, kind, status, created_at)
SELECT md5('tenant' || t)::uuid, 'bench-' || t, 'Bench ' || t, 'icb', 'live', now()
  FROM generate_series($1::int, $2::int) t
"""
_SHARED = (
    """
    INSERT INTO medstead.cqc_provider (id, name, updated_at)
    SELECT '1-P' || n, 'Invented Provider ' || n, now() FROM generate_series(0, 19) n ON CONFLICT DO NOTHING
    """,
    f"""
    INSERT INTO medstead.cqc_location (id, original_id, name, provider_id, care_home, local_authority, latest_rating,
                                       service_types, user_bands, regulated_activities, updated_at)
    SELECT '1-L' || n, '1-l' || n, 'Invented House ' || n, '1-P' || n % 20, n % 2 = 0,
           (ARRAY['Bedford', 'Central Bedfordshire', 'Luton', 'Milton Keynes'])[n % 4 + 1], 'Good',
           '[]', '[]', '[]', now() FROM generate_series(0, {LOCATIONS - 1}) n ON CONFLICT DO NOTHING
    """,
)
_OWNED = {
    "tenant_settings (tenant_id, id, version, attendance_threshold_percent, count_unknown_durations, column_mappings,"
    " updated_at)": "SELECT tenant.id, tenant.id, 1, 80, false, '{}', now() FROM tenants tenant",
    "programme (tenant_id, id, name, created_at)": (
        f"SELECT tenant.id, {_id('programme', '1')}, 'Medicines training', now() FROM tenants tenant"
    ),
    "tier (tenant_id, id, programme_id, position, name)": (
        f"SELECT tenant.id, {_id('tier')}, {_id('programme', '1')}, n, 'Tier ' || n"
        " FROM tenants tenant, generate_series(1, 3) n"
    ),
    "training_provider (tenant_id, id, name, key)": (
        f"SELECT tenant.id, {_id('provider', '1')}, 'Invented Training', 'invented training' FROM tenants tenant"
    ),
    "course (tenant_id, id, training_provider_id, title, title_key, version, tier_id, created_at)": (
        f"SELECT tenant.id, {_id('course')}, {_id('provider', '1')}, 'Invented course ' || n, 'invented course ' || n,"
        f" '1', {_id('tier', 'n % 3 + 1')}, now() FROM tenants tenant, generate_series(1, {COURSES}) n"
    ),
    "tenant_location (tenant_id, id, location_id, relationship, since, created_at)": (
        f"SELECT tenant.id, {_id('location')}, '1-L' || n, 'in_area', '2020-01-01', now()"
        f" FROM tenants tenant, generate_series(0, {LOCATIONS - 1}) n"
    ),
    "employer (tenant_id, id, name, kind, tenant_location_id, created_at)": (
        f"SELECT tenant.id, {_id('employer')}, 'Invented Home ' || lpad(n::text, 6, '0'), 'care_provider',"
        f" {_id('location', f'n % {LOCATIONS}')}, now()"
        f" FROM tenants tenant, generate_series(0, (tenant.learners - 1) / {LEARNERS_PER_EMPLOYER}) n"
    ),
    "learner (tenant_id, id, display_name, given_name, family_name, name_key, created_at)": (
        f"SELECT tenant.id, {_id('learner')}, 'Given' || n || ' Family' || n, 'Given' || n, 'Family' || n,"
        " 'given' || n || ' family' || n, '2024-01-01'::timestamptz + n * interval '1 minute'"
        " FROM tenants tenant, generate_series(0, tenant.learners - 1) n"
    ),
    "employment (tenant_id, id, learner_id, employer_id, job_title, started_on, created_at)": (
        f"SELECT tenant.id, {_id('employment')}, {_id('learner')}, {_id('employer', f'n / {LEARNERS_PER_EMPLOYER}')},"
        " 'Care worker', '2020-01-01'::date + n % 2000, now()"
        " FROM tenants tenant, generate_series(0, tenant.learners - 1) n"
    ),
    "medication_champion (tenant_id, id, learner_id, tenant_location_id, location_key, trained_on, deputy,"
    " created_at)": (
        f"SELECT tenant.id, {_id('champion')}, {_id('learner', 'n * 20')}, {_id('location', f'n % {LOCATIONS}')},"
        " 'location ' || n, '2025-01-01'::date + n % 300, false, now()"
        " FROM tenants tenant, generate_series(0, (tenant.learners - 1) / 20) n"
    ),
    "training_session (tenant_id, id, title, tier_id, starts_at, ends_at, online_mode, external_key, created_at)": (
        f"SELECT tenant.id, {_id('session')}, 'Invented webinar ' || n, {_id('tier', '2')},"
        " '2026-01-01'::timestamptz + n % 300 * interval '1 day',"
        " '2026-01-01'::timestamptz + n % 300 * interval '1 day' + interval '90 minutes', 'webinar', 'key ' || n, now()"
        f" FROM tenants tenant, generate_series(0, (tenant.learners - 1) / {LEARNERS_PER_SESSION}) n"
    ),
    "attendance (tenant_id, id, session_id, learner_id, seconds, qualifies, decided_because, updated_at)": (
        f"SELECT tenant.id, {_id('attendance')}, {_id('session', f'n / {LEARNERS_PER_SESSION}')}, {_id('learner')},"
        " n % 5400, n % 5400 > 4000, 'long enough or not', '2026-01-01'::timestamptz + n * interval '1 second'"
        " FROM tenants tenant, generate_series(0, tenant.learners - 1) n"
    ),
    "import_run (tenant_id, id, format_code, filename, content_key, byte_size, options, facts, auto_apply, state,"
    " rows_staged, rows_done, counts, created_at)": (
        f"SELECT tenant.id, {_id('import')}, 'completions', 'invented-' || n || '.csv', 'key ' || n, 1, '{{}}', '{{}}',"
        " true, 'finished', 1, 1, '{}', '2026-01-01'::timestamptz + n * interval '1 hour'"
        " FROM tenants tenant, generate_series(0, 49) n"
    ),
    "import_row (tenant_id, id, import_id, row_number, section, cells, kind, state, reason_code, reason, candidates,"
    " created_at)": (
        f"SELECT tenant.id, {_id('row')}, {_id('import', 'n % 50')}, n / 50, 'rows', '{{}}',"
        " (ARRAY['review', 'rejected', 'remark'])[n % 3 + 1], (ARRAY['open', 'resolved'])[n % 2 + 1], 'NO_MATCH',"
        " 'nobody of that name', '[]', '2026-01-01'::timestamptz + n * interval '1 minute'"
        " FROM tenants tenant, generate_series(0, tenant.learners - 1) n"
    ),
    "feedback_form (tenant_id, id, title, source_key, tier_id, created_at)": (
        f"SELECT tenant.id, {_id('form')}, 'Feedback ' || n, 'form ' || n, {_id('tier')}, now()"
        " FROM tenants tenant, generate_series(1, 3) n"
    ),
    "feedback_question (tenant_id, id, form_id, position, text, key, scale, options)": (
        f"SELECT tenant.id, {_id('question', 'n * 10 + q')}, {_id('form')}, q, 'Question ' || q, 'question ' || q,"
        " (ARRAY['usefulness', 'agreement', null])[q], '[\"a\", \"b\"]'"
        " FROM tenants tenant, generate_series(1, 3) n, generate_series(1, 3) q"
    ),
    "feedback_response (tenant_id, id, form_id, respondent_key, submitted_at)": (
        f"SELECT tenant.id, {_id('response')}, {_id('form', 'n % 3 + 1')}, 'respondent ' || n,"
        " '2026-01-01'::timestamptz + n % 300 * interval '1 day'"
        " FROM tenants tenant, generate_series(0, (tenant.learners - 1) / 4) n"
    ),
    "feedback_answer (tenant_id, id, response_id, question_id, option_number)": (
        f"SELECT tenant.id, {_id('answer', 'n * 10 + q')}, {_id('response')},"
        f" {_id('question', '(n % 3 + 1) * 10 + q')}, n % 2 + 1"
        " FROM tenants tenant, generate_series(0, (tenant.learners - 1) / 4) n, generate_series(1, 3) q"
    ),
    "tenant_metric (tenant_id, id, metric_code, metric_version, period_start, period_end, numerator, computed_at)": (
        f"SELECT tenant.id, {_id('metric', 'm * 100 + n')}, 'IMP-' || lpad(m::text, 2, '0'), 1,"
        " ('2025-01-01'::date + n * interval '1 month')::date,"
        " ('2025-01-01'::date + (n + 1) * interval '1 month')::date, n, now()"
        " FROM tenants tenant, generate_series(1, 9) m, generate_series(0, 23) n"
    ),
    "completion (tenant_id, id, learner_id, course_id, completed_at, source, minutes, short_duration, created_at)": (
        f"SELECT tenant.id, {_id('completion')}, {_id('learner', 'n % tenant.learners')},"
        f" {_id('course', f'n / tenant.learners % {COURSES} + 1')},"
        " '2020-01-01'::timestamptz + (n::bigint * 104729 % 200000000) * interval '1 second', 'bench', n % 90,"
        " n % 90 < 10, '2026-01-01'::timestamptz + n * interval '1 second'"
        f" FROM tenants tenant, generate_series(0, tenant.learners * {COMPLETIONS_PER_LEARNER} - 1) n"
    ),
}


async def fill(superuser_url: str, first_tenant: int, last_tenant: int, completions: int) -> None:
    """Give each of the tenants so many completions, and everything else in proportion.

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
        for statement in _SHARED:
            await connection.execute(statement)
        for target, query in _OWNED.items():
            await connection.execute(f"INSERT INTO medstead.{target} {query}")
        await connection.execute("DROP TABLE tenants")
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def tenant_id(number: int) -> UUID:
    """The id of a tenant by its number."""
    return UUID(hashlib.md5(f"tenant{number}".encode(), usedforsecurity=False).hexdigest())


def row_id(tenant: UUID, kind: str, number: int) -> UUID:
    """The id of a tenant's row by its kind and number."""
    return UUID(hashlib.md5(f"{tenant}{kind}{number}".encode(), usedforsecurity=False).hexdigest())
