"""Long calls are told while they last, whichever door they came through; quick ones are not."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import mcp
import pytest
from live_server import running
from websockets.sync.client import ClientConnection, connect

from tools import TOOLS
from tools.answer import Answer
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.registry import tool

LOG = Path(__file__).parent / "data" / "logs" / "torque.csv"
released = threading.Event()


class Held(Answer):
    """What comes after the wait."""

    def say(self) -> str:
        return "Released."


@tool("python", "Wait until the test goes on")
def hold(context: ToolContext, password: str, session_id: str | None = None) -> Held:
    """Wait for the test."""
    assert released.wait(20)
    return Held()


@tool("python", "Fail half way")
def break_down(context: ToolContext, password: str) -> Held:
    """Report progress, and fail."""
    context.progress(1, 2, "half way")
    raise ToolError("car_refused", f"The car did not like {password}.", "Try another.")


@pytest.fixture
def address(workshop: Workshop) -> Iterator[str]:
    released.clear()
    with running(workshop, tools=(*TOOLS, hold, break_down)) as address:
        yield address
        released.set()


@contextmanager
def listening(address: str) -> Iterator[ClientConnection]:
    with connect(f"ws://{address}/ws") as socket:
        socket.send(json.dumps({"type": "subscribe", "jobs": True}))
        assert json.loads(socket.recv(timeout=5))["topics"] == ["jobs"]
        yield socket


def event(socket: ClientConnection) -> dict[str, Any]:
    return dict(json.loads(socket.recv(timeout=15)))


def call(address: str, name: str, **arguments: Any) -> httpx.Response:
    return httpx.post(f"http://{address}/api/tools/{name}", json=arguments, timeout=30)


def in_background(work: Any) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def over_mcp(address: str, name: str, **arguments: Any) -> None:
    async def ask() -> None:
        async with mcp.Client(f"http://{address}/mcp") as client:
            await client.call_tool(name, arguments)

    anyio.run(ask)


@pytest.mark.parametrize("door", [call, over_mcp])
def test_a_call_that_lasts_is_told_while_it_lasts_and_when_it_is_done(address: str, door: Any) -> None:
    with listening(address) as socket:
        caller = in_background(lambda: door(address, "hold", password="hunter2", session_id="ses_x"))
        started = event(socket)
        assert started["type"] == "job.started"
        assert started["data"]["tool"] == "hold"
        assert started["data"]["ids"] == {"session_id": "ses_x"}
        assert started["data"]["duration_s"] >= 1
        released.set()
        done = event(socket)
        caller.join()
        assert done["type"] == "job.done"
        assert done["data"]["job_id"] == started["data"]["job_id"]
        assert done["data"]["duration_s"] > started["data"]["duration_s"]
        assert "hunter2" not in json.dumps([started, done])


def test_an_import_is_told_as_soon_as_it_reports_progress(address: str) -> None:
    with listening(address) as socket:
        assert call(address, "import_log", path=str(LOG)).status_code == 200
        events = [event(socket)]
        while events[-1]["type"] != "job.done":
            events.append(event(socket))
    assert events[0]["type"] == "job.started"
    assert {one["data"]["tool"] for one in events} == {"import_log"}
    assert (events[-1]["data"]["progress"], events[-1]["data"]["message"]) == (1.0, "importing")
    assert str(LOG) not in json.dumps(events)


def test_a_failure_is_told_by_its_code_and_says_nothing_of_the_arguments(address: str) -> None:
    with listening(address) as socket:
        assert call(address, "break_down", password="hunter2").status_code == 502
        started, failed = event(socket), event(socket)
    assert (started["data"]["progress"], started["data"]["message"]) == (0.5, "half way")
    assert (failed["type"], failed["severity"], failed["data"]["code"]) == (
        "job.failed", "warning", "car_refused",
    )  # fmt: skip
    assert "hunter2" not in json.dumps([started, failed])


def test_quick_calls_are_not_told(address: str) -> None:
    with listening(address) as socket:
        assert call(address, "list_sessions").status_code == 200
        assert call(address, "get_session", session_id="ses_nowhere").status_code == 404
        caller = in_background(lambda: call(address, "hold", password="x"))
        assert event(socket)["data"]["tool"] == "hold"
        released.set()
        assert event(socket)["type"] == "job.done"
        caller.join()


def test_progress_is_told_at_a_pace_a_reader_can_follow() -> None:
    from server.live.hub import JOBS, Hub
    from server.live.jobs import Jobs

    hub, heard = Hub(), []
    with Jobs(hub).watch("import_log", {}, lambda *one: heard.append(one)) as progress:
        for done in range(1000):
            progress(done, 1000, "importing")
    events, _ = hub.read(JOBS, 0, 1000)
    assert len(heard) == 1000
    assert [one.type for one in (events[0], events[-1])] == ["job.started", "job.done"]
    assert len(events) < 100
