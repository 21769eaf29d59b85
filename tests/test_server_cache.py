"""A remembered answer is the answer: after any change it is what the tool would say now."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from stored_drives import START, store_drive, store_simulated

from server.cache import Results, share
from storage.records import Column
from tools import TOOLS
from tools.answer import Answer
from tools.artifacts import delete_artifact
from tools.context import ToolContext, Workshop
from tools.diagnosis import read_trouble_codes
from tools.fuel import save_fill_up
from tools.importing import import_log
from tools.sessions import delete_session, update_session
from tools.vehicles import save_vehicle

LOG = Path(__file__).parent / "data" / "logs" / "torque.csv"
BY_NAME = {tool.name: tool for tool in TOOLS}


class Garage:
    """A vehicle with two sessions, a live session of it, and the tools twice: as they are, and sharing answers."""

    def __init__(self, workshop: Workshop) -> None:
        self.context = ToolContext(workshop)
        self.store = workshop.store
        self.results = Results()
        self.shared = {tool.name: tool for tool in share(tuple(TOOLS), self.results)}
        self.vehicle = save_vehicle(self.context, name="Golf", fuel_type="gasoline").vehicle.id
        self.session = store_simulated(
            self.store, fault="vacuum_leak", vehicle_id=self.vehicle, duration_s=240
        )
        # Long enough to be a baseline once somebody calls it healthy.
        self.other = store_simulated(self.store, vehicle_id=self.vehicle, seed=2, duration_s=700)
        live = self.store.sessions.create(
            origin="intake", vehicle_id=self.vehicle, started_at=START + timedelta(days=1)
        )
        self.live = live.id
        self.drive_on(0)

    def drive_on(self, start_s: int) -> None:
        """Add a minute to the live session."""
        import numpy as np

        times_us = (np.arange(start_s, start_s + 60) * 1_000_000).astype(np.int64)
        columns = [Column("rpm", "rpm", "7E8", times_us, 800.0 + start_s + np.zeros(60))]
        columns.append(Column("maf", "g/s", "7E8", times_us, 3.0 + np.zeros(60)))
        self.store.samples.append(self.live, columns)

    def questions(self) -> list[tuple[str, dict[str, Any]]]:
        return [
            ("analyze_fuel", {"session_id": self.session}),
            ("analyze_session", {"session_id": self.live, "parts": ["quality", "statistics"]}),
            ("analyze_session", {"session_id": self.session, "parts": ["performance"]}),
            ("health_report", {"vehicle_id": self.vehicle}),
            ("recommend_diagnosis", {"session_id": self.session}),
            ("track_vehicle", {"vehicle_id": self.vehicle}),
            ("compare_sessions", {"session_ids": [self.session, self.other], "signals": ["rpm"]}),
        ]

    def ask(self, tools: dict[str, Any]) -> list[Any]:
        return [said(tools[name], self.context, arguments) for name, arguments in self.questions()]


def said(tool: Any, context: ToolContext, arguments: dict[str, Any]) -> Any:
    """Return what a tool answers or refuses, without the ids of files it makes anew each time."""
    try:
        result: Answer = tool.run(context, arguments)
    except Exception as error:
        return type(error).__name__, str(error)
    told = result.structured()
    files = told.pop("artifacts", [])
    return told, [one["mime"] for one in files]


@pytest.fixture
def garage(workshop: Workshop) -> Garage:
    return Garage(workshop)


CHANGES: dict[str, Callable[[Garage], object]] = {
    "trouble codes of the newest": lambda g: read_trouble_codes(
        g.context, adapter="sim:petrol?fault=misfire", session_id=g.live
    ),
    "fuel type": lambda g: save_vehicle(g.context, vehicle_id=g.vehicle, fuel_type="diesel"),
    "displacement": lambda g: save_vehicle(g.context, vehicle_id=g.vehicle, displacement_l=1.4),
    "mass": lambda g: save_vehicle(g.context, vehicle_id=g.vehicle, mass_kg=1500),
    "fill-up": lambda g: save_fill_up(g.context, vehicle_id=g.vehicle, litres=9, session_ids=[g.session]),
    "verdict of a person": lambda g: update_session(g.context, session_id=g.other, healthy=True),
    "more readings": lambda g: g.drive_on(60),
    "a gap": lambda g: g.store.sessions.add_gap(g.live, 20_000_000, 30_000_000, "link lost"),
    "finished and compacted": lambda g: g.store.sessions.finish(g.live),
    "import": lambda g: import_log(g.context, path=str(LOG), vehicle_id=g.vehicle),
    "a newer drive": lambda g: store_drive(g.store, vehicle_id=g.vehicle),
    "other vehicle": lambda g: update_session(
        g.context, session_id=g.session, vehicle_id=save_vehicle(g.context, name="Polo").vehicle.id
    ),
    "deletion of another": lambda g: delete_session(g.context, session_id=g.other),
    "deletion": lambda g: delete_session(g.context, session_id=g.session),
}

# Compaction stores the same readings another way.
UNSEEN = {"finished and compacted"}


def test_after_each_change_the_shared_answer_is_what_the_tool_says_now(garage: Garage) -> None:
    before = garage.ask(garage.shared)
    for change, make in CHANGES.items():
        computed = garage.results.computed
        assert garage.ask(garage.shared) == before, change
        assert garage.results.computed == computed, (
            f"asked again before the {change}, something was computed anew"
        )
        make(garage)
        after = garage.ask(garage.shared)
        assert after == garage.ask(BY_NAME), change
        if change not in UNSEEN:
            assert after != before, change
        before = after


def test_a_session_deleted_and_imported_again_is_another(garage: Garage) -> None:
    analyze = garage.shared["analyze_session"]
    first = import_log(garage.context, path=str(LOG), vehicle_id=garage.vehicle).session_id
    seen = said(analyze, garage.context, {"session_id": first})
    delete_session(garage.context, session_id=str(first))
    assert said(analyze, garage.context, {"session_id": first})[0] == "ToolError"
    again = import_log(garage.context, path=str(LOG), vehicle_id=garage.vehicle).session_id
    assert again != first
    told = said(analyze, garage.context, {"session_id": again})
    assert told != seen
    assert told == said(BY_NAME["analyze_session"], garage.context, {"session_id": again})


def test_a_report_whose_file_was_deleted_is_made_anew(garage: Garage) -> None:
    report = garage.shared["health_report"]
    arguments = {"session_id": garage.session}
    first = report.run(garage.context, arguments)
    assert report.run(garage.context, arguments) is first
    delete_artifact(garage.context, artifact_id=first.artifacts[-1].artifact_id)
    second = report.run(garage.context, arguments)
    assert garage.store.artifacts.missing([one.artifact_id for one in second.artifacts]) == set()
    assert report.run(garage.context, arguments) is second
