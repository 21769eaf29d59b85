"""The routes people expect: each does what its tool does, once for all who ask the same."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from stored_drives import store_drive

from server.app import build_app
from server.cache import Results, share
from server.selection import select_tools
from tools import TOOLS
from tools.analysis import analyze_session
from tools.context import ToolContext, Workshop
from tools.registry import Tool
from tools.vehicles import save_vehicle

LOCAL = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    home = tmp_path_factory.mktemp("resources")
    opened = Workshop(home, f"sqlite:///{home / 'test.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def client(workshop: Workshop) -> Iterator[TestClient]:
    with TestClient(build_app(TOOLS, workshop), base_url=LOCAL) as client:
        yield client


def test_vehicles_are_entered_listed_and_changed(client: TestClient) -> None:
    made = client.post("/api/vehicles", json={"name": "Golf", "fuel_type": "diesel"})
    assert made.status_code == 201
    vehicle = made.json()["vehicle"]["id"]
    changed = client.patch(f"/api/vehicles/{vehicle}", json={"year": 2014}).json()["vehicle"]
    assert (changed["name"], changed["year"]) == ("Golf", 2014)
    assert vehicle in [row["id"] for row in client.get("/api/vehicles").json()["vehicles"]]
    assert client.post("/api/vehicles", json={"vehicle_id": vehicle, "name": "x"}).status_code == 422


def test_a_session_reads_as_its_tool_tells_it(client: TestClient, workshop: Workshop) -> None:
    session = store_drive(workshop.store)
    by_tool = client.post("/api/tools/get_session", json={"session_id": session}).json()
    assert client.get(f"/api/sessions/{session}").json() == by_tool
    listed = client.get("/api/sessions", params={"limit": 1, "text": session}).json()
    assert (listed["total"], listed["sessions"][0]["id"]) == (1, session)
    assert client.get("/api/sessions", params={"limit": 0}).json()["code"] == "bad_arguments"
    assert client.get("/api/sessions", params={"colour": "red"}).status_code == 422


def test_an_unchanged_session_is_not_sent_again(client: TestClient, workshop: Workshop) -> None:
    session = store_drive(workshop.store)
    first = client.get(f"/api/sessions/{session}")
    asked = {"if-none-match": first.headers["etag"]}
    again = client.get(f"/api/sessions/{session}", headers=asked)
    assert (again.status_code, again.content) == (304, b"")
    client.patch(f"/api/sessions/{session}", json={"name": "Renamed"})
    changed = client.get(f"/api/sessions/{session}", headers=asked)
    assert (changed.status_code, changed.json()["session"]["name"]) == (200, "Renamed")


def test_a_live_session_s_tag_changes_with_all_that_it_holds(client: TestClient) -> None:
    session = client.post("/api/sessions", json={}).json()["id"]
    route = f"/api/sessions/{session}"
    tags = [client.get(route).headers["etag"]]
    for change in (
        lambda: client.post(f"{route}/data", json={"columns": {"t_s": [0], "rpm": [800]}}),
        lambda: client.post(f"{route}/data", json={"columns": {"t_s": [1], "speed": [0]}}),
        lambda: client.patch(route, json={"notes": "cold start"}),
        lambda: client.post(f"{route}/finish"),
    ):
        assert client.get(route, headers={"if-none-match": tags[-1]}).status_code == 304
        assert change().status_code == 200
        now = client.get(route, headers={"if-none-match": ", ".join(tags)})
        assert now.status_code == 200
        tags.append(now.headers["etag"])
    assert len(set(tags)) == len(tags)


def test_a_deleted_session_is_gone(client: TestClient, workshop: Workshop) -> None:
    session = store_drive(workshop.store)
    assert client.delete(f"/api/sessions/{session}").json()["removed"]["readings"] > 0
    assert client.get(f"/api/sessions/{session}").status_code == 404
    assert client.delete(f"/api/sessions/{session}").status_code == 404


def test_an_artifact_is_read_by_id_and_once_only(client: TestClient, workshop: Workshop) -> None:
    saved = workshop.store.artifacts.save(None, "plot", 'a "plot" ü.png', "image/png", b"\x89PNG")
    first = client.get(f"/api/artifacts/{saved.id}")
    assert (first.content, first.headers["content-type"]) == (b"\x89PNG", "image/png")
    assert first.headers["content-disposition"] == "inline; filename*=UTF-8''a%20%22plot%22%20%C3%BC.png"
    again = client.get(f"/api/artifacts/{saved.id}", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/api/artifacts/art_nowhere").json()["code"] == "not_found"


def test_a_stored_page_is_saved_and_never_shown_in_place(client: TestClient, workshop: Workshop) -> None:
    saved = workshop.store.artifacts.save(None, "report", "r.html", "text/html", b"<script>alert(1)</script>")
    assert client.get(f"/api/artifacts/{saved.id}").headers["content-disposition"].startswith("attachment")


def test_a_read_only_process_offers_no_route_that_writes(workshop: Workshop) -> None:
    app = build_app(select_tools(TOOLS, read_only=True), workshop)
    with TestClient(app, base_url=LOCAL) as client:
        assert client.get("/api/sessions").status_code == 200
        paths = client.get("/openapi.json").json()["paths"]
        writing = {
            f"{method} {path}"
            for path, methods in paths.items()
            for method in methods
            if method != "get" and not path.startswith("/api/tools")
        }
        assert not {one for one in writing if "/sessions" in one or "/vehicles" in one or "/alerts" in one}
        assert client.post("/api/sessions", json={}).status_code == 405


def test_metrics_name_routes_and_never_cars(client: TestClient, workshop: Workshop) -> None:
    session = store_drive(workshop.store)
    client.get(f"/api/sessions/{session}")
    client.get("/api/nowhere/WVWZZZ1KZ5W000001")
    text = client.get("/metrics").text
    assert 'route="/api/sessions/{session_id}"' in text
    assert 'route="unknown"' in text
    assert session not in text
    assert "WVWZZZ1KZ5W000001" not in text


def test_readiness_is_told_per_component(client: TestClient) -> None:
    told = client.get("/readyz").json()
    assert told["status"] == "ok"
    assert (told["components"]["storage"], told["components"]["live"]) == ("ok", "ok")


def counted(calls: list[str], gate: threading.Event | None = None) -> Tool[Any, Any]:
    """Return analyze_session with its runs counted, each waiting for the gate."""

    def analyze_session_counted(context: ToolContext, session_id: str) -> Any:
        calls.append(session_id)
        if gate is not None:
            gate.wait(5)
        return analyze_session(context, session_id=session_id, parts=["driving"])

    return Tool(analyze_session_counted, "analysis", "Count", analyze_session.effects)


def test_an_unchanged_session_is_analysed_once_and_a_changed_one_again(workshop: Workshop) -> None:
    calls: list[str] = []
    (tool,) = share((counted(calls),), Results())
    context = ToolContext(workshop)
    vehicle = save_vehicle(context, name="Blue").vehicle.id
    session = store_drive(workshop.store, vehicle_id=vehicle)
    first = tool.run(context, {"session_id": session})
    assert tool.run(context, {"session_id": session}) is first
    assert len(calls) == 1
    workshop.store.sessions.update(session, name="changed")
    tool.run(context, {"session_id": session})
    assert len(calls) == 2
    save_vehicle(context, vehicle_id=vehicle, mass_kg=1500)
    tool.run(context, {"session_id": session})
    assert len(calls) == 3
    store_drive(workshop.store, vehicle_id=vehicle)
    tool.run(context, {"session_id": session})
    assert len(calls) == 4


def test_callers_who_ask_the_same_at_one_time_share_one_run(workshop: Workshop) -> None:
    calls: list[str] = []
    gate = threading.Event()
    results = Results()
    (tool,) = share((counted(calls, gate),), results)
    session = store_drive(workshop.store)
    answers: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(tool.run(ToolContext(workshop), {"session_id": session}))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(10)
    assert len(calls) == 1
    assert len({id(answer) for answer in answers}) == 1
    assert (results.computed, results.shared) == (1, 7)


def test_a_tool_that_writes_is_never_shared() -> None:
    shared = share(tuple(TOOLS), Results())
    assert [tool.name for tool in shared] == [tool.name for tool in TOOLS]
    changed = {new.name for new, old in zip(shared, TOOLS, strict=True) if new is not old}
    assert "analyze_session" in changed
    assert all(tool.effects.read_only for tool in TOOLS if tool.name in changed)
