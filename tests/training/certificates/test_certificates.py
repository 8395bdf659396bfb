"""Certificates through GraphQL, worker and public pages: issued once, verified, reissued, revoked, as badges."""

import base64
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, update

from app.directory.models import Learner
from app.training.certificates import badges, issuing
from app.training.certificates.models import Certificate
from app.training.mapping.models import CourseAccreditation
from app.training.models import Tier
from tenants import delivery
from tenants.identifiers import new_id
from tenants.outbox import OutboxMessage, Pool, Topic
from tests.support import Installation
from tests.training.requirements.world import (
    TODAY,
    World,
    attend,
    change,
    complete,
    course,
    learner,
    open_world,
    session,
)
from workers import certificates as jobs
from workers.handlers import deliver

NAMES = ("Ann Able", "Bea Baker", "Cat Carer", "Dot Doer")
TEMPLATE = {
    "version": 0,
    "issuerName": "Invented ICB",
    "signatoryName": "Sam Signatory",
    "signatoryRole": "Programme lead",
    "disclaimer": "Guidance only.",
    "expiryRule": "TIER",
}
SAVED = "... on CertificateTemplateSaved { template { version issuerName } }"
RUN = "... on CertificatesRequested { run { id state wanted done failed } }"
CHANGED = """... on CertificateChanged { certificate { id state number learnerName verificationCode
  follows { id state } } }"""
LIST = """{ certificates(first: 50, orderBy: [ACHIEVED_ON_ASC]) { totalCount nodes { id state number verificationCode
  learnerName title tierName minutes achievedOn validUntil issuerName accreditation template { version } } } }"""


async def work_off(installation: Installation, topic: Topic) -> int:
    """Have a worker deliver every open message of the topic; how many there were."""
    jobs.register_handlers()
    services, tenant_id = installation.services, installation.north
    async with services.database.unit_of_work(installation.context(tenant_id)) as work:
        claims = await delivery.visit(work, dict.fromkeys(Pool, 500), timedelta(seconds=60))
        topics = {
            row.id: row.topic for row in await work.session.execute(select(OutboxMessage.id, OutboxMessage.topic))
        }
    wanted = [claim for claim in claims if topics[claim.outbox_id] == topic]
    for claim in wanted:
        await deliver(services, tenant_id, claim)
    return len(wanted)


async def set_up(installation: Installation) -> World:
    """Four people: three qualify at a webinar of tier 2 that is over, one completed an accredited course twice."""
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        world = await open_world(work)
        for name in NAMES:
            learner(work, world, name)
        course(work, world, "Safe handling", 1, duration_minutes=200)
        session(work, world, "Webinar", 2, TODAY - timedelta(days=20))
        session(work, world, "To come", 2, TODAY + timedelta(days=20))
        await work.session.flush()
        for name in NAMES:
            attend(work, world, name, "Webinar", qualifies=name != "Dot Doer")
        for on in (date(2025, 11, 1), date(2026, 11, 1)):
            complete(work, world, "Ann Able", "Safe handling", on)
        work.add(
            CourseAccreditation(
                tenant_id=work.tenant_id, id=new_id(), course_id=world.courses["Safe handling"],
                awarding_body="Invented Awards", reference="IA-1", level="2",
                valid_from=date(2026, 1, 1), valid_to=None,
            )
        )  # fmt: skip
        await work.session.execute(update(Tier).where(Tier.position == 1).values(validity_months=12))
    return world


async def listed(installation: Installation) -> list[dict[str, Any]]:
    """All certificates, the longest ago achieved first."""
    found: list[dict[str, Any]] = (await installation.data(installation.north, LIST))["certificates"]["nodes"]
    return found


async def verified(installation: Installation, code: str) -> tuple[int, str]:
    """Status and text of the public page."""
    answer = await installation.http.get(f"/verify/north/{code}")
    assert "set-cookie" not in answer.headers
    return answer.status_code, answer.text


async def issue(installation: Installation, **what: Any) -> dict[str, Any]:
    """Ask for certificates."""
    return await change(installation, "issueCertificates(IssueCertificatesInput)", what, RUN)


