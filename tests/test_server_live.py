"""Live events over real connections: nothing is missed, nobody is waited for, everything ends."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_server import running
from stored_drives import store_drive
from websockets.sync.client import ClientConnection, connect

from server.limits import Limits
from tools.context import Workshop

START = "2026-05-04T08:30:00Z"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    home = tmp_path_factory.mktemp("live")
    opened = Workshop(home, f"sqlite:///{home / 'test.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(shared: Workshop) -> Iterator[str]:
    with running(shared) as address:
        yield address


def http(address: str) -> httpx.Client:
    return httpx.Client(base_url=f"http://{address}", timeout=10)


def begin(client: httpx.Client, **fields: Any) -> str:
    return str(client.post("/api/sessions", json=fields).json()["id"])


def send(client: httpx.Client, session: str, second: float, **values: float) -> None:
    columns = {"t_s": [second], **{name: [value] for name, value in (values or {"rpm": 800.0}).items()}}
    answer = client.post(f"/api/sessions/{session}/data", json={"start": START, "columns": columns})
    assert answer.status_code == 200, answer.text


class EventSource:
    """What a browser's EventSource does, as far as we need it: reads events, remembers the last id."""

    def __init__(self, client: httpx.Client, session: str) -> None:
        self._client = client
        self._url = f"/api/sessions/{session}/stream"
        self.last_id = ""

    def read(self, until: int) -> list[float]:
        """Connect, read samples until `until` of them are there, and break the connection."""
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        ends: list[float] = []
        with self._client.stream("GET", self._url, headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert "content-encoding" not in answer.headers
            for line in answer.iter_lines():
                if line.startswith("id:"):
                    self.last_id = line[3:].strip()
                elif line.startswith("data:"):
                    event = json.loads(line[5:])
                    assert event["id"] == self.last_id
                    if event["type"] == "sample":
                        ends.append(event["data"]["end_s"])
                    if len(ends) == until:
                        break
        return ends


def test_an_sse_client_that_reconnects_misses_nothing(address: str) -> None:
    with http(address) as client, http(address) as reader:
        session = begin(client)
        send(client, session, 0.0)
        source = EventSource(reader, session)
        source.last_id = str(
            int(client.get(f"/api/sessions/{session}/live/stats").json()["latest_event"]) - 1
        )
        seen = source.read(1)
        for second in range(1, 40):
            send(client, session, float(second))
        seen += source.read(5)
        seen += source.read(34)
    assert seen == [float(second) for second in range(40)]


def test_a_stream_ends_with_its_session_and_tells_the_client_not_to_come_back(address: str) -> None:
    with http(address) as client, http(address) as reader:
        session = begin(client)
        ended = threading.Timer(0.3, lambda: client.post(f"/api/sessions/{session}/finish"))
        ended.start()
        with reader.stream("GET", f"/api/sessions/{session}/stream") as answer:
            text = "".join(answer.iter_text())
        assert "event: session.finished" in text
        last = text.rpartition("id: ")[2].split()[0]
        again = reader.get(f"/api/sessions/{session}/stream", headers={"Last-Event-ID": last})
        assert again.status_code == 204
        ended.join()


def test_an_unknown_session_has_no_stream(address: str) -> None:
    with http(address) as client:
        for path in ("stream", "live/stats", "live/updates"):
            assert client.get(f"/api/sessions/ses_nowhere/{path}").json()["code"] == "not_found"


def test_polling_gives_every_event_once_in_pages(address: str) -> None:
    with http(address) as client:
        session = begin(client)
        for second in range(25):
            send(client, session, float(second))
        since, ends, more = "0", [], True
        while more:
            page = client.get(f"/api/sessions/{session}/live/updates?since={since}&limit=10").json()
            ends += [event["data"]["end_s"] for event in page["events"] if event["type"] == "sample"]
            since, more = page["next"], page["more"]
        assert ends == [float(second) for second in range(25)]
        assert client.get(f"/api/sessions/{session}/live/updates?since={since}").json()["events"] == []


def test_statistics_cover_the_window_before_the_latest_reading(address: str) -> None:
    with http(address) as client:
        session = begin(client)
        columns = {"t_s": list(range(101)), "rpm": [1000.0] * 91 + [2000.0] * 10}
        client.post(f"/api/sessions/{session}/data", json={"start": START, "columns": columns})
        stats = client.get(f"/api/sessions/{session}/live/stats?window_s=9").json()
        (rpm,) = stats["signals"]
        assert (rpm["readings"], rpm["minimum"], rpm["mean"], rpm["last_s"]) == (10, 2000, 2000, 100)
        assert stats["rate_per_s"] == pytest.approx(1.0)


def receive(socket: ClientConnection, kind: str, timeout_s: float = 5) -> dict[str, Any]:
    """Return the next message of a type."""
    end = time.monotonic() + timeout_s
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=max(0.01, end - time.monotonic())))
        if message["type"] == kind:
            return message


