"""Names, addresses and employers made comparable. Pure functions; nothing here decides who is who."""

import re
import unicodedata
from functools import lru_cache

_TITLES = frozenset({
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "rev", "revd", "sir", "dame", "lady", "lord",
    "sister", "sr", "rn", "rgn", "rmn", "mba", "bsc", "msc", "phd", "mrpharms",
})  # fmt: skip
_PARTICLES = frozenset(
    {"van", "von", "de", "der", "den", "la", "le", "da", "dos", "del", "di", "al", "el", "bin", "ben"}
)
_LEGAL = frozenset({"ltd", "limited", "plc", "llp", "cic", "cio", "inc", "the", "and"})
_GENERAL = frozenset({
    "care", "home", "homes", "nursing", "residential", "rest", "centre", "center", "service", "services", "agency",
    "group", "uk", "house", "domiciliary", "homecare", "healthcare",
})  # fmt: skip
_MAILBOX = frozenset({
    "manager", "managers", "info", "care", "admin", "administrator", "administration", "office", "home", "nurse",
    "nurses", "enquiries", "enquiry", "reception", "receptionist", "team", "staff", "contact", "contactus", "mail",
    "hello", "carehome", "nursinghome", "deputy", "deputymanager", "seniors", "senior", "seniorcarers", "carers",
    "carer", "training", "medication", "medications", "medicines", "meds", "clinical", "matron",
    "registeredmanager", "homemanager", "housekeeping", "hr", "accounts", "finance", "support", "help", "helpdesk",
    "noreply", "donotreply", "shared", "group", "unit", "floor", "nursestation", "manageroffice", "officemanager",
    "generalenquiries",
})  # fmt: skip
_NICKNAMES = (
    "elizabeth liz lizzie beth betty eliza", "margaret maggie meg peggy",
    "katherine catherine kathryn kate katie kathy cathy",
    "susan sue suzanne susie", "patricia pat trish tricia", "jennifer jen jenny", "christine chris tina christina",
    "deborah debbie deb", "jacqueline jackie", "samantha sam sammy", "rebecca becky becca", "victoria vicky vicki tori",
    "alexandra alex sandra", "alexander alex alec sandy", "william will bill billy", "robert rob bob bobby robbie",
    "richard rick dick ricky", "michael mike mick mikey", "james jim jimmy jamie", "john jack johnny",
    "david dave davey",
    "thomas tom tommy", "anthony tony", "andrew andy drew", "stephen steven steve", "nicholas nick nicky",
    "matthew matt",
    "joseph joe joey", "edward ed ted eddie", "daniel dan danny", "benjamin ben benny", "christopher chris kit",
    "theresa teresa terry tess", "amanda mandy", "pamela pam", "barbara barb babs", "judith judy", "nicola nicky nikki",
    "charlotte lottie charlie", "abigail abi abbie", "gillian gill jill", "josephine jo josie", "joanne jo joanna",
    "mohammed muhammad mohammad mohamed", "philip phil phillip", "peter pete", "gregory greg", "timothy tim",
    "kenneth ken",
    "geoffrey geoff jeffrey jeff", "stuart stewart", "isabel isabelle bella izzy", "olivia liv livvy", "florence flo",
)  # fmt: skip
_ADDRESS = re.compile(r"[^\s@,;<>()\"]+@[^\s@,;<>()\"]+\.[^\s@,;<>()\".]{2,}")

SAME = 0.9
"""From this agreement on, two names are the same, perhaps without a middle name or turned round."""
COMPATIBLE = 0.7
"""From this agreement on, two names may well be one person's: a nickname, an initial, a typing error."""


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ø", "o").replace("đ", "d"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def normalise_email(text: str | None) -> str | None:
    """An e-mail address in lower case, taken out of "Name <address>" too; None when there is not exactly one."""
    if not text:
        return None
    if _ADDRESS.fullmatch(text) and ":" not in text:
        return text.lower().rstrip(".")
    found = {
        address.lower().rstrip(".") for address in _ADDRESS.findall(re.sub("mailto:", "", text, flags=re.IGNORECASE))
    }
    return found.pop() if len(found) == 1 else None


