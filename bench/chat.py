"""What the chat's loop adds to a tool call, beside calling the same tool in process."""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from stored_drives import store_drive  # noqa: E402

from server.calls import answer, find_tool  # noqa: E402
from server.chat.desk import Desk, Outcome  # noqa: E402
from server.chat.events import Done  # noqa: E402
from server.chat.limits import AnswerLimits  # noqa: E402
from server.chat.loop import Loop  # noqa: E402
from server.chat.memory import open_memory  # noqa: E402
from server.chat.model import Call, Message, ModelAccess, Reply  # noqa: E402
from server.chat.responder import Question, Responder  # noqa: E402
from tools import TOOLS  # noqa: E402
from tools.context import ToolContext, Workshop  # noqa: E402

ROUNDS, CALLS = 7, 20
LIMITS = AnswerLimits(turns=100, calls=1000, tokens=10**9)


class InstantModel:
    """Asks for one call a turn, at once, and then answers."""

    name = "instant"

    def __init__(self, call: Call, calls: int) -> None:
        self.call = call
        self.left = calls

    async def turn(
        self, messages: Sequence[Message], tools: Sequence[Mapping[str, Any]], *, may_call: bool
    ) -> AsyncIterator[str | Reply]:
        self.left -= 1
        yield Reply("Done.") if self.left < 0 else Reply("", [self.call])

    async def close(self) -> None:
        return


async def nothing_kept(messages: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
    return


def in_process(workshop: Workshop, call: Call, arguments: dict[str, Any]) -> float:
    tool = find_tool(TOOLS, call.name)
    began = time.perf_counter()
    for _ in range(CALLS):
        result = answer(tool, ToolContext(workshop), arguments)
        result.say()
        result.structured()
    return (time.perf_counter() - began) / CALLS


def in_the_loop(workshop: Workshop, call: Call, *, kept: bool) -> float:
    async def run() -> None:
        memory = open_memory(workshop, None, "bench", None, None)

        async def keep(messages: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
            await asyncio.to_thread(memory.keep, messages, outcomes)

        desk = Desk(TOOLS, workshop, "bench", lambda event: None)
        loop = Loop(InstantModel(call, CALLS), desk, LIMITS, desk.emit, keep if kept else nothing_kept)
        done = await loop.run([{"role": "user", "content": "Go."}])
        assert done.calls == CALLS

    began = time.perf_counter()
    asyncio.run(run())
    return (time.perf_counter() - began) / CALLS


def over_http(workshop: Workshop, call: Call, arguments: dict[str, Any]) -> float:
    """Return seconds per turn of the whole chat with a scripted model behind a real socket."""
    from scripted_model import ScriptedModel, say
    from scripted_model import call as ask
    from serving import served

    model = ScriptedModel(*[ask((call.name, arguments)) for _ in range(CALLS)], say("Done."))

    async def run(address: str) -> float:
        access = ModelAccess("scripted", None, f"{address}/v1")
        began = time.perf_counter()
        events = [e async for e in Responder(TOOLS, workshop, access, LIMITS).ask(Question("Go."))]
        took = time.perf_counter() - began
        assert isinstance(events[-1], Done), events[-1]
        return took / CALLS

    with served(model.app) as address:
        return asyncio.run(run(address))


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        workshop = Workshop(Path(folder), f"sqlite:///{folder}/bench.db")
        session_id = store_drive(workshop.store)
        print(
            "| tool | in process ms | + loop ms | + loop, conversation kept ms | whole turn with HTTP model ms |"
        )
        print("|---|---|---|---|---|")
        for name, arguments in (
            ("lookup_trouble_code", {"code": "P0171"}),
            ("query_signals", {"session_id": session_id, "signals": ["rpm"], "points": 50}),
        ):
            print(row(workshop, name, arguments))
        workshop.close()


def row(workshop: Workshop, name: str, arguments: dict[str, Any]) -> str:
    """Measure one tool: interleaved rounds, medians; added times are differences within a round."""
    call = Call("c", name, json.dumps(arguments))
    # Once for what only the first call pays: imports, schemas, caches.
    in_process(workshop, call, arguments)
    in_the_loop(workshop, call, kept=True)
    over_http(workshop, call, arguments)
    rounds = []
    for _ in range(ROUNDS):
        plain = in_process(workshop, call, arguments)
        looped = in_the_loop(workshop, call, kept=False)
        stored = in_the_loop(workshop, call, kept=True)
        rounds.append((plain, looped - plain, stored - plain))
    middle = [statistics.median(column) * 1000 for column in zip(*rounds, strict=True)]
    whole = over_http(workshop, call, arguments)
    return f"| {name} | {middle[0]:.2f} | {middle[1]:+.2f} | {middle[2]:+.2f} | {whole * 1000:.1f} |"


if __name__ == "__main__":
    main()
