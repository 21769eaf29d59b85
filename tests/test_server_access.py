"""The server answers only those it should: by host, origin and token."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from typer.testing import CliRunner

from server.access import UnsafeBindingError, check_binding, is_loopback
from server.app import build_app
from server.cli import app as command
from tools import TOOLS
from tools.context import Workshop

TOKEN = SecretStr("a-token-of-some-length")


@pytest.fixture
def local(workshop: Workshop) -> Iterator[TestClient]:
    with TestClient(build_app(TOOLS, workshop), base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture
def public(workshop: Workshop) -> Iterator[TestClient]:
    app = build_app(TOOLS, workshop, token=TOKEN, loopback=False)
    with TestClient(app, base_url="http://garage.example:8000") as client:
        yield client


def test_a_foreign_host_name_is_refused_on_the_loopback(local: TestClient) -> None:
    refused = local.get("/api/tools", headers={"host": "evil.example"})
    assert refused.status_code == 421
    assert refused.json()["code"] == "not_allowed"


def test_a_foreign_origin_is_refused_also_for_mcp(local: TestClient) -> None:
    for path in ("/api/tools", "/mcp"):
        refused = local.post(path, headers={"origin": "http://evil.example"}, json={})
        assert refused.status_code == 403


def test_a_local_page_is_served(local: TestClient) -> None:
    assert local.get("/api/tools", headers={"origin": "http://localhost:3000"}).status_code == 200


def test_beyond_the_loopback_every_door_asks_for_the_token(public: TestClient) -> None:
    for path in ("/api/tools", "/mcp", "/docs", "/openapi.json"):
        refused = public.get(path)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
    assert public.get("/api/tools", headers={"authorization": "Bearer wrong"}).status_code == 401
    welcome = public.get("/api/tools", headers={"authorization": f"Bearer {TOKEN.get_secret_value()}"})
    assert welcome.status_code == 200


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
