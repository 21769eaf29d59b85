"""Without any model the built-in responder answers common questions from the tools, and never guesses."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from stored_drives import START, store_drive

from server.chat.builtin import NAME
from server.chat.builtin.catalogue import run_catalogue
from server.chat.builtin.reading import read, typos
from server.chat.builtin.routing import route
from server.chat.events import ArtifactMade, Done, Event, ToolEnd
from server.chat.responder import Question, Responder
from tools import TOOLS
from tools.context import Workshop


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
    assert f"No session was named; taken: {newest} (New drive)" in done.text
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


@pytest.mark.parametrize("text", ["coolant temperature?", "what is the weather?", "", "🦄"])
def test_an_unclear_question_gets_the_choices_and_no_call(text: str, workshop: Workshop) -> None:
    done, events = ask(workshop, text)
    assert called(events) == []
    assert "I do not guess" in done.text
    assert "- plot signals" in done.text


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
    assert typos("lsit", "list") == 1
    assert typos("compare", "compare") == 0


def test_ids_codes_and_addresses_are_told_by_their_form() -> None:
    reading = read("P0171 and p0420-1a on sim:demo?fault=vacuum_leak for veh_7k2m9xq4tb, wvwzzz1jz3w386752")
    assert reading.codes == ["P0171", "P0420-1A"]
    assert reading.adapters == ["sim:demo?fault=vacuum_leak"]
    assert reading.vehicle_ids == ["veh_7k2m9xq4tb"]
    assert reading.vins == ["WVWZZZ1JZ3W386752"]


def test_a_very_long_question_is_read_quickly() -> None:
    assert route("abcdefgh " * 2_000, {"list_sessions"}).tool is None
