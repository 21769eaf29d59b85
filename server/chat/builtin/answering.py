"""Carries out what a question means: finds the session or adapter it is about, calls the tool, says its answer."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from server.chat.builtin.arguments import arguments_for
from server.chat.builtin.phrases import Phrases
from server.chat.builtin.routing import Route, route
from server.chat.desk import Desk, Outcome
from server.chat.events import Done, TextDelta
from server.chat.memory import Memory
from server.chat.model import Call, Message

NAME = "obd-agent-built-in"
Keep = Callable[[Sequence[Message], Sequence[Outcome]], Awaitable[None]]


class Target(NamedTuple):
    """What a call works on, and what to tell about the choice; without ids, `missing` says what is needed."""

    ids: list[str]
    note: str = ""
    missing: str = ""


class BuiltIn:
    """Answers one question by rules."""

    def __init__(self, desk: Desk, memory: Memory, keep: Keep) -> None:
        self.desk = desk
        self.memory = memory
        self.keep = keep
        self.calls = 0

    async def answer(self, question: str) -> Done:
        """Answer, and keep the answer."""
        offered = {tool.name: tool for tool in self.desk.tools}
        understood = route(question, offered)
        phrases = Phrases("de" if understood.reading.german else "en")
        outcomes: list[Outcome] = []
        if understood.tool is None:
            text = phrases.decline(understood, offered)
        else:
            text = await self._carry_out(understood, phrases, outcomes)
        self.desk.emit(TextDelta(text))
        await self.keep([{"role": "assistant", "content": text}], outcomes)
        return Done(text, "stop", NAME, 1, self.calls, 0, 0)

    async def _carry_out(self, understood: Route, phrases: Phrases, outcomes: list[Outcome]) -> str:
        target = await self._target(understood, phrases)
        if target.missing:
            return target.missing
        assert understood.tool is not None  # noqa: S101 - asked only for a route with a tool
        arguments = arguments_for(understood, target.ids)
        known = next(tool for tool in self.desk.tools if tool.name == understood.tool)
        fitting = {
            name: value for name, value in arguments.items() if name in known.input_schema["properties"]
        }
        outcome = await self._call(understood.tool, fitting)
        outcomes.append(outcome)
        return phrases.answer(understood, outcome, target.note)

    async def _call(self, tool: str, arguments: dict[str, Any]) -> Outcome:
        self.calls += 1
        call = Call(f"builtin_{self.calls}", tool, json.dumps(arguments))
        return (await self.desk.run([call]))[0]

    async def _target(self, understood: Route, phrases: Phrases) -> Target:
        reading, intent = understood.reading, understood.intent
        scope = intent.scope if intent else "nothing"
        if scope == "adapter":
            adapter = [*reading.adapters, self.desk.workshop.adapter or ""][0]
            return Target([adapter] if adapter else [], missing="" if adapter else phrases.no_adapter())
        if scope == "vehicle":
            return await self._vehicle(reading.vehicle_ids, phrases)
        if scope in ("session", "two sessions"):
            return await self._sessions(understood, 2 if scope == "two sessions" else 1, phrases)
        return Target([])

    async def _sessions(self, understood: Route, count: int, phrases: Phrases) -> Target:
        """Take the sessions that were named, else the one in question, else the latest; and say which."""
        reading = understood.reading
        if len(reading.session_ids) >= count:
            return Target(reading.session_ids)
        if count == 1 and self.memory.session_id and "last" not in reading.concepts:
            return Target([self.memory.session_id], phrases.session_in_question(self.memory.session_id))
        rows = await self._rows(
            "list_sessions", "sessions", {"limit": count, "vehicle_id": self.memory.vehicle_id}
        )
        latest = [row for row in rows if row["id"] not in reading.session_ids]
        chosen = [*reading.session_ids, *(row["id"] for row in latest)][:count]
        if len(chosen) < count:
            return Target([], missing=phrases.too_few_sessions(count, len(chosen)))
        return Target(chosen, phrases.latest(latest[: count - len(reading.session_ids)]))

    async def _vehicle(self, named: list[str], phrases: Phrases) -> Target:
        chosen = [*named, self.memory.vehicle_id or ""][0]
        if chosen:
            return Target([chosen])
        rows = await self._rows("list_vehicles", "vehicles", {"limit": 10})
        if len(rows) == 1:
            return Target([rows[0]["id"]])
        return Target([], missing=phrases.which_vehicle(rows))

    async def _rows(self, tool: str, noun: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        given = {name: value for name, value in arguments.items() if value is not None}
        outcome = await self._call(tool, given)
        rows: list[dict[str, Any]] = outcome.structured.get(noun, [])
        return rows
