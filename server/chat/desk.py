"""Runs the tool calls of one answer: several at once where they only read, with progress, errors as answers."""

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from threading import Event as Flag
from typing import Any

import anyio.to_thread

from server.calls import answer, find_tool
from server.chat.events import ArtifactMade, Emit, ToolEnd, ToolProgress, ToolStart
from server.chat.model import Call
from server.chat.permission import ask_first
from server.selection import AnyTool
from tools.answer import Answer
from tools.context import Progress, ToolContext, Workshop
from tools.errors import ToolError

PROGRESS_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call: an answer, or an error."""

    call: Call
    arguments: dict[str, Any]
    answer: Answer | None = None
    error: ToolError | None = None
    seconds: float = 0.0
    structured: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """Say the answer, or the error as every door shows it."""
        if self.answer is not None:
            return self.answer.say()
        return json.dumps({"error": self.error.body() if self.error else {}}, ensure_ascii=False)

    def for_model(self, longest: int) -> str:
        """Return the text with the structured answer where both fit; what is left out is said."""
        said = self.text()
        if len(said) > longest:
            return f"{said[:longest]}\n[{len(said) - longest} more characters left out: ask for less.]"
        if not self.structured:
            return said
        data = json.dumps(self.structured, ensure_ascii=False, separators=(",", ":"))
        return f"{said}\n{data}" if len(said) + len(data) < longest else said


class Desk:
    """The tools of one answer."""

    def __init__(self, tools: tuple[AnyTool, ...], workshop: Workshop, requester: str, emit: Emit) -> None:
        self.tools = tools
        self.workshop = workshop
        self.requester = requester
        self.emit = emit

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        """Run calls and return their outcomes in the same order; a call that writes runs alone."""
        outcomes: list[Outcome] = []
        for batch in self._batches(calls):
            outcomes += await asyncio.gather(*(self._run(call) for call in batch))
        return outcomes

    def _batches(self, calls: Iterable[Call]) -> list[list[Call]]:
        reads = {tool.name for tool in self.tools if tool.effects.read_only}
        batches: list[list[Call]] = []
        for call in calls:
            if batches and call.name in reads and batches[-1][-1].name in reads:
                batches[-1].append(call)
            else:
                batches.append([call])
        return batches

    async def _run(self, call: Call) -> Outcome:
        began = time.perf_counter()
        arguments, unreadable = _read(call)
        self.emit(ToolStart(call.id, call.name, arguments))
        try:
            if unreadable is not None:
                raise unreadable
            tool = find_tool(self.tools, call.name)
            result, structured = await self._in_thread(tool, call, arguments)
            outcome = Outcome(call, arguments, result, None, time.perf_counter() - began, structured)
        except ToolError as error:
            outcome = Outcome(call, arguments, None, error, time.perf_counter() - began)
        self._tell(outcome)
        return outcome

    async def _in_thread(
        self, tool: AnyTool, call: Call, arguments: dict[str, Any]
    ) -> tuple[Answer, dict[str, Any]]:
        cancelled = Flag()
        context = ToolContext(self.workshop, self.requester, self._progress(call), cancelled)

        def work() -> tuple[Answer, dict[str, Any]]:
            result = answer(tool, context, ask_first(tool, context, arguments))
            return result, result.structured()

        try:
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def _progress(self, call: Call) -> Progress:
        loop = asyncio.get_running_loop()
        last = 0.0

        def report(done: float, total: float | None, message: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= PROGRESS_PAUSE_S:
                last = now
                event = ToolProgress(call.id, call.name, done, total, message)
                loop.call_soon_threadsafe(self.emit, event)

        return report

    def _tell(self, outcome: Outcome) -> None:
        call, error = outcome.call, outcome.error
        body = None if error is None else error.body()
        text = outcome.text() if error is None else f"{error.message} {error.hint}".strip()
        self.emit(ToolEnd(call.id, call.name, error is None, text, round(outcome.seconds, 4), body))
        for artifact in outcome.answer.artifacts_to_show() if outcome.answer else []:
            self.emit(ArtifactMade.of(call.id, artifact))


def _read(call: Call) -> tuple[dict[str, Any], ToolError | None]:
    """Return the arguments that a model wrote, or what is wrong with them, so that it can write them again."""
    again = f"Call {call.name} again with one JSON object."
    try:
        values = json.loads(call.arguments or "{}")
    except ValueError as error:
        wrong = f"The arguments are not JSON ({error}): {call.arguments[:200]}"
        return {}, ToolError("bad_arguments", wrong, again)
    if isinstance(values, dict):
        return values, None
    return {}, ToolError("bad_arguments", "The arguments are not a JSON object.", again)
