"""Cleaning up closes what nobody records into any more, says what it did, and touches nothing else."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from server.cli.shell import open_workshop
from storage.errors import InvalidDataError
from storage.records import Column
from tools import clean_up, start_capture, stop_capture
from tools.context import ToolContext, Workshop

ALERT: dict[str, Any] = {
    "signal": "coolant_temp", "ecu": None, "severity": "critical", "title": "Coolant too hot", "value": 115.0,
    "unit": "°C", "expected": "below 110 °C", "explanation": "…", "recommendation": "…",
}  # fmt: skip


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.fixture
def other(workshop: Workshop) -> Iterator[Workshop]:
    """Another process' workshop on the same database."""
    opened = Workshop(workshop.home, workshop.database_url)
    yield opened
    opened.close()


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let cleaning see a later time."""
    clock = SimpleNamespace(time_ns=lambda: time.time_ns() + round(seconds * 1e9))
    monkeypatch.setattr("tools.cleaning.time", clock)


def record(workshop: Workshop, session_id: str | None = None) -> str:
    if session_id is None:
        session_id = workshop.store.sessions.create(origin="intake", source="http").id
    times_us = np.array([0, 1_000_000])
    workshop.store.samples.append(
        session_id, [Column("rpm", "rpm", None, times_us, np.array([800.0, 810.0]))]
    )
    return session_id


def test_a_recording_is_closed_once_it_was_silent_for_so_long(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = record(context.workshop)
    assert clean_up(context).closed_sessions == []
    later(monkeypatch, 1801)
    done = clean_up(context)
    assert (done.closed_sessions, done.still_recording, done.forgotten_events) == ([idle], 0, 0)
    assert done.say().startswith(f"Closed 1 sessions silent for 1800 s or more: {idle}.")
    assert context.store.sessions.get(idle).state == "finished"
    assert context.store.samples.read(idle)[0].values.tolist() == [800, 810]
    assert clean_up(context).is_empty


def test_what_counts_is_the_last_reading_stored_by_whichever_process(
    context: ToolContext, other: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, silent = record(other), other.store.sessions.create(origin="intake", source="http").id
    later(monkeypatch, 50)
    assert clean_up(context, idle_s=60).closed_sessions == []
    later(monkeypatch, 61)
    monkeypatch.setattr("storage.intake.time", SimpleNamespace(time_ns=lambda: time.time_ns() + 60 * 10**9))
    record(other, busy)
    assert clean_up(context, idle_s=60).closed_sessions == [silent]
    later(monkeypatch, 125)
    assert clean_up(context, idle_s=60).closed_sessions == [busy]
    with pytest.raises(InvalidDataError, match="finished"):
        record(other, busy)


def test_a_capture_of_this_process_goes_on_however_silent_the_car_is(
    context: ToolContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = start_capture(context, "sim:petrol", ["rpm"])
    later(monkeypatch, 86_400)
    assert clean_up(context).closed_sessions == []
    assert stop_capture(context, capture.session_id).state == "finished"


def test_alerts_of_closed_sessions_are_cleared_but_trouble_codes_stay(context: ToolContext) -> None:
    alerts = context.store.alerts
    over, going_on = record(context.workshop), record(context.workshop)
    context.store.sessions.finish(over)
    hot = alerts.add(over, 500_000, rule="coolant_overheating", **ALERT)
    code = alerts.add(over, 500_000, rule="trouble_code_stored", **ALERT)
    live = alerts.add(going_on, 500_000, rule="coolant_overheating", **ALERT)
    assert clean_up(context).cleared_alerts == 1
    assert alerts.get(hot.id).end_us == 1_000_000
    assert {one.id for one in alerts.list(is_open=True).rows} == {code.id, live.id}


def test_how_long_is_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBD_AGENT_HOME", str(tmp_path))
    monkeypatch.setenv("OBD_AGENT_IDLE_SESSION_S", "60")
    with open_workshop() as workshop:
        assert clean_up(ToolContext(workshop)).idle_s == 60
