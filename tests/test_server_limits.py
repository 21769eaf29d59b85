"""Safe from the first day: bounded bodies and rates, safe headers, compression where it helps."""

import gzip
from collections.abc import Iterator
from socket import create_connection

import pytest
from fastapi.testclient import TestClient
from live_server import running
from starlette.testclient import WebSocketDenialResponse

from server.app import build_app
from server.limits import Limits
from server.settings import Settings
from tools import TOOLS
from tools.context import Workshop

LOCAL = "http://127.0.0.1:8000"
SOCKET = "ws://127.0.0.1:8000/ws"


def client_of(workshop: Workshop, limits: Limits) -> TestClient:
    return TestClient(build_app(TOOLS, workshop, limits=limits), base_url=LOCAL)


@pytest.fixture
def client(workshop: Workshop) -> Iterator[TestClient]:
    with client_of(workshop, Limits(body_bytes=1000)) as client:
        yield client


def in_parts(total: int) -> Iterator[bytes]:
    for _ in range(total // 100):
        yield b" " * 100


@pytest.mark.parametrize("is_stated", [True, False])
def test_a_body_that_is_too_large_is_refused_however_it_is_sent(is_stated: bool, client: TestClient) -> None:
    content = b" " * 1100 if is_stated else in_parts(1100)
    refused = client.post("/api/tools/decode_vin", content=content)
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_a_body_sent_in_parts_arrives_whole(client: TestClient) -> None:
    parts = [b'{"vin": "1HGCM8', b'2633A004352"}']
    headers = {"content-type": "application/json"}
    answer = client.post("/api/tools/decode_vin", content=iter(parts), headers=headers)
    assert answer.json()["vin"] == "1HGCM82633A004352"


def test_a_caller_that_asks_too_often_is_told_when_to_come_back(workshop: Workshop) -> None:
    with client_of(workshop, Limits(requests_per_s=0.5, burst=3)) as client:
        answers = [client.get("/api/alerts") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].json()["code"] == "busy"
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
        assert client.get("/healthz").status_code == 200


def test_a_websocket_s_handshake_counts_as_a_request(workshop: Workshop) -> None:
    with client_of(workshop, Limits(requests_per_s=0.01, burst=1)) as client:
        with client.websocket_connect(SOCKET) as socket:
            socket.send_json({"type": "ping"})
            assert socket.receive_json()["type"] == "pong"
        with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(SOCKET):
            pass
        assert (refused.value.status_code, refused.value.json()["code"]) == (429, "busy")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip"])
def test_a_compressed_body_is_refused_unread(encoding: str, client: TestClient) -> None:
    packed = gzip.compress(b'{"vin": "1HGCM82633A004352"}')
    headers = {"content-encoding": encoding, "content-type": "application/json"}
    refused = client.post("/api/tools/decode_vin", content=packed, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported")
    assert "Content-Encoding" in refused.json()["hint"]
    assert refused.headers["accept-encoding"] == "identity"


def test_a_body_said_to_be_as_it_is_is_read(client: TestClient) -> None:
    answer = client.post(
        "/api/tools/decode_vin", json={"vin": "1HGCM82633A004352"}, headers={"content-encoding": "Identity"}
    )
    assert answer.status_code == 200


def test_a_stated_length_is_not_believed_beside_chunks(workshop: Workshop) -> None:
    """Of two lengths the chunks are what arrives; a server that read the smaller one would be smuggled past."""
    with running(workshop, Limits(body_bytes=1000)) as address:
        host, port = address.split(":")
        head = f"POST /api/tools/decode_vin HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n"
        lengths = "Content-Length: 10\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        chunk = b"5dc\r\n" + b" " * 1500 + b"\r\n0\r\n\r\n"
        with create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall((head + lengths).encode() + chunk)
            answer = connection.recv(100)
        assert answer.split()[1] in (b"400", b"413")


def test_every_answer_carries_safe_headers_and_none_opens_the_api_to_other_origins(
    workshop: Workshop,
) -> None:
    app = build_app(TOOLS, workshop, limits=Limits(body_bytes=1000))
    app.add_api_route("/faulty", faulty)
    with TestClient(app, base_url=LOCAL) as client:
        answers = [
            client.get(path) for path in ("/healthz", "/api/sessions", "/nope", "/openapi.json", "/docs")
        ]
        answers += [
            client.get("/docs/files/swagger-ui.css"),
            client.get("/faulty"),
            client.delete("/healthz"),
        ]
        answers += [
            client.post("/api/tools/decode_vin", content=b" " * 1100),
            client.post("/api/sessions/x/data"),
        ]
        answers += [client.options("/api/tools", headers={"access-control-request-method": "POST"})]
        answers += [client.get("/api/sessions", headers={"host": "evil.example"}), client.get("/mcp")]
    assert {answer.status_code for answer in answers} >= {200, 404, 405, 413, 421, 500}
    for answer in answers:
        headers = answer.headers
        assert headers["content-security-policy"].startswith("default-src 'self';"), answer.url
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] in ("no-store", "no-cache, no-transform")
        assert not any(name.startswith("access-control") for name in headers)
        if answer.is_error and answer.url.path != "/mcp":
            assert answer.json().keys() == {"code", "message", "hint"}


def faulty() -> None:
    raise ZeroDivisionError("a bug, with a secret in its text")


def test_a_bug_in_a_route_is_told_as_one_and_its_text_stays_in_the_log(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    app = build_app(TOOLS, workshop)
    app.add_api_route("/faulty", faulty)
    with TestClient(app, base_url=LOCAL) as client:
        told = client.get("/faulty")
    assert (told.status_code, told.json()["code"]) == (500, "internal_error")
    assert "secret" not in told.text
    assert "secret" in caplog.text


def test_long_answers_are_compressed_for_those_who_can_read_them(client: TestClient) -> None:
    packed = client.get("/api/tools", headers={"accept-encoding": "gzip"})
    plain = client.get("/api/tools", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


def test_settings_become_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBD_AGENT_REQUESTS_PER_S", "7")
    monkeypatch.setenv("OBD_AGENT_ANOMALY_SHARE", "0.5")
    assert Settings().limits == Limits(requests_per_s=7, anomaly_share=0.5)
