"""Firebase ID tokens, checked by firebase-admin itself: signature, key, issuer, audience, times, revocation.

A check costs a millisecond of arithmetic, and now and then a fetch of Google's keys: call it in a thread. The answer is
kept until the token expires; where FIREBASE_CREDENTIALS allows to ask for revoked tokens and disabled users, only for
30 s.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from threading import Lock
from uuid import uuid4

import firebase_admin
from django.conf import settings
from firebase_admin import auth, credentials, exceptions
from google.auth.credentials import AnonymousCredentials

from v2v.vehicles.tokens import token_digest

REVOCATION_CHECK_EVERY = timedelta(seconds=30)
MAX_CACHED = 20_000
_SKEW_S = 5  # a phone's clock runs ahead of Google's; the system's own 5 minutes would outlive a logout
_HTTP_TIMEOUT_S = 5


class TokenRefused(Exception):
    """Not a good token; `reason` is one of few words, for logs and metrics."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class KeysUnavailable(Exception):
    """Google could not be asked; the token may be good."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose token it is and until when."""

    uid: str
    expires_at: datetime


class FirebaseVerifier:
    """Verifies ID tokens of one project; safe to share between threads."""

    def __init__(self, *, project_id: str, credentials_path: str = "") -> None:
        credential = credentials.Certificate(credentials_path) if credentials_path else AnonymousCredentials()  # type: ignore[no-untyped-call]
        options = {"httpTimeout": _HTTP_TIMEOUT_S} | ({"projectId": project_id} if project_id else {})
        self._app = firebase_admin.initialize_app(credential, options, name=f"v2v-{uuid4()}")
        self._check_revoked = bool(credentials_path)
        self._known: OrderedDict[str, tuple[Identity, datetime]] = OrderedDict()
        self._lock = Lock()

    def verify(self, token: str, *, now: datetime) -> Identity:
        """Whose token it is; raises TokenRefused or KeysUnavailable."""
        digest = token_digest(token)
        with self._lock:
            identity, good_until = self._known.get(digest, (None, now))
        if identity is not None and now < good_until:
            return identity
        identity = self._ask(token)
        good_until = (
            min(identity.expires_at, now + REVOCATION_CHECK_EVERY) if self._check_revoked else identity.expires_at
        )
        with self._lock:
            self._known[digest] = (identity, good_until)
            self._known.move_to_end(digest)
            if len(self._known) > MAX_CACHED:
                self._known.popitem(last=False)
        return identity

    def _ask(self, token: str) -> Identity:
        try:
            claims = auth.verify_id_token(
                token, app=self._app, check_revoked=self._check_revoked, clock_skew_seconds=_SKEW_S
            )
        except auth.CertificateFetchError as error:
            raise KeysUnavailable(str(error)) from error
        except auth.ExpiredIdTokenError:
            raise TokenRefused("firebase_expired") from None
        except auth.RevokedIdTokenError:
            raise TokenRefused("firebase_revoked") from None
        except (auth.UserDisabledError, auth.UserNotFoundError):
            raise TokenRefused("firebase_user_gone") from None
        except auth.InvalidIdTokenError:
            raise TokenRefused("firebase_invalid") from None
        except exceptions.FirebaseError as error:
            raise KeysUnavailable(str(error)) from error
        except ValueError:  # not a JWT at all
            raise TokenRefused("firebase_invalid") from None
        return Identity(uid=claims["uid"], expires_at=datetime.fromtimestamp(claims["exp"], UTC))


def firebase_verify(token: str, *, now: datetime) -> Identity:
    """Whose ID token of the configured project it is; raises TokenRefused or KeysUnavailable."""
    if not (settings.FIREBASE_PROJECT_ID or settings.FIREBASE_CREDENTIALS):
        raise TokenRefused("firebase_not_configured")
    return _verifier(settings.FIREBASE_PROJECT_ID, settings.FIREBASE_CREDENTIALS).verify(token, now=now)


@lru_cache(maxsize=1)
def _verifier(project_id: str, credentials_path: str) -> FirebaseVerifier:
    """Made at the first use: most installations never need it."""
    return FirebaseVerifier(project_id=project_id, credentials_path=credentials_path)
