"""Scores, coverage, codes, readiness, monitor tests, causes and the rendered report."""

import numpy as np
import pytest
from drives import changed, etios, only, shifted, simulated, without

from analysis.errors import NotEnoughDataError
from analysis.facts import VehicleFacts
from analysis.health import assess, recommend, report_markdown
from analysis.health.causes import CANDIDATES
from analysis.health.codes import system_of
from analysis.health.report import RULES, SYSTEMS
from analysis.health.scoring import score
from analysis.health.workshop import PROCEDURES, confirming, separating
from analysis.history import summarize, track
from analysis.results.anomalies import Anomaly, AnomalyReport
from analysis.results.health import MonitorTest, Readiness, TroubleCode
from analysis.session import analyze
from analysis.table import SignalTable

CAR = VehicleFacts(displacement_l=2.0, fuel_type="gasoline", turbocharged=False)


@pytest.fixture(scope="module")
def drive():
    return simulated(700.0, 2.0, seed=2)


@pytest.fixture(scope="module")
def leaking():
    return simulated(500.0, 2.0, seed=3, fault="vacuum_leak", severity=0.75, warm=True, cycle="city")


def system(report, name):
    return next(part for part in report.systems if part.system == name)


def check(report, rule):
    return next(entry for part in report.systems for entry in part.checks if entry.rule == rule)


def test_every_system_is_in_the_report_and_every_check_says_what_it_saw_or_why_not(drive):
    report = assess(drive, vehicle=CAR)
    assert [part.system for part in report.systems] == list(SYSTEMS)
    for part in report.systems:
        for entry in part.checks:
            assert entry.source
            if entry.severity is None:
                assert entry.reason
            else:
                assert entry.evidence
                assert entry.explanation
    assert "Ours; no published formula exists" in report.formula


def test_one_hard_failure_is_not_averaged_away_by_many_good_checks():
    good = [(0.8, 0.0)] * 8
    assert score(good) == 100
    assert score([*good, (1.0, 1.0)]) == 0
    assert score([*good, (1.0, 0.5)]) < 65
    assert score([(0.5, 0.4)]) > score([(0.5, 0.6)])


def test_missing_data_widen_the_interval_and_say_what_to_record(drive):
    whole = system(assess(drive, vehicle=CAR), "charging and battery")
    warm_only = without(drive.between(200.0, None), "speed")
    part = system(assess(warm_only, vehicle=CAR), "charging and battery")
    assert whole.score.high - whole.score.low < part.score.high - part.score.low
    assert part.coverage < whole.coverage
    assert any("engine start" in text for text in part.missing)


def test_no_data_give_no_score():
    times_s = np.arange(0.0, 60.0)
    table = only(simulated(60.0, 1.0, seed=1, cycle="idle"), "fuel_level")
    report = assess(table)
    assert times_s.size
    assert report.overall.kind == "absent"
    for part in report.systems:
        assert part.score.kind == "absent" or part.system == "data quality"
    assert report.record_next
    assert not report.recommendation.causes


def test_an_empty_session_is_refused():
    with pytest.raises(NotEnoughDataError):
        assess(SignalTable({}))


def test_under_two_fifths_coverage_there_is_no_number_but_the_share_is_said(drive):
    part = system(assess(only(drive, "rpm", "speed", "coolant_temp")), "fuel and air")
    assert part.score.kind == "absent"
    assert "40 % are needed" in part.score.reason


def test_a_stored_code_caps_its_system_and_a_pending_one_less(drive):
    stored = assess(drive, vehicle=CAR, trouble_codes=[TroubleCode(code="P0171")])
    pending = assess(drive, vehicle=CAR, trouble_codes=[TroubleCode(code="P0171", status="pending")])
    assert system(stored, "fuel and air").score.high <= 40
    assert system(stored, "fuel and air").capped_by == ["P0171"]
    assert 40 < system(pending, "fuel and air").score.high <= 70
    assert system(stored, "cooling").score.value > 80
    assert any(found.rule == "trouble-code-stored" for found in stored.findings)


def test_a_code_is_enough_for_a_capped_number_where_nothing_was_recorded(drive):
    report = assess(only(drive, "rpm", "speed"), trouble_codes=[TroubleCode(code="P0420")])
    part = system(report, "emissions")
    assert part.score.high == 40
    assert part.score.low == 0


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("P0171", "fuel and air"),
        ("P0101", "intake and boost"),
        ("P0128", "cooling"),
        ("P0301", "ignition"),
        ("P0420", "emissions"),
        ("P0133", "emissions"),
        ("P0562", "charging and battery"),
        ("P0087", "fuel and air"),
        ("P0217", "cooling"),
        ("P0299", "intake and boost"),
        ("P0741", "transmission"),
        ("P0011", "engine mechanical"),
        ("U0100", None),
        ("B1234", None),
    ],
)
def test_codes_belong_to_systems_by_their_number(code, name):
    assert system_of(code) == name


