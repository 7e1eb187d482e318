"""The two sockets: accept, hand the connection to a session, wait for its end."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import structlog
from channels.consumer import AsyncConsumer

from v2v.protocol.codes import CloseCode, ErrorCode
from v2v.protocol.decode import Refusal
from v2v.realtime.engine import Engine
from v2v.realtime.session import Kind, Session
from v2v.realtime.wire import DIRECT, AsgiWire

log = structlog.get_logger(__name__)

Scope = dict[str, Any]
Welcome = Callable[[Session, Scope], Awaitable[None]]
_DEFAULT_PORTS = {"http": 80, "https": 443}


class RealtimeConsumer(AsyncConsumer):
    """One lean consumer. The stock one makes two tasks and asks the database's thread for every message.

    `welcome` makes a client known that proves who it is by the upgrade itself (a dispatcher's cookie); vehicles
    register by their first message instead.
    """

    engine: Engine
    kind: Kind
    welcome: Welcome | None = None

    def __init__(self, *, engine: Engine, kind: Kind, welcome: Welcome | None = None) -> None:
        self.engine = engine
        self.kind = kind
        self.welcome = welcome

    async def __call__(
        self, scope: Scope, receive: Callable[[], Awaitable[dict[str, Any]]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Serve one connection."""
        await receive()  # websocket.connect
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        browser_only = self.welcome is not None
        if not origin_is_allowed(scope, headers, self.engine.config.origins, needs_one=browser_only):
            await send({"type": "websocket.close", "code": CloseCode.FORBIDDEN})  # 403, before the upgrade
            return
        self.engine.start()  # under servers without a lifespan
        wire = scope.get("extensions", {}).get(DIRECT) or AsgiWire(send)
        address = (scope.get("client") or ("", 0))[0]
        session = Session(self.engine, self.kind, wire, address=address, bearer=bearer_of(headers))
        is_crowded = self.engine.hub.unregistered_from(session.network) >= self.engine.config.unregistered_per_address
        self.engine.hub.open(session)
        wire.attach(session)
        code: int | None = None
        try:
            await send({"type": "websocket.accept"})
            log.info("connected", session=session.id, kind=self.kind.name, address=address)
            if is_crowded:
                session.close(CloseCode.OVERLOADED)
            elif self.welcome is not None:
                await self._welcome(self.welcome, session, scope)
            code = await _until_closed(receive, session)
        finally:
            self.engine.closed(session)
            log.info(
                "disconnected",
                session=session.id,
                client=session.name,
                address=address,
                code=code,
                seconds=round(self.engine.clock.monotonic() - session.opened_at, 1),
                received=session.received,
                posted=session.outbox.posted,
            )

    async def _welcome(self, welcome: Welcome, session: Session, scope: Scope) -> None:
        try:
            await welcome(session, scope)
        except Refusal as refusal:
            code = CloseCode.FORBIDDEN if refusal.code == "forbidden" else CloseCode.AUTH_FAILED
            if refusal.code == "unavailable":
                code = CloseCode.OVERLOADED
            session.close(code, refusal)
        except Exception:
            log.exception("welcome failed", session=session.id, address=session.address)
            session.close(CloseCode.OVERLOADED, Refusal(ErrorCode.INTERNAL_ERROR))


async def _until_closed(receive: Callable[[], Awaitable[dict[str, Any]]], session: Session) -> int | None:
    """Feed the session from a server without the short way; with it only the end of the connection comes here.

    The close code.
    """
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return message.get("code")
        if session.outbox.closed:
            continue  # what still comes on the way out
        if (text := message.get("text")) is not None:
            session.frame_received(text.encode())
        else:
            session.binary_received()


def bearer_of(headers: dict[bytes, str]) -> str | None:
    """The token of the upgrade's Authorization header."""
    scheme, _, token = headers.get(b"authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def origin_is_allowed(scope: Scope, headers: dict[bytes, str], allowed: frozenset[str], *, needs_one: bool) -> bool:
    """Whether the page that opens the socket may: the server's own, or one of the `allowed` full origins.

    A device sends no Origin and is let through to register, unless `needs_one`. Scheme, host and port all count.
    """
    origin = headers.get(b"origin")
    if origin is None:
        return not needs_one
    scheme = "https" if scope.get("scheme") == "wss" else "http"
    own = _full_origin(f"{scheme}://{headers.get(b'host', '')}")
    return _full_origin(origin) in (allowed | {own}) - {None}


def _full_origin(text: str) -> str | None:
    """Scheme, host and port, with the default port left out as browsers do; None for what is no origin."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path not in ("", "/"):
        return None
    suffix = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{parts.hostname}{suffix}"
