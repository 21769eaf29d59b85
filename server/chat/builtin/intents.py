"""What people commonly ask, in the order in which it is looked for, and the tool that answers it."""

from dataclasses import dataclass
from typing import Literal

from server.chat.builtin.rules import (
    RECORDED,
    Rule,
    asks_for_analysis,
    asks_for_causes,
    asks_for_codes,
    asks_for_contents,
    asks_for_fuel,
    asks_for_health,
    asks_for_numbers,
    asks_for_picture,
    asks_for_statistics,
    asks_for_vehicles,
    checks_adapter,
    compares,
    has,
    is_live,
    lists_sessions,
    reads_codes,
    shows_session,
)

Scope = Literal["nothing", "session", "two sessions", "vehicle", "adapter"]


@dataclass(frozen=True, slots=True)
class Intent:
    """A kind of question: when it is meant, the tools that can answer it (best first), what they work on.

    `takes_words`: its unknown words are what to search for; `needs_all`: it is only meant where hardly any is unknown;
    `beside`: the only concepts that may be named with it, where it is what is left when nothing else was meant;
    `common`: it is offered to who asked something unclear.
    """

    tools: tuple[str, ...]
    meant: Rule
    scope: Scope
    english: str
    german: str
    takes_words: bool = False
    needs_all: bool = False
    beside: frozenset[str] | None = None
    common: bool = False


_ASKING = frozenset({"question", "list", "car", "help", "how much", "check", "search", "also", "instead"})

INTENTS: tuple[Intent, ...] = (
    Intent(("decode_vin",), lambda r: bool(r.vins), "nothing", "decode a VIN", "eine FIN entschlüsseln"),
    Intent(
        ("search_manuals",),
        has("manual"),
        "nothing",
        "search the manuals",
        "die Handbücher durchsuchen",
        True,
    ),
    Intent(("search_web",), has("web"), "nothing", "search the web", "im Web suchen", True),
    Intent(("list_research",), has("research"), "nothing", "list saved research", "Recherchen auflisten"),
    Intent(
        ("recommend_diagnosis", "lookup_trouble_code"),
        asks_for_causes,
        "nothing",
        "say what to test for a code",
        "sagen, was bei einem Code zu prüfen ist",
    ),
    Intent(
        ("lookup_trouble_code",),
        lambda r: bool(r.codes),
        "nothing",
        "say what a trouble code means",
        "einen Fehlercode erklären",
        beside=_ASKING | {"meaning", "codes", "code", "part", "symptom", "health"},
        common=True,
    ),
    Intent(
        ("recommend_diagnosis", "detect_anomalies"),
        lambda r: bool(r.signals) and "why" in r.concepts,
        "session",
        "find out why a value is what it is",
        "herausfinden, warum ein Wert so ist",
    ),
    Intent(("plot_signals",), asks_for_picture, "session", "plot signals", "Signale zeichnen", common=True),
    Intent(("compare_sessions",), compares, "two sessions", "compare sessions", "Fahrten vergleichen"),
    Intent(
        ("query_signals",),
        asks_for_statistics,
        "session",
        "give numbers of signals",
        "Zahlen zu Signalen nennen",
    ),
    Intent(
        ("analyze_fuel",),
        asks_for_fuel,
        "session",
        "tell the fuel consumption",
        "den Verbrauch bestimmen",
        common=True,
    ),
    Intent(("detect_anomalies",), has("anomaly"), "session", "find anomalies", "Auffälligkeiten suchen"),
    Intent(
        ("track_vehicle",), has("trend"), "vehicle", "track a vehicle over time", "ein Fahrzeug verfolgen"
    ),
    Intent(
        ("search_trouble_codes",),
        asks_for_codes,
        "nothing",
        "search trouble codes",
        "Fehlercodes suchen",
        True,
    ),
    Intent(
        ("recommend_diagnosis",),
        has("diagnose|symptom"),
        "session",
        "recommend the next test",
        "die nächste Prüfung nennen",
    ),
    Intent(
        ("read_trouble_codes",),
        reads_codes,
        "adapter",
        "read the car's trouble codes",
        "den Fehlerspeicher auslesen",
        common=True,
    ),
    Intent(
        ("read_monitor_tests",), has("monitor tests"), "adapter", "read monitor tests", "Monitortests lesen"
    ),
    Intent(
        ("read_vehicle_info",), has("vehicle info"), "adapter", "read the car's data", "Fahrzeugdaten lesen"
    ),
    Intent(("read_signals",), is_live, "adapter", "read live values", "aktuelle Werte lesen"),
    Intent(("check_adapter",), checks_adapter, "adapter", "check an adapter", "einen Adapter prüfen"),
    Intent(
        ("list_adapters",),
        has("adapter"),
        "nothing",
        "list adapters",
        "Adapter auflisten",
        needs_all=True,
        beside=_ASKING | {"adapter"},
    ),
    Intent(
        ("query_signals",),
        asks_for_numbers,
        "session",
        "give numbers of signals",
        "Zahlen zu Signalen nennen",
        common=True,
    ),
    Intent(
        ("health_report", "analyze_session"),
        asks_for_health,
        "session",
        "report on the car's health",
        "über den Zustand berichten",
        common=True,
    ),
    Intent(("analyze_session",), asks_for_analysis, "session", "analyse a session", "eine Fahrt auswerten"),
    Intent(
        ("get_session",),
        asks_for_contents,
        "session",
        "show what a session holds",
        "zeigen, was eine Fahrt enthält",
    ),
    Intent(("get_session",), shows_session, "session", "show a session", "eine Fahrt zeigen"),
    Intent(
        ("list_sessions",),
        lists_sessions,
        "nothing",
        "list the sessions",
        "die Fahrten auflisten",
        needs_all=True,
        beside=_ASKING | RECORDED,
        common=True,
    ),
    Intent(
        ("list_vehicles",),
        asks_for_vehicles,
        "nothing",
        "list the vehicles",
        "die Fahrzeuge auflisten",
        needs_all=True,
        beside=_ASKING | {"vehicles"},
    ),
)
