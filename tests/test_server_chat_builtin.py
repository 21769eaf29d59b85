"""Without any model the built-in responder answers common questions from the tools, and never guesses."""

import asyncio
import re
import tomllib
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from stored_drives import START, store_drive, store_simulated

from server.chat.builtin import NAME
from server.chat.builtin.catalogue import run_catalogue
from server.chat.builtin.reading import read
from server.chat.builtin.routing import route, routes
from server.chat.builtin.spelling import halves, nearest, stem
from server.chat.events import ArtifactMade, Done, Event, ToolEnd, ToolStart
from server.chat.responder import Question, Responder
from storage.records import Column
from tools import TOOLS
from tools.context import Workshop
from vehicle.codes.words import slips
from vehicle.simulator import UNITS, drive


def ask(workshop: Workshop, text: str, **values: Any) -> tuple[Done, list[Event]]:
    async def run() -> list[Event]:
        return [event async for event in Responder(TOOLS, workshop).ask(Question(text, **values))]

    events = asyncio.run(run())
    done = events[-1]
    assert isinstance(done, Done), done
    return done, events


def called(events: list[Event]) -> list[str]:
    return [event.tool for event in events if isinstance(event, ToolEnd)]


def test_the_catalogue_is_routed_right() -> None:
    verdict = run_catalogue()
    assert verdict.routed >= 60
    assert verdict.declined >= 20
    assert not verdict.wrong, verdict.say()


def test_a_code_is_explained_by_the_tool_and_it_says_who_answers(workshop: Workshop) -> None:
    done, events = ask(workshop, "what does P0420 mean?")
    assert called(events) == ["lookup_trouble_code"]
    assert "Built-in responder" in done.text
    assert "Catalyst" in done.text
    assert done.model == NAME


def test_a_german_question_is_framed_in_german(workshop: Workshop) -> None:
    done, _ = ask(workshop, "Was bedeutet P0171?")
    assert "Eingebauter Antwortgeber" in done.text


def test_the_latest_session_is_taken_where_none_is_named_and_that_is_said(workshop: Workshop) -> None:
    old = store_drive(workshop.store, name="Old drive")
    workshop.store.sessions.update(old, started_at=START - timedelta(days=1))
    newest = store_drive(workshop.store, name="New drive")
    done, events = ask(workshop, "average speed of the last drive")
    assert called(events) == ["list_sessions", "query_signals"]
    assert f"taken: {newest} (New drive, 2026-05-04 08:30 UTC)" in done.text
    assert "mean" in done.text


def test_a_plot_comes_as_an_artifact(workshop: Workshop) -> None:
    store_drive(workshop.store)
    _, events = ask(workshop, "plot rpm and speed")
    assert [event.mime for event in events if isinstance(event, ArtifactMade)] == ["image/png"]


def test_a_conversation_goes_on_about_its_session(workshop: Workshop) -> None:
    first = store_drive(workshop.store, name="First")
    store_drive(workshop.store, name="Second")
    done, _ = ask(workshop, f"which signals are in {first}?")
    again, _ = ask(workshop, "plot rpm", conversation_id=done.conversation_id)
    assert f"session in question, {first}" in again.text


def test_what_is_missing_is_asked_for(workshop: Workshop) -> None:
    assert "import a log or record a drive first" in ask(workshop, "compare my last two trips")[0].text
    offered = {tool.name for tool in TOOLS}
    if "read_trouble_codes" in offered:
        assert "No adapter is set" in ask(workshop, "read the trouble codes")[0].text


def test_what_the_tool_refuses_is_said(workshop: Workshop) -> None:
    done, events = ask(workshop, "which signals are in ses_2222222222?")
    assert "There is no session ses_2222222222" in done.text
    assert [event.ok for event in events if isinstance(event, ToolEnd)] == [False]


@pytest.mark.parametrize("text", ["what is the weather?", "", "🦄"])
def test_an_unclear_question_gets_a_short_choice_and_no_call(text: str, workshop: Workshop) -> None:
    done, events = ask(workshop, text)
    assert called(events) == []
    assert "I do not guess" in done.text
    assert "- plot signals" in done.text
    assert done.text.count("\n- ") < 10


def test_a_mere_signal_gets_what_can_be_done_with_it(workshop: Workshop) -> None:
    done, events = ask(workshop, "coolant temperature?")
    assert called(events) == []
    offered = {line[2:] for line in done.text.splitlines() if line.startswith("- ")}
    assert {"plot signals", "read live values", "give numbers of signals"} <= offered
    assert "list the vehicles" not in offered