def test_a_clean_memory_after_clearing_says_nothing(drive):
    fresh = Readiness(mil_on=False, monitors={"catalyst": False, "misfire": True}, distance_since_clear_km=12)
    report = assess(drive, vehicle=CAR, readiness=fresh, trouble_codes=[])
    assert "clean memory says nothing" in report.readiness
    assert "catalyst" in report.readiness
    done = Readiness(
        mil_on=False, monitors={"catalyst": True}, distance_since_clear_km=4000, warmups_since_clear=90
    )
    assert "no codes means that none was found" in assess(drive, readiness=done).readiness
    assert (
        "was not read"
        in assess(without(drive, "distance_since_dtc_clear", "warmups_since_dtc_clear")).readiness
    )


def test_a_lamp_that_is_on_counts(drive):
    lit = assess(drive, vehicle=CAR, readiness=Readiness(mil_on=True))
    assert check(lit, "mil").severity > 0.5


def test_monitor_tests_near_their_limit_are_amber_and_voltages_only_when_outside(drive):
    tests = [
        MonitorTest(monitor="Catalyst bank 1", test="oxygen storage", value=0.42, low=0.0, high=0.45),
        MonitorTest(
            monitor="O2 sensor 2 bank 1", test="minimum voltage", value=0.70, low=0.0, high=0.75, unit="V"
        ),
    ]
    report = assess(drive, vehicle=CAR, monitor_tests=tests)
    margins = check(report, "monitor-margins")
    assert margins.severity == pytest.approx((0.42 / 0.45 - 0.8) / 0.2, abs=0.01)
    assert "Catalyst" in margins.explanation
    assert report.recommendation.causes[0].cause == "catalyst worn"
    calm = assess(drive, vehicle=CAR, monitor_tests=tests[1:])
    assert check(calm, "monitor-margins").severity == 0


def test_counted_misfires_speak_for_a_misfire(drive):
    counted = MonitorTest(
        monitor="Misfire cylinder 1", test="share of firings", value=1.9, low=0, high=2.0, unit="%"
    )
    report = assess(drive, vehicle=CAR, monitor_tests=[counted])
    assert report.recommendation.causes[0].cause == "misfire"
    assert "swap the coil" in report.recommendation.causes[0].confirm.how


def test_codes_alone_rank_causes_and_name_the_quickest_separating_test():
    found = recommend(trouble_codes=[TroubleCode(code="P0171")])
    assert {cause.cause for cause in found.causes} == {
        "vacuum leak",
        "air mass sensor reads low",
        "fuel delivery weak",
    }
    assert found.next_test.minutes <= 5
    assert "separates" in found.why
    assert all(cause.codes == ["P0171"] for cause in found.causes)


def test_a_drive_decides_between_causes_a_code_leaves_open(leaking):
    report = assess(leaking, vehicle=CAR, trouble_codes=[TroubleCode(code="P0171")])
    found = recommend(report)
    assert found.causes[0].cause == "vacuum leak"
    assert found.causes[0].support > 2 * found.causes[1].support
    assert any("idle" in text for text in found.causes[0].supporting)
    assert found.priorities["soon"]


def test_without_anything_to_go_on_there_is_no_cause_and_no_test():
    found = recommend()
    assert not found.causes
    assert found.next_test is None
    assert "no test" in found.why


def test_codes_no_cause_explains_are_named():
    assert recommend(trouble_codes=[TroubleCode(code="U0100")]).not_linked == ["U0100"]


def test_every_cause_has_a_test_and_any_two_can_be_told_apart():
    causes = [candidate.cause for candidate in CANDIDATES]
    assert {cause for procedure in PROCEDURES for cause in procedure.finds} == set(causes)
    for first in causes:
        assert confirming(first).minutes > 0
        for second in causes:
            if first != second:
                assert separating(first, second).tells


def test_every_sign_a_cause_looks_for_is_made_by_some_check():
    made = set()
    for table in (simulated(700.0, 2.0, seed=2), simulated(500.0, 2.0, seed=3, warm=True)):
        report = assess(table, vehicle=CAR)
        made |= {sign for part in report.systems for entry in part.checks for sign in entry.signs}
    known_elsewhere = {"crank_low", "rest_low", "slow_crank", "boost_low", "misfire_counts", "gear_slip"}
    wanted = {sign for candidate in CANDIDATES for sign in candidate.signs}
    assert wanted - made <= known_elsewhere


