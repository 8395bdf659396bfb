"""Media types of GraphQL over HTTP: what a request may be sent as and what its answer is given as."""

from functools import lru_cache

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"


@lru_cache(maxsize=64)
def is_json(content_type: str) -> bool:
    """Whether a Content-Type is JSON in UTF-8, which is also meant when no charset is given."""
    media_type, parameters = _parsed(content_type)
    return media_type == JSON and parameters.get("charset", "utf-8") in ("utf-8", "utf8")


@lru_cache(maxsize=64)
def answer_type(accept: str | None) -> str | None:
    """The media type to answer with, the caller's favourite first; JSON where all is one; None if neither will do."""
    weights: dict[str, float] = {}
    for text in (accept or "*/*").split(","):
        media_type, parameters = _parsed(text)
        if parameters.get("charset", "utf-8") in ("utf-8", "utf8"):
            weights[media_type] = _weight(parameters.get("q", "1"))
    general = weights.get("application/*", weights.get("*/*", 0.0))
    json, graphql_json = weights.get(JSON, general), weights.get(GRAPHQL_JSON, 0.0)
    if not json and not graphql_json:
        return None
    return GRAPHQL_JSON if graphql_json >= json else JSON


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _parsed(text: str) -> tuple[str, dict[str, str]]:
    media_type, *rest = text.split(";")
    pairs = (part.partition("=") for part in rest)
    return media_type.strip().lower(), {name.strip().lower(): value.strip(' "').lower() for name, _, value in pairs}