def is_shared_mailbox(email: str) -> bool:
    """Whether the address reads as a home's or a team's rather than a person's, such as manager@ or rose.nurses@."""
    local = email.partition("@")[0].partition("+")[0].casefold()
    parts = [part for part in re.split(r"[._\-\d]+", local) if part]
    if not parts:
        return False
    return "".join(parts) in _MAILBOX or parts[0] in _MAILBOX or parts[-1] in _MAILBOX


@lru_cache(maxsize=16_384)
def name_key(name: str) -> str:
    """A person's name without case, accents, titles, brackets and punctuation, given name first; "" for a number."""
    plain = re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", name)
    family, comma, given = plain.partition(",")
    if comma and re.search(r"\w", given) and re.search(r"\w", family):
        plain = f"{given} {family}"
    words = re.sub(r"[^\w\s-]|_", "", _plain(plain).replace("’", "'").replace(".", " ")).replace("-", " ").split()
    while words and words[0] in _TITLES:
        words.pop(0)
    while len(words) > 1 and words[-1] in _TITLES:
        words.pop()
    return "" if any(letter.isdigit() for word in words for letter in word) else " ".join(words)


def full_name_key(given_name: str | None, family_name: str | None) -> str:
    """`name_key` of a name that comes in two parts."""
    return " ".join(key for key in (name_key(given_name or ""), name_key(family_name or "")) if key)


@lru_cache(maxsize=16_384)
def employer_key(name: str) -> str:
    """An employer's name without case, accents, punctuation, legal form, "the" and "and"."""
    plain = re.sub(r"['’`]", "", _plain(name)).replace("&", " and ")
    words = [word for word in re.sub(r"[^\w]+|_", " ", plain).split() if word not in _LEGAL]
    words = ["st" if word == "saint" else word for word in words]
    return " ".join(words) or " ".join(re.sub(r"[^\w]+|_", " ", plain).split())


def employer_core(key: str) -> str:
    """An employer's key without words that many have, such as "care home"; the whole key where nothing else is left."""
    return " ".join(word for word in key.split() if word not in _GENERAL) or key


@lru_cache(maxsize=4096)
def _forms(given: str) -> frozenset[str]:
    return frozenset(word for names in _NICKNAMES if given in names.split() for word in names.split()) | {given}


def name_agreement(one: str, other: str) -> float:
    """How well two name keys agree, from 0 (two people) to 1 (the same); symmetric."""
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    first, second = one.split(), other.split()
    if sorted(first) == sorted(second):
        return 0.97
    if "".join(first) == "".join(second):
        return 0.97
    if len(first) < 2 or len(second) < 2:
        return 0.0
    family, other_family = _family(first), _family(second)
    if family == other_family:
        return _given_agreement(first[0], second[0])
    if first[0] == second[0]:
        if first[-1] in second or second[-1] in first:
            # A double-barrelled name of which only one half was given.
            return 0.8
        if min(len(family), len(other_family)) > 3 and _one_slip(family, other_family):
            return 0.8
    return 0.0


def _family(words: list[str]) -> str:
    start = len(words) - 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    return "".join(words[start:])


def _given_agreement(one: str, other: str) -> float:
    if one == other:
        return 0.95
    if _forms(one) & _forms(other):
        return 0.8
    if (len(one) == 1 or len(other) == 1) and one[0] == other[0]:
        return 0.72
    if min(len(one), len(other)) > 3 and _one_slip(one, other):
        return 0.75
    return 0.0


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter was changed, added, left out, or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, other_rest = one[start:], other[start:]
    if len(one) == len(other):
        swapped = len(rest) > 1 and rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:]
        return rest[1:] == other_rest[1:] or swapped
    return rest[1:] == other_rest if len(one) > len(other) else rest == other_rest[1:]
