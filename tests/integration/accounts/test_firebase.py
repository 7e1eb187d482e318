"""Firebase ID tokens: firebase-admin's own verifier, real RS256 tokens, a local key server."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from firebase_admin import _token_gen, _user_mgt

from tests.integration.accounts.google import KEY_ID, PROJECT, Google, certificate_of, google_serve, key_make
from tests.integration.people import fleet_make, vehicle_make
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.vehicles import firebase, services
from v2v.vehicles.firebase import FirebaseVerifier, KeysUnavailable, TokenRefused
from v2v.vehicles.identity import AuthRefusal, token_authenticate, vehicle_authenticate
from v2v.vehicles.models import Device

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def served() -> Iterator[Google]:
    with google_serve() as running:
        yield running


@pytest.fixture
def google(served: Google, monkeypatch: pytest.MonkeyPatch) -> Google:
    """Only the addresses are other than in production."""
    monkeypatch.setattr(_token_gen, "ID_TOKEN_CERT_URI", f"{served.url}/keys")
    monkeypatch.setattr(_user_mgt.UserManager, "ID_TOOLKIT_URL", f"{served.url}/v1")
    served.asked.clear()
    served.users.clear()
    return served


@pytest.fixture
def verifier(google: Google) -> FirebaseVerifier:
    return FirebaseVerifier(project_id=PROJECT)


@pytest.fixture
def asking_verifier(google: Google, tmp_path: Path) -> FirebaseVerifier:
    """One with credentials, which asks for revoked tokens and disabled users."""
    path = google.service_account(tmp_path / "account.json")
    return FirebaseVerifier(project_id="", credentials_path=path)


def reason_of(verifier: FirebaseVerifier, token: str) -> str:
    with pytest.raises(TokenRefused) as caught:
        verifier.verify(token, now=datetime.now(UTC))
    return caught.value.reason


def unsigned(claims: dict[str, Any], **header: Any) -> str:
    parts = [json.dumps(part).encode() for part in (header, claims)]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts) + "."


def test_a_good_token_names_its_user_and_its_end(google: Google, verifier: FirebaseVerifier) -> None:
    identity = verifier.verify(google.id_token("uid-1"), now=datetime.now(UTC))
    assert identity.uid == "uid-1"
    assert timedelta(minutes=59) < identity.expires_at - datetime.now(UTC) <= timedelta(hours=1)


def test_an_expired_token_is_refused(google: Google, verifier: FirebaseVerifier) -> None:
    past = int(datetime.now(UTC).timestamp()) - 60
    assert reason_of(verifier, google.id_token(exp=past, iat=past - 3600)) == "firebase_expired"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another-project"},
        {"iss": "https://securetoken.google.com/another-project"},
        {"iss": "https://evil.example"},
        {"iat": 4_000_000_000, "exp": 4_000_003_600},
        {"sub": ""},
        {"sub": "u" * 129},
        {"sub": None},
        {"exp": None},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(
    google: Google, verifier: FirebaseVerifier, changes: dict[str, Any]
) -> None:
    assert reason_of(verifier, google.id_token(**changes)) == "firebase_invalid"


def test_a_token_that_somebody_else_signed_is_refused(google: Google, verifier: FirebaseVerifier) -> None:
    assert reason_of(verifier, google.id_token(key=key_make())) == "firebase_invalid"


def test_a_token_with_an_unknown_key_is_refused(google: Google, verifier: FirebaseVerifier) -> None:
    claims = jwt.decode(google.id_token(), options={"verify_signature": False})
    token = jwt.encode(claims, google.key, algorithm="RS256", headers={"kid": "key-2"})
    assert reason_of(verifier, token) == "firebase_invalid"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_that_asks_for_a_weaker_algorithm_is_refused(
    google: Google, verifier: FirebaseVerifier, algorithm: str
) -> None:
    claims = jwt.decode(google.id_token(), options={"verify_signature": False})
    assert reason_of(verifier, unsigned(claims, alg=algorithm, kid=KEY_ID)) == "firebase_invalid"


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(google: Google, verifier: FirebaseVerifier) -> None:
    claims = jwt.decode(google.id_token(), options={"verify_signature": False})
    header = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": KEY_ID}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=")
    secret = certificate_of(google.key).encode()
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256).sign(header + b"." + body, secret)
    token = b".".join([header, body, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()
    assert reason_of(verifier, token) == "firebase_invalid"


@pytest.mark.parametrize(
    "garbage",
    ["x", "a.b.c", "..", "é.é.é", "\x00", unsigned([], alg="RS256", kid=KEY_ID), "e30.e30.e30", "a" * 4096],  # type: ignore[arg-type]
)
def test_garbage_is_refused(verifier: FirebaseVerifier, garbage: str) -> None:
    assert reason_of(verifier, garbage) == "firebase_invalid"


def test_a_changed_token_is_refused(google: Google, verifier: FirebaseVerifier) -> None:
    mine, other = google.id_token("uid-1").split("."), google.id_token("uid-2").split(".")
    assert reason_of(verifier, ".".join([mine[0], other[1], mine[2]])) == "firebase_invalid"


def test_keys_that_cannot_be_had_are_no_fault_of_the_token(google: Google, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_token_gen, "ID_TOKEN_CERT_URI", "http://127.0.0.1:9/keys")
    with pytest.raises(KeysUnavailable):
        FirebaseVerifier(project_id=PROJECT).verify(google.id_token(), now=datetime.now(UTC))


def test_a_revoked_token_is_refused(google: Google, asking_verifier: FirebaseVerifier) -> None:
    now = datetime.now(UTC)
    google.users["uid-1"] = {"localId": "uid-1", "validSince": "0"}
    token = google.id_token("uid-1")
    assert asking_verifier.verify(token, now=now).uid == "uid-1"
    google.users["uid-1"]["validSince"] = str(int(now.timestamp()) + 1)
    assert asking_verifier.verify(token, now=now + timedelta(seconds=29)).uid == "uid-1"
    with pytest.raises(TokenRefused) as caught:
        asking_verifier.verify(token, now=now + timedelta(seconds=30))
    assert caught.value.reason == "firebase_revoked"


def test_a_disabled_or_deleted_user_is_refused(google: Google, asking_verifier: FirebaseVerifier) -> None:
    google.users["uid-1"] = {"localId": "uid-1", "disabled": True}
    assert reason_of(asking_verifier, google.id_token("uid-1")) == "firebase_user_gone"
    assert reason_of(asking_verifier, google.id_token("uid-2")) == "firebase_user_gone"


def test_a_token_is_verified_once_until_it_expires(google: Google, verifier: FirebaseVerifier) -> None:
    token, now = google.id_token(), datetime.now(UTC)
    first = verifier.verify(token, now=now)
    google.asked.clear()
    assert verifier.verify(token, now=now + timedelta(minutes=59)) is first
    assert verifier.verify(token, now=first.expires_at) is not first


def test_keys_are_fetched_once_for_many_tokens(google: Google, verifier: FirebaseVerifier) -> None:
    for n in range(5):
        verifier.verify(google.id_token(f"uid-{n}"), now=datetime.now(UTC))
    assert google.asked == ["keys"]


def test_what_is_remembered_is_bounded(
    google: Google, verifier: FirebaseVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firebase, "MAX_CACHED", 2)
    tokens, now = [google.id_token(f"uid-{n}") for n in range(3)], datetime.now(UTC)
    first, *_, last = [verifier.verify(token, now=now) for token in tokens]
    assert verifier.verify(tokens[2], now=now) is last
    assert verifier.verify(tokens[0], now=now) is not first


@pytest.mark.django_db
def test_an_owner_comes_in_with_a_device_of_its_own(google: Google, settings: Any) -> None:
    settings.FIREBASE_PROJECT_ID = PROJECT
    vehicle = vehicle_make(fleet_make(), owner_uid="uid-1")
    now = datetime.now(UTC)
    who = vehicle_authenticate(vehicle_id="truck-1", device_id="phone", token=google.id_token("uid-1"), now=now)
    device = Device.objects.get(vehicle=vehicle, device_id="phone")
    assert (who.vehicle_pk, who.device_pk, who.granted_by) == (vehicle.pk, device.pk, device.pk)
    assert who.token_expires_at is not None
    assert token_authenticate(token=google.id_token("uid-1"), now=now).vehicle_id == "truck-1"


@pytest.mark.django_db
def test_another_user_an_unowned_and_an_unknown_vehicle_are_refused_alike(google: Google, settings: Any) -> None:
    settings.FIREBASE_PROJECT_ID = PROJECT
    fleet = fleet_make()
    vehicle_make(fleet, "truck-1", owner_uid="uid-1")
    vehicle_make(fleet, "truck-2")
    for vehicle_id in ("truck-1", "truck-2", "truck-3"):
        with pytest.raises(AuthRefusal) as caught:
            vehicle_authenticate(
                vehicle_id=vehicle_id, device_id=None, token=google.id_token("uid-2"), now=datetime.now(UTC)
            )
        assert caught.value.reason == "not_its_vehicle"


@pytest.mark.django_db
def test_a_revoked_device_of_an_owner_is_refused(google: Google, settings: Any) -> None:
    settings.FIREBASE_PROJECT_ID = PROJECT
    vehicle_make(fleet_make(), owner_uid="uid-1")
    now = datetime.now(UTC)
    services.device_revoke(device=Device.objects.get(), now=now)
    with pytest.raises(AuthRefusal) as caught:
        vehicle_authenticate(vehicle_id="truck-1", device_id=None, token=google.id_token("uid-1"), now=now)
    assert caught.value.reason == "device_revoked"


@pytest.mark.django_db
def test_without_googles_keys_the_answer_is_to_try_again(
    google: Google, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FIREBASE_PROJECT_ID = "v2v-elsewhere"
    monkeypatch.setattr(_token_gen, "ID_TOKEN_CERT_URI", "http://127.0.0.1:9/keys")
    issuer = "https://securetoken.google.com/v2v-elsewhere"
    token = google.id_token(aud="v2v-elsewhere", iss=issuer)
    with pytest.raises(Refusal) as caught:
        vehicle_authenticate(vehicle_id="truck-1", device_id=None, token=token, now=datetime.now(UTC))
    assert caught.value.code == ErrorCode.UNAVAILABLE


@pytest.mark.parametrize(("debug", "starts"), [("0", False), ("1", True)])
def test_the_server_does_not_start_with_the_emulator_outside_of_debug(debug: str, starts: bool, tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "FIREBASE_AUTH_EMULATOR_HOST": "localhost:9099",
        "DEBUG": debug,
        "VAR_DIR": str(tmp_path),
        "DATABASE_URL": "",
    }
    command = [sys.executable, "-c", "import config.settings.base"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode == 0) is starts
    assert starts or "FIREBASE_AUTH_EMULATOR_HOST makes Firebase take unsigned tokens" in done.stderr
