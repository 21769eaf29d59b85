"""Real clients whose connections break: a browser's own EventSource and a WebSocket miss nothing, repeat nothing."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from chromium import Page, browser_page
from live_server import running
from relay import Relay, relayed
from websockets import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from server.live.websocket import MOST_BYTES
from tools.context import Workshop

START = "2026-05-04T08:30:00Z"
FOLLOW = """
    seen = []; missed = []; opened = 0;
    source = new EventSource('/api/sessions/SESSION/stream?since=0');
    source.onopen = () => { opened += 1; };
    source.addEventListener('sample', event => seen.push(JSON.parse(event.data).data.end_s));
    source.addEventListener('missed', event => missed.push(JSON.parse(event.data).data));
    source.addEventListener('session.finished', event => { ended = event.lastEventId; });
"""


class Sender:
    """Sends one reading a second of a session's time, each as an event of its own."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=f"http://{address}", timeout=30)
        self.session = str(self._client.post("/api/sessions", json={}).json()["id"])
        self.sent: list[float] = []

    def send(self, number: int) -> None:
        for _ in range(number):
            second = float(len(self.sent))
            body = {"start": START, "columns": {"t_s": [second], "rpm": [800.0]}}
            answer = self._client.post(f"/api/sessions/{self.session}/data", json=body)
            assert answer.status_code == 200, answer.text
            self.sent.append(second)

    def move(self, address: str) -> None:
        """Send to another server from now on."""
        self._client.close()
        self._client = httpx.Client(base_url=f"http://{address}", timeout=30)

    def finish(self) -> None:
        self._client.post(f"/api/sessions/{self.session}/finish")

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def sender(workshop: Workshop) -> Iterator[tuple[Sender, Relay]]:
    """A sender to a server, and a relay in front of that server for those who listen."""
    with running(workshop) as address, relayed(address) as relay:
        sender = Sender(address)
        yield sender, relay
        sender.close()


def follow(page: Page, relay: Relay, session: str) -> None:
    page.go(f"http://{relay.address}/healthz")
    page.run(FOLLOW.replace("SESSION", session))
    page.wait_for("opened == 1")


def test_a_browser_s_event_source_misses_nothing_over_broken_connections(
    sender: tuple[Sender, Relay], tmp_path: Path
) -> None:
    readings, relay = sender
    with browser_page(tmp_path / "browser") as page:
        follow(page, relay, readings.session)
        readings.send(10)
        page.wait_for("seen.length == 10")
        relay.is_down = True
        relay.cut()
        readings.send(300)
        relay.is_down = False
        page.wait_for("seen.length > 10")
        readings.send(20)
        relay.cut()
        readings.send(20)
        page.wait_for(f"seen.length >= {len(readings.sent)}")
        readings.finish()
        page.wait_for("typeof ended == 'string'")
        assert page.run("opened") >= 3
        assert page.run("seen") == readings.sent
        assert page.run("missed") == []


def test_a_browser_is_told_what_it_missed_when_another_server_takes_over(
    sender: tuple[Sender, Relay], workshop: Workshop, tmp_path: Path
) -> None:
    readings, relay = sender
    again = Workshop(workshop.home, workshop.database_url)
    with browser_page(tmp_path / "browser") as page, running(again) as other:
        follow(page, relay, readings.session)
        readings.send(5)
        page.wait_for("seen.length == 5")
        relay.target = other
        relay.cut()
        readings.move(other)
        page.wait_for("opened == 2")
        readings.send(5)
        page.wait_for("seen.length == 10")
        assert page.run("seen") == readings.sent
        (gap,) = page.run("missed")
        assert int(gap["since"]) < int(gap["until"])
    again.close()


class Listener:
    """Follows a session over one WebSocket after another, from the last event it got."""

    def __init__(self, address: str, session: str) -> None:
        self.seen: list[float] = []
        self._url = f"ws://{address}/ws"
        self._session = session
        self._last = 0

    @contextmanager
    def connected(self) -> Iterator[ClientConnection]:
        with connect(self._url, max_size=MOST_BYTES) as socket:
            wanted = {"type": "subscribe", "sessions": [self._session], "since": self._last}
            socket.send(json.dumps(wanted))
            yield socket

    def read(self, socket: ClientConnection, until: float) -> None:
        """Read until so many samples were seen in all."""
        while len(self.seen) < until:
            event = json.loads(socket.recv(timeout=30))
            assert event["type"] in ("session.live", "sample", "subscribed")
            self._last = max(self._last, int(event["id"] or 0))
            if event["type"] == "sample":
                self.seen.append(event["data"]["end_s"])


def test_a_websocket_misses_nothing_over_broken_connections(sender: tuple[Sender, Relay]) -> None:
    readings, relay = sender
    listener = Listener(relay.address, readings.session)
    for _ in range(4):
        with listener.connected() as socket:
            readings.send(100)
            listener.read(socket, len(readings.sent) - 40)
            relay.cut()
            # What had already arrived can still be read; the end is a cut, not a farewell.
            with pytest.raises(ConnectionClosedError, match="no close frame"):
                listener.read(socket, math.inf)
        readings.send(30)
        assert len(listener.seen) < len(readings.sent)
    with listener.connected() as socket:
        listener.read(socket, len(readings.sent))
    assert listener.seen == readings.sent