def test_a_websocket_client_that_reconnects_misses_nothing(address: str) -> None:
    with http(address) as client:
        vehicle = client.post("/api/vehicles", json={"name": "Golf"}).json()["vehicle"]["id"]
        session = begin(client, vehicle_id=vehicle)
        seen, last = [], "0"
        for start in (0, 10, 20):
            for second in range(start, start + 10):
                send(client, session, float(second))
            with connect(f"ws://{address}/ws") as socket:
                socket.send(json.dumps({"type": "subscribe", "vehicles": [vehicle], "since": int(last)}))
                for _ in range(10):
                    event = receive(socket, "sample")
                    seen.append(event["data"]["end_s"])
                    last = event["id"]
        assert seen == [float(second) for second in range(30)]


def test_a_websocket_answers_pings_and_stops_telling_what_was_unsubscribed(address: str) -> None:
    with http(address) as client, connect(f"ws://{address}/ws") as socket:
        session = begin(client)
        socket.send(json.dumps({"type": "subscribe", "sessions": [session], "id": 1}))
        assert receive(socket, "subscribed")["topics"] == [f"session:{session}"]
        send(client, session, 0.0)
        assert receive(socket, "sample")["session"] == session
        socket.send(json.dumps({"type": "unsubscribe", "sessions": [session], "id": "b"}))
        assert receive(socket, "unsubscribed")["id"] == "b"
        send(client, session, 1.0)
        socket.send(json.dumps({"type": "ping", "id": 7}))
        assert json.loads(socket.recv(timeout=5)) == {"type": "pong", "id": 7}


def test_a_diagnosis_over_the_websocket_is_the_tool_s_answer(address: str, shared: Workshop) -> None:
    session = store_drive(shared.store)
    with http(address) as client, connect(f"ws://{address}/ws") as socket:
        socket.send(json.dumps({"type": "diagnose", "session_id": session, "id": "d"}))
        told = receive(socket, "diagnosis", 30)
        by_tool = client.post("/api/tools/analyze_session", json={"session_id": session}, timeout=30).json()
        assert told == {"type": "diagnosis", "id": "d", "data": by_tool}
        socket.send(json.dumps({"type": "diagnose", "session_id": "ses_nowhere"}))
        assert receive(socket, "error")["data"]["code"] == "not_found"


