"""The arguments of a tool call, from what a question says; only those that the tool takes are passed on."""

from typing import Any

from server.chat.builtin.routing import Route, search_words

_USUAL = ["rpm", "speed", "coolant_temp", "engine_load", "throttle_pos", "control_module_voltage"]


def arguments_for(understood: Route, ids: list[str]) -> dict[str, Any]:
    """Return the arguments for the chosen tool; `ids` are the sessions, the vehicle or the adapter."""
    reading, intent = understood.reading, understood.intent
    values: dict[str, Any] = {}
    scope = intent.scope if intent else "nothing"
    if scope == "session":
        values["session_id"] = ids[0]
    elif scope == "two sessions":
        # The older first: what changed since then.
        values["session_ids"] = ids if reading.session_ids else ids[::-1]
    elif scope in ("vehicle", "adapter"):
        values[f"{scope}_id" if scope == "vehicle" else scope] = ids[0]
    if reading.codes:
        values |= {"code": reading.codes[0], "trouble_code": reading.codes[0]}
    if reading.vins:
        values["vin"] = reading.vins[0]
    if intent is not None and intent.takes_words:
        values |= dict.fromkeys(("text", "query"), search_words(reading))
    return values | _signals(understood)


def _signals(understood: Route) -> dict[str, Any]:
    """Return the signals that were named; tools that judge a session by themselves get none."""
    names = understood.reading.signals
    if understood.tool == "read_signals":
        return {"signals": names or _USUAL}
    if understood.tool in ("plot_signals", "query_signals"):
        return {"signals": names, "points": 0} if understood.tool == "query_signals" else {"signals": names}
    return {}
