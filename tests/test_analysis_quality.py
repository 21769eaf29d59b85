"""Quality of a recording: what was planted is found, and healthy drives are left in peace."""

import numpy as np
import pytest
from test_analysis_tables import mapped, series, table_of, trip

from analysis.findings import Finding
from analysis.quality.report import assess
from analysis.quality.signals import common_step
from analysis.results.quality import QualityReport, SignalQuality
from analysis.table import SignalSeries, SignalTable
from analysis.timeline import Timeline


def quality_of(report: QualityReport, name: str) -> SignalQuality:
    return next(signal for signal in report.signals if signal.signal == name)


def rules(report: QualityReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def finding(report: QualityReport, rule: str) -> Finding:
    return next(found for found in report.findings if found.rule == rule)


def with_values(table: SignalTable, name: str, values: np.ndarray) -> SignalTable:
    one = table[name]
    changed = SignalSeries(name, one.unit, one.times_s, values, one.low, one.high)
    return SignalTable({**table, name: changed})


def test_a_clean_drive_is_good_and_raises_nothing() -> None:
    report = assess(Timeline(trip(600)))
    assert report.verdict == "good"
    assert report.findings == []
    assert quality_of(report, "rpm").rate_hz.value == pytest.approx(10)
    assert quality_of(report, "rpm").completeness.value == pytest.approx(100, abs=0.1)


def test_rate_jitter_and_completeness_come_from_the_signals_own_times() -> None:
    rng = np.random.default_rng(1)
    times = np.arange(0, 300, 0.5) + rng.uniform(0, 0.2, 600)
    keep = rng.uniform(size=600) > 0.1
    report = assess(Timeline(table_of(times[keep], rpm=rng.normal(2000, 50, keep.sum()))))
    quality = quality_of(report, "rpm")
    assert quality.rate_hz.value == pytest.approx(2, rel=0.05)
    assert 0.2 < (quality.jitter.value or 0) < 0.6
    assert quality.completeness.value == pytest.approx(100 * keep.mean(), abs=4)


def test_a_gap_of_all_signals_is_reported_with_its_place_and_the_recorders_reason() -> None:
    table = trip(300)
    holed = mapped(table, lambda s: series(s.signal, *_without(s, 100, 130)))
    report = assess(Timeline(holed, gaps=[(101, 129, "adapter lost")]))
    (gap,) = report.gaps
    assert (gap.start_s, gap.end_s) == pytest.approx((99.9, 130.1))
    assert gap.reason == "adapter lost"
    assert report.gap_s == pytest.approx(30.2)
    assert finding(report, "recording-gaps").severity == "advice"


def _without(one: SignalSeries, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    keep = (one.times_s < start) | (one.times_s > end)
    return one.times_s[keep], one.values[keep]


def test_a_gap_of_one_signal_is_not_a_gap_of_the_recording() -> None:
    table = trip(300)
    report = assess(Timeline(SignalTable({**table, "maf": series("maf", *_without(table["maf"], 100, 130))})))
    assert report.gaps == []
    assert quality_of(report, "maf").gap_count == 1
    assert quality_of(report, "maf").gaps[0].start_s == pytest.approx(99.9)


def test_a_clock_step_is_one_finding_for_all_signals() -> None:
    table = trip(200)
    stepped = mapped(
        table, lambda s: series(s.signal, np.where(s.times_s >= 100, s.times_s - 20.03, s.times_s), s.values)
    )
    report = assess(Timeline(stepped))
    (step,) = report.clock_steps
    assert step.step_s == pytest.approx(-19.93)
    assert sorted(step.signals) == sorted(table)
    assert "clock-step" in rules(report)


def test_duplicates_and_missing_values_are_counted_per_signal() -> None:
    times = np.repeat(np.arange(100.0), 2)
    values = np.arange(200.0)
    values[10] = np.nan
    quality = quality_of(assess(Timeline(table_of(times, rpm=values))), "rpm")
    assert (quality.readings, quality.missing, quality.duplicates) == (200, 1, 99)


def test_a_stuck_manifold_pressure_is_found_while_the_engine_moves() -> None:
    table = trip(600)
    values = table["intake_pressure"].values.copy()
    values[3000:3900] = 47.0
    report = assess(Timeline(with_values(table, "intake_pressure", values)))
    evidence = finding(report, "stuck-signal").evidence[0]
    assert evidence.signal == "intake_pressure"
    assert (evidence.start_s, evidence.end_s) == pytest.approx((300, 389.9), abs=0.5)
    assert quality_of(report, "intake_pressure").verdict == "poor"


def test_a_speed_that_repeats_at_cruise_is_not_stuck() -> None:
    times = np.arange(0, 300, 0.5)
    rng = np.random.default_rng(2)
    table = table_of(
        times,
        speed=np.full(times.size, 100.0),
        rpm=2900 + rng.normal(0, 400, times.size),
        intake_pressure=60 + rng.normal(0, 12, times.size),
    )
    assert "stuck-signal" not in rules(assess(Timeline(table)))


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("rpm", 0.0, "impossible-rpm-zero"),
        ("maf", 0.0, "impossible-maf-zero"),
        ("intake_pressure", 3.0, "impossible-manifold-vacuum"),
        ("control_module_voltage", 2.0, "impossible-supply-voltage"),
    ],
)
def test_signals_that_contradict_each_other_are_found(name: str, value: float, rule: str) -> None:
    table = trip(300)
    values = table[name].values.copy()
    values[1000:1100] = value
    found = finding(assess(Timeline(with_values(table, name, values))), rule)
    assert found.evidence[0].start_s == pytest.approx(100, abs=0.2)
    assert found.evidence[0].end_s == pytest.approx(110, abs=0.2)


