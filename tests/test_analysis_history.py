"""One car over its sessions: normal, drift, projection, repairs."""

import numpy as np
import pytest
from drives import etios, shifted, simulated

from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.history import summarize, track
from analysis.history.normal import prediction_half
from analysis.history.projection import crossing, fit
from analysis.history.repairs import welch
from analysis.results.history import Limit, Repair, SessionSummary, StateLevel

TRIM = "long_fuel_trim_1"
TWENTY = Limit(
    signal=TRIM,
    state="warm idle",
    value=20.0,
    direction="above",
    meaning="lean code",
    source="given by the test",
)


def session(day: float, trim: float, volts: float = 14.0, name: str = "", **more) -> SessionSummary:
    """A session that was already summed up, with two levels at warm idle."""
    levels = [
        StateLevel(signal=TRIM, unit="%", state="warm idle", median=trim, seconds=120),
        StateLevel(signal="control_module_voltage", unit="V", state="warm idle", median=volts, seconds=120),
    ]
    return SessionSummary(name=name or f"day {day:g}", day=day, levels=levels, **more)


def healthy(count: int, seed: int = 1, spread: float = 0.8) -> list[SessionSummary]:
    rng = np.random.default_rng(seed)
    return [
        session(3.0 * n, float(rng.normal(1.0, spread)), float(rng.normal(14, 0.05))) for n in range(count)
    ]


def rising(count: int, per_day: float, seed: int = 1, spread: float = 0.8) -> list[SessionSummary]:
    rng = np.random.default_rng(seed)
    return [session(3.0 * n, float(rng.normal(1 + per_day * 3 * n, spread))) for n in range(count)]


def drift_of(history, signal=TRIM):
    return next(part for part in history.drifts if part.signal == signal)


def test_a_session_is_summed_up_per_state_with_how_long_it_was_seen():
    summary = summarize(simulated(600.0, 1.0, seed=3, warm=True), name="a", day=12.0)
    idle = {level.signal: level for level in summary.levels if level.state == "warm idle"}
    assert 13.8 < idle["control_module_voltage"].median < 14.2
    assert idle["control_module_voltage"].seconds >= 20
    assert summary.odometer_km > 0
    assert summary.ambient_c == 20
    assert not any(level.signal == "speed" for level in summary.levels)


def test_a_real_drive_is_summed_up():
    levels = summarize(etios("live16"), name="live16").levels
    assert {level.state for level in levels} >= {"warm idle", "steady cruise"}
    assert {level.signal for level in levels} >= {TRIM, "coolant_temp", "control_module_voltage"}


def test_the_clocks_start_does_not_change_a_summary():
    plain, moved = (summarize(shifted(etios("live16"), by), name="x") for by in (0.0, 4000.0))
    assert [level.signal for level in plain.levels] == [level.signal for level in moved.levels]
    for one, two in zip(plain.levels, moved.levels, strict=True):
        assert one.median == pytest.approx(two.median, rel=0.005)


def test_normal_needs_five_sessions_and_says_so():
    few = track(healthy(4)).normal
    assert not few.levels
    assert "of 5 needed" in few.not_learned[f"{TRIM}, warm idle"]
    many = track(healthy(12)).normal
    level = next(part for part in many.levels if part.signal == TRIM)
    assert level.low < 1.0 < level.high
    assert level.sessions == 11


def test_the_latest_session_outside_the_cars_normal_is_a_finding_and_one_within_is_none():
    past = healthy(12)
    odd = track([*past, session(40.0, 9.0)])
    assert [part.signal for part in odd.latest if part.outside] == [TRIM]
    finding = next(found for found in odd.findings if found.rule == "outside-own-normal")
    assert finding.evidence[0].value == 9.0
    assert not [part for part in track([*past, session(40.0, 1.2)]).latest if part.outside]


def test_a_difference_too_small_to_matter_is_not_outside_however_steady_the_car():
    past = [session(float(n), 1.0 + 0.01 * (n % 2)) for n in range(12)]
    assert not [part for part in track([*past, session(13.0, 1.9)]).latest if part.outside]


def test_a_drift_is_found_with_its_slope_and_projected_to_the_limit_with_an_interval():
    history = track(rising(30, 0.15), limits=[TWENTY])
    part = drift_of(history)
    assert part.verdict == "drifts"
    assert part.axis == "days"
    assert part.slope.low < 0.15 < part.slope.high
    ahead = history.projections[0].reached_in
    assert ahead.value == pytest.approx((20 - 1) / 0.15 - 87, rel=0.15)
    assert ahead.low < ahead.value < ahead.high
    assert any("reaches 20 %" in found.explanation for found in history.findings)


def test_no_projection_is_made_where_none_can_be():
    steady = track(healthy(30), limits=[TWENTY]).projections[0].reached_in
    assert steady.kind == "absent"
    assert "does not drift" in steady.reason
    falling = track(rising(30, -0.15), limits=[TWENTY]).projections[0].reached_in
    assert "away from the limit" in falling.reason
    beyond = track(rising(40, 0.25), limits=[TWENTY]).projections[0].reached_in
    assert "reached already" in beyond.reason
    far = TWENTY.model_copy(update={"value": 500.0})
    assert "times the time seen" in track(rising(30, 0.15), limits=[far]).projections[0].reached_in.reason


