"""What people commonly ask, in the order in which it is looked for, and the tool that answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from server.chat.builtin.reading import Reading

Scope = Literal["nothing", "session", "two sessions", "vehicle", "adapter"]
Rule = Callable[[Reading], bool]


@dataclass(frozen=True, slots=True)
class Intent:
    """A kind of question: when it is meant, the tools that can answer it (best first), what they work on.

    `takes_words`: its unknown words are what to search for; `needs_all`: it is only meant where none is unknown.
    """

    tools: tuple[str, ...]
    meant: Rule
    scope: Scope
    english: str
    german: str
    takes_words: bool = False
    needs_all: bool = False


def has(*concepts: str) -> Rule:
    """Return a rule: all of these concepts were named; `a|b` is either."""
    groups = [set(concept.split("|")) for concept in concepts]
    return lambda reading: all(group & reading.concepts for group in groups)


def _code_search(reading: Reading) -> bool:
    about = reading.concepts & {"search", "signals"}
    return "codes" in reading.concepts and bool(about) and "diagnose" not in reading.concepts


def _code_causes(reading: Reading) -> bool:
    return bool(reading.codes) and "diagnose" in reading.concepts and "meaning" not in reading.concepts


def _picture(reading: Reading) -> bool:
    return "plot" in reading.concepts and bool(reading.signals)


def _live(reading: Reading) -> bool:
    about = bool(reading.signals) or "values" in reading.concepts
    return about and ("live" in reading.concepts or bool(reading.adapters)) and not _recorded(reading)


def _recorded(reading: Reading) -> bool:
    return bool(reading.session_ids) or bool(reading.concepts & {"session", "last"})


def _numbers(reading: Reading) -> bool:
    return bool(reading.signals) and ("statistic" in reading.concepts or _recorded(reading))


def _fuel(reading: Reading) -> bool:
    return "fuel" in reading.concepts and not reading.signals


def _contents(reading: Reading) -> bool:
    recorded = _recorded(reading) and bool(reading.concepts & {"signals", "values"})
    return recorded or {"signals", "list"} <= reading.concepts


def _this_session(reading: Reading) -> bool:
    return bool(reading.session_ids) and not reading.concepts - {"session", "car", "list", "last"}


def _only_sessions(reading: Reading) -> bool:
    return "session" in reading.concepts and not reading.concepts - {"session", "list", "last", "car"}


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
        _code_causes,
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
    ),
    Intent(
        ("recommend_diagnosis", "detect_anomalies"),
        lambda r: bool(r.signals) and "why" in r.concepts,
        "session",
        "find out why a value is what it is",
        "herausfinden, warum ein Wert so ist",
    ),
    Intent(("compare_sessions",), has("compare"), "two sessions", "compare sessions", "Fahrten vergleichen"),
    Intent(("plot_signals",), _picture, "session", "plot signals", "Signale zeichnen"),
    Intent(("analyze_fuel",), _fuel, "session", "tell the fuel consumption", "den Verbrauch bestimmen"),
    Intent(("detect_anomalies",), has("anomaly"), "session", "find anomalies", "Auffälligkeiten suchen"),
    Intent(
        ("track_vehicle",), has("trend"), "vehicle", "track a vehicle over time", "ein Fahrzeug verfolgen"
    ),
    Intent(
        ("search_trouble_codes",),
        _code_search,
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
        has("codes|readiness"),
        "adapter",
        "read the car's trouble codes",
        "den Fehlerspeicher auslesen",
    ),
    Intent(
        ("read_monitor_tests",), has("monitor tests"), "adapter", "read monitor tests", "Monitortests lesen"
    ),
    Intent(
        ("read_vehicle_info",), has("vehicle info"), "adapter", "read the car's data", "Fahrzeugdaten lesen"
    ),
    Intent(("read_signals",), _live, "adapter", "read live values", "aktuelle Werte lesen"),
    Intent(
        ("check_adapter",), has("adapter", "check"), "adapter", "check an adapter", "einen Adapter prüfen"
    ),
    Intent(("list_adapters",), has("adapter"), "nothing", "list adapters", "Adapter auflisten"),
    Intent(("query_signals",), _numbers, "session", "give numbers of signals", "Zahlen zu Signalen nennen"),
    Intent(
        ("health_report", "analyze_session"),
        has("health"),
        "session",
        "report on the car's health",
        "über den Zustand berichten",
    ),
    Intent(("analyze_session",), has("analyze"), "session", "analyse a session", "eine Fahrt auswerten"),
    Intent(
        ("get_session",), _contents, "session", "show what a session holds", "zeigen, was eine Fahrt enthält"
    ),
    Intent(("get_session",), _this_session, "session", "show a session", "eine Fahrt zeigen"),
    Intent(
        ("list_sessions",),
        has("session"),
        "nothing",
        "list the sessions",
        "die Fahrten auflisten",
        needs_all=True,
    ),
    Intent(
        ("list_vehicles",),
        lambda r: "vehicles" in r.concepts or {"list", "car"} <= r.concepts,
        "nothing",
        "list the vehicles",
        "die Fahrzeuge auflisten",
        needs_all=True,
    ),
)
