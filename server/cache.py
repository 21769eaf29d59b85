"""Expensive answers computed once: identical calls at one time share one run, unchanged data its result."""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from threading import Lock
from typing import Any

from server.selection import AnyTool
from storage.errors import StorageError
from tools.answer import Answer
from tools.context import ToolContext
from tools.errors import ToolError
from tools.registry import Tool

MOST_RESULTS = 64
Key = tuple[Any, ...]


class Results:
    """Answers by tool, arguments and the state of all data they rest on."""

    def __init__(self, most: int = MOST_RESULTS) -> None:
        self.computed = 0
        self.shared = 0
        self._most = most
        self._lock = Lock()
        self._running: dict[Key, Future[Answer]] = {}
        self._kept: OrderedDict[Key, Answer] = OrderedDict()

    def get(self, key: Key, compute: Callable[[], Answer]) -> Answer:
        """Return the answer of a key, from memory, from who is computing it now, or computed here."""
        while True:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    self.shared += 1
                    return self._kept[key]
                running = self._running.get(key)
                if running is None:
                    mine: Future[Answer] = Future()
                    self._running[key] = mine
            if running is None:
                return self._compute(key, compute, mine)
            try:
                result = running.result()
            except CancelledError:
                # Whoever computed it was cancelled; this caller was not.
                continue
            with self._lock:
                self.shared += 1
            return result

    def forget(self, key: Key, stale: Answer) -> None:
        """Compute the answer of a key anew next time, unless that has been done already."""
        with self._lock:
            if self._kept.get(key) is stale:
                del self._kept[key]

    def _compute(self, key: Key, compute: Callable[[], Answer], mine: "Future[Answer]") -> Answer:
        try:
            result = compute()
        except BaseException as error:
            self._settle(key, mine, None)
            if isinstance(error, ToolError) and error.code != "timeout":
                mine.set_exception(error)
            else:
                mine.cancel()
            raise
        self._settle(key, mine, result)
        mine.set_result(result)
        return result

    def _settle(self, key: Key, mine: "Future[Answer]", result: Answer | None) -> None:
        with self._lock:
            self.computed += 1
            if self._running.get(key) is mine:
                del self._running[key]
            if result is not None:
                self._kept[key] = result
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)


class SharedTool(Tool[Any, Any]):
    """A tool whose identical calls share one run."""

    def __init__(self, tool: AnyTool, results: Results) -> None:
        super().__init__(tool.function, tool.toolset, tool.title, tool.effects)
        self.name, self.description = tool.name, tool.description
        self._tool = tool
        self._results = results

    def run(self, context: ToolContext, arguments: Mapping[str, Any]) -> Answer:
        """Answer as the tool does, once for all who ask the same of unchanged data."""
        checked = self._tool.check(arguments).model_dump(mode="json")
        state = state_of(context, checked)
        if state is None:
            return self._tool.run(context, arguments)
        key = (self.name, json.dumps(checked, sort_keys=True), state)

        def compute() -> Answer:
            return self._tool.run(context, arguments)

        result = self._results.get(key, compute)
        if _has_lost_files(context, result):
            self._results.forget(key, result)
            result = self._results.get(key, compute)
        return result


def share(tools: tuple[AnyTool, ...], results: Results) -> tuple[AnyTool, ...]:
    """Return the tools with those that analyse sessions made to share their runs."""
    return tuple(SharedTool(tool, results) if _is_expensive(tool) else tool for tool in tools)


def _is_expensive(tool: AnyTool) -> bool:
    effects = tool.effects
    pure = effects.read_only and effects.idempotent and not effects.open_world
    names = tool.arguments.model_fields
    return (
        tool.toolset == "analysis"
        and pure
        and ("vehicle_id" in names or bool(_ids(dict.fromkeys(names, "x"))))
    )


def _ids(arguments: Mapping[str, Any]) -> list[str]:
    """Return the sessions that the arguments name, in any argument called `…session_id` or `…session_ids`."""
    found: list[str] = []
    for name, value in arguments.items():
        if value and name.endswith(("session_id", "session_ids")):
            found += [value] if isinstance(value, str) else list(value)
    return found


def _has_lost_files(context: ToolContext, result: Answer) -> bool:
    """Tell whether a file that the answer names was deleted since."""
    named = [one.artifact_id for one in getattr(result, "artifacts", ())]
    return bool(named and context.store.artifacts.missing(named))


def state_of(context: ToolContext, arguments: Mapping[str, Any]) -> Key | None:
    """Return what the answer rests on: the sessions, their vehicles, all else those vehicles did.

    Analyses compare a session with its vehicle's others, and use what was entered about the vehicle; so a change
    of any of them makes another key. None where it cannot be told, so that the tool itself says why.
    """
    store = context.store
    try:
        sessions = [store.sessions.get(session_id) for session_id in _ids(arguments)]
        vehicles = {session.vehicle_id for session in sessions if session.vehicle_id}
        vehicles |= {arguments["vehicle_id"]} if arguments.get("vehicle_id") else set()
        if not sessions and not vehicles:
            return None
        return (
            *(
                (one.id, one.version, store.snapshots.list(session_id=one.id, limit=1).total)
                for one in sessions
            ),
            *(_state_of_vehicle(context, vehicle_id) for vehicle_id in sorted(vehicles)),
        )
    except StorageError:
        return None


def _state_of_vehicle(context: ToolContext, vehicle_id: str) -> Key:
    store = context.store
    return (
        store.vehicles.get(vehicle_id).updated_at,
        tuple(store.sessions.versions(vehicle_id)),
        tuple(store.snapshots.ids_about(vehicle_id)),
    )