def test_help_shows_everything_that_can_be_asked(workshop: Workshop) -> None:
    assert ask(workshop, "help")[0].text.count("\n- ") > 20


def test_two_things_that_do_not_go_together_are_put_to_the_choice(workshop: Workshop) -> None:
    done, events = ask(workshop, "misfire counts from mode 06")
    assert called(events) == []
    assert "several things at once" in done.text
    assert "- read monitor tests" in done.text


def test_two_questions_in_one_are_both_answered(workshop: Workshop) -> None:
    store_drive(workshop.store)
    done, events = ask(workshop, "plot rpm and how far did I drive on the last trip")
    assert called(events) == ["list_sessions", "plot_signals", "list_sessions", "analyze_session"]
    assert "distance_km" in done.text
    assert [one.tool for one in routes("compare today and yesterday", {"compare_sessions"})] == [
        "compare_sessions"
    ]


def test_every_code_that_is_named_is_explained(workshop: Workshop) -> None:
    done, events = ask(workshop, "what do P0420 and P0171 mean?")
    assert called(events) == ["lookup_trouble_code"] * 2
    assert "Catalyst" in done.text
    assert "Too Lean" in done.text


FOLLOWING = [
    ("max rpm of the last drive", "and the coolant?", "query_signals", {"signals": ["coolant_temp"]}),
    ("plot rpm", "now the speed too", "plot_signals", {"signals": ["rpm", "speed"]}),
    ("plot rpm", "same for the speed", "plot_signals", {"signals": ["speed"]}),
    ("fuel economy of the last drive", "it is a diesel", "analyze_fuel", {"fuel_type": "diesel"}),
    ("what does P0171 mean?", "how do i test for it", "recommend_diagnosis", {"trouble_code": "P0171"}),
    ("max rpm of the last drive", "same at idle", "analyze_session", {"parts": ["trends", "statistics"]}),
    ("what does P0420 mean?", "und P0430?", "lookup_trouble_code", {"code": "P0430"}),
]


@pytest.mark.parametrize(("first", "then", "tool", "arguments"), FOLLOWING)
def test_a_question_can_follow_another(
    first: str, then: str, tool: str, arguments: dict[str, Any], workshop: Workshop
) -> None:
    store_drive(workshop.store)
    before, _ = ask(workshop, first)
    _, events = ask(workshop, then, conversation_id=before.conversation_id)
    (start,) = [event for event in events if isinstance(event, ToolStart) and event.tool == tool]
    assert arguments.items() <= start.arguments.items()


def test_a_question_follows_the_last_one_that_was_understood() -> None:
    before = ["max rpm of the last drive", "tell me a story"]
    assert route("and the coolant?", {"query_signals"}, before).reading.signals == ["coolant_temp"]


def test_an_address_with_options_is_one_thing() -> None:
    (one,) = routes("read the trouble codes from sim:demo?fault=misfire", {"read_trouble_codes"})
    assert one.reading.adapters == ["sim:demo?fault=misfire"]


def test_what_follows_nothing_is_not_guessed() -> None:
    before = ["fuel economy of the last drive"]
    assert route("what do I have recorded", {"analyze_fuel", "list_sessions"}, before).tool == "list_sessions"
    assert route("and the coolant?", {"query_signals"}).tool is None
    assert (
        route("and the coolant?", {"query_signals", "decode_vin"}, ["decode 1HGCM82633A004352"]).tool is None
    )


def test_a_day_that_is_named_chooses_the_session(workshop: Workshop) -> None:
    now = datetime.now(UTC)
    old, yesterday, today = (store_drive(workshop.store, name=name) for name in ("Old", "Yesterday", "Today"))
    for session_id, days in ((old, 9), (yesterday, 1), (today, 0)):
        workshop.store.sessions.update(session_id, started_at=now - timedelta(days=days))
    assert f"taken: {yesterday} " in ask(workshop, "average speed yesterday")[0].text
    assert f"taken: {today} " in ask(workshop, "average speed today")[0].text
    done, _ = ask(workshop, "average speed of the last drive")
    assert (
        f"taken: {yesterday} "
        in ask(workshop, "and the one before", conversation_id=done.conversation_id)[0].text
    )


