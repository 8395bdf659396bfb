"""The console's pages of certificates and champions: files, the PDF, refusals beside fields, who sees names."""

import pytest
from sqlalchemy import select

from app.identity.permissions import Role
from app.training.certificates.models import Certificate
from app.training.requirements import nominations
from tenants.outbox import Topic
from tests.console.visitor import main_text, visitor_as
from tests.support import Installation
from tests.training.certificates.test_certificates import work_off
from tests.training.certificates.test_champions import set_up

TEMPLATE = {
    "version": "0",
    "issuer_name": "Invented ICB",
    "signatory_name": "Sam Signatory",
    "signatory_role": "Lead",
    "disclaimer": "Guidance only.",
    "expiry_rule": "months",
    "validity_months": "12",
    "colour": "#005eb8",
}


@pytest.mark.one_login
@pytest.mark.row("A45")
@pytest.mark.row("A68")
async def test_the_team_works_with_certificates_and_champions(installation: Installation) -> None:
    world = await set_up(installation)
    lead = await visitor_as(installation, Role.PROGRAMME_LEAD)
    await lead.get("/console/certificates/template")
    bare = main_text(await lead.post("/console/certificates/template", TEMPLATE | {"disclaimer": "", "colour": "red"}))
    assert "Write the disclaimer" in bare
    assert "Write the colour as #" in bare
    assert (await lead.post("/console/certificates/template", TEMPLATE)).status_code == 303
    assert "Guidance only." in main_text(await lead.get("/console/mapping/guidance"))
    both = {"session_id": str(world.sessions["Day"]), "course_id": str(world.sessions["Day"])}
    assert "Name either a session" in main_text(await lead.post("/console/certificates/issue", both))
    asked = await lead.post("/console/certificates/issue", {"session_id": str(world.sessions["Day"])})
    assert asked.headers["location"] == "/console/certificates?done=certificates-asked"
    await work_off(installation, Topic.CERTIFICATES_ISSUE)
    assert "Day,2026-11-24 10:00,Finished,1,1,0" in (await lead.get("/console/certificates/runs.csv")).text
    assert "NORTH-000001,Ann,Day,2026-10-25,2027-10-25,Valid" in (await lead.get("/console/certificates/all.csv")).text
    assert "There are no such" in main_text(await lead.get("/console/certificates?q=nobody%25"))
    async with installation.database.session(installation.context(installation.north)) as reading:
        row = (await reading.scalars(select(Certificate.id))).one()
    one = f"/console/certificates/{row}"
    drawn = await lead.get(f"{one}/certificate.pdf")
    assert (drawn.headers["content-type"], drawn.content[:5]) == ("application/pdf", b"%PDF-")
    assert drawn.content == (await lead.get(f"{one}/certificate.pdf")).content
    analyst = await visitor_as(installation, Role.ANALYST)
    assert "Ann" not in (await analyst.get("/console/certificates/all.csv")).text
    assert (await analyst.get(one)).status_code == 403
    await lead.get(one)
    assert "Say why" in main_text(await lead.post(f"{one}/reissue", {"why_anew": ""}))
    assert (await lead.post(f"{one}/reissue", {"why_anew": "New name"})).status_code == 303
    many = "/console/certificates/revoke"
    rule = {"achieved_from": "2026-10-01"}
    assert "1 certificate will fail verification" in main_text(await lead.post(many, rule))
    assert "Say why" in main_text(await lead.post(many, rule | {"expected": "1"}))
    changed = main_text(await lead.post(many, rule | {"expected": "2", "reason": "x"}))
    assert "names 1 certificates now, not 2" in changed
    assert (await lead.post(many, rule | {"expected": "1", "reason": "x"})).status_code == 303
    states = (await lead.get("/console/certificates/all.csv")).text
    assert [states.count(word) for word in ("Revoked", "Replaced", "Valid\r")] == [1, 1, 0]

    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        made = await nominations.nominate(
            work, learner_id=world.learners["Ann"], tenant_location_id=world.locations["Home"],
            nominator_name="x", nominator_role="y", statement="z",
        )  # fmt: skip
        await nominations.approve(work, made, 1)
    await lead.get("/console/champions")
    assert "Choose a person" in main_text(await lead.post("/console/champions/appoint", {"nomination": ""}))
    assert (await lead.post("/console/champions/appoint", {"nomination": str(made)})).status_code == 303
    assert (await lead.get("/console/champions/without.csv")).text.splitlines()[1:] == ["Other,,"]
    register = (await lead.get("/console/champions/register.csv")).text
    assert "Ann,Home,Champion,,2026-10-25,2026-11-24,Active" in register
    assert "Ann" not in (await analyst.get("/console/champions/register.csv")).text
    retention = (await lead.get("/console/champions/retention.csv")).text
    assert "Others,2,Too few to tell,Too few to tell" in retention
    twice = {"name_1": "One", "category_1": "new_to_care", "name_3": "Two", "category_3": ""}
    assert "Choose among" in main_text(await lead.post("/console/champions/pathway/set", twice))
    done = await lead.post("/console/champions/pathway/set", twice | {"category_3": "deputy_manager"})
    assert done.status_code == 303
    assert "2,Two,Deputy manager,0" in (await lead.get("/console/champions/pathway.csv")).text
