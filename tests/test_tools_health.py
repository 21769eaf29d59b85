"""Health, diagnosis and history as an agent meets them, on stored drives of the simulated car."""

from collections.abc import Iterator

import pytest
from stored_drives import store_simulated

from tools.context import ToolContext, Workshop
from tools.errors import ToolError
from tools.health import health_report, recommend_diagnosis
from tools.history import track_vehicle
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
def leaking(context: ToolContext, car: str) -> str:
    return store_simulated(context.store, vehicle_id=car, fault="vacuum_leak")


def test_the_report_names_the_fault_scores_what_it_could_judge_and_keeps_its_files(
    context: ToolContext, leaking: str
) -> None:
    report = health_report(context, leaking)
    assert "vacuum leak" in report.recommendation.causes[0].title
    scores = {part.system: part.score for part in report.systems}
    assert scores["fuel and air"].value is not None
    assert scores["fuel and air"].value < 60
    assert all(score.value is not None or score.reason for score in scores.values())
    by_type = {one.mime: context.store.artifacts.get(one.artifact_id).data or b"" for one in report.artifacts}
    assert by_type["image/png"].startswith(b"\x89PNG")
    assert b"# Health report" in by_type["text/markdown"]
    assert "vacuum leak" in report.say()


def test_a_vehicle_is_reported_by_its_newest_session(context: ToolContext, car: str, leaking: str) -> None:
    assert health_report(context, vehicle_id=car, format="json").session_id == leaking


def test_a_report_needs_something_to_report_on(context: ToolContext) -> None:
    with pytest.raises(ToolError) as refused:
        health_report(context)
    assert refused.value.code == "bad_arguments"
    empty = save_vehicle(context, name="Never driven").vehicle.id
    with pytest.raises(ToolError, match="no sessions"):
        health_report(context, vehicle_id=empty)


def test_a_code_alone_gives_causes_and_the_next_test(context: ToolContext) -> None:
    answer = recommend_diagnosis(context, trouble_code="p0171")
    assert answer.causes
    assert answer.next_test is not None
    assert answer.next_test.test in answer.say()
    with pytest.raises(ToolError) as refused:
        recommend_diagnosis.run(context, {"trouble_code": "nonsense"})
    assert refused.value.code == "bad_arguments"


def test_a_vehicle_with_few_sessions_is_told_that_they_are_too_few(
    context: ToolContext, car: str, leaking: str
) -> None:
    store_simulated(context.store, vehicle_id=car, seed=5)
    answer = track_vehicle(context, car)
    assert len(answer.sessions) >= 2
    assert all(drift.verdict != "drifts" for drift in answer.drifts)
