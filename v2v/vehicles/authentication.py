"""`Authorization: Bearer` of the API: a device token or a Firebase ID token, which stands for its vehicle."""

from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from v2v.fleets.policy import Actor
from v2v.vehicles.identity import Authenticated, AuthRefusal
from v2v.vehicles.verified import token_verify

MAX_TOKEN_CHARS = 4096


@dataclass(frozen=True, slots=True)
class VehicleUser:
    """What `request.user` is when a vehicle asks."""

    actor: Actor
    pk: int
    is_authenticated: bool = True
    is_active: bool = True
    is_staff: bool = False


class BearerAuthentication(BaseAuthentication):
    """Takes the vehicle from its token; a request without one is left to the next way to sign in."""

    def authenticate(self, request: Request) -> tuple[VehicleUser, Authenticated] | None:
        """The vehicle and its identity; raises AuthenticationFailed, or Refusal when it cannot be found out."""
        token = self.token_of(request)
        if token is None:
            return None
        if not token.isascii() or not 0 < len(token) <= MAX_TOKEN_CHARS:
            raise AuthenticationFailed
        try:
            who = token_verify(token=token, now=timezone.now())
        except AuthRefusal as refusal:
            raise AuthenticationFailed(refusal.message) from None
        return VehicleUser(actor=who.actor, pk=who.vehicle_pk), who

    def token_of(self, request: Request) -> str | None:
        """The token, where one was sent."""
        kind, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        return token if kind.lower() == "bearer" else None

    def authenticate_header(self, request: Request) -> str:
        """Makes what is refused a 401."""
        return "Bearer"


class TrackerAuthentication(BearerAuthentication):
    """For apps and trackers of others, which cannot all set a header.

    The token comes as a bearer token, as the password of Basic, or as `token` in the address or the form, whatever
    comes first.
    """

    def token_of(self, request: Request) -> str | None:
        """The token, where one was sent."""
        if (token := super().token_of(request)) is not None:
            return token
        if (basic := basic_of(request)) is not None:
            return basic[1]
        if (token := request.query_params.get("token")) is not None:
            return token
        return request.data.get("token") if isinstance(request.data, QueryDict) else None


def basic_of(request: Request) -> tuple[str, str] | None:
    """User name and password of `Authorization: Basic` (RFC 7617); raises AuthenticationFailed for a broken one."""
    kind, _, encoded = get_authorization_header(request).decode("latin-1").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        raise AuthenticationFailed from None
    return user, password


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes it."""

    target_class = BearerAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """As OpenAPI wants it."""
        return {"type": "http", "scheme": "bearer", "description": "A device token or a Firebase ID token."}
