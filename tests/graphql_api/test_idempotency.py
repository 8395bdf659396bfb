"""Mutations under an Idempotency-Key: one effect and one answer, whoever sends it how often, and whoever is killed."""

import asyncio
import hashlib
import multiprocessing
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from graphql import GraphQLInputObjectType, get_named_type
from sqlalchemy import func, select

from app.identity.api_clients import create_client
from app.identity.idempotency import KEPT
from app.identity.models import IdempotencyRecord
from app.identity.permissions import SCOPES, Permission
from infra.embedded.process import free_port
from medstead_graphql.schema import schema
from tenants.audit import Action, AuditEvent
from tenants.identifiers import new_id
from tests.graphql_api.killed_process import Kill, serve
from tests.graphql_api.test_hostile import GRAPHQL_JSON, asked, code_of, impatient, send
from tests.support import Installation, settings_for
from workers.sweeper import tidy

__all__ = ["impatient"]

CHANGE = """mutation Change($input: TenantSettingsInput!) { updateTenantSettings(input: $input) {
  __typename ... on SettingsChanged { tenant { settings { version attendanceThresholdPercent } } }
  ... on UserError { code message path } } }"""
TWO = """mutation {
  a: updateTenantSettings(input: {version: 1, attendanceThresholdPercent: 70}) { __typename }
  b: updateTenantSettings(input: {version: 2, attendanceThresholdPercent: 71}) { __typename } }"""


def change(percent: int = 75, version: int = 1, key: str = "key-1", **others: Any) -> dict[str, Any]:
    """Arguments of `send` for a change of settings."""
    body = asked(CHANGE, {"input": {"version": version, "attendanceThresholdPercent": percent}})
    return {"body": body, "idempotency_key": key, **others}


async def changes(installation: Installation, tenant_id: UUID | None = None) -> int:
    """How often the settings were changed, as the audit trail tells."""
    counted = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == Action.SETTINGS_CHANGED)
    async with installation.database.session(installation.context(tenant_id or installation.north)) as session:
        return (await session.scalars(counted)).one()


async def records(installation: Installation) -> int:
    """How many answers of north's clients are remembered."""
    async with installation.database.session(installation.context(installation.north)) as session:
        return (await session.scalars(select(func.count()).select_from(IdempotencyRecord))).one()


def was_replayed(response: httpx2.Response) -> bool:
    """Whether the answer says that it was given before."""
    return response.headers.get("idempotency-replayed") == "true"


def answer_of(response: httpx2.Response) -> dict[str, Any]:
    """Data and errors, without the account."""
    return {name: value for name, value in response.json().items() if name != "extensions"}


async def test_a_retry_has_no_effect_and_hears_the_same(installation: Installation) -> None:
    first, second = await send(installation, **change()), await send(installation, **change())
    assert answer_of(first)["data"]["updateTenantSettings"]["__typename"] == "SettingsChanged"
    assert first.content.partition(b',"extensions"')[0] == second.content.partition(b',"extensions"')[0]
    assert (was_replayed(first), was_replayed(second)) == (False, True)
    assert await changes(installation) == 1
    without = await send(installation, change()["body"])
    assert answer_of(without)["data"]["updateTenantSettings"]["code"] == "CHANGED_MEANWHILE"
    assert not was_replayed(without)


async def test_a_refusal_is_remembered_too(installation: Installation) -> None:
    refused = await send(installation, **change(version=2))
    assert answer_of(refused)["data"]["updateTenantSettings"]["code"] == "CHANGED_MEANWHILE"
    assert (await send(installation, **change(key="key-2"))).json()["data"]
    again = await send(installation, **change(version=2))
    assert answer_of(again) == answer_of(refused), "though it could be done now"
    assert was_replayed(again)
    anew = await send(installation, **change(percent=60, version=2, key="key-3"))
    assert answer_of(anew)["data"]["updateTenantSettings"]["__typename"] == "SettingsChanged"


async def test_a_key_is_for_one_request(installation: Installation) -> None:
    await send(installation, **change())
    others: list[dict[str, Any]] = [
        change(percent=76),
        {"body": asked(CHANGE + " ", {"input": {"version": 1, "attendanceThresholdPercent": 75}})},
        {"body": asked(TWO)},
        {"body": asked('mutation { __typename other: cancelImport(id: "Import:x") { __typename } }')},
    ]
    for other in others:
        for accept in ("application/json", GRAPHQL_JSON):
            response = await send(installation, **(other | {"idempotency_key": "key-1", "accept": accept}))
            found = response.json()["errors"][0]["extensions"]["code"]
            assert found == "IDEMPOTENCY_KEY_REUSED"
            if "__typename" not in str(other["body"])[:40]:
                assert response.status_code == 422
                assert "data" not in response.json()
    assert await changes(installation) == 1
    assert was_replayed(await send(installation, **change()))


