"""Carries out what a question means: finds what it is about, calls the tools, says what they answered."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import anyio.to_thread

from server.chat.builtin.arguments import arguments_for, fuel_type
from server.chat.builtin.explaining import PARTS, explain, in_states, states_of
from server.chat.builtin.phrases import Phrases
from server.chat.builtin.routing import Route, routes
from server.chat.builtin.targets import Target, Targets
from server.chat.desk import Desk, Outcome
from server.chat.events import Done, TextDelta
from server.chat.memory import Memory
from server.chat.model import Call, Message

NAME = "obd-agent-built-in"
Keep = Callable[[Sequence[Message], Sequence[Outcome]], Awaitable[None]]


class BuiltIn:
    """Answers one question by rules; `before` are the questions asked earlier in the conversation."""

    def __init__(self, desk: Desk, memory: Memory, keep: Keep, before: Sequence[str] = ()) -> None:
        self.desk = desk
        self.memory = memory
        self.keep = keep
        self.before = before
        self.calls = 0
        self.outcomes: list[Outcome] = []
        self.offered = {tool.name: tool for tool in desk.tools}

    async def answer(self, question: str) -> Done:
        """Answer, part by part, and keep the answer."""
        told: list[str] = []
        # In a thread: looking for the nearest word of many mistyped ones takes a moment.
        meant = await anyio.to_thread.run_sync(routes, question, self.offered, self.before)
        for understood in meant:
            phrases = Phrases("de" if understood.reading.german else "en")
            text = await self._say(understood, phrases)
            self.desk.emit(TextDelta("\n\n" + text if told else text))
            told.append(text)
        whole = "\n\n".join(told)
        await self.keep([{"role": "assistant", "content": whole}], self.outcomes)
        return Done(whole, "stop", NAME, 1, self.calls, 0, 0)

    async def _say(self, understood: Route, phrases: Phrases) -> str:
        if understood.tool is None:
            return phrases.decline(understood, self.offered)
        targets = Targets(self._rows, self.memory, self.desk.workshop.adapter, phrases)
        target = await targets.find(understood)
        if target.missing:
            return phrases.ask(target.missing)
        body = await self._body(understood, target, phrases)
        fuel = fuel_type(understood) if understood.tool == "analyze_fuel" else None
        notes = [target.note, phrases.say("fuel", fuel=fuel) if fuel else ""]
        return phrases.answer(understood, body, " ".join(note for note in notes if note))

    async def _body(self, understood: Route, target: Target, phrases: Phrases) -> str:
        assert understood.tool is not None  # noqa: S101 - asked only for a route with a tool
        tool, reading = understood.tool, understood.reading
        taken = self.offered[tool].input_schema["properties"]
        asked = [(tool, arguments) for arguments in arguments_for(understood, target.ids, taken)]
        explains = tool == "recommend_diagnosis" and bool(reading.signals)
        states = states_of(reading) if tool == "query_signals" else set()
        if "analyze_session" in self.offered and (explains or states):
            asked.append(("analyze_session", {"session_id": target.ids[0], "parts": PARTS}))
        outcomes = await self._call(asked)
        if explains and len(outcomes) == 2:
            history = await self._history(target.ids[0])
            return explain(reading.signals, outcomes[1], outcomes[0], history, phrases)
        if states and len(outcomes) == 2:
            lines = in_states(reading.signals, states, outcomes[1], phrases)
            return "\n".join([lines, "", phrases.say("whole session"), phrases.body(outcomes[0])])
        return "\n\n".join(phrases.body(outcome) for outcome in outcomes)

    async def _history(self, session_id: str) -> Outcome | None:
        """Return how the session's car moved from session to session, where it is known which car it is."""
        if not {"get_session", "track_vehicle"} <= self.offered.keys():
            return None
        (about,) = await self._run([("get_session", {"session_id": session_id})])
        vehicle_id = about.structured.get("session", {}).get("vehicle_id")
        return (await self._call([("track_vehicle", {"vehicle_id": vehicle_id})]))[0] if vehicle_id else None

    async def _rows(self, tool: str, noun: str, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """Call a tool that lists; what is only looked up does not become what the conversation is about."""
        given = {name: value for name, value in arguments.items() if value is not None}
        found = (await self._run([(tool, given)]))[0]
        rows: list[dict[str, Any]] = found.structured.get(noun, [])
        return rows

    async def _call(self, asked: Sequence[tuple[str, dict[str, Any]]]) -> list[Outcome]:
        outcomes = await self._run(asked)
        self.outcomes += outcomes
        return outcomes

    async def _run(self, asked: Sequence[tuple[str, dict[str, Any]]]) -> list[Outcome]:
        calls = []
        for tool, arguments in asked:
            self.calls += 1
            calls.append(Call(f"builtin_{self.calls}", tool, json.dumps(arguments)))
        return await self.desk.run(calls)
