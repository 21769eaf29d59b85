"""Checks of intake and boost: air mass against speed-density, manifold sensor, intake temperature, boost."""

import numpy as np

from analysis.fuel.air import speed_density_g_s
from analysis.health.checking import (
    Car,
    Judge,
    Judged,
    Outcome,
    Rule,
    Unjudged,
    between,
    enough,
    median,
    missing,
)

AIR_MASS = Rule(
    "air-mass-plausibility",
    "Air mass sensor against speed-density",
    "intake and boost",
    0.8,
    "volumetric efficiency near full load is 0.78 to 1.0 without a charger (Lightner; our edges): a sensor that "
    "reads low shows less",
    "a drive with a full-load pull and maf, intake_pressure, intake_temp and rpm; the displacement saved with the "
    "vehicle",
    "Look at the air mass sensor's element and clean it; check the intake duct behind it.",
)
MANIFOLD = Rule(
    "manifold-sensor",
    "Manifold sensor with the engine standing",
    "intake and boost",
    0.5,
    "engine off, manifold pressure is barometric pressure within 3 kPa (measured 101 against 100; tolerance ours)",
    "ten seconds with ignition on and engine off, with intake_pressure, barometric_pressure and rpm",
    "Check the manifold pressure sensor, its supply and its hose.",
)
INTAKE_TEMP = Rule(
    "intake-temperature",
    "Intake temperature against the outside",
    "intake and boost",
    0.4,
    "on the road intake air is a few kelvins above the outside (charged engines more); edges ours",
    "ten minutes above 50 km/h with intake_temp and ambiant_air_temp",
    "Check the intake air temperature sensor and the air duct.",
)
BOOST = Rule(
    "boost-tracking",
    "Boost against its command",
    "intake and boost",
    0.8,
    "a charger follows its command within about 15 kPa once settled; edges ours",
    "some full-load pulls with commanded_boost_a and boost_pressure_a",
    "Check hoses and intercooler for leaks, then actuator and charger.",
)


def air_mass(car: Car) -> Outcome:
    """Judge the volumetric efficiency that the air mass sensor implies at high manifold pressure."""
    lost = missing(car, "maf", "intake_pressure", "intake_temp", "rpm")
    if lost is not None:
        return lost
    size = car.vehicle.displacement_l
    if size is None:
        return Unjudged("the displacement is not known")
    if car.diesel or car.vehicle.turbocharged:
        return Unjudged("charged engines and diesels with exhaust return have no fixed efficiency", False)
    pressure, expected = car.held("intake_pressure"), speed_density_g_s(car.timeline, size, 1.0)
    settled = np.abs(np.gradient(pressure)) < 4 * car.timeline.step_s * 2
    where = car.engine.warm & (pressure > 70) & (car.engine.rpm > 1400) & settled & (expected > 0)
    seconds = car.seconds(where)
    if seconds < 8:
        return Unjudged(f"only {seconds:.0f} s above 70 kPa; 8 s are needed")
    efficiency = median(car.held("maf") / np.maximum(expected, 1e-9), where)
    low, high = between(efficiency, 0.78, 0.60), between(efficiency, 1.12, 1.35)
    return Judged(
        max(low, high),
        enough(seconds, 30),
        [
            car.evidence(
                "maf", "volumetric efficiency above 70 kPa", efficiency, "0.78 to 1.12", where, "ratio"
            )
        ],
        f"The air mass sensor implies a volumetric efficiency of {efficiency:.2f} near full load.",
        {"air_low": low, "air_high": high, "air_good": 1 - between(max(low, high), 0, 0.3)},
    )


def manifold(car: Car) -> Outcome:
    """Judge manifold against barometric pressure with the engine standing."""
    lost = missing(car, "intake_pressure", "barometric_pressure", "rpm")
    if lost is not None:
        return lost
    standing = car.engine.off & np.isfinite(car.held("intake_pressure"))
    standing &= np.isfinite(car.held("barometric_pressure"))
    seconds = car.seconds(standing)
    if seconds < 2:
        return Unjudged("the engine was not seen standing")
    apart = median(car.held("intake_pressure") - car.held("barometric_pressure"), standing)
    sign = between(abs(apart), 4, 10)
    return Judged(
        sign,
        enough(seconds, 5),
        [car.evidence("intake_pressure", "less barometric, engine off", apart, "within ±4 kPa", standing)],
        f"With the engine standing the manifold sensor reads {apart:+.0f} kPa against barometric pressure.",
        {"manifold_sensor_off": sign},
    )


def intake_temp(car: Car) -> Outcome:
    """Judge intake temperature against the outside on the road."""
    lost = missing(car, "intake_temp", "ambiant_air_temp", "rpm")
    if lost is not None:
        return lost
    where = car.engine.running & (car.engine.speed_kmh > 50) & (car.engine.running_s > 300)
    where &= np.isfinite(car.held("intake_temp")) & np.isfinite(car.held("ambiant_air_temp"))
    seconds = car.seconds(where)
    if seconds < 60:
        return Unjudged(f"only {seconds:.0f} s above 50 km/h; 60 s are needed")
    apart = median(car.held("intake_temp") - car.held("ambiant_air_temp"), where)
    sign = max(between(apart, 40, 70), between(apart, -8, -20))
    return Judged(
        sign,
        enough(seconds, 300),
        [car.evidence("intake_temp", "median above the outside", apart, "-8 to 40 K", where)],
        f"On the road the intake air is {apart:+.0f} K against the outside.",
        {"intake_temp_off": sign},
    )


def boost(car: Car) -> Outcome:
    """Judge boost against its command where boost is asked for."""
    if not car.timeline.has("commanded_boost_a") and car.vehicle.turbocharged is False:
        return Unjudged("the engine has no charger", False)
    lost = missing(car, "commanded_boost_a", "boost_pressure_a")
    if lost is not None:
        return Unjudged(lost.reason, applicable=bool(car.vehicle.turbocharged))
    wanted, got = car.held("commanded_boost_a"), car.held("boost_pressure_a")
    asked = (wanted > 120) & np.isfinite(got)
    seconds = car.seconds(asked)
    if seconds < 10:
        return Unjudged(f"boost was asked for only {seconds:.0f} s; 10 s are needed")
    short = median(wanted - got, asked)
    sign = between(abs(short), 15, 45)
    return Judged(
        sign,
        enough(seconds, 60),
        [car.evidence("boost_pressure_a", "short of its command", short, "within ±15 kPa", asked)],
        f"Boost is {short:.0f} kPa short of its command.",
        {"boost_low": between(short, 15, 45)},
    )


CHECKS: tuple[tuple[Rule, Judge], ...] = (
    (AIR_MASS, air_mass),
    (MANIFOLD, manifold),
    (INTAKE_TEMP, intake_temp),
    (BOOST, boost),
)
