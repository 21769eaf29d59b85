"""What a caller may ask of this process: sizes, rates and times."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.front import refuse

_MOST_CALLERS = 10_000
_UNLIMITED = ("/healthz", "/readyz")


# Unpacked, a body of any size could come out of a small one.
_PACKED = {
    "code": "unsupported",
    "message": "Compressed bodies are not read here.",
    "hint": "Send the body as it is, without Content-Encoding; columns and Arrow streams are compact.",
}


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
    """ASGI middleware: bodies of bounded size as they are, requests at a bounded rate per caller."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits
        self.refused = 0
        self._callers: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within the limits, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        wait_s = 0.0 if scope["path"] in _UNLIMITED else self._wait_s(_caller(scope))
        if wait_s > 0:
            await refuse(scope, send, 429, *_busy(wait_s))
        elif scope["type"] == "websocket":
            await self.app(scope, receive, send)
        elif not _is_plain(scope):
            await refuse(scope, send, 415, _PACKED, [(b"accept-encoding", b"identity")])
        elif (fitting := await self._bounded(scope, receive)) is None:
            await refuse(scope, send, 413, self._too_large())
        else:
            await self.app(scope, fitting, send)

    def _too_large(self) -> dict[str, str]:
        message = f"The body is larger than {self.limits.body_bytes:,} bytes."
        return {"code": "too_large", "message": message, "hint": "Send it in parts."}

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
        if b"transfer-encoding" in headers:
            return await _read_first(receive, self.limits.body_bytes)
        stated = headers.get(b"content-length", b"0")
        return receive if stated.isdigit() and int(stated) <= self.limits.body_bytes else None


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


def _is_plain(scope: Scope) -> bool:
    """Whether the body is sent as it is; a missing or empty encoding is `identity`."""
    encodings = [value for name, value in scope["headers"] if name == b"content-encoding"]
    return all(value.strip().lower() in (b"", b"identity") for value in encodings)


def _busy(wait_s: float) -> tuple[dict[str, str], list[tuple[bytes, bytes]]]:
    body = {"code": "busy", "message": "Too many requests.", "hint": f"Try again in {wait_s:.1f} s."}
    return body, [(b"retry-after", str(max(1, round(wait_s))).encode())]
