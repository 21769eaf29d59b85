"""When a kind of question is meant: rules over what was read of it."""

from collections.abc import Callable

from server.chat.builtin.reading import Reading

Rule = Callable[[Reading], bool]


def has(*concepts: str) -> Rule:
    """Return a rule: all of these concepts were named; `a|b` is either."""
    groups = [set(concept.split("|")) for concept in concepts]
    return lambda reading: all(group & reading.concepts for group in groups)


RECORDED = {"session", "sessions", "last", "today", "yesterday", "earlier"}


def asks_for_codes(reading: Reading) -> bool:
    """Tell whether codes are looked for by what they are about, not read from a car."""
    about = bool(reading.concepts & {"part", "symptom"}) or bool(reading.signals)
    asks = about or "search" in reading.concepts
    return bool(reading.concepts & {"codes", "code"}) and asks and not reading.concepts & {"diagnose", "live"}


def asks_for_causes(reading: Reading) -> bool:
    """Tell whether it is asked what is behind a named code."""
    behind = reading.concepts & {"diagnose", "check", "why", "bad", "symptom"}
    return bool(reading.codes) and bool(behind) and "meaning" not in reading.concepts


def asks_for_picture(reading: Reading) -> bool:
    """Tell whether named signals are to be drawn."""
    return "plot" in reading.concepts and bool(reading.signals)


def is_live(reading: Reading) -> bool:
    """Tell whether values of the car as it is now are asked for."""
    about = bool(reading.signals) or bool(reading.concepts & {"values", "car"})
    return about and ("live" in reading.concepts or bool(reading.adapters)) and not is_recorded(reading)


def is_recorded(reading: Reading) -> bool:
    """Tell whether a recorded session is meant."""
    return bool(reading.session_ids) or bool(reading.concepts & RECORDED)


def asks_for_numbers(reading: Reading) -> bool:
    """Tell whether numbers of named signals are asked for."""
    asked = bool(reading.concepts & {"statistic", "meaning", "values"})
    return bool(reading.signals) and (asked or is_recorded(reading))


def asks_for_fuel(reading: Reading) -> bool:
    """Tell whether it is asked what was burnt."""
    burnt = {"fuel type", "how much"} <= reading.concepts
    return ("fuel" in reading.concepts or burnt) and not reading.signals


def compares(reading: Reading) -> bool:
    """Tell whether two drives are set against each other."""
    return "compare" in reading.concepts or ("changed" in reading.concepts and is_recorded(reading))


def asks_for_health(reading: Reading) -> bool:
    """Tell whether it is asked if the car, or a part of it, is well."""
    faulty = "bad" in reading.concepts and (bool(reading.signals) or "part" in reading.concepts)
    well = "well" in reading.concepts and ("car" in reading.concepts or bool(reading.signals))
    return "health" in reading.concepts or well or faulty


def asks_for_contents(reading: Reading) -> bool:
    """Tell whether it is asked what a session holds."""
    recorded = is_recorded(reading) and bool(reading.concepts & {"signals", "values"})
    return recorded or {"signals", "list"} <= reading.concepts


def names_only_a_session(reading: Reading) -> bool:
    """Tell whether a session is named, and nothing else."""
    return bool(reading.session_ids) and not reading.concepts - {*RECORDED, "car", "list", "question"}


def asks_for_vehicles(reading: Reading) -> bool:
    """Tell whether it is asked which cars there are."""
    listed = {"list", "car"} <= reading.concepts and "part" not in reading.concepts
    return "vehicles" in reading.concepts or listed


def reads_codes(reading: Reading) -> bool:
    """Tell whether the car's own codes, lamp or readiness are asked for."""
    whose = bool(reading.concepts & {"car", "question", "live", "list"})
    return bool(reading.concepts & {"codes", "readiness"}) or ("code" in reading.concepts and whose)


def asks_for_analysis(reading: Reading) -> bool:
    """Tell whether a drive is to be summed up, or how much of something it had."""
    drive = is_recorded(reading) or "state" in reading.concepts
    return "analyze" in reading.concepts or (
        "extent" in reading.concepts and drive and "part" not in reading.concepts
    )


def asks_for_statistics(reading: Reading) -> bool:
    """Tell whether a mean or an extreme of named signals is asked for, not what is behind it."""
    reasons = reading.concepts & {"diagnose", "why"}
    return bool(reading.signals) and "statistic" in reading.concepts and not reasons and not is_live(reading)


def lists_sessions(reading: Reading) -> bool:
    """Tell whether it is asked which sessions there are; one drive alone is no list."""
    return "sessions" in reading.concepts or {"session", "list"} <= reading.concepts


def shows_session(reading: Reading) -> bool:
    """Tell whether one session is to be shown, by its id or as the latest."""
    latest = {"session", "last", "list"} <= reading.concepts and not reading.concepts - {
        *RECORDED,
        "list",
        "question",
    }
    return names_only_a_session(reading) or latest


def checks_adapter(reading: Reading) -> bool:
    """Tell whether an adapter itself is in doubt."""
    return "adapter" in reading.concepts and bool(reading.concepts & {"check", "bad", "well"})
