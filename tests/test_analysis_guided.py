"""Guided tests are watched step by step and judged by what technicians go by; drives come from the simulated car."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from analysis.guided.judging import judge_guided_test
from analysis.guided.procedures import PROCEDURES
from analysis.guided.steps import Bound, Change, Procedure, Step
from analysis.guided.watching import Watch
from analysis.results.guided import GuidedOutcome, GuidedPhase
from analysis.table import SignalSeries, SignalTable
from vehicle.simulator import UNITS, SimulatorOptions, drive

SCRIPTS = {
    "hold_2500_rpm": ("hold2500", 90.0),
    "snap_throttle": ("snap", 62.0),
    "idle_with_load": ("load", 60.0),
    "crank": ("crank", 30.0),
}


def signals_of(test: str) -> list[str]:
    procedure = PROCEDURES[test]
    return [group[0] for group in procedure.needs] + [name for name in procedure.wants if name in UNITS]


def table_of(columns: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> SignalTable:
    return SignalTable(
        {
            name: SignalSeries(name, UNITS.get(name, "%"), times, values)
            for name, (times, values) in columns.items()
        }
    )


def watched(test: str, table: SignalTable) -> Watch:
    """Let a watch see a table's readings in the order of their times."""
    watch = Watch(PROCEDURES[test], table.keys())
    readings = [
        (time_s, name, value)
        for name, series in table.items()
        for time_s, value in zip(series.times_s, series.values, strict=True)
    ]
    for time_s, name, value in sorted(readings, key=lambda reading: reading[0]):
        watch.see(float(time_s), name, float(value))
    return watch


def carried_out(test: str, fault: str = "", severity: float = 1.0, seed: int = 1) -> GuidedOutcome:
    script, seconds = SCRIPTS[test]
    options = SimulatorOptions(driver=script, warm=True, fault=fault, severity=severity, seed=seed)
    recorded = drive(seconds, options=options)
    table = table_of({name: recorded[name] for name in dict.fromkeys(signals_of(test))})
    watch = watched(test, table)
    assert watch.state == "done", (test, watch.words())
    return judge_guided_test(test, table, watch.phases)


def rules(outcome: GuidedOutcome) -> list[str]:
    return [finding.rule for finding in outcome.findings]


@pytest.mark.parametrize("test", SCRIPTS)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_healthy_car_passes_every_test(test: str, seed: int) -> None:
    outcome = carried_out(test, seed=seed)
    assert (outcome.verdict, outcome.findings, outcome.not_judged) == ("passed", [], {})
    assert outcome.evidence


@pytest.mark.parametrize(
    ("test", "fault", "severity", "first"),
    [
        ("hold_2500_rpm", "vacuum_leak", 1.0, "hold-2500-vacuum-leak"),
        ("hold_2500_rpm", "vacuum_leak", 0.6, "hold-2500-vacuum-leak"),
        ("hold_2500_rpm", "maf_under_reading", 1.0, "hold-2500-air-mass-reads-low"),
        ("hold_2500_rpm", "maf_under_reading", 0.7, "hold-2500-air-mass-reads-low"),
        ("hold_2500_rpm", "fuel_pressure_low", 1.0, "hold-2500-fuel-delivery-weak"),
        ("hold_2500_rpm", "fuel_pressure_low", 0.7, "hold-2500-fuel-delivery-weak"),
        ("snap_throttle", "fuel_pressure_low", 0.4, "snap-throttle-stays-lean"),
        ("snap_throttle", "maf_under_reading", 0.5, "snap-throttle-stays-lean"),
        ("snap_throttle", "maf_under_reading", 1.0, "snap-throttle-air-mass-reads-low"),
        ("snap_throttle", "fuel_pressure_low", 1.0, "snap-throttle-fuel-delivery-weak"),
        ("idle_with_load", "weak_alternator", 1.0, "idle-with-load-alternator-weak"),
        ("idle_with_load", "weak_alternator", 0.6, "idle-with-load-alternator-weak"),
    ],
)
def test_a_fault_is_named_with_evidence_and_source(
    test: str, fault: str, severity: float, first: str
) -> None:
    outcome = carried_out(test, fault, severity)
    assert outcome.verdict == "failed"
    assert rules(outcome)[0] == first
    finding = outcome.findings[0]
    assert finding.source
    assert all(piece.samples and piece.start_s is not None for piece in finding.evidence)


