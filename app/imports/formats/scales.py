"""Named scales of feedback answers, from the least to the most, and how an answer is placed on one."""

from collections.abc import Iterable, Mapping

from app.imports.formats.values import heading_key

LIKERT_SHARE = 0.6
"""A question is on a scale when at least this share of its first answers is."""
FIRST_ANSWERS = 50

SCALES: Mapping[str, tuple[str, ...]] = {
    "usefulness": ("Not at all useful", "Slightly useful", "Moderately useful", "Very useful", "Extremely useful"),
    "agreement": ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"),
    "confidence": (
        "Not at all confident", "Slightly confident", "Moderately confident", "Very confident", "Extremely confident",
    ),
    "satisfaction": (
        "Very dissatisfied", "Dissatisfied", "Neither satisfied nor dissatisfied", "Satisfied", "Very satisfied",
    ),
    "rating": ("1", "2", "3", "4", "5"),
}  # fmt: skip

_OTHER_WORDS: Mapping[str, Mapping[str, int]] = {
    "usefulness": {
        "not useful at all": 0, "not useful": 0, "not very useful": 1, "a little useful": 1, "somewhat useful": 2,
        "fairly useful": 2, "quite useful": 2, "useful": 2, "most useful": 4,
    },
    "agreement": {
        "neutral": 2, "neither agree or disagree": 2, "neither": 2, "tend to disagree": 1, "tend to agree": 3,
        "somewhat disagree": 1, "somewhat agree": 3, "strong agree": 4, "strong disagree": 0, "completely agree": 4,
        "completely disagree": 0, "not sure": 2,
    },
    "confidence": {
        "not confident": 0, "not confident at all": 0, "not very confident": 1, "a little confident": 1,
        "somewhat confident": 2, "fairly confident": 2, "quite confident": 2, "confident": 3, "completely confident": 4,
    },
    "satisfaction": {
        "extremely dissatisfied": 0, "somewhat dissatisfied": 1, "neutral": 2, "neither satisfied or dissatisfied": 2,
        "somewhat satisfied": 3, "extremely satisfied": 4,
    },
}  # fmt: skip

_PLACES: dict[str, dict[str, int]] = {
    name: {heading_key(option): number for number, option in enumerate(options)} | dict(_OTHER_WORDS.get(name, {}))
    for name, options in SCALES.items()
}

_NUMBERS = {"1": 0, "2": 1, "3": 2, "4": 3, "5": 4}


def option_number(scale: str, answer: str) -> int | None:
    """The answer's place on the scale, 0 for the least; None when it is not on it. "5 - Strongly agree" is on it."""
    places = _PLACES.get(scale, {})
    key = heading_key(answer)
    found = places.get(key)
    if found is None and key[:2].rstrip() in _NUMBERS:
        found = _NUMBERS[key] if scale == "confidence" and key in _NUMBERS else places.get(key[1:].strip())
    return found


def scale_of(answers: Iterable[str], question: str = "") -> str | None:
    """The scale that a question's first answers belong to; None for free text.

    Numbers from 1 to 5 are a rating, and of confidence where the question asks for it.
    """
    first = [answer for answer in answers if answer.strip()][:FIRST_ANSWERS]
    if not first:
        return None
    confidence = "confiden" in question.casefold()
    counts = {name: sum(option_number(name, answer) is not None for answer in first) for name in SCALES}
    best = max(counts, key=lambda name: counts[name])
    if not confidence and all(answer.strip() in _NUMBERS for answer in first):
        best = "rating"
    return best if counts[best] >= LIKERT_SHARE * len(first) else None
