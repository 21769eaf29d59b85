"""Who may speak to the server: one check of Host, Origin and bearer token for everything it serves."""

import hmac
import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from server.front import refuse

OPEN_PATHS = {"/healthz", "/readyz"}


class UnsafeBindingError(ValueError):
    """The server was asked to listen beyond the loopback without authentication."""


def is_loopback(host: str) -> bool:
    """Tell whether a bind address or host name stays on this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_binding(host: str, token: SecretStr | None) -> None:
    """Refuse to listen beyond the loopback without a bearer token.

    Raises:
        UnsafeBindingError: host is not on the loopback and there is no token of at least 16 characters.
    """
    if is_loopback(host):
        return
    if token is None or len(token.get_secret_value()) < 16:
        raise UnsafeBindingError(
            f"{host} can be reached from other machines: set OBD_AGENT_AUTH to a token of at least 16 characters, "
            "or listen on 127.0.0.1."
        )


class AccessGuard:
    """ASGI middleware that turns away foreign hosts and origins, and callers without the token."""

    def __init__(self, app: ASGIApp, token: SecretStr | None = None, *, loopback: bool = True) -> None:
        self.app = app
        self.token = token.get_secret_value() if token else None
        self.loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else None
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            status, message, hint = refusal
            body = {"code": "not_allowed", "message": message, "hint": hint}
            headers = [(b"www-authenticate", b"Bearer")] if status == 401 else []
            await refuse(scope, send, status, body, headers)

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = Headers(scope=scope)
        if self.loopback and not _is_local(f"//{headers.get('host', '')}"):
            return 421, "This Host is not served here.", "Call it by 127.0.0.1 or localhost."
        origin = headers.get("origin")
        if origin is not None and not self._same_origin(origin, headers):
            return 403, "Requests from this Origin are not allowed.", "Open the page from this server itself."
        if self.token and scope["path"] not in OPEN_PATHS and not self._knows_token(headers):
            return 401, "A bearer token is needed.", "Send the header Authorization: Bearer <OBD_AGENT_AUTH>."
        return None

    def _same_origin(self, origin: str, headers: Headers) -> bool:
        if self.loopback:
            return _is_local(origin)
        return urlsplit(origin).netloc == headers.get("host", "")

    def _knows_token(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        assert self.token is not None  # noqa: S101 - asked only where a token is set
        return scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), self.token.encode())


@lru_cache(maxsize=256)
def _is_local(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
