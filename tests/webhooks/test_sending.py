"""The sender against a receiver that fails in every way, behind names that lead where they should not."""

import asyncio
import gzip
import ssl
from pathlib import Path

import pytest

from app.webhooks import sending
from app.webhooks.rules import BODY_KEPT
from app.webhooks.sending import SENDS_AT_ONCE, Answer, Outgoing, Resolve, Sender
from tests.webhooks.certificates import Authority
from tests.webhooks.receiver import OK, Receiver, Reply, hang, raw, receiving, status

HEADERS = {"webhook-id": "7", "content-type": "application/json"}


def outgoing(url: str) -> Outgoing:
    """A request to an address."""
    return Outgoing(url, HEADERS, b'{"type":"webhook.test"}')


async def sent(
    url: str, *, allow_loopback: bool = True, seconds: float = 5.0, resolve: Resolve | None = None
) -> Answer:
    """What comes of a request."""
    sender = Sender(allow_loopback=allow_loopback, seconds=seconds, resolve=resolve or sending.system_resolver)
    try:
        return await sender.send(outgoing(url))
    finally:
        await sender.close()


def leads_to(*addresses: str) -> tuple[Resolve, list[str]]:
    """A resolver that gives these addresses for any name, and the names it was asked for."""
    asked: list[str] = []

    async def resolve(host: str, _: int) -> list[str]:
        asked.append(host)
        return list(addresses)

    return resolve, asked


async def test_a_request_arrives_as_it_was_made() -> None:
    async with receiving(status(202, b"thank you", retry_after="9")) as receiver:
        answer = await sent(receiver.url)
    assert (answer.status, answer.error, answer.body, answer.retry_after) == (202, None, b"thank you", "9")
    (request,) = receiver.received
    assert request.line == "POST /hooks?key=of-the-partner HTTP/1.1"
    assert request.body == b'{"type":"webhook.test"}'
    assert dict(request.headers) == HEADERS | {
        "host": f"127.0.0.1:{receiver.port}",
        "content-length": "23",
        "accept-encoding": "identity",
        "connection": "close",
    }


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (status(500, b"oops"), (500, None, b"oops")),
        (status(404), (404, None, b"")),
        (status(410), (410, None, b"")),
        (hang, (None, "TIMEOUT", b"")),
        (raw(*[bytes([letter]) for letter in HEAD * 9], pause=0.05), (None, "TIMEOUT", b"")),
        (raw(b""), (None, "CONNECTION_CLOSED", b"")),
        (raw(HEAD), (None, "CONNECTION_CLOSED", b"")),
        (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), (None, "INVALID_ANSWER", b"")),
        (raw(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000), (None, "INVALID_ANSWER", b"")),
        (raw(HEAD + b"content-length: 50\r\n\r\nhalf"), (200, None, b"half")),
        (raw(HEAD + b"transfer-encoding: chunked\r\n\r\nnot a chunk"), (200, None, b"")),
        (status(200, b"x" * 5_000_000), (200, None, b"x" * BODY_KEPT)),
        (status(302, location="http://169.254.169.254/latest/meta-data"), (302, "REDIRECTED", b"")),
    ],
    ids=[
        "500", "404", "410", "hangs", "drips its head", "closes at once", "closes in the head", "is no web server",
        "endless head", "closes in the body", "bad body", "huge body", "redirects",
    ],
)  # fmt: skip
async def test_what_a_receiver_may_do(reply: Reply, expected: tuple[int | None, str | None, bytes]) -> None:
    async with receiving(reply) as receiver:
        seconds = 1.0 if expected[1] == "TIMEOUT" else 15.0
        answer = await sent(receiver.url, seconds=seconds)
    assert (answer.status, answer.error, answer.body[:BODY_KEPT]) == expected
    assert len(answer.body) <= 2 * BODY_KEPT
    assert answer.duration_ms < seconds * 1_000 + 1_500
    assert receiver.connections == 1, "the library must not try again by itself"


async def test_a_body_that_drips_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "BODY_SECONDS", 0.3)
    async with receiving(raw(HEAD + b"content-length: 900\r\n\r\n", *[b"z"] * 900, pause=0.05)) as receiver:
        answer = await sent(receiver.url)
    assert (answer.status, answer.error) == (200, None)
    assert 1 <= len(answer.body) < 20
    assert answer.duration_ms < 1_500


async def test_a_redirect_is_not_followed_even_to_a_receiver_that_is_there() -> None:
    async with receiving() as elsewhere, receiving(status(307, location=elsewhere.url)) as receiver:
        answer = await sent(receiver.url)
    assert (answer.status, answer.error) == (307, "REDIRECTED")
    assert elsewhere.connections == 0


async def test_a_compressed_body_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 1_000_000)
    async with receiving(status(200, bomb, content_encoding="gzip")) as receiver:
        answer = await sent(receiver.url)
    assert (answer.status, answer.body[:2]) == (200, bomb[:2])


async def test_nobody_listens() -> None:
    async with receiving() as receiver:
        url = receiver.url
    assert (await sent(url)).error == "CONNECTION_REFUSED"


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as proxy, receiving() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert (await sent(receiver.url)).status == 200
    assert (proxy.connections, receiver.connections) == (0, 1)