@pytest.mark.parametrize(
    ("test", "fault"),
    [
        ("hold_2500_rpm", "weak_alternator"),
        ("snap_throttle", "vacuum_leak"),
        ("idle_with_load", "vacuum_leak"),
    ],
)
def test_a_test_does_not_accuse_what_it_cannot_see(test: str, fault: str) -> None:
    assert carried_out(test, fault).verdict == "passed"


def flat(seconds: float, value: float, start_s: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(start_s, start_s + seconds, 0.1)
    return times, np.full(times.size, value)


def stretches(*parts: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return a signal that stands at each value for so many seconds."""
    values = np.concatenate([np.full(round(seconds * 10), value) for seconds, value in parts])
    return np.arange(values.size) / 10, values


def phases(*spans: tuple[str, float, float]) -> list[GuidedPhase]:
    return [GuidedPhase(step=step, start_s=start, end_s=end) for step, start, end in spans]


HELD = phases(("idle", 0, 10), ("hold", 20, 30))


def held(idle: float, high: float, **more: tuple[np.ndarray, np.ndarray]) -> GuidedOutcome:
    columns = {
        "rpm": stretches((15, 750), (15, 2500)),
        "short_fuel_trim_1": stretches((15, 0.0), (15, 0.0)),
        "long_fuel_trim_1": stretches((15, idle), (15, high)),
    }
    return judge_guided_test("hold_2500_rpm", table_of(columns | more), HELD)


@pytest.mark.parametrize(
    ("idle", "high", "rule", "verdict"),
    [
        (2, 3, None, "passed"),
        (-8, 8, None, "passed"),
        (9, 1, "trims-borderline", "passed"),
        (12, 3, "vacuum-leak", "failed"),
        (25, 12, "vacuum-leak", "failed"),
        (12, 9, "lean-at-all-speeds", "failed"),
        (3, 14, "lean-at-all-speeds", "failed"),
        (-14, -2, "mixture-rich", "failed"),
        (-3, -12, "mixture-rich", "failed"),
    ],
)
def test_trims_at_idle_and_2500_are_read_as_technicians_do(
    idle: float, high: float, rule: str | None, verdict: str
) -> None:
    outcome = held(idle, high)
    assert rules(outcome) == ([f"hold-2500-{rule}"] if rule else [])
    assert outcome.verdict == verdict


def test_without_fuel_pressure_pump_and_air_sensor_are_not_told_apart_and_that_is_said() -> None:
    outcome = held(15, 16)
    assert "air mass sensor" in outcome.findings[0].title
    assert outcome.not_judged == {
        "fuel delivery against air mass sensor": "the car does not report fuel_pressure"
    }
    unclear = held(15, 16, fuel_pressure=stretches((30, 320)))
    assert rules(unclear) == ["hold-2500-lean-at-all-speeds"]
    pressed = held(15, 16, fuel_pressure=stretches((15, 380), (15, 300)))
    assert rules(pressed) == ["hold-2500-fuel-delivery-weak"]


def test_without_readings_in_a_phase_there_is_no_verdict() -> None:
    early = flat(5, 2.0)
    outcome = held(2, 2, short_fuel_trim_1=early, long_fuel_trim_1=early)
    assert (outcome.verdict, outcome.reason) == (
        "not carried out",
        "no fuel trims were read both at idle and at 2500 rpm",
    )
    table = table_of({"control_module_voltage": flat(9, 14.0), "rpm": flat(30, 750)})
    silent = judge_guided_test("idle_with_load", table, phases(("unloaded", 2, 11), ("loaded", 14, 23)))
    assert silent.verdict == "not carried out"


def test_a_trim_the_ecu_does_not_use_is_no_trim() -> None:
    outcome = held(2, 2, short_fuel_trim_2=stretches((30, 99.2)), long_fuel_trim_2=stretches((30, 0.0)))
    assert {piece.signal for piece in outcome.evidence} == {"long_fuel_trim_1"}


def cranked(volts: Sequence[tuple[float, float]], rpm: Sequence[tuple[float, float]]) -> GuidedOutcome:
    table = table_of({"rpm": stretches(*rpm), "control_module_voltage": stretches(*volts)})
    return judge_guided_test("crank", table, watched("crank", table).phases)


@pytest.mark.parametrize(
    ("volts", "rpm", "found"),
    [
        ([(5, 12.3), (1, 10.4), (9, 14.1)], [(5, 0), (1, 210), (9, 800)], []),
        ([(5, 12.3), (1, 8.9), (9, 14.1)], [(5, 0), (1, 210), (9, 800)], ["voltage-low"]),
        ([(5, 12.3), (2, 10.2), (8, 14.1)], [(5, 0), (2, 90), (8, 800)], ["slow"]),
        ([(5, 12.3), (6, 10.2), (9, 14.1)], [(5, 0), (6, 200), (9, 800)], ["long"]),
        ([(5, 12.3), (9, 10.2), (61, 12.3)], [(5, 0), (9, 200), (61, 0)], ["no-start"]),
        ([(5, 12.3), (1, 10.2), (19, 12.3)], [(5, 0), (1, 200), (1, 700), (18, 0)], ["stalls"]),
    ],
)
def test_starting_is_judged_by_voltage_speed_and_length(
    volts: list[tuple[float, float]], rpm: list[tuple[float, float]], found: list[str]
) -> None:
    assert rules(cranked(volts, rpm)) == [f"crank-{rule}" for rule in found]


def test_an_engine_that_never_turned_gives_no_verdict() -> None:
    outcome = cranked([(70, 12.3)], [(70, 0)])
    assert (outcome.verdict, outcome.findings) == ("not carried out", [])
    assert "not seen turning" in outcome.reason


def loaded(before: tuple[float, float], after: tuple[float, float]) -> GuidedOutcome:
    table = table_of(
        {
            "control_module_voltage": stretches((12, before[0]), (12, after[0])),
            "rpm": stretches((12, before[1]), (12, after[1])),
        }
    )
    return judge_guided_test("idle_with_load", table, phases(("unloaded", 2, 11), ("loaded", 14, 23)))


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ((14.2, 750), (13.8, 740), []),
        ((14.2, 750), (12.5, 740), ["alternator-at-limit"]),
        ((12.5, 750), (12.3, 740), ["alternator-weak"]),
        ((15.4, 750), (15.2, 740), ["overcharging"]),
        ((14.2, 750), (13.9, 560), ["idle-drops"]),
        ((14.2, 600), (13.9, 560), []),
    ],
)
def test_idle_under_load_is_judged_by_voltage_and_speed(
    before: tuple[float, float], after: tuple[float, float], found: list[str]
) -> None:
    outcome = loaded(before, after)
    assert rules(outcome) == [f"idle-with-load-{rule}" for rule in found]
    assert "trims with load" in outcome.not_judged


def test_load_at_raised_speed_tells_a_weak_alternator_from_one_at_its_limit() -> None:
    seen = phases(("unloaded", 2, 11), ("loaded", 14, 23), ("raised", 26, 33))
    for raised, rule, verdict in (
        (13.9, "alternator-at-limit", "passed"),
        (12.5, "alternator-weak", "failed"),
    ):
        table = table_of(
            {
                "control_module_voltage": stretches((12, 14.1), (12, 12.5), (12, raised)),
                "rpm": stretches((12, 750), (12, 740), (12, 1600)),
            }
        )
        outcome = judge_guided_test("idle_with_load", table, seen)
        assert (rules(outcome), outcome.verdict) == ([f"idle-with-load-{rule}"], verdict)


def snapped(after: Sequence[tuple[float, float]], **more: tuple[np.ndarray, np.ndarray]) -> GuidedOutcome:
    columns = {"rpm": stretches((10, 750), (1, 4500), *after)} | more
    table = table_of(columns)
    seen = [("idle", 2.0, 9.0), ("snap", 9.0, 10.2)]
    if after[-1][1] > 450 and after[-1][1] < 1150:
        seen.append(("recover", 12.0, float(columns["rpm"][0][-1])))
    return judge_guided_test("snap_throttle", table, phases(*seen))


def test_an_engine_that_dies_or_hangs_after_a_snap_is_told() -> None:
    assert rules(snapped([(10, 750)])) == []
    assert rules(snapped([(2, 900), (10, 0)])) == ["snap-throttle-stalls"]
    assert rules(snapped([(20, 1900)])) == ["snap-throttle-hangs"]
    assert rules(snapped([(1, 400), (9, 750)])) == ["snap-throttle-dips"]


def test_a_throttle_that_was_not_opened_fully_gives_no_verdict() -> None:
    outcome = snapped(
        [(10, 750)],
        intake_pressure=stretches((10, 33), (1, 60), (10, 33)),
        barometric_pressure=stretches((21, 100)),
    )
    assert outcome.verdict == "not carried out"
    assert "open the throttle fully" in outcome.reason


def test_a_cold_oxygen_sensor_is_not_taken_for_a_lean_mixture() -> None:
    outcome = snapped([(10, 750)], o2_b1s1=stretches((21, 0.45)))
    assert outcome.verdict == "passed"
    assert "not active" in outcome.not_judged["mixture"]


def test_a_step_that_was_not_seen_leaves_the_test_without_a_verdict() -> None:
    outcome = judge_guided_test("hold_2500_rpm", table_of({"rpm": flat(10, 750)}), HELD[:1])
    assert outcome.verdict == "not carried out"
    assert "2500 rpm" in outcome.reason


TWO = Procedure(
    "Two",
    "",
    (("rpm",),),
    (),
    (
        Step("low", "Idle.", (Bound("rpm", "rpm", 500, 1000),), hold_s=5, settle_s=2, limit_s=30),
        Step(
            "load", "Load.", (Bound("rpm", "rpm", 500, 1000),), hold_s=3, limit_s=30,
            changes=(Change("control_module_voltage", "V", -0.1),),
        ),
    ),
)  # fmt: skip


def shown(watch: Watch, signal: str, parts: Sequence[tuple[float, float]], start_s: float = 0.0) -> float:
    times, values = stretches(*parts)
    for time_s, value in zip(times + start_s, values, strict=True):
        watch.see(float(time_s), signal, float(value))
    return float(start_s + times.size / 10)


def test_a_stray_reading_does_not_break_a_hold_and_a_lost_condition_does() -> None:
    steady = Watch(TWO, ["rpm"])
    shown(steady, "rpm", [(4, 750), (0.4, 1200), (3, 750)])
    assert [phase.step for phase in steady.phases] == ["low"]
    broken = Watch(TWO, ["rpm"])
    shown(broken, "rpm", [(4, 750), (2, 1200), (3, 750)])
    assert broken.phases == []
    assert "held 3 of 7 s" in broken.words()


def test_the_words_say_what_is_seen_and_what_is_wanted() -> None:
    watch = Watch(TWO, ["rpm"])
    watch.see(0.0, "rpm", 1800.0)
    assert watch.words() == "Idle. Now rpm 1,800 rpm; wanted rpm 500 to 1,000 rpm."
    assert watch.share == 0


def test_a_change_is_measured_against_the_step_before() -> None:
    watch = Watch(TWO, ["rpm", "control_module_voltage"])
    for tenth in range(300):
        watch.see(tenth / 10, "control_module_voltage", 14.2 if tenth < 120 else 14.0)
        watch.see(tenth / 10, "rpm", 750.0)
    assert watch.state == "done"
    assert 12.0 < watch.phases[1].start_s < 14.0


def test_time_runs_out_also_where_nothing_is_read() -> None:
    watch = Watch(TWO, ["rpm"])
    shown(watch, "rpm", [(3, 750)])
    watch.pass_time(10.0)
    assert watch.state == "watching"
    watch.pass_time(40.0)
    assert watch.state == "out of time"


def test_a_signal_the_car_does_not_have_is_not_waited_for() -> None:
    watch = Watch(PROCEDURES["hold_2500_rpm"], ["rpm", "short_fuel_trim_1", "long_fuel_trim_1"])
    shown(watch, "rpm", [(17, 750), (19, 2500)])
    assert watch.state == "done"
