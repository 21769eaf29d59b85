"""Anomalies, comparison and fuel as an agent meets them, on stored drives of the simulated car."""

from collections.abc import Iterator

import pytest
from stored_drives import store_drive, store_simulated

from tools.anomalies import detect_anomalies
from tools.artifacts import delete_artifact, list_artifacts
from tools.comparing import compare_sessions
from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.fuel import analyze_fuel, save_fill_up
from tools.health import health_report
from tools.sessions import update_session
from tools.signals import plot_signals
from tools.vehicles import save_vehicle


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToolContext]:
    home = tmp_path_factory.mktemp("home")
    workshop = Workshop(home, f"sqlite:///{home / 'test.db'}")
    yield ToolContext(workshop)
    workshop.close()


@pytest.fixture(scope="module")
def car(context: ToolContext) -> str:
    return save_vehicle(context, name="Test car", fuel_type="gasoline", displacement_l=2.0).vehicle.id


@pytest.fixture(scope="module")
def healthy(context: ToolContext, car: str) -> str:
    return store_simulated(context.store, vehicle_id=car)


@pytest.fixture(scope="module")
def leaking(context: ToolContext, car: str) -> str:
    return store_simulated(context.store, vehicle_id=car, fault="vacuum_leak", seed=2)


def test_a_vacuum_leak_is_seen_by_rules_and_a_healthy_drive_is_quiet(
    context: ToolContext, healthy: str, leaking: str
) -> None:
    assert detect_anomalies(context, healthy).anomalies == []
    found = detect_anomalies(context, leaking)
    assert found.anomalies[0].kind == "mixture"
    assert "fuel_trim" in found.say()
    assert detect_anomalies(context, leaking, signals=["rpm"]).anomalies == []


def test_healthy_sessions_of_the_same_car_are_its_baseline(
    context: ToolContext, healthy: str, leaking: str
) -> None:
    assert detect_anomalies(context, leaking).baseline_session_ids == []
    update_session(context, healthy, healthy=True)
    judged = detect_anomalies(context, leaking)
    assert judged.baseline_session_ids == [healthy]
    assert any(anomaly.baseline for anomaly in judged.anomalies)
    update_session(context, healthy, healthy=False)


def test_healthy_sessions_that_are_too_short_leave_the_rules_and_say_so(context: ToolContext) -> None:
    car = save_vehicle(context, name="Hardly driven").vehicle.id
    short, other = (store_drive(context.store, vehicle_id=car) for _ in range(2))
    update_session(context, short, healthy=True)
    judged = detect_anomalies(context, other)
    assert judged.baseline_session_ids == []
    assert "A baseline needs 10 min" in judged.notes[0]
    assert "A baseline needs 10 min" in health_report(context, session_id=other).notes[0]
    with pytest.raises(ToolError) as refused:
        detect_anomalies.run(context, {"session_id": other, "baseline_session_ids": [short]})
    assert refused.value.code == "bad_arguments"


def test_a_signal_that_is_not_there_is_refused(context: ToolContext, leaking: str) -> None:
    with pytest.raises(ToolError) as refused:
        detect_anomalies.run(context, {"session_id": leaking, "signals": ["flux_capacitor"]})
    assert refused.value.code == "bad_arguments"


def test_two_drives_are_compared_at_the_points_they_share(
    context: ToolContext, healthy: str, leaking: str
) -> None:
    answer = compare_sessions(context, [healthy, leaking], signals=["long_fuel_trim_1", "coolant_temp"])
    trims = next(row for row in answer.signals if row.signal == "long_fuel_trim_1")
    assert trims.verdict == "different"
    assert trims.difference.value is not None
    assert trims.difference.value > 3
    assert healthy in answer.say()


def test_fuel_has_a_method_and_an_interval(context: ToolContext, healthy: str) -> None:
    answer = analyze_fuel(context, healthy)
    fuel = answer.fuel_l
    assert answer.method is not None
    assert fuel.value is not None
    assert fuel.low is not None
    assert fuel.high is not None
    assert fuel.low < fuel.value < fuel.high
    assert answer.method in answer.say()


def test_a_fill_up_is_kept_with_what_was_estimated_for_it(
    context: ToolContext, car: str, healthy: str
) -> None:
    estimated = analyze_fuel(context, healthy).fuel_l.value
    assert estimated is not None
    saved = save_fill_up(context, car, 1.1 * estimated, session_ids=[healthy])
    assert saved.fill_up.estimated_l == pytest.approx(estimated)
    again = analyze_fuel(context, healthy)
    assert any(method.calibration for method in again.methods)


def test_a_car_that_says_what_it_burns_needs_no_question(context: ToolContext) -> None:
    answer = analyze_fuel(context, store_simulated(context.store, seed=3))
    assert "PID 51" in answer.fuel_type_from
    assert answer.question is None


def test_an_unknown_fuel_is_a_question(context: ToolContext) -> None:
    answer = analyze_fuel(context, store_drive(context.store))
    assert answer.fuel_l.kind == "absent"
    assert "What does the car burn?" in answer.say()


def test_artifacts_are_listed_and_deleted(context: ToolContext, healthy: str) -> None:
    plot = plot_signals(context, healthy, ["rpm"]).plot
    assert [one.id for one in list_artifacts(context, session_id=healthy, kind="plot").artifacts] == [
        plot.artifact_id
    ]
    delete_artifact(context, plot.artifact_id)
    assert list_artifacts(context, session_id=healthy, kind="plot").total == 0
