"""A speed on a wrong scale is named, with the factor; a right one never is."""

import numpy as np
import pytest
from test_analysis_tables import series, trip

from analysis.engine import Engine
from analysis.facts import VehicleFacts
from analysis.findings import Finding
from analysis.quality.speed_scale import speed_scale
from analysis.session import analyze
from analysis.table import SignalSeries, SignalTable
from analysis.timeline import Timeline

EARTH_KM = 6371.0


def scaled(table: SignalTable, factor: float) -> SignalTable:
    one = table["speed"]
    return SignalTable({**table, "speed": SignalSeries("speed", one.unit, one.times_s, one.values * factor)})


def judged(table: SignalTable, vehicle: VehicleFacts | None = None) -> Finding | None:
    return speed_scale(Engine(Timeline(table)), vehicle)


def with_reference(table: SignalTable, kind: str) -> SignalTable:
    """Add what else tells the true speed: a receiver's speed, positions on a straight road, an odometer."""
    one = table["speed"]
    km = (
        np.concatenate(([0.0], np.cumsum((one.values[1:] + one.values[:-1]) / 2 * np.diff(one.times_s))))
        / 3600
    )
    rng = np.random.default_rng(5)
    added = {
        "gps_speed": {"gps_speed": np.clip(one.values + rng.normal(0, 0.7, len(one)), 0, None)},
        "position": {"latitude": 48 + np.degrees(km / EARTH_KM), "longitude": np.full(len(one), 9.0)},
        "odometer": {"odometer": 52_000 + np.floor(km * 10) / 10},
    }[kind]
    return SignalTable(
        {**table, **{name: series(name, one.times_s, values) for name, values in added.items()}}
    )


@pytest.mark.parametrize("kind", ["gps_speed", "position", "odometer"])
@pytest.mark.parametrize("factor", [1.609, 4.0, 20.0, 0.621])
def test_a_wrong_scale_is_named_against_what_measures_speed_itself(kind: str, factor: float) -> None:
    table = with_reference(trip(900), kind)
    assert judged(table) is None
    found = judged(scaled(table, factor))
    assert found is not None
    named = f"{max(factor, 1 / factor):.3g}"
    assert named in found.title
    assert ("too high" if factor > 1 else "too low") in found.title


@pytest.mark.parametrize("factor", [4.0, 20.0])
def test_a_speed_far_too_high_is_named_from_rpm_and_gears_alone(factor: float) -> None:
    table = {name: one for name, one in trip(900).items() if name in ("rpm", "speed")}
    found = judged(scaled(SignalTable(table), factor))
    assert found is not None
    assert f"{factor:.3g} times too high" in found.title
    assert any(evidence.statistic == "longest gear" for evidence in found.evidence)


def test_a_speed_in_the_wrong_unit_is_named_from_engine_power() -> None:
    table = trip(900, speed_factor=1.0)
    vehicle = VehicleFacts(mass_kg=1250)
    heavy = SignalTable({**table, "maf": _air_for(table, 1250)})
    assert judged(heavy, vehicle) is None
    found = judged(scaled(heavy, 1.609), vehicle)
    assert found is not None
    assert "1.61 times too high" in found.title


def _air_for(table: SignalTable, mass_kg: float) -> SignalSeries:
    """Give the air flow an engine needs to move a car of this mass as the speed says."""
    speed = table["speed"]
    smooth = np.convolve(speed.values, np.ones(21) / 21, mode="same") / 3.6
    pull = np.clip(np.gradient(smooth, 0.1), 0, None)
    power = (mass_kg * (1.05 * pull + 0.12) * smooth + 0.36 * smooth**3) / 1000
    return series("maf", speed.times_s, 2.5 + power / 0.95)


def test_the_distance_of_a_doubted_speed_says_so_and_gives_no_bounds() -> None:
    analysis = analyze(scaled(with_reference(trip(600), "gps_speed"), 4.0), parts=["driving"])
    assert analysis.driving is not None
    assert analysis.driving.distance_km.low is None
    assert "4 times too high" in (analysis.driving.distance_km.method or "")