@pytest.mark.one_login
@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel".encode("latin-1"), b"a\tb"])
async def test_what_is_no_key_is_refused(installation: Installation, key: Any) -> None:
    token = await installation.token(installation.north)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": key}
    response = await installation.http.post("/graphql", content=change()["body"], headers=headers)
    assert (response.status_code, code_of(response)) == (400, "INVALID_IDEMPOTENCY_KEY")
    assert await changes(installation) == 0
    read = await installation.http.post("/graphql", content=asked("{ tenant { slug } }"), headers=headers)
    assert read.json()["data"] == {"tenant": {"slug": "north"}}, "reads need no key"


async def test_equal_keys_of_others_are_other_keys(installation: Installation) -> None:
    await send(installation, **change())
    async with installation.database.unit_of_work(installation.context(installation.north)) as work:
        second = await create_client(work, installation.services.vault, "Second partner", SCOPES)
    grants = installation.services.clients.grant
    colleague = (await grants(second.client_id, second.secret, None))["access_token"]
    for token, kind in (
        (colleague, "SettingsRefused"),
        (await installation.token(installation.south), "SettingsChanged"),
    ):
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": "key-1"}
        response = await installation.http.post("/graphql", content=change()["body"], headers=headers)
        assert answer_of(response)["data"]["updateTenantSettings"]["__typename"] == kind
        assert not was_replayed(response)
    assert (await changes(installation), await changes(installation, installation.south)) == (1, 1)


async def with_scopes(installation: Installation, scope: str | None) -> httpx2.Response:
    """The change sent by north's client with a token for less than it was granted."""
    client = installation.clients[installation.north, SCOPES]
    token = (await installation.services.clients.grant(client.client_id, client.secret, scope))["access_token"]
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": "key-1"}
    return await installation.http.post("/graphql", content=change()["body"], headers=headers)


async def test_scopes_are_looked_at_before_an_answer_is_given_again(installation: Installation) -> None:
    await send(installation, **change())
    for scope in ("tenant:read", "settings:write"):
        response = await with_scopes(installation, scope)
        assert code_of(response) == "FORBIDDEN"
        assert "SettingsChanged" not in response.text
    assert was_replayed(await with_scopes(installation, None))
    assert await changes(installation) == 1


async def test_twenty_at_once_have_one_effect_and_equal_answers(installation: Installation) -> None:
    await installation.token(installation.north)
    responses = await asyncio.gather(*(send(installation, **change()) for _ in range(20)))
    assert len({response.content.partition(b',"extensions"')[0] for response in responses}) == 1
    assert answer_of(responses[0])["data"]["updateTenantSettings"]["__typename"] == "SettingsChanged"
    assert sorted(map(was_replayed, responses)) == [False] + [True] * 19
    assert await changes(installation) == 1
    assert await records(installation) == 1


async def test_answers_are_forgotten_after_a_day(installation: Installation) -> None:
    await send(installation, **change())
    installation.clock.move(KEPT - timedelta(seconds=1))
    assert was_replayed(await send(installation, **change()))
    await tidy(installation.database)
    assert await records(installation) == 1
    installation.clock.move(timedelta(seconds=1))
    response = await send(installation, **change(percent=80, version=2))
    assert answer_of(response)["data"]["updateTenantSettings"]["__typename"] == "SettingsChanged", (
        "the key is free again"
    )
    installation.clock.move(KEPT)
    await tidy(installation.database)
    assert await records(installation) == 0


