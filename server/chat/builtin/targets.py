"""Finds what a question is about: the sessions, the vehicle or the adapter; and says which was taken for granted."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from server.chat.builtin.phrases import Phrases
from server.chat.builtin.reading import Reading
from server.chat.builtin.routing import Route
from server.chat.builtin.rules import RECORDED
from server.chat.memory import Memory

MOST_ROWS = 200
_DAYS = {"yesterday": timedelta(days=1), "today": timedelta()}
Row = dict[str, Any]
Ask = Callable[[str, str, dict[str, Any]], Awaitable[list[Row]]]


class Target(NamedTuple):
    """What a call works on, and what to tell about the choice; without ids, `missing` says what is needed."""

    ids: list[str]
    note: str = ""
    missing: str = ""


class Targets:
    """Finds targets; `ask` calls a listing tool and returns its rows."""

    def __init__(self, ask: Ask, memory: Memory, adapter: str | None, phrases: Phrases) -> None:
        self.ask = ask
        self.memory = memory
        self.adapter = adapter
        self.phrases = phrases

    async def find(self, understood: Route) -> Target:
        """Return what a question is about."""
        reading, intent = understood.reading, understood.intent
        scope = intent.scope if intent else "nothing"
        if scope == "adapter":
            adapter = [*reading.adapters, self.adapter or ""][0]
            return Target([adapter] if adapter else [], missing="" if adapter else self.phrases.no_adapter())
        if scope == "vehicle":
            return await self._vehicle(reading.vehicle_ids)
        if scope in ("session", "two sessions"):
            return await self._sessions(reading, 2 if scope == "two sessions" else 1)
        return Target([])

    async def _sessions(self, reading: Reading, count: int) -> Target:
        """Take the sessions that were named, those of the day, the one in question or the latest; say which."""
        named = reading.session_ids
        if len(named) >= count:
            return Target(named)
        if count == 1 and self.memory.session_id and not reading.concepts & (RECORDED - {"session"}):
            return Target([self.memory.session_id], self.phrases.session_in_question(self.memory.session_id))
        vehicle = [*reading.vehicle_ids, self.memory.vehicle_id][0]
        limit = MOST_ROWS if reading.concepts & {*_DAYS, "earlier"} else count + len(named)
        rows = await self.ask("list_sessions", "sessions", {"limit": limit, "vehicle_id": vehicle})
        rows = [row for row in self._earlier(rows, reading) if row["id"] not in named]
        days = [day for day in _DAYS if day in reading.concepts]
        of_days = [next((row for row in rows if _started(row, day)), None) for day in days]
        if None in of_days:
            return Target([], missing=self.phrases.none_on(days[of_days.index(None)], rows[:1]))
        kept = [row for row in of_days if row is not None]
        kept += [row for row in rows if row not in kept][: max(0, count - len(named) - len(kept))]
        if len(named) + len(kept) < count:
            return Target([], missing=self.phrases.too_few_sessions(count, len(named) + len(kept)))
        newest_first = sorted(kept[: count - len(named)], key=rows.index)
        return Target([*named, *(row["id"] for row in newest_first)], self.phrases.taken(newest_first))

    def _earlier(self, rows: list[Row], reading: Reading) -> list[Row]:
        """Return the sessions before the one in question, or before the latest, where those are asked for."""
        if "earlier" not in reading.concepts:
            return rows
        ids = [row["id"] for row in rows]
        place = ids.index(self.memory.session_id) if self.memory.session_id in ids else 0
        return rows[place + 1 :]

    async def _vehicle(self, named: Sequence[str]) -> Target:
        chosen = [*named, self.memory.vehicle_id or ""][0]
        if chosen:
            return Target([chosen])
        rows = await self.ask("list_vehicles", "vehicles", {"limit": 10})
        if len(rows) == 1:
            return Target([rows[0]["id"]])
        return Target([], missing=self.phrases.which_vehicle(rows))


def _started(row: Row, day: str) -> bool:
    """Tell whether a session started on that day, by the clock of this machine."""
    if row.get("started_at") is None:
        return False
    started = datetime.fromisoformat(row["started_at"]).astimezone()
    return started.date() == (datetime.now().astimezone() - _DAYS[day]).date()
