"""OAuth 2.0 endpoints: client credentials (RFC 6749 section 4.4) and the JWKS."""

import base64
import binascii
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse

from app.identity.errors import IdentityRefusal

MAXIMUM_FORM = 16 * 1024


async def token(request: Request) -> JSONResponse:
    """Grant an access token to a client that shows its id and secret, in the form or by HTTP Basic."""
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > MAXIMUM_FORM:
        return _refused(IdentityRefusal("invalid_request", "Send a form of at most 16 kB with its Content-Length."))
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return _refused(IdentityRefusal("invalid_request", "Send application/x-www-form-urlencoded."))
    form = {name: str(value) for name, value in (await request.form()).items()}
    if form.get("grant_type") != "client_credentials":
        return _refused(IdentityRefusal("unsupported_grant_type", "Use grant_type=client_credentials."))
    try:
        client_id, secret = _credentials(request, form)
        answer = await request.app.state.services.clients.grant(client_id, secret, form.get("scope"))
    except IdentityRefusal as refusal:
        return _refused(refusal)
    return JSONResponse(answer, headers={"cache-control": "no-store"})


def _credentials(request: Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, found, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise IdentityRefusal("invalid_client", "The Basic credentials cannot be read.") from error
        if found:
            return unquote_plus(client_id), unquote_plus(secret)
    if "client_id" in form and "client_secret" in form:
        return form["client_id"], form["client_secret"]
    raise IdentityRefusal("invalid_client", "Send client_id and client_secret in the form or by HTTP Basic.")


def _refused(refusal: IdentityRefusal) -> JSONResponse:
    status = 401 if refusal.code == "invalid_client" else 400
    headers = {"cache-control": "no-store"}
    if status == 401:
        headers["www-authenticate"] = 'Basic realm="medstead"'
    return JSONResponse(
        {"error": refusal.code, "error_description": refusal.message}, status_code=status, headers=headers
    )


async def jwks(request: Request) -> JSONResponse:
    """Public keys that verify our access tokens."""
    keys = await request.app.state.services.keys.jwks()
    return JSONResponse(keys, headers={"cache-control": "public, max-age=300"})
