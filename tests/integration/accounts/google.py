"""A local stand-in for Google: its keys, its token exchange and its user directory, spoken to by the real SDK."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

PROJECT = "v2v-tests"
KEY_ID = "key-1"


def key_make() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: rsa.RSAPrivateKey) -> str:
    no_password = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password).decode()


def certificate_of(key: rsa.RSAPrivateKey) -> str:
    """A self-signed certificate, which is the form in which Google publishes its keys."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=30))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Google:
    """What it knows, where it listens, and how often it was asked."""

    key: rsa.RSAPrivateKey
    url: str = ""
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def id_token(self, uid: str = "uid-1", *, key: rsa.RSAPrivateKey | None = None, **changes: Any) -> str:
        """An ID token as Google signs it; `changes` to its claims, of which None takes one away."""
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": f"https://securetoken.google.com/{PROJECT}",
            "aud": PROJECT,
            "sub": uid,
            "iat": now - 10,
            "auth_time": now - 10,
            "exp": now + 3600,
        }
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm="RS256", headers={"kid": KEY_ID})

    def service_account(self, path: Path) -> str:
        """A credentials file whose tokens are exchanged here."""
        account = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "1",
            "private_key": pem_of(self.key),
            "client_email": f"tests@{PROJECT}.example",
            "client_id": "1",
            "token_uri": f"{self.url}/token",
        }
        path.write_text(json.dumps(account))
        return str(path)


@contextmanager
def google_serve() -> Iterator[Google]:
    """A Google on a free local port."""
    google = Google(key=key_make())
    certificates = {KEY_ID: certificate_of(google.key)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            google.asked.append("keys")
            self._answer(certificates)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/token":
                self._answer({"access_token": "local", "expires_in": 3600, "token_type": "Bearer"})
                return
            google.asked.append("user")
            uid = json.loads(body)["localId"][0]
            self._answer({"users": [google.users[uid]]} if uid in google.users else {})

        def _answer(self, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Cache-Control", "public, max-age=3600")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that the base class gives it
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    google.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield google
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