def test_anomalies_count_against_their_system():
    odd = Anomaly(
        signal="rpm", unit="rpm", kind="roughness", channel="idle", start_s=10, end_s=60, score=6.0, value=20.0,
        expected="under 9", deviation=11, limit=2, samples=100, baseline=True, explanation="The idle is rough.",
    )  # fmt: skip
    report = AnomalyReport(
        anomalies=[odd], sensitivity=0.5, limit_factor=1.0, checked=[], not_checked={}, notes=[]
    )
    warm = simulated(500.0, 2.0, seed=3, warm=True, cycle="city")
    with_it = system(assess(warm, vehicle=CAR, anomalies=report), "ignition")
    assert with_it.score.high < system(assess(warm, vehicle=CAR), "ignition").score.high
    assert with_it.checks[-1].evidence[0].start_s == 10


def test_an_analysis_already_made_is_used(drive):
    whole = analyze(drive, parts=["quality"])
    report = assess(drive, vehicle=CAR, analysis=whole)
    assert check(report, "recording-complete").evidence[0].value == whole.quality.completeness.value


def test_the_cars_own_normal_catches_what_general_limits_let_pass(drive):
    healthy = [
        summarize(simulated(500.0, 1.0, seed=seed, warm=True), name=str(seed))
        for seed in (2, 12, 22, 32, 42, 52)
    ]
    normal = track(healthy).normal
    warm = simulated(500.0, 1.0, seed=2, warm=True)
    low = changed(warm, "control_module_voltage", warm["control_module_voltage"].values - 0.7)
    assert not [
        found for found in assess(warm, vehicle=CAR, baseline=normal).findings if found.rule == "own-normal"
    ]
    found = [f for f in assess(low, vehicle=CAR, baseline=normal).findings if f.rule == "own-normal"]
    assert [entry.system for entry in found] == ["charging and battery"]
    assert not [f for f in assess(low, vehicle=CAR).findings if f.system == "charging and battery"]


def test_maintenance_is_due_only_where_the_odometer_is_known(drive):
    report = assess(drive, vehicle=CAR)
    oil = next(item for item in report.recommendation.maintenance if "oil" in item.item)
    assert 0 < oil.due_in_km.value <= oil.interval_km
    unknown = recommend(assess(without(drive, "odometer"), vehicle=CAR))
    assert all(item.due_in_km.kind == "absent" for item in unknown.maintenance)
    assert any("spark plugs" in item.item for item in unknown.maintenance)
    diesel = recommend(vehicle=VehicleFacts(fuel_type="diesel"), odometer_km=14_000)
    assert not any("spark plugs" in item.item for item in diesel.maintenance)
    assert next(i for i in diesel.maintenance if "oil and" in i.item).due_in_km.value == 1000


def test_the_markdown_carries_scores_evidence_causes_and_what_to_record(leaking):
    report = assess(leaking, vehicle=CAR, trouble_codes=[TroubleCode(code="P0171", description="too lean")])
    text = report_markdown(report)
    for part in (
        "# Health report",
        "## Systems",
        "## Findings",
        "## Probable causes",
        "Next test",
        "## Record next",
    ):
        assert part in text
    assert "P0171 is stored: too lean" in text
    assert "expected within ±8 %" in text
    assert "How the score is made" in text
    assert "None" not in text
    assert "nan" not in text.lower().replace("maintenance", "")


def test_neither_the_clocks_start_nor_the_order_of_signals_changes_the_scores(drive):
    plain = assess(drive, vehicle=CAR)
    for other in (shifted(drive, 7200.0), only(drive, *reversed(list(drive)))):
        again = assess(other, vehicle=CAR)
        for one, two in zip(plain.systems, again.systems, strict=True):
            assert (one.score.value is None) == (two.score.value is None)
            assert one.score.value is None or one.score.value == pytest.approx(two.score.value, abs=0.5)


def test_a_real_drive_without_oxygen_sensors_says_what_would_judge_the_catalyst():
    part = system(assess(etios("live16")), "emissions")
    assert part.score.kind == "absent"
    assert any("o2_b1s1 and o2_b1s2" in text for text in part.missing)


def test_rules_have_names_of_their_own():
    names = [rule.rule for rule, _ in RULES]
    assert len(set(names)) == len(names)