def test_few_sessions_cannot_tell_a_drift():
    part = drift_of(track(rising(8, 0.5)))
    assert part.verdict == "not enough sessions to tell"
    assert "8 sessions of 15 needed" in part.reason


def test_healthy_cars_rarely_seem_to_drift():
    called = [part.verdict == "drifts" for seed in range(40) for part in track(healthy(25, seed)).drifts]
    assert sum(called) <= 0.05 * len(called)


def test_a_repair_is_judged_by_the_sessions_before_and_after_and_normal_starts_anew():
    rng = np.random.default_rng(4)
    before = [session(float(n), float(rng.normal(14, 1))) for n in range(8)]
    after = [session(float(n), float(rng.normal(1, 1))) for n in range(8, 18)]
    fixed = Repair(name="intake gasket", before_session="day 8", signals=[TRIM])
    history = track([*before, *after], repairs=[fixed])
    effect = history.repairs[0]
    assert effect.verdict == "changed"
    assert effect.difference.low < -13 < effect.difference.high
    assert effect.cliffs_delta == -1
    assert (effect.sessions_before, effect.sessions_after) == (8, 10)
    normal = next(part for part in history.normal.levels if part.signal == TRIM)
    assert -3 < normal.level < 4
    assert "intake gasket" in " ".join(history.notes)


def test_a_repair_that_changed_nothing_says_so():
    sessions = healthy(20)
    history = track(sessions, repairs=[Repair(name="air filter", before_session="day 30")])
    assert {effect.verdict for effect in history.repairs} == {"no relevant change"}


def test_the_order_sessions_are_given_in_does_not_matter_when_their_days_are_known():
    sessions = rising(20, 0.2)
    plain, turned = track(sessions), track(list(reversed(sessions)))
    assert plain.sessions == turned.sessions
    assert drift_of(plain).slope == drift_of(turned).slope


def test_the_odometer_is_the_axis_where_days_are_not_known_and_else_the_order():
    by_km = [
        session(0, 0.1 * n, name=str(n), odometer_km=100.0 * n).model_copy(update={"day": None})
        for n in range(6)
    ]
    assert track(by_km).axis == "km"
    by_order = [part.model_copy(update={"odometer_km": None}) for part in by_km]
    history = track(by_order)
    assert history.axis == "sessions"
    assert any("order is the axis" in note for note in history.notes)


def test_a_season_between_the_sessions_is_named():
    sessions = [session(30.0 * n, 1.0, ambient_c=-5.0 + 6 * n) for n in range(6)]
    assert any("season" in note for note in track(sessions).notes)


def test_arguments_that_do_not_fit_are_refused():
    with pytest.raises(NotEnoughDataError):
        track(healthy(1))
    with pytest.raises(UnknownChoiceError):
        track([session(1, 1.0, name="a"), session(2, 1.0, name="a")])
    with pytest.raises(UnknownChoiceError) as refused:
        track(healthy(5), repairs=[Repair(name="x", before_session="nowhere")])
    assert "day 0" in refused.value.hint
    with pytest.raises(UnknownChoiceError):
        track(healthy(5), confidence_level=0.1)


def test_the_normal_range_holds_the_next_healthy_session_as_often_as_it_says():
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(1000):
        values = rng.normal(1.0, 0.8, 9)
        held += abs(rng.normal(1.0, 0.8) - values.mean()) <= prediction_half(values, 0.95)
    assert 0.93 <= held / 1000 <= 0.97


def test_the_interval_of_a_projection_holds_the_true_day_as_often_as_it_says():
    rng = np.random.default_rng(6)
    days = np.arange(0.0, 60.0, 3.0)
    held = made = 0
    for _ in range(1000):
        found = crossing(fit(days, 1 + 0.15 * days + rng.normal(0, 0.8, days.size)), 20.0, 0.95)
        if found is not None:
            made += 1
            held += found[1] <= 19 / 0.15 <= found[2]
    assert made > 950
    assert 0.93 <= held / made <= 0.97


def test_a_slope_that_may_be_zero_gives_no_crossing():
    rng = np.random.default_rng(8)
    days = np.arange(0.0, 30.0, 3.0)
    found = [crossing(fit(days, rng.normal(0, 2, days.size)), 20.0, 0.95) for _ in range(400)]
    assert found.count(None) >= 0.93 * len(found)


def test_the_interval_of_a_repairs_effect_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(9)
    held = 0
    for _ in range(1000):
        difference, half = welch(rng.normal(5, 1.0, 6), rng.normal(2, 1.6, 9), 0.95)
        held += abs(difference + 3) <= half
    assert 0.93 <= held / 1000 <= 0.97


def test_healthy_sessions_are_hardly_ever_outside_the_cars_own_normal():
    latest = [part for seed in range(150) for part in track(healthy(10, seed, spread=3.0)).latest]
    assert sum(part.outside for part in latest) <= 0.05 * len(latest)
    assert len(latest) == 300


def test_on_the_road_air_and_load_tell_the_road_and_are_not_followed():
    levels = {(level.signal, level.state) for level in summarize(etios("live16"), name="x").levels}
    assert ("intake_pressure", "warm idle") in levels
    assert ("intake_pressure", "steady cruise") not in levels
    assert (TRIM, "steady cruise") in levels