def test_a_message_beyond_a_megabyte_ends_the_connection(address: str) -> None:
    with connect(f"ws://{address}/ws") as socket:
        socket.send(json.dumps({"type": "ping", "id": "x" * 1_100_000}))
        with pytest.raises(websockets.ConnectionClosed) as closed:
            socket.recv(timeout=5)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_an_overheating_engine_raises_one_alert_and_clears_it_for_all_who_listen(address: str) -> None:
    with http(address) as client, connect(f"ws://{address}/ws") as socket:
        socket.send(json.dumps({"type": "subscribe", "alerts": True}))
        receive(socket, "subscribed")
        session = begin(client)
        hot = [108, 112, 113, 114, 113, 112, 113, 108, 104, 103, 102, 101, 100, 99, 98]
        for second, value in enumerate(hot):
            send(client, session, float(second), coolant_temp=value)
        raised, cleared = receive(socket, "threshold"), receive(socket, "threshold")
        assert (raised["severity"], raised["data"]["state"]) == ("critical", "raised")
        assert (raised["data"]["alert"]["value"], raised["data"]["alert"]["start_s"]) == (114, 3)
        assert cleared["data"]["state"] == "cleared"
        assert cleared["data"]["alert"]["id"] == raised["data"]["alert"]["id"]
        (row,) = client.get(f"/api/alerts?session_id={session}&severity=critical").json()["alerts"]
        assert row["cleared_at"]
        assert row["end_s"] == 13
        still_open = client.get(f"/api/alerts?state=open&session_id={session}").json()["alerts"]
        assert row["rule"] not in {one["rule"] for one in still_open}
        seen = client.post(f"/api/alerts/{row['id']}/acknowledge").json()
        assert seen["acknowledged_at"]
        assert client.post(f"/api/alerts/{row['id']}/acknowledge").json() == seen


def test_an_alert_out_of_a_replay_says_that_it_is_not_about_now(address: str) -> None:
    with http(address) as client:
        recorded = begin(client)
        for second in range(10):
            send(client, recorded, float(second), coolant_temp=118.0)
        client.post(f"/api/sessions/{recorded}/finish")
        asked = {"adapter": f"replay:{recorded}?speed=2"}
        session = client.post("/api/tools/start_capture", json=asked).json()["session_id"]
        end = time.monotonic() + 30
        while not (rows := client.get("/api/alerts", params={"session_id": session}).json()["alerts"]):
            assert time.monotonic() < end
            time.sleep(0.05)
        client.post("/api/tools/stop_capture", json={"session_id": session})
    assert {row["title"].partition(":")[0] for row in rows} == {"In a replay, not now"}


def test_finishing_a_session_clears_its_alerts(address: str) -> None:
    with http(address) as client:
        session = begin(client)
        for second in range(5):
            send(client, session, float(second), coolant_temp=115.0)
        assert client.get(f"/api/alerts?state=open&session_id={session}").json()["total"] == 1
        client.post(f"/api/sessions/{session}/finish")
        assert client.get(f"/api/alerts?state=open&session_id={session}").json()["total"] == 0
        assert client.get(f"/api/alerts?state=cleared&session_id={session}").json()["alerts"][0]["end_s"] == 4


@pytest.mark.parametrize("is_by_tool", [False, True])
def test_a_session_deleted_while_it_is_live_leaves_nothing_behind(is_by_tool: bool, address: str) -> None:
    with http(address) as client:
        session = begin(client)
        for second in range(5):
            send(client, session, float(second), coolant_temp=115.0)
        if is_by_tool:
            client.post("/api/tools/delete_session", json={"session_id": session})
        else:
            assert client.delete(f"/api/sessions/{session}").status_code == 200
        assert client.post("/api/tools/clean_up").status_code == 200
        assert client.get("/api/alerts", params={"session_id": session}).json()["total"] == 0
        assert client.get(f"/api/sessions/{session}/live/stats").status_code == 404


def test_a_clean_up_says_what_it_closed_and_leaves_the_rest(address: str) -> None:
    with http(address) as client:
        idle, busy = begin(client, name="idle"), begin(client, name="busy")
        send(client, idle, 0.0)
        closed: list[str] = []
        while idle not in closed:
            send(client, busy, 0.0)
            closed += client.post("/api/tools/clean_up", json={"idle_s": 2}).json()["closed_sessions"]
        assert busy not in closed
        events = client.get(f"/api/sessions/{idle}/live/updates").json()["events"]
        assert (events[-1]["type"], events[-1]["data"]["reason"]) == ("session.finished", "idle")
        states = [client.get(f"/api/sessions/{one}").json()["session"]["state"] for one in (idle, busy)]
        assert states == ["finished", "recording"]


