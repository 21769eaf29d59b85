"""What a caller may ask of this process: sizes, rates and times; and the headers that keep browsers safe."""

import json
import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_CALLERS = 10_000
_SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# FastAPI's documentation pages load their script from a CDN and start it inline.
_DOCS_POLICY = _POLICY.replace(
    "default-src 'self'",
    "default-src 'self' 'unsafe-inline' https://cdn.jsdelivr.net https://fonts.googleapis.com",
).replace("img-src 'self' data:", "img-src 'self' data: https://fastapi.tiangolo.com")
_DOCS = ("/docs", "/redoc")
_UNLIMITED = ("/healthz", "/readyz")


@dataclass(frozen=True)
class Limits:
    """The limits of one process; zero requests per second means any number."""

    body_bytes: int = 16_000_000
    requests_per_s: float = 500.0
    burst: int = 1000
    keep_events_s: float = 900.0
    events_bytes: int = 4_000_000
    anomaly_share: float = 0.1


class LimitGuard:
    """ASGI middleware: bodies of bounded size, requests at a bounded rate per caller, safe headers on all answers."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits
        self.refused = 0
        self._callers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within the limits, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        send = _with_headers(send, scope["path"])
        wait_s = 0.0 if scope["path"] in _UNLIMITED else self._wait_s(_caller(scope))
        if wait_s > 0:
            await _refuse(send, 429, "busy", "Too many requests.", f"Try again in {wait_s:.1f} s.", wait_s)
            return
        fitting = await self._bounded(scope, receive)
        if fitting is None:
            most = f"{self.limits.body_bytes:,} bytes"
            await _refuse(send, 413, "too_large", f"The body is larger than {most}.", "Send it in parts.")
            return
        await self.app(scope, fitting, send)

    def _wait_s(self, caller: str) -> float:
        """Take one from the caller's bucket; return how long to wait where it is empty."""
        rate = self.limits.requests_per_s
        if rate <= 0:
            return 0.0
        now = time.monotonic()
        tokens, before = self._callers.pop(caller, (float(self.limits.burst), now))
        tokens = min(self.limits.burst, tokens + (now - before) * rate)
        self._callers[caller] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._callers) > _MOST_CALLERS:
            self._callers.popitem(last=False)
        if tokens >= 1:
            return 0.0
        self.refused += 1
        return (1 - tokens) / rate

    async def _bounded(self, scope: Scope, receive: Receive) -> Receive | None:
        """Return how to receive the body, None where it is too large; a body of unknown length is read first."""
        headers = dict(scope["headers"])
        stated = headers.get(b"content-length")
        if stated is not None:
            return receive if stated.isdigit() and int(stated) <= self.limits.body_bytes else None
        if b"transfer-encoding" not in headers:
            return receive
        return await _read_first(receive, self.limits.body_bytes)


async def _read_first(receive: Receive, most: int) -> Receive | None:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
        if sum(map(len, parts)) > most:
            return None
    kept: list[Message] = [{"type": "http.request", "body": b"".join(parts), "more_body": False}]

    async def replay() -> Message:
        return kept.pop() if kept else await receive()

    return replay


def _caller(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _raw(policy: str) -> list[tuple[bytes, bytes]]:
    headers = {**_SAFE_HEADERS, "Content-Security-Policy": policy}
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_RAW, _RAW_DOCS = _raw(_POLICY), _raw(_DOCS_POLICY)
_NO_STORE = (b"cache-control", b"no-store")


def _with_headers(send: Send, path: str) -> Send:
    safe = _RAW_DOCS if path.startswith(_DOCS) else _RAW

    async def send_safely(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            if not any(name == b"cache-control" for name, _ in given):
                given.append(_NO_STORE)
            message = {**message, "headers": given + safe}
        await send(message)

    return send_safely


async def _refuse(
    send: Send, status: int, code: str, message: str, hint: str, wait_s: float | None = None
) -> None:
    body = json.dumps({"code": code, "message": message, "hint": hint}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if wait_s is not None:
        headers.append((b"retry-after", str(max(1, round(wait_s))).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
