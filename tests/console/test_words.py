"""Whatever a page may have to name has words: a code without any would be an error on the page that shows it."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

from app.console import (
    background_work_pages,
    governance_words,
    learning_words,
    message_words,
    outside_words,
    reference_pages,
    words,
)
from app.governance.rules import STAGES
from app.identity.permissions import Permission, Role
from app.messaging.rules import Occasion
from app.outside.models import REGISTRATION_STATES
from app.refreshing import models as refreshing
from app.training.elearning.activities import FINISHES, KINDS
from app.training.elearning.structure import MOVE_ON
from app.training.refunds.models import STATES as CLAIMS
from tenants.outbox import Pool, Topic


@pytest.mark.parametrize(
    ("codes", "named"),
    [
        (Topic, background_work_pages.TOPICS),
        (Pool, background_work_pages.POOLS),
        (Role, words.ROLES),
        (Permission, words.PERMISSIONS),
        (Occasion, message_words.OCCASIONS),
        (STAGES, governance_words.PARTNERSHIP_STAGES),
        (REGISTRATION_STATES, outside_words.STATES),
        (refreshing.STATES, reference_pages.STATES),
        (refreshing.SOURCES, reference_pages.SOURCES),
        (refreshing.KINDS, reference_pages.KINDS),
        (KINDS, learning_words.KINDS),
        (FINISHES, learning_words.FINISHES),
        (MOVE_ON, learning_words.MOVE_ON),
        (CLAIMS, learning_words.CLAIMS),
    ],
)
def test_every_code_has_words(codes: Iterable[str], named: Collection[str]) -> None:
    assert set(codes) == set(named)


def test_whatever_a_page_says_is_done_has_a_sentence() -> None:
    pages = Path(words.__file__).parent.glob("*_pages.py")
    said = {found for page in pages for found in re.findall(r'done="([a-z-]+)"', page.read_text(encoding="utf-8"))}
    assert len(said) > 50
    assert said <= words.DONE.keys()