@pytest.mark.row("A33")
@pytest.mark.row("A64")
@pytest.mark.row("A68")
async def test_certificates_are_issued_verified_reissued_and_revoked(installation: Installation) -> None:
    world = await set_up(installation)
    webinar, taken = f"Session:{world.sessions['Webinar']}", f"Course:{world.courses['Safe handling']}"
    save = "saveCertificateTemplate(CertificateTemplateInput)"
    assert (await issue(installation, sessionId=webinar))["code"] == "NO_TEMPLATE"
    bare = TEMPLATE | {"issuerName": "", "disclaimer": " ", "expiryRule": "MONTHS"}
    refused = await change(installation, save, bare, SAVED)
    assert (refused["code"], refused["path"]) == ("TEMPLATE_INCOMPLETE", ["issuerName"])
    assert (await change(installation, save, TEMPLATE, SAVED))["template"]["version"] == 1
    assert (await change(installation, save, TEMPLATE, SAVED))["code"] == "CHANGED_MEANWHILE"
    for what, code in (
        ({}, "NOTHING_NAMED"),
        ({"sessionId": f"Session:{world.sessions['To come']}"}, "SESSION_NOT_OVER"),
        ({"courseId": taken, "completedUntil": "2020-01-01"}, "NOBODY_TO_CERTIFY"),
    ):
        assert (await issue(installation, **what))["code"] == code

    run = (await issue(installation, sessionId=webinar))["run"]
    assert (run["state"], run["wanted"], run["done"]) == ("WAITING", 3, 0)
    assert (await issue(installation, sessionId=webinar))["code"] == "RUNNING_ALREADY"
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        assert await issuing.issue_chunk(work, UUID(run["id"].partition(":")[2]), installation.services.vault, 1)
    assert (await installation.data(installation.north, "{ certificateRuns { nodes { state done wanted } } }"))[
        "certificateRuns"
    ]["nodes"] == [{"state": "RUNNING", "done": 1, "wanted": 3}], "the rest is begun again where it stood"
    assert (await issue(installation, courseId=taken))["run"]["wanted"] == 2
    assert await work_off(installation, Topic.CERTIFICATES_ISSUE) == 2
    asked = "{ certificateRuns { nodes { state done wanted failed } } }"
    runs = (await installation.data(installation.north, asked))["certificateRuns"]["nodes"]
    assert sorted((one["state"], one["done"], one["wanted"]) for one in runs) == [
        ("FINISHED", 2, 2),
        ("FINISHED", 3, 3),
    ]
    assert (await issue(installation, sessionId=webinar))["code"] == "NOBODY_TO_CERTIFY"

    found = await listed(installation)
    assert [one["learnerName"] for one in found] == ["Ann Able", "Ann Able", "Ann Able", "Bea Baker", "Cat Carer"]
    first, second, ann, bea, cat = found
    assert [one["accreditation"] for one in (first, second)] == [
        [],
        [{"awarding_body": "Invented Awards", "reference": "IA-1", "level": "2"}],
    ], "as of the day of completion"
    assert [one["validUntil"] for one in found] == ["2026-11-01", "2027-11-01", None, None, None]
    assert (ann["title"], ann["tierName"], ann["minutes"]) == ("Webinar", "Step up", 90)
    assert sorted(one["number"] for one in found) == [f"NORTH-{serial:06d}" for serial in range(1, 6)]

    status, page = await verified(installation, ann["verificationCode"].lower().replace("-", ""))
    assert (status, "This certificate is valid" in page) == (200, True)
    assert all(text in page for text in ("Ann Able", "Webinar", "4 November 2026", "Invented ICB"))
    hidden = (ann["number"], "Sam Signatory", world.learners["Ann Able"], "Bea", "90")
    assert not any(str(text) in page for text in hidden), "no more than name, course, dates, issuer"
    assert "This certificate has expired" in (await verified(installation, first["verificationCode"]))[1]

    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        renamed = update(Learner).where(Learner.id == world.learners["Ann Able"])
        await work.session.execute(renamed.values(display_name="Ann Married"))
    again = await change(
        installation, "reissueCertificate(CertificateReasonInput)", {"id": ann["id"], "reason": "Name"}, CHANGED
    )
    made = again["certificate"]
    assert (made["learnerName"], made["follows"]) == ("Ann Married", {"id": ann["id"], "state": "SUPERSEDED"})
    assert made["number"] == "NORTH-000006"
    assert "This certificate was replaced" in (await verified(installation, ann["verificationCode"]))[1]
    assert "Ann Able" in (await verified(installation, ann["verificationCode"]))[1], "the old one says what it said"
    for field in ("reissueCertificate", "revokeCertificate"):
        given = {"id": ann["id"], "reason": "x"}
        code = (await change(installation, f"{field}(CertificateReasonInput)", given, CHANGED))["code"]
        assert code == {"reissueCertificate": "REISSUED_ALREADY", "revokeCertificate": "SUPERSEDED"}[field]
    revoke = "revokeCertificate(CertificateReasonInput)"
    assert (await change(installation, revoke, {"id": bea["id"], "reason": " "}, CHANGED))["code"] == "REASON_MISSING"
    gone = await change(installation, revoke, {"id": bea["id"], "reason": "Left early"}, CHANGED)
    assert gone["certificate"]["state"] == "REVOKED"
    status, page = await verified(installation, bea["verificationCode"])
    assert "This certificate was revoked" in page
    assert "Left early" not in page

    many = "revokeCertificates(RevokeCertificatesInput)"
    answer = "... on CertificatesRevoked { count }"
    rule = {"reason": "Wrong recording", "sessionId": webinar}
    count = "query($f: CertificateFilter) { certificates(where: $f) { totalCount } }"
    by = {"f": {"sessionId": {"equals": webinar}, "state": {"equals": "issued"}}}
    expected = (await installation.data(installation.north, count, by))["certificates"]["totalCount"]
    assert expected == 2
    assert (await change(installation, many, rule | {"expected": 3}, answer))["code"] == "COUNT_CHANGED"
    assert (await change(installation, many, {"reason": "x", "expected": 0}, answer))["code"] == "RULE_EMPTY"
    assert (await change(installation, many, rule | {"expected": expected}, answer))["count"] == 2
    assert "This certificate was revoked" in (await verified(installation, cat["verificationCode"]))[1]
    assert (await issue(installation, sessionId=webinar))["code"] == "NOBODY_TO_CERTIFY", "revoked stays revoked"
    async with installation.database.session(installation.context(installation.south)) as reading:
        assert (await reading.scalars(select(Certificate.id))).all() == []


