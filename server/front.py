"""What stands in front of every door: safe headers on all answers, faults and refusals in the one error body."""

import json
import logging
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.calls import INTERNAL

log = logging.getLogger(__name__)

Headers = Iterable[tuple[bytes, bytes]]

_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
}
_RAW = [(name.lower().encode(), value.encode()) for name, value in _SAFE_HEADERS.items()]
_NO_STORE = (b"cache-control", b"no-store")


class SafeAnswers:
    """ASGI middleware, the outermost: headers that keep browsers safe, and an answer where a route failed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; answer `internal_error` for a bug, whose traceback goes to the log only."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def send_safely(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                message = {**message, "headers": _made_safe(message.get("headers", ()))}
            await send(message)

        try:
            await self.app(scope, receive, send_safely)
        except Exception:
            if has_started:
                raise
            log.exception("%s %s failed", scope["method"], scope["path"])
            await refuse(scope, send_safely, 500, INTERNAL.body())


def _made_safe(headers: Headers) -> list[tuple[bytes, bytes]]:
    given = list(headers)
    if not any(name == b"cache-control" for name, _ in given):
        given.append(_NO_STORE)
    return given + _RAW


async def refuse(scope: Scope, send: Send, status: int, body: dict[str, str], headers: Headers = ()) -> None:
    """Answer a request, or a WebSocket's handshake, without the application."""
    content = json.dumps(body).encode()
    kind = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": body["message"][:120]})
            return
        kind = "websocket.http.response"
    length = str(len(content)).encode()
    described = [(b"content-type", b"application/json"), (b"content-length", length), *headers]
    if scope["type"] == "websocket":
        described = _made_safe(described)
    await send({"type": f"{kind}.start", "status": status, "headers": described})
    await send({"type": f"{kind}.body", "body": content})