async def test_who_waits_too_long_for_the_first_is_told_so(impatient: Installation) -> None:
    await impatient.token(impatient.north)
    client = impatient.clients[impatient.north, SCOPES].id
    owner = await asyncpg.connect(impatient.urls.owner)
    try:
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute(
            """INSERT INTO medstead.idempotency_record (tenant_id, id, api_client_id, key_hash, response_key,
                                                        request_hash, scopes, created_at, expires_at)
               VALUES ($1, $2, $3, $4, 'updateTenantSettings', '', '[]', $5, $5)""",
            impatient.north,
            new_id(),
            client,
            hashlib.sha256(b"key-1").digest(),
            impatient.clock(),
        )
        response = await send(impatient, **change())
        assert (response.status_code, code_of(response)) == (409, "IDEMPOTENCY_KEY_IN_USE")
        await transaction.rollback()
    finally:
        await owner.close()
    assert (await send(impatient, **change())).json()["data"]["updateTenantSettings"]["__typename"] == "SettingsChanged"


_processes = multiprocessing.get_context("forkserver")


async def killed(installation: Installation, redis_url: str, data_dir: Path, kill: Kill, body: bytes) -> None:
    """Send a mutation to another process of the application, which kills itself before it can answer."""
    port = free_port()
    settings = settings_for(installation.urls, redis_url, data_dir).model_dump(mode="json")
    process = _processes.Process(target=serve, args=(settings, port, kill))
    process.start()
    token = await installation.token(installation.north)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": "key-1"}
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http, asyncio.timeout(60):
            while True:
                try:
                    assert (await http.get("/health/live")).status_code == 200
                    break
                except httpx2.ConnectError:
                    await asyncio.sleep(0.05)
            with pytest.raises(httpx2.RemoteProtocolError):
                await http.post("/graphql", content=body, headers=headers)
        await asyncio.to_thread(process.join, 30)
        assert process.exitcode == -signal.SIGKILL
    finally:
        process.kill()
        process.join()


@pytest.mark.parametrize("kill", list(Kill))
async def test_a_process_killed_beside_the_commit_neither_loses_nor_doubles(
    installation: Installation, redis_url: str, data_dir: Path, kill: Kill
) -> None:
    await killed(installation, redis_url, data_dir, kill, change()["body"])
    assert await changes(installation) == (kill is Kill.AFTER_COMMIT)
    response = await send(installation, **change())
    settings = {"version": 2, "attendanceThresholdPercent": 75}
    assert answer_of(response) == {
        "data": {"updateTenantSettings": {"__typename": "SettingsChanged", "tenant": {"settings": settings}}}
    }
    assert was_replayed(response) == (kill is Kill.AFTER_COMMIT)
    assert await changes(installation) == 1


async def test_a_retry_of_several_fields_does_what_is_left(
    installation: Installation, redis_url: str, data_dir: Path
) -> None:
    await killed(installation, redis_url, data_dir, Kill.AFTER_COMMIT, asked(TWO))
    assert await changes(installation) == 1, "it was killed between the two"
    for replayed in (False, True):
        response = await send(installation, asked(TWO), idempotency_key="key-1")
        assert answer_of(response) == {"data": {key: {"__typename": "SettingsChanged"} for key in "ab"}}
        assert was_replayed(response) == replayed, "only what did nothing anew says so"
        assert await changes(installation) == 2


async def test_errors_within_an_answer_are_given_again(installation: Installation) -> None:
    """A merge told without people:read: the reason is null with an error, and so it is when it is told again."""
    scopes = frozenset({Permission.DIRECTORY_READ, Permission.DIRECTORY_WRITE})
    token = await installation.token(installation.north, scopes)
    owner = await asyncpg.connect(installation.urls.owner)
    ids = [new_id(), new_id()]
    try:
        for identifier in ids:
            await owner.execute(
                """INSERT INTO medstead.learner
                          (tenant_id, id, display_name, given_name, family_name, name_key, created_at)
                   VALUES ($1, $2, 'Ada Sample', 'Ada', 'Sample', 'ada sample', $3)""",
                installation.north,
                identifier,
                installation.clock(),
            )
    finally:
        await owner.close()
    body = asked(
        """mutation ($keep: ID!, $merge: ID!) { mergeLearners(keep: $keep, merge: $merge, reason: "twice") {
             ... on LearnersMerged { merge { id reason } } ... on UserError { code } } }""",
        {"keep": f"Learner:{ids[0]}", "merge": f"Learner:{ids[1]}"},
    )
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": "key-1"}
    first, second = [await installation.http.post("/graphql", content=body, headers=headers) for _ in range(2)]
    assert answer_of(first)["data"]["mergeLearners"]["merge"]["reason"] is None
    assert code_of(first) == "FORBIDDEN"
    assert answer_of(first) == answer_of(second)
    assert was_replayed(second)


