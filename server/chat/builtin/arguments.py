"""The arguments of tool calls, from what a question says; only those that the tool takes are passed on."""

from collections.abc import Collection
from typing import Any

from server.chat.builtin.deciding import search_words
from server.chat.builtin.routing import Route

MOST_CODES = 4
_USUAL = ["rpm", "speed", "coolant_temp", "engine_load", "throttle_pos", "control_module_voltage"]
_FUELS = {
    **dict.fromkeys(("petrol", "gasoline", "benzin", "super"), "gasoline"),
    **dict.fromkeys(("lpg", "autogas"), "lpg"),
    **dict.fromkeys(("cng", "erdgas"), "cng"),
    **{name: name for name in ("diesel", "e10", "e85")},
}
"""Fuels by the words for them; `gas` is petrol to some and a gas to others, so it is none of them."""


def arguments_for(understood: Route, ids: list[str], taken: Collection[str]) -> list[dict[str, Any]]:
    """Return the arguments of each call; `ids` are the sessions, vehicle or adapter, `taken` what the tool takes."""
    reading = understood.reading
    shared = _scope(understood, ids) | _signals(understood) | _words(understood)
    if fuel := fuel_type(understood):
        shared["fuel_type"] = fuel
    if reading.codes:
        several_at_once = understood.tool == "recommend_diagnosis"
        shared["trouble_code"] = ",".join(reading.codes[: MOST_CODES if several_at_once else 1])
    for name, several in (("code", reading.codes[:MOST_CODES]), ("vin", reading.vins[:MOST_CODES])):
        if several and name in taken:
            return [_only(taken, {**shared, name: one}) for one in several]
    return [_only(taken, shared)]


def fuel_type(understood: Route) -> str | None:
    """Return the fuel that the question names."""
    return next(
        (_FUELS[word] for word in understood.reading.worded.get("fuel type", []) if word in _FUELS), None
    )


def _only(taken: Collection[str], values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in taken}


def _scope(understood: Route, ids: list[str]) -> dict[str, Any]:
    scope = understood.intent.scope if understood.intent else "nothing"
    if scope == "session":
        return {"session_id": ids[0]}
    if scope == "two sessions":
        # The older first: what changed since then.
        return {"session_ids": ids if understood.reading.session_ids else ids[::-1]}
    if scope == "vehicle":
        return {"vehicle_id": ids[0]}
    return {"adapter": ids[0]} if scope == "adapter" else {}


def _words(understood: Route) -> dict[str, Any]:
    if understood.intent is None or not understood.intent.takes_words:
        return {}
    return dict.fromkeys(("text", "query"), search_words(understood.reading))


def _signals(understood: Route) -> dict[str, Any]:
    """Return the signals that were named; tools that judge a session by themselves get none."""
    names = understood.reading.signals
    if understood.tool == "read_signals":
        return {"signals": names or _USUAL}
    if understood.tool in ("plot_signals", "query_signals"):
        return {"signals": names, "points": 0}
    return {}
