"""The health report names the faults of the simulated car, and finds nothing on healthy cars."""

import pytest
from drives import ETIOS_DRIVES, ETIOS_IDLES, LEON_DRIVES, etios, leon, simulated

from analysis.facts import VehicleFacts
from analysis.health import assess

CAR = VehicleFacts(displacement_l=2.0, fuel_type="gasoline", turbocharged=False)
ETIOS = VehicleFacts(displacement_l=1.496, fuel_type="flex", turbocharged=False)
LEON = VehicleFacts(displacement_l=2.0, fuel_type="diesel", turbocharged=True)
# fault, the cause it is, and a drive on which a technician would look for it
FAULTS = (
    ("vacuum_leak", "vacuum leak", {"warm": True, "cycle": "city"}),
    ("maf_under_reading", "air mass sensor reads low", {"warm": True}),
    ("thermostat_stuck_open", "thermostat stuck open", {}),
    ("overheating", "cooling too weak", {"warm": True, "cycle": "highway", "ambient": 32.0}),
    ("weak_alternator", "alternator weak", {"warm": True, "cycle": "city"}),
    ("misfire", "misfire", {"warm": True, "cycle": "city"}),
    ("worn_catalyst", "catalyst worn", {"warm": True, "cycle": "highway"}),
    ("fuel_pressure_low", "fuel delivery weak", {"warm": True}),
    ("coolant_sensor_stuck", "coolant sensor stuck or wrong", {}),
    ("o2_lazy", "front oxygen sensor slow", {"warm": True, "cycle": "highway"}),
)


@pytest.mark.parametrize("severity", [0.5, 0.75, 1.0])
@pytest.mark.parametrize(("fault", "cause", "where"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
def test_a_fault_is_among_the_first_two_causes(fault, cause, where, severity):
    report = assess(
        simulated(500.0 if where else 700.0, 2.0, seed=3, fault=fault, severity=severity, **where),
        vehicle=CAR,
    )
    found = report.recommendation.causes
    assert cause in [entry.cause for entry in found[:2]]
    named = next(entry for entry in found if entry.cause == cause)
    assert named.supporting
    assert report.recommendation.next_test is not None


@pytest.mark.parametrize("seed", range(1, 11))
def test_a_healthy_car_gets_no_warning_and_no_cause(seed):
    report = assess(simulated(450.0, 2.0, seed=seed), vehicle=CAR)
    assert not [found for found in report.findings if found.severity in ("warning", "critical")]
    assert not report.recommendation.causes
    assert report.overall.value is None or report.overall.value > 90


@pytest.mark.parametrize("name", [*ETIOS_DRIVES, *ETIOS_IDLES])
def test_a_healthy_real_petrol_car_gets_no_warning_and_no_more_than_weak_causes(name):
    report = assess(etios(name), vehicle=ETIOS)
    assert not [found for found in report.findings if found.severity in ("warning", "critical")]
    assert {cause.strength for cause in report.recommendation.causes} <= {"weak"}
    for part in report.systems:
        assert part.score.value is None or part.score.value >= 90


@pytest.mark.parametrize("name", LEON_DRIVES)
def test_a_healthy_real_diesel_gets_no_warning_even_on_a_short_winter_drive(name):
    report = assess(leon(name), vehicle=LEON)
    car = [found for found in report.findings if found.system != "data quality"]
    assert not [found for found in car if found.severity in ("warning", "critical")]
    assert not report.recommendation.causes


def test_a_severe_fault_is_a_warning_and_its_system_scores_low():
    report = assess(
        simulated(500.0, 2.0, seed=3, fault="weak_alternator", severity=1.0, warm=True, cycle="city")
    )
    charging = next(part for part in report.systems if part.system == "charging and battery")
    assert charging.score.value < 30
    assert report.overall.value <= charging.score.value
    assert any(found.severity == "critical" for found in report.findings)
