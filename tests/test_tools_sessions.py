"""Sessions and vehicles as an agent meets them: listed, looked at, changed, deleted, read and drawn."""

import pytest
from stored_drives import store_drive

from tools.analysis import analyze_session
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.sessions import delete_session, get_session, list_sessions, update_session
from tools.signals import plot_signals, query_signals
from tools.vehicles import list_vehicles, save_vehicle


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


@pytest.fixture
def drive(context: ToolContext) -> str:
    return store_drive(context.store)


def test_an_empty_store_says_what_to_do_next(context: ToolContext) -> None:
    assert "import_log" in list_sessions(context).say()
    assert "save_vehicle" in list_vehicles(context).say()


def test_sessions_come_in_pages_that_say_how_many_there_are(context: ToolContext) -> None:
    ids = {store_drive(context.store, name=f"Drive {number}") for number in range(3)}
    first = list_sessions(context, limit=2)
    rest = list_sessions(context, limit=2, offset=2)
    assert first.total == rest.total == 3
    assert {row.id for row in first.sessions} | {row.id for row in rest.sessions} == ids
    assert "1 more: ask with offset 2" in first.say()


def test_a_session_tells_its_signals_with_units_ecus_and_ranges(context: ToolContext, drive: str) -> None:
    details = get_session(context, drive)
    assert [(row.signal, row.ecu, row.readings) for row in details.signals if row.signal == "rpm"] == [
        ("rpm", "7E8", 241),
        ("rpm", "7E9", 61),
    ]
    speed = next(row for row in details.signals if row.signal == "speed")
    assert (speed.unit, speed.minimum, speed.maximum, speed.start_s, speed.end_s) == ("km/h", 0, 72, 0, 120)


def test_a_name_and_a_vehicle_can_be_given_later(context: ToolContext, drive: str) -> None:
    car = save_vehicle(context, name="Blue Civic", fuel_type="gasoline").vehicle
    changed = update_session(context, drive, name="To work", vehicle_id=car.id).session
    assert (changed.name, changed.vehicle_id) == ("To work", car.id)
    assert list_sessions(context, vehicle_id=car.id).total == 1


def test_an_unknown_vehicle_is_refused_and_nothing_is_changed(context: ToolContext, drive: str) -> None:
    with pytest.raises(ToolError) as refused:
        update_session.run(context, {"session_id": drive, "name": "Lost", "vehicle_id": "veh_nowhere"})
    assert refused.value.code == "not_found"
    assert get_session(context, drive).session.name == "Test drive"


def test_a_vehicle_keeps_what_was_not_mentioned(context: ToolContext) -> None:
    car = save_vehicle(context, name="Blue Civic", displacement_l=1.5).vehicle
    again = save_vehicle(context, vehicle_id=car.id, year=2016).vehicle
    assert (again.name, again.displacement_l, again.year) == ("Blue Civic", 1.5, 2016)


def test_a_malformed_vin_is_refused_with_the_reason(context: ToolContext) -> None:
    with pytest.raises(ToolError) as refused:
        save_vehicle.run(context, {"name": "Blue Civic", "vin": "12345"})
    assert refused.value.code == "bad_arguments"
    assert list_vehicles(context).total == 0


def test_deleting_says_what_went_and_leaves_the_rest(context: ToolContext, drive: str) -> None:
    other = store_drive(context.store)
    removed = delete_session(context, drive)
    assert "Deleted" in removed.say()
    with pytest.raises(ToolError, match=drive):
        get_session.run(context, {"session_id": drive})
    assert [row.id for row in list_sessions(context).sessions] == [other]


def test_a_query_returns_statistics_and_few_real_readings(context: ToolContext, drive: str) -> None:
    answer = query_signals(context, drive, ["speed", "rpm"], start_s=50, end_s=70, points=10)
    speed = next(row for row in answer.signals if row.signal == "speed")
    assert (speed.readings, speed.minimum, speed.maximum) == (41, 0, 72)
    assert len(speed.values) <= 10
    assert set(speed.values) <= {0.0, 72.0}
    assert all(50 <= time_s <= 70 for time_s in speed.times_s)
    assert [row.ecu for row in answer.signals if row.signal == "rpm"] == ["7E8", "7E9"]


def test_a_window_without_readings_is_said_to_be_empty(context: ToolContext, drive: str) -> None:
    answer = query_signals(context, drive, ["speed"], start_s=500)
    assert "no readings" in answer.say()


def test_a_misspelt_signal_names_the_nearest_one(context: ToolContext, drive: str) -> None:
    with pytest.raises(ToolError) as refused:
        query_signals(context, drive, ["sped"])
    assert refused.value.code == "not_found"
    assert "Did you mean speed?" in refused.value.message


def test_a_window_that_ends_before_it_starts_is_refused(context: ToolContext, drive: str) -> None:
    with pytest.raises(ToolError, match="ends at 5 s"):
        query_signals(context, drive, ["speed"], start_s=10, end_s=5)


def test_a_plot_is_a_png_kept_with_the_session_and_said_in_words(context: ToolContext, drive: str) -> None:
    answer = plot_signals(context, drive, ["speed", "rpm"])
    kept = context.store.artifacts.get(answer.plot.artifact_id)
    assert kept.data is not None
    assert kept.data.startswith(b"\x89PNG")
    assert kept.session_id == drive
    assert "speed" in answer.say()


def test_the_analysis_measures_the_distance_and_the_idle_share(context: ToolContext, drive: str) -> None:
    answer = analyze_session(context, drive)
    assert answer.driving is not None
    distance = answer.driving.distance_km
    assert distance.kind == "derived"
    assert distance.value == pytest.approx(1.205, abs=1e-6)
    assert "trapezoid" in (distance.method or "")
    assert answer.driving.idle_share.value == pytest.approx(0.5, abs=0.02)
    assert answer.driving.odometer_km.kind == "absent"
    assert answer.driving.odometer_km.reason
    assert "distance_km 1.205 km" in answer.say()


def test_only_the_parts_asked_for_are_computed(context: ToolContext, drive: str) -> None:
    answer = analyze_session(context, drive, parts=["quality"], start_s=0, end_s=30)
    assert answer.quality is not None
    assert answer.driving is None
    assert answer.window.end_s <= 30
