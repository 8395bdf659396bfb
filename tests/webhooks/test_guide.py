"""The guide for receivers: its examples check what the service sends, its tables tell what the code does."""

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.webhooks.events import MEANINGS
from app.webhooks.rules import ENDPOINTS_AT_MOST, retry_delay
from app.webhooks.sending import SEND_SECONDS
from tenants.clock import system_clock
from tests.support import Installation
from tests.webhooks.receiver import Received, receiving
from tests.webhooks.support import happen, make_endpoint, work_off

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    """The guide's block of code in a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return str(found)


async def what_is_sent(installation: Installation) -> tuple[str, Received]:
    """A secret and a request that it signed, at the time of the machine."""
    installation.clock.move(system_clock() - installation.clock())
    async with receiving() as receiver:
        made = await make_endpoint(installation, receiver.url)
        await happen(installation)
        await work_off(installation)
    return made.secret, receiver.received[0]


def spoilt(secret: str, request: Received) -> list[tuple[str, Received]]:
    """The request with one thing wrong at a time."""
    other = secret[:10] + ("A" if secret[10] != "A" else "B") + secret[11:]
    old = str(int(time.time()) - 301)
    return [
        (other, request),
        (secret, replace(request, body=request.body.replace(b"finished", b"failed"))),
        *[
            (secret, replace(request, headers={**request.headers, name: value}))
            for name, value in (
                ("webhook-id", "another"),
                ("webhook-timestamp", old),
                ("webhook-signature", "v1,"),
                ("webhook-signature", request.headers["webhook-signature"].replace("v1", "v2")),
            )
        ],
    ]


async def test_the_example_in_python_tells_ours_from_others(installation: Installation) -> None:
    names: dict[str, Any] = {}
    exec(example("python"), names)
    verify: Callable[[str, dict[str, str], bytes], None] = names["verify"]
    secret, request = await what_is_sent(installation)
    verify(secret, dict(request.headers), request.body)
    both = {**request.headers, "webhook-signature": f"v1,bm90IHRoaXMgb25l {request.headers['webhook-signature']}"}
    verify(secret, both, request.body)
    for wrong_secret, wrong in spoilt(secret, request):
        with pytest.raises(ValueError):
            verify(wrong_secret, dict(wrong.headers), wrong.body)


@pytest.mark.node
async def test_the_example_in_javascript_tells_ours_from_others(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "verify.mjs").write_text(example("javascript"), encoding="utf-8")
    (tmp_path / "ask.mjs").write_text(
        """import { readFileSync } from "node:fs";
        import { verify } from "./verify.mjs";
        const told = JSON.parse(readFileSync(0)).map(([secret, headers, body]) => {
          try { verify(secret, headers, Buffer.from(body)); return "ours"; } catch (error) { return error.message; }
        });
        console.log(JSON.stringify(told));""",
        encoding="utf-8",
    )
    secret, request = await what_is_sent(installation)
    cases = [(secret, request), *spoilt(secret, request)]
    asked = [(key, dict(one.headers), one.body.decode()) for key, one in cases]
    node = shutil.which("node")
    assert node is not None
    command, given = [node, str(tmp_path / "ask.mjs")], orjson.dumps(asked)
    answer = await asyncio.to_thread(subprocess.run, command, input=given, capture_output=True, check=True)
    wrong, old = "the signature is wrong", "too old"
    assert orjson.loads(answer.stdout) == ["ours", wrong, wrong, wrong, old, wrong, wrong]


def test_the_guide_tells_every_event() -> None:
    rows = re.findall(r"^\| `([a-z._]+)` \| ([^|]+) \| `[A-Za-z]+:…` \|$", GUIDE, re.MULTILINE)
    assert dict(rows) == {str(kind): meaning for kind, meaning in MEANINGS.items()}


def test_the_guide_tells_every_refusal() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "app" / "webhooks").glob("*.py"))
    raised = set(re.findall(r'(?:WebhookRefusal|_bad)\(\s*"([A-Z_]+)"', sources))
    told = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", GUIDE.partition("| Code |")[2].partition("##")[0]))
    assert told == raised
    assert len(raised) > 12


def test_the_guide_tells_the_delays_and_limits() -> None:
    names = ("5 s", "15 s", "45 s", "2 min", "7 min", "20 min", "1 h", "3 h")
    assert f"The delays are {', '.join(names)}, then 4 h each" in GUIDE
    units = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1)}
    for failures, name in enumerate((*names, "4 h"), start=1):
        number, unit = name.split()
        assert abs(retry_delay(failures, 0.5) / units[unit] - int(number)) < 0.51, name
    assert f"within {SEND_SECONDS:.0f} seconds" in GUIDE
    assert f"A tenant can have {ENDPOINTS_AT_MOST} endpoints" in GUIDE