async def _guess(installation: Installation, codes: Sequence[str]) -> list[httpx2.Response]:
    return [await installation.http.get(f"/verify/north/{code}") for code in codes]


@pytest.mark.row("A33")
async def test_wrong_codes_get_one_answer_and_guessing_ends_and_badges_verify_outside(
    installation: Installation,
) -> None:
    world = await set_up(installation)
    await change(installation, "saveCertificateTemplate(CertificateTemplateInput)", TEMPLATE, SAVED)
    await issue(installation, sessionId=f"Session:{world.sessions['Webinar']}")
    await work_off(installation, Topic.CERTIFICATES_ISSUE)
    ann, bea, _ = await listed(installation)
    typed = {"code": ann["number"].lower(), "name": "able"}
    found = await installation.http.post("/verify/north", data=typed)
    assert found.headers["location"] == f"/verify/north/{ann['verificationCode']}"
    badge_of = f"/verify/north/{ann['verificationCode']}/badge.jwt"
    signed = (await installation.http.get(badge_of)).text

    profile = (await installation.http.get("/issuers/north")).json()
    header, claims = read_badge(signed, await _keys(installation, profile))
    assert (header["alg"], header["kid"].partition("#")[0]) == ("EdDSA", profile["jwks_uri"])
    rotate = "mutation { rotateIssuerKey { ... on IssuerKeyRotated { keyId } } }"
    new_key = (await installation.data(installation.north, rotate))["rotateIssuerKey"]["keyId"]
    published = await _keys(installation, profile)
    assert new_key in {key["kid"] for key in published["keys"]}
    assert not any("d" in key for key in published["keys"])
    assert read_badge(signed, published) == (header, claims), "the old key stays published"
    assert claims["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert claims["iss"] == claims["issuer"]["id"] == profile["id"] == "http://testserver/issuers/north"
    (identity,) = claims["credentialSubject"]["identifier"]
    assert identity["identityHash"] == badges.identity_hash("Ann Able", identity["salt"])
    assert "Ann" not in str(claims)
    assert ann["verificationCode"] not in str(claims)
    body, _, seal = signed.rpartition(".")
    with pytest.raises(InvalidSignature):
        read_badge(f"{body}.{'A' * len(seal)}", published)
    revocations = claims["credentialStatus"]["id"].removeprefix("http://testserver")
    assert (await installation.http.get(revocations)).json()["revokedCredential"] == []
    gone = {"id": ann["id"], "reason": "x"}
    await change(installation, "revokeCertificate(CertificateReasonInput)", gone, CHANGED)
    (listed_,) = (await installation.http.get(revocations)).json()["revokedCredential"]
    assert listed_["id"] == claims["id"]
    assert (await installation.http.get(badge_of)).status_code == 404

    south = await installation.http.get(f"/verify/south/{bea['verificationCode']}")
    assert south.status_code == 404, "a code is of one tenant"
    wrong = await _guess(installation, ["nothing", "7Q2MX-0A8RT-9ZKPD-44H1W", "%00", "x" * 500])
    assert {answer.status_code for answer in wrong} == {404}
    assert len({answer.text for answer in wrong}) == 1, "unknown and malformed ones look the same"
    nameless = [{"code": ann["number"], "name": name} for name in ("", "Baker", "Ann")]
    for fields in (*nameless, {"code": "NORTH-999999", "name": "Able"}):
        assert (await installation.http.post("/verify/north", data=fields)).status_code == 404
    await _guess(installation, ["nothing"] * 11)
    late = await installation.http.get(f"/verify/north/{bea['verificationCode']}")
    assert (late.status_code, int(late.headers["retry-after"]) > 0) == (429, True)
    assert (await installation.http.get("/verify/nowhere")).status_code == 404
    assert (await installation.http.get("/verify/north")).status_code == 200


def read_badge(signed: str, published: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, as an outside verifier reads them: with nothing of ours but the published keys."""
    header, claims, seal = (base64.urlsafe_b64decode(part + "==") for part in signed.split("."))
    kid = orjson.loads(header)["kid"].partition("#")[2]
    (key,) = [one for one in published["keys"] if one["kid"] == kid]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "=="))
    public.verify(seal, signed.rpartition(".")[0].encode())
    return orjson.loads(header), orjson.loads(claims)


async def _keys(installation: Installation, profile: dict[str, Any]) -> Any:
    return (await installation.http.get(profile["jwks_uri"].removeprefix("http://testserver"))).json()
