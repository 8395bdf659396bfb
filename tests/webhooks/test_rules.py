"""The rules of webhooks: addresses, networks, verdicts, delays, and what is kept of an answer."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.errors import WebhookRefusal
from app.webhooks.rules import (
    BODY_KEPT,
    FIRST_DELAY,
    GIVE_UP_AFTER,
    LONGEST_DELAY,
    Verdict,
    check_url,
    is_public,
    judge,
    origin,
    printable,
    retry_after,
    retry_delay,
    tidy_description,
    tidy_types,
)

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", ["93.184.215.14", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111"])
def test_public_addresses(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.19.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::ffff:93.184.215.14",
        "64:ff9b::a00:1",
        "64:ff9b::5db8:d70e",
        "64:ff9b:1::1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_addresses_that_are_not_public(text: str) -> None:
    assert not is_public(ip_address(text))


@given(st.ip_addresses())
def test_nothing_that_the_library_knows_to_be_private_is_public(address: object) -> None:
    found = ip_address(str(address))
    if not found.is_global or found.is_multicast or found.is_reserved:
        assert not is_public(found)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://partner.example/hooks", "https://partner.example/hooks"),
        (" https://partner.example:8443/a?b=c ", "https://partner.example:8443/a?b=c"),
        ("https://partner.example:443/", "https://partner.example/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_addresses_that_can_be_registered(text: str, kept: str) -> None:
    assert check_url(text, allow_loopback=False) == kept


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "URL_INVALID"),
        ("partner.example/hooks", "URL_INVALID"),
        ("https://", "URL_INVALID"),
        ("ftp://partner.example/", "URL_INVALID"),
        ("https://partner.example/\0", "URL_INVALID"),
        ("https://partner.example:99999/", "URL_PORT_REFUSED"),
        ("https://partner.example/" + "x" * 2000, "URL_INVALID"),
        ("http://partner.example/", "URL_NOT_HTTPS"),
        ("http://127.0.0.1/", "URL_NOT_HTTPS"),
        ("https://user@partner.example/", "URL_HAS_CREDENTIALS"),
        ("https://user:word@partner.example/", "URL_HAS_CREDENTIALS"),
        ("https://partner.example/#part", "URL_HAS_FRAGMENT"),
        ("https://partner.example/#", "URL_HAS_FRAGMENT"),
        ("https://partner.example:22/", "URL_PORT_REFUSED"),
        ("https://partner.example:1023/", "URL_PORT_REFUSED"),
        ("https://partner.example:0/", "URL_PORT_REFUSED"),
        ("https://93.184.215.14/", "URL_HOST_REFUSED"),
        ("https://127.0.0.1/", "URL_HOST_REFUSED"),
        ("https://127.1/", "URL_HOST_REFUSED"),
        ("https://2130706433/", "URL_HOST_REFUSED"),
        ("https://0x7f.0.0.0x1/", "URL_HOST_REFUSED"),
        ("https://0177.0.0.01/", "URL_INVALID"),
        ("https://[::1]/", "URL_HOST_REFUSED"),
        ("https://[::ffff:127.0.0.1]/", "URL_HOST_REFUSED"),
        ("https://localhost/", "URL_HOST_REFUSED"),
        ("https://LOCALHOST./", "URL_HOST_REFUSED"),
        ("https://api.localhost/", "URL_HOST_REFUSED"),
        ("https://intranet/", "URL_HOST_REFUSED"),
        ("https://database.internal/", "URL_HOST_REFUSED"),
        ("https://printer.local/", "URL_HOST_REFUSED"),
    ],
)
def test_addresses_that_are_refused_say_why(text: str, code: str) -> None:
    with pytest.raises(WebhookRefusal) as refused:
        check_url(text, allow_loopback=False)
    assert (refused.value.code, refused.value.field) == (code, "url")
    assert refused.value.message.endswith((".", "sends."))


def test_loopback_is_open_where_it_is_allowed_and_nothing_else_with_it() -> None:
    assert check_url("http://127.0.0.1:8123/x", allow_loopback=True) == "http://127.0.0.1:8123/x"
    assert check_url("https://localhost:99/", allow_loopback=True) == "https://localhost:99/"
    for text in ("http://10.0.0.1/", "http://partner.example/", "https://10.0.0.1/", "http://127.0.0.2/"):
        with pytest.raises(WebhookRefusal):
            check_url(text, allow_loopback=True)


@given(st.text())
def test_any_text_is_an_address_or_a_coded_refusal(text: str) -> None:
    try:
        outcome = check_url(text, allow_loopback=False)
    except WebhookRefusal as refused:
        outcome = refused.code
    assert outcome.startswith(("https://", "URL_"))


def test_the_trail_is_told_neither_path_nor_query() -> None:
    assert origin("https://partner.example/hooks/secret?key=secret") == "https://partner.example"
    assert origin("https://partner.example:8443/") == "https://partner.example:8443"


def test_what_a_status_means() -> None:
    meant: dict[Verdict, tuple[int | None, ...]] = {
        Verdict.DELIVERED: (200, 202, 204, 299),
        Verdict.RETRY: (None, 408, 425, 429, 500, 503, 599),
        Verdict.REFUSED: (101, 300, 301, 307, 400, 404, 422),
        Verdict.GONE: (410,),
    }
    assert {verdict: {judge(status) for status in statuses} for verdict, statuses in meant.items()} == {
        verdict: {verdict} for verdict in meant
    }


def test_delays_grow_from_seconds_to_hours_and_make_a_day_of_fifteen_attempts() -> None:
    delays = [retry_delay(number, 0.5) for number in range(1, 16)]
    assert delays[:5] == [timedelta(seconds=seconds) for seconds in (5, 15, 45, 135, 405)]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY
    spent, attempts = timedelta(), 1
    while spent < GIVE_UP_AFTER:
        spent += delays[attempts - 1]
        attempts += 1
    assert attempts == 14
    with pytest.raises(ValueError, match="only after a failure"):
        retry_delay(0, 0.5)


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_delays_stay_within_a_fifth_of_their_own(failures: int, chance: float) -> None:
    delay, middle = retry_delay(failures, chance), retry_delay(failures, 0.5)
    assert FIRST_DELAY * 0.8 <= middle * 0.8 <= delay <= middle * 1.2 <= LONGEST_DELAY * 1.2


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("Tue, 24 Nov 2026 10:00:30 GMT", timedelta(seconds=30)),
        ("Tue, 24 Nov 2026 10:00:30 -0000", timedelta(seconds=30)),
        ("Tue, 24 Nov 2020 10:00:30 GMT", timedelta()),
        ("999999999", timedelta(seconds=999_999_999)),
        ("9999999999", None),
        ("-5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(header: str | None, asked: timedelta | None) -> None:
    assert retry_after(header, NOW) == asked


@given(st.text(max_size=40))
def test_any_retry_after_is_read_or_left(header: str) -> None:
    asked = retry_after(header, NOW)
    assert asked is None or asked >= timedelta()


def test_a_receiver_may_ask_for_more_time_but_not_for_less_nor_for_ever() -> None:
    assert retry_delay(1, 0.5, timedelta(minutes=2)) == timedelta(minutes=2)
    assert retry_delay(9, 0.5, timedelta(seconds=1)) == retry_delay(9, 0.5)
    assert retry_delay(1, 0.5, timedelta(days=365)) == LONGEST_DELAY


def test_of_a_body_a_kilobyte_of_readable_text_is_kept() -> None:
    assert printable(b"ok\n\tfine") == "ok\n\tfine"
    assert printable(b"a\0b\x1b[31m\xff") == "a\ufffdb\ufffd[31m\ufffd"
    assert len(printable(b"x" * 5000)) == BODY_KEPT
    assert printable("é".encode() * 600)[-1] == "é"


def test_types_are_known_ones_each_once_and_descriptions_are_one_line() -> None:
    assert tidy_types(["b", "a", "b"], ["a", "b", "c"]) == ["a", "b"]
    for asked, code in (([], "EVENT_TYPES_MISSING"), (["a", "x"], "UNKNOWN_EVENT_TYPE")):
        with pytest.raises(WebhookRefusal) as refused:
            tidy_types(asked, ["a", "b"])
        assert refused.value.code == code
    assert tidy_description(" a \n b\0c ") == "a b c"
    with pytest.raises(WebhookRefusal) as refused:
        tidy_description("x" * 201)
    assert refused.value.code == "DESCRIPTION_TOO_LONG"