TAKES_A_VERSION = {
    "updateTenantSettings",
    "updateWebhookEndpoint",
    "saveVenue",
    "saveTeamMember",
    "updateSession",
    "moveSession",
    "approveNomination",
    "declineNomination",
    "withdrawNomination",
    *("updateCourse", "updateGuidanceDocument", "updateTopic"),
    *("setMappingCells", "lockMappingExercise", "updateMappingGap", "closeMappingGap"),
    *("savePartnerOrganisation", "updateGovernanceItem", "writeForumMinutes", "saveIncidentCategory"),
    *("decideLearningNeed", "updateActionPlan", "updatePlanAction", "saveObjective"),
    *("saveFundingStream", "saveLicencePool"),
    "updateCampaign",
    *("saveReminderRule", "setNudge"),
    "renameProgramme",
    "publishProgramme",
    "retireProgramme",
    "widenProgramme",
    "changeTier",
    "arrangeTiers",
    "setPrerequisites",
    "addRequirement",
    *("saveCertificateTemplate", "changeChampion", "endChampion"),
}
GUARDED_BY_ITS_STATE = {
    "mergeLearners": "MERGED_ALREADY",
    "saveMessageTemplate": "each call makes a version of its own, and the newest is sent",
    "retireMessageTemplate": "NO_SUCH_TEMPLATE",
    "retryMessage": "NOT_FAILED",
    "withdrawMessage": "NOT_QUEUED",
    "objectToMessages": "an objection that is there already stays",
    "endMessageObjection": "ENDED_ALREADY",
    "pauseSending": "says what is to be",
    "createProviderGroup": "NAME_TAKEN",
    "addProviderGroupLocations": "a location that is in it already stays",
    "removeProviderGroupLocation": "NO_SUCH_LOCATION",
    "undoLearnerMerge": "UNDONE_ALREADY",
    "startImport": "the same file is taken once",
    "applyImport": "NOT_READY",
    "cancelImport": "TOO_LATE",
    "resolveImportRow": "NOT_WAITING",
    "dismissImportRow": "NOT_WAITING",
    "requestReport": "each call makes one of its own",
    "createWebhookEndpoint": "each call makes one of its own",
    "rotateWebhookSecret": "both secrets before and after it sign for a day",
    "enableWebhookEndpoint": "ENABLED_ALREADY",
    "disableWebhookEndpoint": "DISABLED_ALREADY",
    "deleteWebhookEndpoint": "NO_SUCH_ENDPOINT",
    "replayWebhookDelivery": "STILL_WAITING",
    "createSession": "each call makes one of its own",
    "publishSession": "it takes the version as an argument of its own",
    "cancelSession": "it takes the version as an argument of its own",
    "allocateGroups": "people are dealt out anew",
    "createSessionSeries": "each call makes one of its own",
    "extendSessionSeries": "the sessions of a day are made once",
    "excludeSessionDay": "a day is left out once",
    "bookPlaces": "ALREADY_BOOKED",
    "cancelBooking": "ENDED_ALREADY",
    "answerOffer": "NO_OFFER",
    "transferBooking": "ENDED_ALREADY",
    "swapBooking": "ENDED_ALREADY",
    "answerMove": "the last answer counts",
    "checkIn": "the same is recorded once",
    "markAttendance": "marks are added, and the last one counts",
    "overrideAttendance": "marks are added, and the last one counts",
    "sendTestWebhook": "each call sends one of its own",
    "nominateChampion": "NOMINATED_ALREADY",
    "overridePrerequisite": "each call grants one of its own",
    "endPrerequisiteOverride": "ENDED_ALREADY",
    "createCourse": "COURSE_EXISTS",
    "accreditCourse": "ACCREDITED_ALREADY",
    "addCourseAccess": "ACCESS_KNOWN",
    "removeCourseAccess": "NO_SUCH_COURSE_ACCESS",
    "mergeCourses": "MERGED_ALREADY",
    "undoCourseMerge": "UNDONE_ALREADY",
    "loadBaseTaxonomy": "what is there is not added again",
    "createGuidanceDocument": "CODE_TAKEN",
    "createTopic": "CODE_TAKEN",
    "addTopicReference": "REFERS_ALREADY",
    "removeTopicReference": "NO_SUCH_TOPIC_REFERENCE",
    "startMappingExercise": "NAME_TAKEN",
    "copyMappingExercise": "DRAFT_EXISTS",
    "analyseMappingExercise": "each call keeps one of its own",
    "openMappingGap": "each call makes one of its own",
    "publishProgrammeTemplate": "each call publishes a version of its own",
    "cloneProgrammeTemplate": "NAME_TAKEN",
    "startProgramme": "NAME_TAKEN",
    "letShortCourseCount": "LET_PASS_ALREADY",
    "setCourseTopics": "the whole set is given; the later one holds, and the trail keeps both",
    "removeRequirement": "NO_SUCH_REQUIREMENT",
    "changeEmployment": "the whole employment is given; the later one holds, and the trail keeps both",
    "beginEmployment": "EMPLOYED_ALREADY",
    "computeStanding": "each call asks once",
    "assessCompetence": "each call keeps an assessment of its own",
    "setAssessorRules": "the whole set is given; the later one holds",
    "setCompetenceReview": "the later one holds, and the trail keeps both",
    "setConfidenceMinimum": "the later one holds, and the trail keeps both",
    "rateConfidence": "a rating told again replaces the one before",
    "recordProgress": "an older report changes nothing",
    "correctProgress": "the later one holds, and the trail keeps both",
    "issueCertificates": "RUNNING_ALREADY",
    "reissueCertificate": "REISSUED_ALREADY",
    "revokeCertificate": "REVOKED_ALREADY",
    "revokeCertificates": "COUNT_CHANGED",
    "rotateIssuerKey": "each call makes a key, and all stay published",
    "appointChampion": "CHAMPION_ALREADY",
    "setPathway": "the whole pathway is given; the later one holds",
    "reachStep": "the day told last holds",
    "createGovernanceItem": "each call makes one of its own",
    "citeFeedback": "a response is cited once",
    "setFeedbackSubject": "the later one holds, and the trail keeps both",
    "logContentChange": "each call logs one of its own",
    "recordIncident": "each call keeps one of its own",
    "createActionPlan": "each call makes one of its own",
    "addPlanAction": "each call makes one of its own",
    "tagObjective": "TAGGED_ALREADY",
    "untagObjective": "NO_SUCH_OBJECTIVE_TAG",
    "addRecognition": "LOGGED_ALREADY",
    "createCampaign": "NAME_TAKEN",
    **dict.fromkeys(
        ("submitCampaign", "takeBackCampaign", "withdrawCampaign"),
        "it takes the version as an argument of its own",
    ),
    "saveProviderContact": "the later one holds, and the trail keeps both",
    "endProviderContact": "ENDED_ALREADY",
    "enrolLearner": "ENROLLED_ALREADY",
    "releaseSeat": "RELEASED_ALREADY",
    "setStaffRate": "the later one holds, and the trail keeps both",
    "logTime": "the later one holds, and the trail keeps both",
}
"""Mutations that take no version: the row's state, looked at under a lock, refuses whoever comes second."""


