"""Long calls tell their progress and end when nobody waits for them any more, whatever door they came through."""

import time
from collections.abc import Callable, Iterator
from threading import Event

import anyio
import httpx
import mcp
import pytest
from serving import served

from server.app import build_app
from server.mcp_server import build_mcp_server
from tools import TOOLS
from tools.answer import Answer
from tools.context import ToolContext, Workshop
from tools.registry import tool

ERAS = ["legacy", "auto"]
LONG = {"code": "import time\nwhile True: time.sleep(0.05)", "timeout_s": 120, "session_ids": []}


class Waited(Answer):
    """What the waiting tool answers."""

    steps: int

    def say(self) -> str:
        """Say how long it was."""
        return f"{self.steps} steps"


class Waiting:
    """A tool that tells progress until it is cancelled, and what became of it."""

    def __init__(self) -> None:
        self.began, self.ended = Event(), Event()

        @tool("lookup", "Wait")
        def wait(context: ToolContext, steps: int = 10_000) -> Waited:
            """Wait, telling each step."""
            self.began.set()
            for step in range(steps):
                context.progress(step + 1, steps, f"step {step + 1}")
                if context.cancelled.wait(0.01):
                    self.ended.set()
                    break
            return Waited(steps=steps)

        self.tool = wait


@pytest.fixture
def waiting() -> Waiting:
    return Waiting()


@pytest.fixture
def url(workshop: Workshop, waiting: Waiting) -> Iterator[str]:
    with served(build_app((waiting.tool, *TOOLS), workshop)) as url:
        yield url


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Tell whether something comes true in time."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


async def leave_once_begun(client: mcp.Client, waiting: Waiting) -> None:
    async with anyio.create_task_group() as calls:
        calls.start_soon(client.call_tool, "wait", {})
        assert await anyio.to_thread.run_sync(waiting.began.wait, 10)
        calls.cancel_scope.cancel()


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("door", ["in process", "over HTTP"])
def test_an_mcp_call_tells_progress_and_ends_when_the_client_gives_it_up(
    era: str, door: str, waiting: Waiting, workshop: Workshop, url: str
) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total, message))

    async def use() -> None:
        server = build_mcp_server((waiting.tool,), workshop) if door == "in process" else f"{url}/mcp"
        async with mcp.Client(server, mode=era) as client:
            await client.call_tool("wait", {"steps": 3}, progress_callback=note)
            waiting.began.clear()
            await leave_once_begun(client, waiting)
            assert await anyio.to_thread.run_sync(waiting.ended.wait, 10)

    anyio.run(use)
    assert told == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]


def test_an_http_call_ends_when_the_client_hangs_up(waiting: Waiting, url: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}/api/tools/wait", json={}, timeout=httpx.Timeout(5, read=0.5))
    assert waiting.ended.wait(10)


def test_code_that_runs_is_ended_with_the_call_it_came_by(workshop: Workshop, url: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}/api/tools/run_python", json=LONG, timeout=httpx.Timeout(5, read=3))
    kept = workshop.store.snapshots
    assert within(20, lambda: kept.list(kind="python_run").total == 1)
    assert kept.list(kind="python_run").rows[0].data["answer"]["status"] == "cancelled"
