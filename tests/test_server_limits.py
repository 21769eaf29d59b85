"""Safe from the first day: bounded bodies and rates, safe headers, compression where it helps."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from server.app import build_app
from server.limits import Limits
from server.settings import Settings
from tools import TOOLS
from tools.context import Workshop

LOCAL = "http://127.0.0.1:8000"


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


def test_every_answer_carries_safe_headers_and_none_opens_the_api_to_other_origins(
    client: TestClient,
) -> None:
    for path in ("/healthz", "/api/sessions", "/nope", "/openapi.json"):
        headers = client.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers


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