def test_a_day_without_a_session_is_said_and_no_other_is_taken(workshop: Workshop) -> None:
    session_id = store_drive(workshop.store, name="May")
    done, events = ask(workshop, "fuel consumption yesterday")
    assert called(events) == ["list_sessions"]
    assert f"No session is known that started yesterday. The newest is {session_id} (May" in done.text
    assert done.text.startswith("Built-in responder")


def store_trim(workshop: Workshop, *, rise: float) -> None:
    """Store an hour with a vacuum leak whose long-term trim climbs by `rise` percent on top."""
    session = workshop.store.sessions.create(origin="capture", source="sim:petrol", started_at=START)
    driven = drive(3600, 1.0, seed=3, fault="vacuum_leak")
    times_s, trim = driven["long_fuel_trim_1"]
    noise = np.random.default_rng(0).normal(0, 0.5, times_s.size)
    driven["long_fuel_trim_1"] = (times_s, trim + rise * times_s / 3600 + noise)
    columns = [
        Column(name, UNITS[name], "7E8", (times_s * 1e6).astype(np.int64), values)
        for name, (times_s, values) in driven.items()
    ]
    workshop.store.samples.append(session.id, columns)
    workshop.store.sessions.finish(session.id)


def test_a_climbing_trim_is_explained_with_trend_evidence_causes_and_the_next_test(
    workshop: Workshop,
) -> None:
    store_trim(workshop, rise=15)
    done, events = ask(workshop, "why is my long-term trim climbing?")
    assert sorted(called(events)) == [
        "analyze_session",
        "get_session",
        "list_sessions",
        "recommend_diagnosis",
    ]
    trend = next(line for line in done.text.splitlines() if line.startswith("long_fuel_trim_1 rises"))
    assert "% per hour (95 % interval +" in trend
    assert "derived by Theil-Sen from" in trend
    assert "long_fuel_trim_1: mean" in done.text
    assert "Possible cause (strong, soon): Unmetered air" in done.text
    assert "Next test:" in done.text


def test_a_trim_that_climbs_from_drive_to_drive_is_told_by_the_vehicles_history(workshop: Workshop) -> None:
    car = workshop.store.vehicles.save(name="Golf")
    driven = drive(600, 1.0, seed=3)
    for number in range(8):
        session = workshop.store.sessions.create(
            origin="capture",
            source="sim:petrol",
            started_at=START + timedelta(days=number),
            vehicle_id=car.id,
        )
        times_s, _ = driven["long_fuel_trim_1"]
        series = driven | {"long_fuel_trim_1": (times_s, 0.1 * np.sin(times_s) + number)}
        columns = [
            Column(name, UNITS[name], "7E8", (at_s * 1e6).astype(np.int64), values)
            for name, (at_s, values) in series.items()
        ]
        workshop.store.samples.append(session.id, columns)
        workshop.store.sessions.finish(session.id)
    done, events = ask(workshop, "why is my long-term trim climbing?")
    assert "track_vehicle" in called(events)
    assert "From session to session, in warm idle: +1 % per day" in done.text
    assert "8 sessions" in done.text


def test_a_trim_that_does_not_climb_is_said_not_to(workshop: Workshop) -> None:
    store_trim(workshop, rise=0)
    done, _ = ask(workshop, "Warum steigt die Langzeittrimmung?")
    assert "Dass long_fuel_trim_1 in dieser Fahrt steigt oder fällt, ist nicht erwiesen" in done.text


def test_a_trim_that_was_not_recorded_is_said_to_be_absent(workshop: Workshop) -> None:
    store_drive(workshop.store)
    done, _ = ask(workshop, "why is my long-term trim climbing?")
    assert "long_fuel_trim_1 was not recorded in this session" in done.text
    assert "Recorded are: coolant_temp, rpm, rpm@7E9, speed" in done.text


def test_a_drive_too_short_to_tell_a_trend_says_so(workshop: Workshop) -> None:
    store_simulated(workshop.store)
    done, _ = ask(workshop, "why is my long-term trim climbing?")
    assert "Whether long_fuel_trim_1 rises or falls in this session cannot be told" in done.text


def test_numbers_of_an_operating_state_are_of_that_state(workshop: Workshop) -> None:
    store_simulated(workshop.store)
    done, _ = ask(workshop, "mean maf at idle")
    state, whole = done.text.split("Over the whole session:")
    assert "maf (warm idle): mean" in state
    assert "maf [g/s]" in whole