def test_values_outside_the_standards_limits_are_found() -> None:
    times = np.arange(100.0)
    values = np.full(100, 90.0)
    values[40] = 250.0
    table = SignalTable({"coolant_temp": series("coolant_temp", times, values, low=-40.0, high=215.0)})
    report = assess(Timeline(table))
    assert finding(report, "outside-limits").evidence[0].value == 250.0
    assert quality_of(report, "coolant_temp").outside_limits == 1


def test_a_jump_in_speed_beyond_grip_is_found() -> None:
    table = trip(300)
    values = table["speed"].values.copy()
    values[1500:1520] += 90
    assert "beyond-grip" in rules(assess(Timeline(with_values(table, "speed", values))))


def test_the_step_of_a_quantised_signal_is_found_and_noise_has_none() -> None:
    assert common_step(np.unique(np.arange(50) * 100 / 255)) == pytest.approx(100 / 255)
    assert common_step(np.array([0.0, 3, 9, 12])) == pytest.approx(3)
    assert common_step(np.sort(np.random.default_rng(1).normal(size=200))) is None


def test_a_constant_signal_at_the_end_of_its_range_is_called_not_fitted() -> None:
    times = np.arange(100.0)
    table = SignalTable({"x_trim": series("x_trim", times, np.full(100, 99.2), low=-100.0, high=99.2)})
    assert "not fitted" in quality_of(assess(Timeline(table)), "x_trim").notes[0]


def test_an_empty_signal_is_poor_and_breaks_nothing() -> None:
    table = SignalTable({**trip(60), "maf": series("maf", np.array([]), np.array([]))})
    quality = quality_of(assess(Timeline(table)), "maf")
    assert quality.verdict == "poor"
    assert quality.rate_hz.reason


def test_a_clock_that_jumps_forward_is_told_by_the_engines_own_count() -> None:
    table = trip(300)
    counted = SignalTable(
        {**table, "run_time": series("run_time", table["rpm"].times_s, np.floor(table["rpm"].times_s))}
    )
    jumped = mapped(
        counted, lambda s: series(s.signal, np.where(s.times_s >= 150, s.times_s + 90.0, s.times_s), s.values)
    )
    paused = mapped(counted, lambda s: series(s.signal, *_without(s, 150, 240)))
    (step,) = assess(Timeline(jumped)).clock_steps
    assert step.step_s == pytest.approx(90, abs=1.5)
    assert assess(Timeline(paused)).clock_steps == []


@pytest.mark.parametrize(("factor", "found"), [(2.03, True), (1.0, False), (1.01, False)])
def test_a_clock_at_the_wrong_rate_is_told_by_the_engines_own_count(factor: float, found: bool) -> None:
    times = np.arange(0, 400.0)
    table = table_of(times * factor, rpm=np.full(400, 800.0), run_time=times)
    assert ("clock-rate" in rules(assess(Timeline(table)))) is found