def test_what_two_people_can_edit_takes_a_version() -> None:
    mutation = schema._schema.mutation_type
    assert mutation is not None
    assert set(mutation.fields) == TAKES_A_VERSION | set(GUARDED_BY_ITS_STATE), "say here how a new one is guarded"
    for name in TAKES_A_VERSION:
        given = get_named_type(mutation.fields[name].args["input"].type)
        assert isinstance(given, GraphQLInputObjectType)
        assert str(given.fields["version"].type) == "Int!"


async def test_a_secret_that_is_shown_once_is_not_kept_in_the_open(installation: Installation) -> None:
    token = await installation.token(installation.north)
    body = asked(
        """mutation ($input: WebhookEndpointInput!) { createWebhookEndpoint(input: $input) {
             ... on WebhookSecretGiven { secret } ... on UserError { code message } } }""",
        {"input": {"url": "https://partner.example.org/hook", "eventTypes": ["import.finished"]}},
    )
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "idempotency-key": "key-1"}
    first, second = [await installation.http.post("/graphql", content=body, headers=headers) for _ in range(2)]
    secret = answer_of(first)["data"]["createWebhookEndpoint"]["secret"]
    assert secret.startswith("whsec_")
    assert answer_of(first) == answer_of(second)
    assert was_replayed(second)
    owner = await asyncpg.connect(installation.urls.owner)
    try:
        (kept,) = await owner.fetch("SELECT answer, errors FROM medstead.idempotency_record")
    finally:
        await owner.close()
    assert secret.encode() not in kept["answer"]
    assert secret not in kept["errors"]
