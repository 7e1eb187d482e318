"""Device tokens: what they look like and what is kept of them."""

import hashlib
import secrets

PREFIX = "v2v_"  # tells a device token from a Firebase one, and lets secret scanners find a leaked one


def token_make() -> str:
    """A new token of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def token_digest(token: str) -> str:
    """The SHA-256 by which a token is found again; the token itself is never stored."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_device_token(token: str) -> bool:
    """Whether it claims to be one of ours; anything else can only be a Firebase ID token."""
    return token.startswith(PREFIX)
