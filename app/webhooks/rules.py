"""Rules of webhooks, without input or output: addresses, networks, verdicts, delays, and what is kept of an answer."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx2

from app.webhooks.errors import WebhookRefusal

LONGEST_URL = 2000
LONGEST_DESCRIPTION = 200
GIVE_UP_AFTER = timedelta(hours=24)
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(hours=4)
JITTER = 0.2
"""The share by which a delay is made longer or shorter, so that what failed together does not return together."""
BODY_KEPT = 1024
SECRET_OVERLAP = timedelta(hours=24)
ENDPOINTS_AT_MOST = 20

Address = IPv4Address | IPv6Address


class Verdict(StrEnum):
    """What an attempt's outcome means for its delivery."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REFUSED = "refused"
    GONE = "gone"


# What the registries of IANA set aside, told here because the standard library's list differs between versions.
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
        ),
    )
)
_GLOBAL_UNICAST = ip_network("2000::/3")
"""All that is public in IPv6; mapped, translated (64:ff9b::/96), local and multicast addresses lie outside."""

_LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "onion")
_LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
_ENDS_IN_NUMBER = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)$")
_PORTS = (80, 443)


def is_public(address: Address) -> bool:
    """Whether an address lies in the public internet, and nowhere that only our own network reaches."""
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


def check_url(text: str, *, allow_loopback: bool) -> str:
    """The address as it is kept. Where it leads is looked at again whenever something is sent.

    Raises WebhookRefusal `URL_INVALID`, `URL_NOT_HTTPS`, `URL_HAS_CREDENTIALS`, `URL_HAS_FRAGMENT`, `URL_PORT_REFUSED`
    or `URL_HOST_REFUSED`.
    """
    try:
        url = httpx2.URL(text.strip())
        host, port = url.raw_host.decode("ascii").rstrip("."), url.port
    except (httpx2.InvalidURL, ValueError) as error:
        raise _bad("URL_INVALID", "Enter a whole address, such as https://partner.example/webhooks.") from error
    if len(str(url)) > LONGEST_URL:
        raise _bad("URL_INVALID", f"Enter an address of at most {LONGEST_URL:,} characters.")
    if url.scheme not in ("http", "https") or not host:
        raise _bad("URL_INVALID", "Enter a whole address, such as https://partner.example/webhooks.")
    if url.userinfo:
        raise _bad("URL_HAS_CREDENTIALS", "Leave name and password out of the address: our signature proves who sends.")
    if url.fragment or "#" in text:
        raise _bad("URL_HAS_FRAGMENT", "Leave out what follows the # in the address: it is never sent.")
    if allow_loopback and host in _LOOPBACK_HOSTS:
        return str(url)
    if url.scheme != "https":
        raise _bad("URL_NOT_HTTPS", "Enter an address that begins with https://.")
    if port is not None and port not in _PORTS and not 1024 <= port <= 65535:
        raise _bad("URL_PORT_REFUSED", "Leave the port out, or use one from 1024 to 65535.")
    if _is_local(host):
        raise _bad("URL_HOST_REFUSED", "Enter a host name that the public internet knows, not an IP address.")
    return str(url)


def _bad(code: str, message: str) -> WebhookRefusal:
    return WebhookRefusal(code, message, "url")


def _is_local(host: str) -> bool:
    """Whether a host is an address in any of its spellings, or a name that only a local network knows."""
    try:
        ip_address(host)
        return True
    except ValueError:
        name = host.lower()
    # A last label of digits, or of 0x and hexadecimal digits, makes a host an address for resolvers.
    if "." not in name or _ENDS_IN_NUMBER.search(name):
        return True
    return any(name == local or name.endswith(f".{local}") for local in _LOCAL_NAMES)


def origin(url: str) -> str:
    """Scheme, host and port of an address, for the audit trail: path and query may hold a partner's secrets."""
    return str(httpx2.URL(url).copy_with(path="/", query=None)).rstrip("/")


def judge(status: int | None) -> Verdict:
    """What a status says; None is an attempt without an answer. Redirects are never followed, so they are refusals."""
    if status is None or status in (408, 425, 429) or status >= 500:
        return Verdict.RETRY
    if 200 <= status < 300:
        return Verdict.DELIVERED
    return Verdict.GONE if status == 410 else Verdict.REFUSED


def retry_delay(failures: int, chance: float, asked: timedelta | None = None) -> timedelta:
    """How long to wait after the n-th failure: 5 s, three times as long each time, at most 4 h, give or take a fifth.

    `chance` is from 0 to 1. A receiver that asks for more time gets it, up to the same 4 h.
    """
    if failures < 1:
        raise ValueError("there is a delay only after a failure")
    own = min(FIRST_DELAY * 3.0 ** min(failures - 1, 20), LONGEST_DELAY) * (1 + JITTER * (2 * chance - 1))
    return own if asked is None else max(own, min(asked, LONGEST_DELAY))


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """How long a Retry-After header asks to wait: whole seconds or a date; None if there is none that can be read."""
    text = (header or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return timedelta(seconds=int(text))
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(at.replace(tzinfo=at.tzinfo or UTC) - now, timedelta())


def printable(body: bytes) -> str:
    """What is kept of an answer's body: at most 1 kB of it, with a mark for each byte or character not for reading."""
    text = body[:BODY_KEPT].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)


def tidy_types(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """The event types that an endpoint hears of, each once. Raises WebhookRefusal `EVENT_TYPES_MISSING` or
    `UNKNOWN_EVENT_TYPE`."""
    if not asked:
        raise WebhookRefusal("EVENT_TYPES_MISSING", "Choose at least one event to be told of.", "eventTypes")
    if not set(asked) <= set(known):
        words = f"Choose from these events: {', '.join(known)}."
        raise WebhookRefusal("UNKNOWN_EVENT_TYPE", words, "eventTypes")
    return [name for name in known if name in asked]


def tidy_description(text: str) -> str:
    """One line of words about an endpoint. Raises WebhookRefusal `DESCRIPTION_TOO_LONG`."""
    words = " ".join(text.replace("\0", " ").split())
    if len(words) > LONGEST_DESCRIPTION:
        raise WebhookRefusal(
            "DESCRIPTION_TOO_LONG", f"Describe it in at most {LONGEST_DESCRIPTION} characters.", "description"
        )
    return words
