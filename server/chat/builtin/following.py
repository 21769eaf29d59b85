"""Reads a question that only makes sense after the one before it: “and the coolant?”, “same for yesterday”."""

import re
from dataclasses import replace

from server.chat.builtin.intents import Intent
from server.chat.builtin.reading import Reading
from server.chat.builtin.rules import RECORDED

_GOES_ON = re.compile(r"\s*(?:and|und|or|oder|now|then|next|jetzt|nun|dann)\b", re.IGNORECASE)
_TIMES = RECORDED - {"session"}
# Beside these a question asks for something of its own.
_NO_QUESTION = RECORDED | {
    "statistic",
    "also",
    "instead",
    "question",
    "car",
    "state",
    "how much",
    "list",
    "fuel type",
    "well",
}
_SIGNAL_TOOLS = {"plot_signals", "query_signals", "read_signals", "recommend_diagnosis"}


def follow(new: Reading, own: Intent | None, earlier: Reading, intent: Intent) -> Reading | None:
    """Return the earlier question with what the new one names put in its place; None where it stands for itself.

    `own` is what the new question means by itself, `intent` what the earlier one meant.
    """
    marked = bool(new.concepts & {"also", "instead"}) or _GOES_ON.match(new.text) is not None
    # "It is a diesel" answers; any other question word begins a question of its own.
    asks = "question" in new.concepts and "fuel type" not in new.concepts
    if not marked and (own is not None or asks):
        return None
    told = new.concepts - ({"live"} if marked else set())
    if told - _NO_QUESTION or new.understood < 0.5 or not _fits(new, intent):
        return None
    return _merged(new, earlier)


def _fits(new: Reading, intent: Intent) -> bool:
    """Tell whether everything that is named has a place in what was asked before, and something is named."""
    places = [
        (new.signals, not _SIGNAL_TOOLS.isdisjoint(intent.tools)),
        (new.codes, not {"recommend_diagnosis", "lookup_trouble_code"}.isdisjoint(intent.tools)),
        ("fuel type" in new.worded, "analyze_fuel" in intent.tools),
        ("statistic" in new.concepts, "query_signals" in intent.tools),
        (new.vins, "decode_vin" in intent.tools),
        (new.adapters, intent.scope == "adapter"),
        ("state" in new.concepts, "query_signals" in intent.tools),
        (new.session_ids or new.concepts & _TIMES, intent.scope == "session"),
    ]
    named = [fits for name, fits in places if name]
    return bool(named) and all(named)


def _merged(new: Reading, earlier: Reading) -> Reading:
    times = new.concepts & _TIMES
    more = "also" in new.concepts
    return replace(
        earlier,
        text=new.text,
        concepts=(earlier.concepts - (_TIMES if times else set())) | times | (new.concepts & {"state"}),
        signals=list(dict.fromkeys(earlier.signals + new.signals))
        if more
        else new.signals or earlier.signals,
        codes=new.codes or earlier.codes,
        vins=new.vins or earlier.vins,
        worded=earlier.worded | new.worded,
        adapters=new.adapters or earlier.adapters,
        session_ids=new.session_ids or ([] if times else earlier.session_ids),
        corrected=new.corrected,
        languages=new.languages or earlier.languages,
    )


def with_codes_in_question(new: Reading, earlier: Reading) -> Reading:
    """Return a question about causes or tests as one about the codes of the question before, if it names nothing."""
    own = (
        new.codes
        or new.signals
        or new.session_ids
        or new.concepts & (RECORDED | {"symptom", "part", "adapter"})
    )
    asks = new.concepts & {"diagnose", "check", "why", "bad"}
    return replace(new, codes=earlier.codes) if asks and not own else new
