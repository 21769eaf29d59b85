"""Trouble codes by name as alerts over real connections: new once, gone once, never twice for one thing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from live_server import running
from websockets.sync.client import ClientConnection, connect

from tools import save_vehicle, start_capture, stop_capture
from tools.approvals import decide
from tools.context import ToolContext, Workshop
from vehicle.simulator import SimulatedCar


@pytest.fixture
def faulty() -> Iterator[tuple[SimulatedCar, str]]:
    """A car that idled with a misfire until its codes were stored, and stands with its engine running."""
    car = SimulatedCar("workshop?fault=misfire&speedup=0")
    car.advance(900)
    with car.serve_tcp() as address:
        yield car, address.url


@pytest.fixture
def client(workshop: Workshop) -> Iterator[httpx.Client]:
    with running(workshop) as address, httpx.Client(base_url=f"http://{address}", timeout=30) as client:
        yield client


@contextmanager
def follow(client: httpx.Client, **topics: Any) -> Iterator[ClientConnection]:
    with connect(f"ws://{client.base_url.host}:{client.base_url.port}/ws") as socket:
        socket.send(json.dumps({"type": "subscribe", **topics}))
        while json.loads(socket.recv(timeout=5))["type"] != "subscribed":
            pass
        yield socket


def codes_told(socket: ClientConnection) -> list[tuple[str, str, str, str]]:
    """Return the codes told so far: (type, ecu, code, kind)."""
    socket.send('{"type": "ping", "id": "now"}')
    told = []
    while (message := json.loads(socket.recv(timeout=5))) != {"type": "pong", "id": "now"}:
        if message["type"] in ("dtc.new", "dtc.cleared"):
            code = message["data"]["code"]
            told.append((message["type"], code["ecu"], code["code"], code["kind"]))
    return told


def call(client: httpx.Client, tool: str, **arguments: Any) -> dict[str, Any]:
    answer = client.post(f"/api/tools/{tool}", json=arguments)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def new_vehicle(client: httpx.Client) -> str:
    return str(call(client, "save_vehicle", name="Workshop car")["vehicle"]["id"])


def capture(client: httpx.Client, adapter: str, vehicle: str | None, *signals: str) -> str:
    started = call(
        client, "start_capture", adapter=adapter, vehicle_id=vehicle, signals=list(signals or ["rpm"])
    )
    return str(started["session_id"])


def open_codes(client: httpx.Client, **of: str) -> set[tuple[str, str]]:
    alerts = client.get("/api/alerts", params={"state": "open", **of}).json()["alerts"]
    return {(one["signal"], one["rule"]) for one in alerts if one["rule"].startswith("trouble_code_")}


def test_codes_read_during_a_capture_are_told_once_with_their_meaning(
    client: httpx.Client, faulty: tuple[SimulatedCar, str]
) -> None:
    vehicle = new_vehicle(client)
    with follow(client, alerts=True) as alerts, follow(client, vehicles=[vehicle]) as of_vehicle:
        session = capture(client, faulty[1], vehicle)
        stored = {
            (ecu["ecu"], code)
            for ecu in call(client, "read_trouble_codes", adapter=faulty[1])["lists"]
            if ecu["kind"] == "stored"
            for code in ecu["codes"]
        }
        told = codes_told(alerts)
        assert stored <= {(ecu, code) for kind, ecu, code, _ in told if kind == "dtc.new"}
        assert ("dtc.new", "7E8", "P0300", "stored") in told
        assert len(set(told)) == len(told)
        assert codes_told(of_vehicle) == told
        call(client, "read_trouble_codes", adapter=faulty[1])
        call(client, "stop_capture", session_id=session)
        assert codes_told(alerts) == []
    row = next(
        one
        for one in client.get(f"/api/alerts?session_id={session}").json()["alerts"]
        if one["signal"] == "P0300"
    )
    assert "misfire" in row["title"].lower()
    assert (row["ecu"], row["cleared_at"]) == ("7E8", None)
    assert row["severity"] in ("warning", "critical")


def test_codes_stay_open_over_sessions_until_they_are_cleared_in_the_car(
    client: httpx.Client, workshop: Workshop, faulty: tuple[SimulatedCar, str]
) -> None:
    vehicle = new_vehicle(client)
    first = capture(client, faulty[1], vehicle)
    call(client, "stop_capture", session_id=first)
    assert ("P0300", "trouble_code_stored") in open_codes(client, vehicle_id=vehicle)
    call(client, "clean_up")
    second = capture(client, faulty[1], vehicle)
    with follow(client, sessions=[first, second]) as socket:
        refused = client.post("/api/tools/clear_trouble_codes", json={"adapter": faulty[1]}).json()
        assert codes_told(socket) == []
        decide(workshop.store, refused["approval_id"], approved=True, by="test")
        call(client, "clear_trouble_codes", adapter=faulty[1], approval_id=refused["approval_id"])
        told = codes_told(socket)
        assert ("dtc.cleared", "7E8", "P0300", "stored") in told
        assert {kind for kind, *_ in told} == {"dtc.cleared"}
        assert open_codes(client, vehicle_id=vehicle) == set()
        call(client, "stop_capture", session_id=second)
        assert codes_told(socket) == []


def test_a_count_of_codes_is_over_once_they_are_read_by_name(
    client: httpx.Client, faulty: tuple[SimulatedCar, str]
) -> None:
    with follow(client, alerts=True) as socket:
        session = capture(client, faulty[1], None, "dtc_count", "rpm")
        while (message := json.loads(socket.recv(timeout=10)))["type"] != "dtc.count":
            pass
        assert message["data"]["state"] == "raised"
        call(client, "read_trouble_codes", adapter=faulty[1])
        messages = [message]
        while messages[-1]["data"].get("reason") != "read by name":
            messages.append(json.loads(socket.recv(timeout=10)))
        assert messages[-1]["data"]["alert"]["cleared_at"]
        assert "dtc.new" in {one["type"] for one in messages}
        call(client, "stop_capture", session_id=session)
    assert ("P0300", "trouble_code_stored") in open_codes(client, session_id=session)


def test_codes_that_were_read_while_nobody_told_them_are_told_at_the_next_reading(
    workshop: Workshop, faulty: tuple[SimulatedCar, str]
) -> None:
    context = ToolContext(workshop)
    vehicle = save_vehicle(context, name="Workshop car").vehicle.id
    quiet = start_capture(context, faulty[1], ["rpm"], vehicle_id=vehicle).session_id
    stop_capture(context, quiet)
    assert context.store.snapshots.list(session_id=quiet).total == 1
    with running(workshop) as address, httpx.Client(base_url=f"http://{address}", timeout=30) as client:
        session = capture(client, faulty[1], vehicle)
        call(client, "stop_capture", session_id=session)
        assert ("P0300", "trouble_code_stored") in open_codes(client, session_id=session)


def test_codes_read_for_no_session_raise_nothing(
    client: httpx.Client, faulty: tuple[SimulatedCar, str]
) -> None:
    with follow(client, alerts=True) as socket:
        assert call(client, "read_trouble_codes", adapter=faulty[1])["lists"]
        assert codes_told(socket) == []
    assert client.get("/api/alerts").json()["total"] == 0
