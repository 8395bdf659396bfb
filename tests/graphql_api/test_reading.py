"""Reading through GraphQL over HTTP."""

from tests.support import Installation


async def test_a_tenant_sees_itself(installation: Installation) -> None:
    data = await installation.data(
        installation.north, "{ tenant { slug kind settings { attendanceThresholdPercent } } }"
    )
    assert data == {"tenant": {"slug": "north", "kind": "ICB", "settings": {"attendanceThresholdPercent": 80}}}


async def test_a_programme_without_training_has_figures_of_zero(installation: Installation) -> None:
    data = await installation.data(
        installation.south,
        """{ impactSummary(period: {from: "2026-01-01", to: "2026-12-31"}) {
             tier1Completions { value numerator definition { code version } completions(first: 1) { totalCount } }
             usefulness { value denominator distribution { label count } responses { responses responseRate } } } }""",
    )
    assert data["impactSummary"]["tier1Completions"] == {
        "value": 0.0,
        "numerator": 0,
        "definition": {"code": "IMP-01", "version": 1},
        "completions": {"totalCount": 0},
    }
    assert data["impactSummary"]["usefulness"]["value"] is None