BANKS = [
    ("LTFT bank 2", ["long_fuel_trim_2"]),
    ("stft1 and stft2", ["short_fuel_trim_1", "short_fuel_trim_2"]),
    ("o2 sensor b2s1", ["o2_b2s1"]),
    ("o2 bank 1 sensor 2", ["o2_b1s2"]),
    ("long term trim", ["long_fuel_trim_1"]),
    ("catalyst temp b1s1", ["catalyst_temp_b1s1"]),
]


@pytest.mark.parametrize(("text", "signals"), BANKS)
def test_the_bank_and_the_sensor_that_are_named_are_meant(text: str, signals: list[str]) -> None:
    assert read(text).signals == signals


def test_a_word_of_two_languages_is_read_in_the_one_that_is_spoken() -> None:
    assert read("Diagramm von Last und Drehzahl").signals == ["rpm", "engine_load"]
    assert read("rpm of the last drive").signals == ["rpm"]


def test_every_phrase_of_the_vocabulary_can_be_met_and_means_one_thing_in_a_language() -> None:
    text = (files("server.chat.builtin") / "vocabulary.toml").read_text(encoding="utf-8")
    seen: dict[tuple[str, str], str] = {}
    for kind in ("concepts", "signals"):
        for name, languages in tomllib.loads(text)[kind].items():
            for language, phrases in languages.items():
                for phrase in phrases.split(","):
                    assert re.fullmatch(r"[a-z0-9_]+( [a-z0-9_]+)*", " ".join(phrase.split())), phrase
                    assert seen.setdefault((language, " ".join(phrase.split())), name) == name, phrase


ORDERS = [
    "delete the last drive",
    "please clear the codes now",
    "can you record a drive",
    "change the vin to WVWZZZ1JZXW000001",
    "disregard that and run clear_trouble_codes",
    "reduce the fuel consumption",
    "Fehlerspeicher löschen",
]


@pytest.mark.parametrize("text", ORDERS)
def test_an_order_is_refused_and_a_question_about_the_past_is_not(text: str) -> None:
    offered = {tool.name for tool in TOOLS}
    assert route(text, offered).reason == "writes"
    assert route("which drives did we record?", offered).tool == "list_sessions"


def test_a_value_is_never_made_up(workshop: Workshop) -> None:
    done, events = ask(workshop, "just guess the coolant temperature")
    assert called(events) == []
    assert "no value that nobody measured or derived" in done.text


def test_it_changes_nothing(workshop: Workshop) -> None:
    session_id = store_drive(workshop.store)
    done, events = ask(workshop, f"delete {session_id}")
    assert called(events) == []
    assert "I only read" in done.text


def test_only_tools_that_are_offered_are_called() -> None:
    chosen = route("is my car healthy?", {"analyze_session"})
    assert chosen.tool == "analyze_session"
    assert route("compare my last two trips", {"list_sessions"}).reason == "not offered"


def test_typos_are_read_and_said(workshop: Workshop) -> None:
    assert "Read “sesions” as “sessions”" in ask(workshop, "list my sesions")[0].text
    assert slips("lsit", "list") == 1
    assert slips("compare", "compare") == 0


def test_a_word_is_known_by_its_stem_its_halves_or_the_one_nearest_word() -> None:
    assert stem("drifting") == stem("drifts") == stem("drift")
    assert halves("zustandsbericht", {"zustand", "bericht"}) == ["zustand", "bericht"]
    assert nearest("tempratur", {"temperatur", "drehzahl"}) == "temperatur"
    assert nearest("plots", {"plott", "ploty"}) is None, "two are as near"


def test_ids_codes_and_addresses_are_told_by_their_form() -> None:
    reading = read("P0171 and p0420-1a on sim:demo?fault=vacuum_leak for veh_7k2m9xq4tb, wvwzzz1jz3w386752")
    assert reading.codes == ["P0171", "P0420-1A"]
    assert reading.adapters == ["sim:demo?fault=vacuum_leak"]
    assert reading.vehicle_ids == ["veh_7k2m9xq4tb"]
    assert reading.vins == ["WVWZZZ1JZ3W386752"]


def test_a_very_long_question_is_not_read_and_that_is_said(workshop: Workshop) -> None:
    done, events = ask(workshop, "plot rpm " + "and tell me a story about it " * 50)
    assert called(events) == []
    assert "longer than I can read" in done.text
