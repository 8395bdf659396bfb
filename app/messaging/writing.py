"""From Markdown with placeholders to the two twins of a message: a page of HTML and plain text.

The Markdown is read once for a template. What fills the placeholders comes in afterwards, escaped, so that a name can
never become markup or a link.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.messaging.placeholders import OF, PLACEHOLDER, Kind
from app.messaging.rules import Occasion

_HOST = "https://placeholder.invalid/"
_MARK = re.compile(r"\x02(\w+)\x03|https://placeholder\.invalid/(\w+)")
_IN_LINK = re.compile(r"\]\(\s*\(\(\s*(\w+)\s*\)\)\s*\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S*|\b[\w-]+(?:\.[\w-]+)*\.(?:[a-z]{2,})/\S*", re.IGNORECASE)
_SPACE = re.compile(r"[\s\x00-\x1f\x7f]+")
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})


@dataclass(frozen=True, slots=True)
class Prepared:
    """A template that was read: subject, HTML and plain text in pieces between which values go by name.

    `names`: those that are used.
    """

    subject: tuple[str, ...]
    html: tuple[str, ...]
    text: tuple[str, ...]
    kinds: Mapping[str, Kind]
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Written:
    """What a person gets to read. `html` is the inner part of the page."""

    subject: str
    html: str
    text: str


@lru_cache(maxsize=500)
def prepare(occasion: Occasion, subject: str, body: str) -> Prepared:
    """Read a template that `faults` has found none in."""
    kinds = {placeholder.name: placeholder.kind for placeholder in OF[occasion]}
    source = _IN_LINK.sub(lambda found: f"]({_HOST}{found[1]})", body)
    source = PLACEHOLDER.sub(lambda found: _marked(found[1], kinds), source)
    tokens = _markdown.parse(source)
    rendered = _markdown.renderer.render(tokens, _markdown.options, {})
    plain = PLACEHOLDER.sub(lambda found: f"\x02{found[1]}\x03", " ".join(subject.split()))
    pieces = _pieces(plain), _pieces(str(rendered)), _pieces(plain_text(tokens))
    return Prepared(*pieces, kinds, frozenset(name for some in pieces for name in some[1::2]))


def _marked(name: str, kinds: Mapping[str, Kind]) -> str:
    return f"<{_HOST}{name}>" if kinds.get(name) is Kind.LINK else f"\x02{name}\x03"


def _pieces(text: str) -> tuple[str, ...]:
    """Text and names by turns, beginning with text."""
    found: list[str] = []
    end = 0
    for match in _MARK.finditer(text):
        found += (text[end : match.start()], match[1] or match[2])
        end = match.end()
    return (*found, text[end:])


def write(prepared: Prepared, values: Mapping[str, str]) -> Written:
    """Fill the placeholders. A name that there is no value for leaves nothing."""
    clean = {name: _clean(value, prepared.kinds.get(name)) for name, value in values.items() if name in prepared.names}
    escaped = {name: html.escape(value) for name, value in clean.items()}
    return Written(_filled(prepared.subject, clean), _filled(prepared.html, escaped), _filled(prepared.text, clean))


@lru_cache(maxsize=2000)
def _clean(value: str, kind: Kind | None) -> str:
    if kind is Kind.PERSON:
        value = _ADDRESS.sub("", value).replace("@", " at ")
    return _SPACE.sub(" ", value).strip()


def _filled(pieces: tuple[str, ...], values: Mapping[str, str]) -> str:
    filled = list(pieces)
    filled[1::2] = [values.get(name, "") for name in pieces[1::2]]
    return "".join(filled)


def plain_text(tokens: list[Token]) -> str:
    """The text twin: paragraphs, items with a star or a number, addresses after the words that they belong to."""
    lines: list[str] = []
    lists: list[int] = []
    prefix = ""
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            lists.append(0 if token.type.startswith("bullet") else int(token.attrGet("start") or 1))
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            lists.pop()
            prefix = ""
            if not lists:
                lines.append("")
        elif token.type == "list_item_open":
            number = lists[-1]
            prefix = "  " * (len(lists) - 1) + (f"{number}. " if number else "* ")
            lists[-1] += bool(number)
        elif token.type == "inline":
            lines.append(prefix + _inline(token.children or []))
            prefix = " " * len(prefix)
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.rstrip())
        elif token.type == "hr":
            lines.append("-" * 20)
        if token.type in ("paragraph_close", "heading_close", "fence", "code_block", "hr") and not lists:
            lines.append("")
            prefix = ""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _inline(children: list[Token]) -> str:
    words: list[str] = []
    target, begun = "", 0
    for child in children:
        if child.type in ("text", "code_inline"):
            words.append(child.content)
        elif child.type in ("softbreak", "hardbreak"):
            words.append("\n")
        elif child.type == "link_open":
            target, begun = str(child.attrGet("href") or ""), len(words)
        elif child.type == "link_close":
            label = "".join(words[begun:])
            words[begun:] = [label if label == target else f"{label}: {target}"]
        elif child.type == "image":
            words.append(child.content)
    return "".join(words)