def test_a_closed_port_behind_a_token_needs_it_for_websockets_too(workshop: Workshop) -> None:
    from pydantic import SecretStr

    with running(workshop, token=SecretStr("sixteen characters!")) as address:
        with pytest.raises(websockets.InvalidStatus):
            connect(f"ws://{address}/ws")
        headers = {"Authorization": "Bearer sixteen characters!"}
        with connect(f"ws://{address}/ws", additional_headers=headers) as socket:
            socket.send('{"type": "ping"}')
            assert receive(socket, "pong")
        with pytest.raises(websockets.InvalidStatus):
            connect(f"ws://{address}/ws", origin="https://evil.example", additional_headers=headers)


MESSAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "id", "sessions", "vehicles", "alerts", "since", "session_id", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=8,
)
TYPED = st.builds(
    lambda kind, rest: {**(rest if isinstance(rest, dict) else {}), "type": kind},
    st.sampled_from(["subscribe", "unsubscribe", "ping", "diagnose"]),
    MESSAGE,
)


def test_no_message_breaks_the_websocket(address: str) -> None:
    with connect(f"ws://{address}/ws") as socket:

        @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given((MESSAGE | TYPED).map(json.dumps) | st.binary(max_size=40) | st.text(max_size=40))
        def try_one(message: str | bytes) -> None:
            socket.send(message)
            answer = json.loads(socket.recv(timeout=5))
            assert answer["type"] in ("error", "pong", "subscribed", "unsubscribed")
            if answer["type"] == "error":
                assert answer["data"].keys() == {"code", "message", "hint"}
                assert answer["data"]["code"] in ("bad_arguments", "not_found", "too_large")

        try_one()
        socket.send('{"type": "ping"}')
        assert receive(socket, "pong")


def test_a_server_with_open_streams_stops_within_two_seconds(tmp_path: Path) -> None:
    environment = {**os.environ, "OBD_AGENT_HOME": str(tmp_path)}
    code = "from server.cli import main; main()"
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", code, "serve", "--port", str(port)], env=environment)
    try:
        wait_for(port)
        taken = asyncio.run(stop_with_open_streams(port, process))
        assert taken < 2.5, taken
        assert process.returncode in (0, -signal.SIGTERM)
    finally:
        process.kill()
        process.wait()


async def stop_with_open_streams(port: int, process: "subprocess.Popen[bytes]") -> float:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        session = (await client.post("/api/sessions", json={})).json()["id"]
        async with (
            client.stream("GET", f"/api/sessions/{session}/stream") as stream,
            websockets.connect(f"ws://127.0.0.1:{port}/ws") as socket,
        ):
            lines = stream.aiter_lines()
            assert await anext(lines)
            await socket.send('{"type": "ping"}')
            assert await socket.recv()
            process.send_signal(signal.SIGTERM)
            began = time.monotonic()
            await asyncio.to_thread(process.wait, 10)
            taken = time.monotonic() - began
            # Both are ended, not torn: a stream without its end would raise here.
            assert [line async for line in lines if line.startswith("event:")] == []
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code in (1001, 1012)
            return taken


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server did not start")


def test_old_events_are_forgotten_and_a_late_reader_is_told_so(workshop: Workshop) -> None:
    with running(workshop, limits=Limits(events_bytes=3000)) as address, http(address) as client:
        session = begin(client)
        for second in range(20):
            send(client, session, float(second))
        with connect(f"ws://{address}/ws") as socket:
            first = client.get(f"/api/sessions/{session}/live/updates").json()["events"][0]
            socket.send(
                json.dumps({"type": "subscribe", "sessions": [session], "since": int(first["id"]) - 10})
            )
            missed = receive(socket, "missed")
            assert int(missed["data"]["until"]) < int(first["id"])
            assert receive(socket, "sample")["data"]["end_s"] == first["data"]["end_s"]
