"""The server answers only those it should: by host, origin and token."""

import re
from collections.abc import Iterator, Sequence

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.testclient import WebSocketDenialResponse
from typer.testing import CliRunner

from server.access import OPEN_PATHS, UnsafeBindingError, check_binding, is_loopback
from server.app import build_app
from server.cli import app as command
from tools import TOOLS
from tools.context import Workshop

TOKEN = SecretStr("a-token-of-some-length")
SOCKET = "ws://127.0.0.1:8000/ws"


@pytest.fixture
def local(workshop: Workshop) -> Iterator[TestClient]:
    with TestClient(build_app(TOOLS, workshop), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
def public(workshop: Workshop) -> Iterator[TestClient]:
    app = build_app(TOOLS, workshop, token=TOKEN, loopback=False)
    with TestClient(app, base_url="http://garage.example:8000") as client:
        yield client


def test_a_local_page_is_served(local: TestClient) -> None:
    assert local.get("/api/tools", headers={"origin": "http://localhost:3000"}).status_code == 200


@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"origin": "null"}]
)
@pytest.mark.parametrize("path", ["/api/tools", "/mcp", "/v1/models", "/docs", "/metrics", "/healthz"])
def test_no_door_answers_a_foreign_page(path: str, headers: dict[str, str], local: TestClient) -> None:
    refused = local.get(path, headers=headers)
    assert refused.status_code in (403, 421)
    assert refused.json().keys() == {"code", "message", "hint"}
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(
    ("headers", "status"), [({"host": "evil.example"}, 421), ({"origin": "http://evil.example"}, 403)]
)
def test_no_foreign_page_opens_a_websocket(headers: dict[str, str], status: int, local: TestClient) -> None:
    with pytest.raises(WebSocketDenialResponse) as refused, local.websocket_connect(SOCKET, headers=headers):
        pass
    assert refused.value.status_code == status
    assert refused.value.json()["code"] == "not_allowed"
    assert refused.value.headers["x-content-type-options"] == "nosniff"


def addresses(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Every method and path that the application serves, with `x` for what a path leaves open."""
    for route in routes:
        if isinstance(route, Route):
            path = re.sub(r"{.*?}", "x", route.path)
            yield from ((method, path) for method in (route.methods or {"GET"}))
        elif isinstance(route, Mount):
            yield "GET", f"{route.path}/swagger-ui.css"
        elif included := getattr(route, "original_router", None):
            yield from addresses(included.routes)
        else:
            assert isinstance(route, WebSocketRoute), route


def test_beyond_the_loopback_every_route_there_is_asks_for_the_token(public: TestClient) -> None:
    app = public.app
    assert isinstance(app, FastAPI)
    asked = set(addresses(app.routes)) - {("GET", path) for path in OPEN_PATHS}
    paths = {path for _, path in asked}
    assert paths > {"/mcp", "/v1/chat/completions", "/api/chat", "/docs", "/openapi.json", "/metrics"}
    assert paths > {"/api/sessions/x/stream", "/docs/files/swagger-ui.css", "/api/tools/run_python"}
    assert len(asked) > 70
    for method, path in asked:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN.get_secret_value()}):
            refused = public.request(method, path, headers=headers)
            assert refused.status_code == 401, (method, path)
            assert refused.headers["www-authenticate"] == "Bearer"
            assert refused.headers["x-content-type-options"] == "nosniff"
            assert method == "HEAD" or refused.json().keys() == {"code", "message", "hint"}
    with pytest.raises(WebSocketDenialResponse) as no_socket, public.websocket_connect("/ws"):
        pass
    assert no_socket.value.status_code == 401
    welcome = public.get("/api/tools", headers={"authorization": f"Bearer {TOKEN.get_secret_value()}"})
    assert welcome.status_code == 200


def test_a_token_in_the_address_is_no_token(public: TestClient) -> None:
    refused = public.get("/api/tools", params={"token": TOKEN.get_secret_value()})
    assert refused.status_code == 401


def test_health_is_open_and_readiness_names_each_component(public: TestClient) -> None:
    assert public.get("/healthz").json() == {"status": "ok"}
    assert public.get("/readyz").json()["components"]["storage"] == "ok"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "garage.example"])
def test_listening_beyond_the_loopback_needs_a_token(host: str) -> None:
    with pytest.raises(UnsafeBindingError, match="OBD_AGENT_AUTH"):
        check_binding(host, None)
    with pytest.raises(UnsafeBindingError):
        check_binding(host, SecretStr("short"))
    check_binding(host, TOKEN)


def test_the_command_refuses_an_unsafe_binding_as_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OBD_AGENT_AUTH", raising=False)
    done = CliRunner().invoke(command, ["serve", "--host", "0.0.0.0"])
    assert done.exit_code == 2
    assert "OBD_AGENT_AUTH" in done.output


def test_the_loopback_is_known_by_its_names() -> None:
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "", "localhost.evil.example", "10.0.0.1"))
