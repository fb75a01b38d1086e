"""POST /token: client credentials for a short access token (RFC 6749 §4.4); the secret by Basic or in the form."""

from __future__ import annotations

import base64
import binascii
from typing import Literal
from urllib.parse import unquote_plus

from django.http import HttpResponse
from ninja import Form
from ninja.decorators import decorate_view
from pydantic import ConfigDict, Field

from sheka.foundation.refusals import Code, Refused
from sheka.office.api.operations import Declared, Request, Router
from sheka.office.api.parsing import keepable
from sheka.office.api.pipeline import through
from sheka.office.api.shapes import Shape
from sheka.office.clients.tokens import give_token

FORM = "application/x-www-form-urlencoded"
GRANT = "client_credentials"
DECLARED = Declared(
    scope=None,
    refusals=(Code.API_CLIENT_REFUSED, Code.API_CLIENT_LOCKED, Code.API_GRANT_TYPE, Code.API_SCOPE),
    media_types=(FORM,),
    limit=4096,
)
router = Router()


class TokenForm(Shape):
    """The form of RFC 6749 §4.4.2; a field that is not known is passed over, as §3.2 asks."""

    model_config = ConfigDict(extra="ignore")

    grant_type: str = Field(max_length=60, description=f"Always {GRANT}.", examples=[GRANT])
    client_id: str = Field("", max_length=60, description="When it is not sent by HTTP Basic.")
    client_secret: str = Field("", max_length=120, description="When it is not sent by HTTP Basic.")
    scope: str = Field("", max_length=1000, description="Scopes between spaces; all that the client holds when empty.")


class Token(Shape):
    """An access token."""

    access_token: str = Field(description="Opaque; send it as Authorization: Bearer.")
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Seconds.")
    scope: str = Field(description="What it opens, between spaces.")


def create_token(request: Request, response: HttpResponse, form: Form[TokenForm]) -> Token:
    """A token for the client's secret.

    It opens the scopes asked for, or all that were granted to the client, and ends by itself. A rotated secret, an
    ended client and a right taken back stop it at once.
    """
    if form.grant_type != GRANT:
        raise Refused(Code.API_GRANT_TYPE)
    code, secret = _basic(request) or (form.client_id, form.client_secret)
    if not keepable(code):
        raise Refused(Code.API_CLIENT_REFUSED)
    given = give_token(code, secret, form.scope.split() or None)
    response["Cache-Control"] = "no-store"
    return Token(access_token=given.token, token_type="Bearer", expires_in=given.seconds, scope=" ".join(given.scopes))  # noqa: S106


def _basic(request: Request) -> tuple[str, str] | None:
    """Client id and secret of HTTP Basic, both percent-decoded (RFC 6749 §2.3.1); None when there is no such header."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        code, colon, secret = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise Refused(Code.API_CLIENT_REFUSED) from None
    if not colon:
        raise Refused(Code.API_CLIENT_REFUSED)
    return unquote_plus(code), unquote_plus(secret)


create_token.declared = DECLARED  # type: ignore[attr-defined]
decorate_view(through(DECLARED, create_token))(create_token)
router.add_api_operation(
    "/token", ["POST"], create_token, response={200: Token}, operation_id="createToken", summary="A token for a secret"
)
