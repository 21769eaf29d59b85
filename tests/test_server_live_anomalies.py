"""Anomalies of live sessions over real connections: found on the way, told once, the same as afterwards."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from live_server import running
from test_analysis_anomalies_stream import simulated
from websockets.sync.client import ClientConnection, connect

from analysis.anomalies import detect
from analysis.results.anomalies import Baseline
from analysis.table import SignalSeries, SignalTable
from server.limits import Limits
from server.live.anomalies import LOOK_S, Anomalies
from tools.anomalies import baseline_ids, learned
from tools.context import ToolContext, Workshop
from vehicle.runs import Run

START = "2026-05-04T08:30:00Z"
BATCH_S = 10.0
DELAY_S = LOOK_S + BATCH_S
"""How long after the batch form could tell an anomaly it is told live: a look's pace and a batch's length."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    home = tmp_path_factory.mktemp("anomalies")
    opened = Workshop(home, f"sqlite:///{home / 'test.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(shared: Workshop) -> Iterator[str]:
    with running(shared, limits=Limits(requests_per_s=0, anomaly_share=1.0)) as address:
        yield address


def http(address: str) -> httpx.Client:
    return httpx.Client(base_url=f"http://{address}", timeout=30)


def metric(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "nobody looks at the session"
        time.sleep(0.001)


def wait_until_looked_at(client: httpx.Client) -> None:
    wait_until(lambda: metric(client, "obd_agent_anomaly_waiting_seconds") < LOOK_S)


def begin(client: httpx.Client, **fields: Any) -> str:
    return str(client.post("/api/sessions", json=fields).json()["id"])


def drive(client: httpx.Client, session: str, table: SignalTable) -> None:
    """Send a drive in batches as columns, each once the ones before were looked at."""
    first, last = table.span_s
    for start_s in np.arange(first, last, BATCH_S):
        send(client, session, table.between(start_s, start_s + BATCH_S - 1e-6))
        wait_until_looked_at(client)


def send(client: httpx.Client, session: str, part: SignalTable) -> None:
    columns = {name: one.values.tolist() for name, one in part.items()}
    columns["t_s"] = next(iter(part.values())).times_s.tolist()
    answer = client.post(f"/api/sessions/{session}/data", json={"start": START, "columns": columns})
    assert answer.status_code == 200, answer.text


@contextmanager
def listening(address: str) -> Iterator[ClientConnection]:
    with connect(f"ws://{address}/ws", max_size=None) as socket:
        socket.send(json.dumps({"type": "subscribe", "alerts": True}))
        assert json.loads(socket.recv(timeout=5))["type"] == "subscribed"
        yield socket


def told_until_now(socket: ClientConnection) -> list[dict[str, Any]]:
    """Return the anomalies told so far."""
    socket.send('{"type": "ping", "id": "now"}')
    told = []
    while (message := json.loads(socket.recv(timeout=5))) != {"type": "pong", "id": "now"}:
        if message["type"] == "anomaly":
            told.append(message["data"])
    return told


def verdict(client: httpx.Client, session: str) -> list[dict[str, Any]]:
    answer = client.post("/api/tools/detect_anomalies", json={"session_id": session}).json()
    return list(answer["anomalies"])


def anomaly_alerts(client: httpx.Client, session: str) -> list[dict[str, Any]]:
    alerts = client.get(f"/api/alerts?session_id={session}").json()["alerts"]
    return [row for row in alerts if row["rule"].startswith("anomaly_")]


def kinds(anomalies: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["signal"], one["kind"]) for one in anomalies}


@pytest.fixture(scope="module")
def vehicle(address: str) -> str:
    """A car with three healthy sessions."""
    with http(address) as client:
        vehicle = str(client.post("/api/vehicles", json={"name": "petrol"}).json()["vehicle"]["id"])
        for seed, cycle in ((1, "mixed"), (2, "city"), (3, "city")):
            session = begin(client)
            send(client, session, simulated(seed=seed, cycle=cycle))
            client.post(f"/api/sessions/{session}/finish")
            client.patch(f"/api/sessions/{session}", json={"healthy": True, "vehicle_id": vehicle})
        return vehicle


@pytest.mark.parametrize("fault", ["vacuum_leak", "weak_alternator", "misfire"])
def test_a_fault_is_told_live_with_the_verdict_of_the_finished_session(
    fault: str, address: str, shared: Workshop, vehicle: str
) -> None:
    table = simulated(seed=31, cycle="city", fault=fault, fault_at=120.0)
    with http(address) as client, listening(address) as socket:
        session = begin(client, vehicle_id=vehicle)
        drive(client, session, table)
        raised = [one for one in told_until_now(socket) if one["state"] == "raised"]
        client.post(f"/api/sessions/{session}/finish")
        whole = verdict(client, session)
        stored = anomaly_alerts(client, session)
    assert kinds([one["anomaly"] for one in raised]) == kinds(whole) != set()
    assert {(row["signal"], row["rule"].removeprefix("anomaly_")) for row in stored} == kinds(whole)
    assert all(row["cleared_at"] for row in stored)
    learned_of_it = baseline(shared, session)
    for told in raised:
        assert not is_in(told["anomaly"], table.between(None, told["told_s"] - DELAY_S), learned_of_it)
        (whole_one, *_) = [one for one in whole if overlaps(one, told["anomaly"])]
        for name in ("signal", "unit", "kind"):
            assert told["anomaly"][name] == whole_one[name]
        for name in ("value", "unit", "expected", "explanation"):
            assert told["alert"][name] == told["anomaly"][name]
        assert told["alert"]["start_s"] == pytest.approx(told["anomaly"]["start_s"])


def baseline(shared: Workshop, session: str) -> Baseline | None:
    context = ToolContext(shared)
    return learned(context, baseline_ids(context, context.store.sessions.get(session)))


def is_in(told: dict[str, Any], table: SignalTable, known: Baseline | None) -> bool:
    """Tell whether the batch form finds the anomaly in a table."""
    found = detect(table, baseline=known).anomalies
    return any(overlaps(one.model_dump(), told) for one in found)


def overlaps(one: dict[str, Any], other: dict[str, Any]) -> bool:
    is_same = (one["signal"], one["kind"]) == (other["signal"], other["kind"])
    return is_same and one["start_s"] <= other["end_s"] + 5 and other["start_s"] <= one["end_s"] + 5


def test_a_healthy_drive_tells_nothing(address: str, vehicle: str) -> None:
    with http(address) as client, listening(address) as socket:
        session = begin(client, vehicle_id=vehicle)
        drive(client, session, simulated(seed=21, cycle="city"))
        client.post(f"/api/sessions/{session}/finish")
        assert told_until_now(socket) == []
        assert verdict(client, session) == []


def test_an_anomaly_is_raised_once_and_cleared_once_when_it_is_over(address: str) -> None:
    table = simulated(seed=21, cycle="city")
    volts = table["control_module_voltage"]
    low = np.where((volts.times_s > 150) & (volts.times_s < 230), volts.values - 2.5, volts.values)
    changed = SignalSeries(volts.signal, "V", volts.times_s, low)
    with http(address) as client, listening(address) as socket:
        session = begin(client)
        drive(client, session, SignalTable({**table, volts.signal: changed}))
        raised, cleared = told_until_now(socket)
        assert (raised["state"], cleared["state"]) == ("raised", "cleared")
        assert raised["alert"]["id"] == cleared["alert"]["id"]
        assert raised["told_s"] < 230 < cleared["told_s"]
        assert cleared["alert"]["end_s"] == pytest.approx(cleared["anomaly"]["end_s"])
        assert cleared["alert"]["end_s"] == pytest.approx(230, abs=30)


def test_a_session_that_ends_early_is_looked_at_once_more(address: str) -> None:
    table = simulated(seed=31, cycle="city", fault="weak_alternator", fault_at=120.0)
    with http(address) as client, listening(address) as socket:
        session = begin(client)
        send(client, session, table)
        client.post(f"/api/sessions/{session}/finish")
        states = [one["state"] for one in told_until_now(socket)]
        (alert,) = anomaly_alerts(client, session)
        assert kinds(verdict(client, session)) == {("control_module_voltage", "level")}
    assert states == ["raised", "cleared"]
    assert alert["rule"] == "anomaly_level"
    assert alert["cleared_at"]


def test_a_capture_is_looked_at_too(address: str) -> None:
    with http(address) as client:
        before = metric(client, "obd_agent_anomaly_looks")
        asked = {"adapter": "sim:petrol?speedup=20", "signals": ["rpm", "coolant_temp"]}
        session = client.post("/api/tools/start_capture", json=asked).json()["session_id"]
        wait_until(lambda: metric(client, "obd_agent_anomaly_looks") > before)
        client.post("/api/tools/stop_capture", json={"session_id": session})


def test_a_share_that_does_not_suffice_leaves_sessions_waiting_and_says_so(workshop: Workshop) -> None:
    times_us = np.arange(0, 25_000_000, 500_000)
    runs = [Run("rpm", "rpm", "", times_us, np.full(times_us.size, 800.0), "")]
    told: list[object] = []
    anomalies = Anomalies(workshop, lambda *one: told.append(one), share=1e-6)
    for session in ("ses_a", "ses_b"):
        anomalies.take(session, None, runs, (), times_us.size, int(times_us[-1]))
    # After its first look the thread rests for hours.
    wait_until(lambda: anomalies.cpu_s > 0)
    assert (anomalies.looks, anomalies.late, anomalies.waiting_s) == (1, 1, 24.5)
    for session in ("ses_a", "ses_b"):
        anomalies.end(session)
    assert (anomalies.looks, anomalies.late, anomalies.waiting_s, told) == (3, 2, 0.0, [])
    anomalies.close()


def test_no_share_of_a_core_means_no_looks(workshop: Workshop) -> None:
    with running(workshop, limits=Limits(anomaly_share=0)) as address, http(address) as client:
        session = begin(client)
        send(client, session, simulated(seed=31, cycle="city", fault="weak_alternator", fault_at=120.0))
        client.post(f"/api/sessions/{session}/finish")
        assert metric(client, "obd_agent_anomaly_looks") == 0
        assert anomaly_alerts(client, session) == []