# --- names that lead where they should not ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["10.0.0.1"],
        ["169.254.169.254"],
        ["100.64.1.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["fd00::1"],
        ["fe80::1%lo"],
        ["93.184.215.14", "127.0.0.1"],
        ["2606:4700:4700::1111", "10.0.0.1"],
    ],
)
async def test_no_connection_is_made_to_what_is_not_public(addresses: list[str]) -> None:
    async with receiving() as receiver:
        resolve, asked = leads_to(*addresses)
        answer = await sent(f"https://partner.example:{receiver.port}/", allow_loopback=False, resolve=resolve)
    assert (answer.status, answer.error) == (None, "PRIVATE_ADDRESS")
    assert asked == ["partner.example"]
    assert receiver.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::1]"])
async def test_an_address_in_any_spelling_is_checked_by_the_system_resolver_too(host: str) -> None:
    async with receiving() as receiver:
        answer = await sent(f"https://{host}:{receiver.port}/", allow_loopback=False)
    assert (answer.error, receiver.connections) == ("PRIVATE_ADDRESS", 0)


@pytest.mark.parametrize("mixed", [["127.0.0.1", "10.0.0.1"], ["169.254.169.254", "127.0.0.1"]])
async def test_where_loopback_is_allowed_one_other_address_spoils_it(mixed: list[str]) -> None:
    async with receiving() as receiver:
        resolve, _ = leads_to(*mixed)
        answer = await sent(f"http://partner.example:{receiver.port}/", resolve=resolve)
    assert (answer.error, receiver.connections) == ("PRIVATE_ADDRESS", 0)


async def test_a_name_that_changes_between_look_and_connection_changes_nothing() -> None:
    """The classic rebinding: a sound address for whoever checks, another one for whoever connects."""
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    async def resolve(_: str, __: int) -> list[str]:
        return answers.pop(0)

    async with receiving() as receiver:
        sender = Sender(allow_loopback=True, resolve=resolve)
        first = await sender.send(outgoing(f"http://partner.example:{receiver.port}/"))
        assert (first.status, len(answers)) == (200, 1), "looked up once, and connected to what was checked"
        second = await sender.send(outgoing(f"http://partner.example:{receiver.port}/"))
        await sender.close()
    assert (second.error, answers, receiver.connections) == ("PRIVATE_ADDRESS", [], 1)
    assert receiver.received[0].headers["host"] == f"partner.example:{receiver.port}"


async def test_the_next_address_is_tried_when_one_does_not_answer() -> None:
    async with receiving() as receiver:
        resolve, _ = leads_to("127.0.0.9", "127.0.0.1")
        answer = await sent(f"http://partner.example:{receiver.port}/", resolve=resolve)
    assert answer.status == 200


async def _unknown(_: str, __: int) -> list[str]:
    raise OSError("no such name")


@pytest.mark.parametrize("resolve", [_unknown, leads_to()[0], leads_to("not an address")[0]])
async def test_a_name_that_leads_nowhere(resolve: Resolve) -> None:
    assert (await sent("https://partner.example/", allow_loopback=False, resolve=resolve)).error == "DNS_FAILED"


async def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    async def resolve(_: str, __: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    answer = await sent("https://partner.example/", resolve=resolve, seconds=0.2)
    assert answer.error == "TIMEOUT"


async def test_plain_http_is_for_loopback_in_development_alone() -> None:
    resolve, asked = leads_to("93.184.215.14")
    answer = await sent("http://partner.example/", allow_loopback=False, resolve=resolve)
    assert (answer.error, asked) == ("NOT_HTTPS", [])


# --- TLS ----------------------------------------------------------------------------------------------------------


async def over_tls(receiver: Receiver, trusted: ssl.SSLContext | None) -> Answer:
    """What comes of a request to partner.example, which leads to the receiver."""
    sender = Sender(allow_loopback=True, resolve=leads_to("127.0.0.1")[0], tls=trusted)
    try:
        return await sender.send(outgoing(f"https://partner.example:{receiver.port}/"))
    finally:
        await sender.close()


async def test_a_certificate_is_checked_against_the_name_and_not_the_address(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    names: list[str | None] = []
    serving = authority.serving("partner.example")
    serving.sni_callback = lambda _, name, __: names.append(name)
    async with receiving(tls=serving) as receiver:
        answer = await over_tls(receiver, authority.trusting())
    assert (answer.status, answer.error) == (200, None)
    assert names == ["partner.example"]


async def test_a_bad_certificate_ends_the_attempt_before_anything_is_said(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path)
    async with receiving(tls=authority.serving("somebody.example")) as receiver:
        assert (await over_tls(receiver, authority.trusting())).error == "TLS_FAILED", "another host's"
    async with receiving(tls=authority.serving("partner.example")) as receiver:
        assert (await over_tls(receiver, None)).error == "TLS_FAILED", "of an authority that nobody trusts"
    assert receiver.received == []


# --- room ---------------------------------------------------------------------------------------------------------


async def test_a_process_sends_a_few_at_once_and_says_when_there_is_no_room() -> None:
    sender = Sender()
    places = [sender.place() for _ in range(SENDS_AT_ONCE + 1)]
    assert [place.__enter__() for place in places] == [True] * SENDS_AT_ONCE + [False]
    places[-1].__exit__(None, None, None)
    with sender.place() as free:
        assert not free, "whoever got no place gives none back"
    places[0].__exit__(None, None, None)
    with sender.place() as free:
        assert free
    await sender.close()


async def test_many_requests_share_no_connection_and_leave_none_open() -> None:
    async with receiving(otherwise=OK) as receiver:
        sender = Sender(allow_loopback=True)
        answers = await asyncio.gather(*[sender.send(outgoing(receiver.url)) for _ in range(30)])
        assert {answer.status for answer in answers} == {200}
        assert receiver.connections == 30
        assert sender._pool.connections == []
        await sender.close()
