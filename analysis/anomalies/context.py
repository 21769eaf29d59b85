"""The quantities that a healthy car repeats in the same context: what they depend on, and when they apply.

Each is a residual against a median map learned from the car's own healthy sessions. Where the car was never seen in
a context, the map is silent and so is the check: an unknown condition is no anomaly.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.idle import idle_roughness
from analysis.anomalies.mixture import closed_loop_trim, trim_at_light_load
from analysis.engine import lasting
from analysis.results.anomalies import AnomalyKind
from analysis.table import Floats

_AIR_AT_C = 25.0


@dataclass(frozen=True, slots=True)
class Context:
    """One quantity: its value at every moment (NaN where it does not apply), and the keys of its map.

    `floor` is the least limit, below which a deviation is of no interest to a technician (`floor_above` where upwards
    more is usual); `percent` marks natural logarithms of ratios, shown as per cent.
    """

    name: str
    signal: str
    kind: AnomalyKind
    unit: str
    value: Callable[[Conditions], Floats | None]
    keys: tuple[str, ...]
    floor: float
    explanation: str
    percent: bool = False
    lasting_s: float = 2.0
    averaged_s: tuple[float, ...] = (0.0, 5.0, 60.0)
    floor_above: float | None = None


def _steady(signal: str, *, warm: bool = True) -> Callable[[Conditions], Floats | None]:
    """Make a value: the signal itself while nothing changes quickly."""

    def value(conditions: Conditions) -> Floats | None:
        if not conditions.timeline.has(signal):
            return None
        where = conditions.steady & conditions.settled & conditions.fuelled
        where = where & conditions.warm if warm else where
        return np.where(where, conditions.timeline.held(signal), np.nan)

    return value


def _log_steady(signal: str) -> Callable[[Conditions], Floats | None]:
    """Make a value: the natural logarithm of a positive signal while nothing changes quickly."""

    def value(conditions: Conditions) -> Floats | None:
        level = _steady(signal)(conditions)
        return None if level is None else np.log(np.where(level > 0, level, np.nan))

    return value


def _filling(conditions: Conditions) -> Floats | None:
    """Return ln of air flow x temperature over rpm x pressure: volumetric efficiency but for a constant.

    A diesel draws the mass of fresh air its control unit asks for, warm or cold, and fills up with exhaust gas: there
    the temperature has no say.
    """
    timeline = conditions.timeline
    if not timeline.has("maf", "rpm", "intake_pressure"):
        return None
    by_temperature = timeline.has("intake_temp") and not conditions.unthrottled
    temperature = timeline.held("intake_temp") if by_temperature else np.full(1, _AIR_AT_C)
    air, drawn = timeline.held("maf"), timeline.held("rpm") * timeline.held("intake_pressure")
    where = conditions.steady & conditions.fuelled & conditions.warm & (air > 0) & (drawn > 0)
    where = where & ~conditions.flap_shut
    ratio = np.where(where, air, np.nan) * (temperature + 273.15) / np.where(where, drawn, np.nan)
    return np.log(ratio)


def _trim(bank: str) -> Callable[[Conditions], Floats | None]:
    return lambda conditions: closed_loop_trim(conditions, bank)


def _trim_at_light_load(bank: str) -> Callable[[Conditions], Floats | None]:
    return lambda conditions: trim_at_light_load(conditions, bank)


def _voltage(conditions: Conditions) -> Floats | None:
    if not conditions.timeline.has("control_module_voltage"):
        return None
    return np.where(conditions.settled, conditions.timeline.held("control_module_voltage"), np.nan)


def _warm_coolant(conditions: Conditions) -> Floats | None:
    """Return coolant once the engine has been at 80 °C, or has run for 20 minutes."""
    timeline, engine = conditions.timeline, conditions.engine
    if not timeline.has("coolant_temp"):
        return None
    coolant = timeline.held("coolant_temp")
    ready = conditions.lately(lasting(engine.running & (coolant >= 80), 10.0, timeline.step_s), 900.0) | (
        engine.running_s >= 1200.0
    )
    return np.where(engine.running & ready, coolant, np.nan)


def _idle_rpm(conditions: Conditions) -> Floats | None:
    if "idle" in conditions.engine.why_not or "running" in conditions.engine.why_not:
        return None
    return np.where(conditions.settled_idle, conditions.engine.rpm, np.nan)


def _roughness(conditions: Conditions) -> Floats | None:
    if "idle" in conditions.engine.why_not or "running" in conditions.engine.why_not:
        return None
    return idle_roughness(conditions)


def _heated_air(conditions: Conditions) -> Floats | None:
    timeline = conditions.timeline
    if not timeline.has("intake_temp", "ambiant_air_temp"):
        return None
    difference = timeline.held("intake_temp") - timeline.held("ambiant_air_temp")
    return np.where(conditions.settled & conditions.warm & conditions.aired, difference, np.nan)


def _activity(signal: str) -> Callable[[Conditions], Floats | None]:
    """Make a value: how much a sensor swings, as its mean absolute change over half a second."""

    def value(conditions: Conditions) -> Floats | None:
        if not conditions.timeline.has(signal) or conditions.timeline.step_s > 0.5:
            return None
        level, apart = conditions.timeline.held(signal), max(1, round(0.5 / conditions.timeline.step_s))
        swing = np.full(level.size, np.nan)
        swing[apart:] = np.abs(level[apart:] - level[:-apart])
        return np.where(conditions.closed_loop & conditions.engine.moving, swing, np.nan)

    return value


_FLOW = "{deviation:.0f} % {direction} what this engine showed in the same state when healthy ({times})."
CONTEXTS: tuple[Context, ...] = (
    Context(
        "air filling", "maf", "air", "%", _filling, ("rpm", "intake_pressure"), 0.06,
        "Air flow for its engine speed and manifold pressure is " + _FLOW + " Leak, dirty air meter or wrong pressure.",
        percent=True,
    ),
    Context(
        "air by throttle", "maf", "air", "%", _log_steady("maf"), ("rpm", "throttle_pos"), 0.08,
        "Air flow for its engine speed and throttle is " + _FLOW, percent=True,
    ),
    Context(
        "load", "engine_load", "air", "%", _steady("engine_load", warm=False), ("rpm", "intake_pressure"), 5.0,
        "Calculated load is {deviation:.1f} % {direction} its usual at this speed and pressure ({times}).",
    ),
    Context(
        "manifold pressure", "intake_pressure", "level", "kPa", _steady("intake_pressure"), ("rpm", "throttle_pos"),
        8.0,
        "Manifold pressure is {deviation:.1f} kPa {direction} its usual at this throttle ({times}).",
    ),
    Context(
        "pressure by load", "intake_pressure", "level", "kPa", _steady("intake_pressure", warm=False),
        ("rpm", "engine_load"), 5.0,
        "Manifold pressure is {deviation:.1f} kPa {direction} its usual at this load ({times}).",
    ),
    Context(
        "trim of bank 1", "long_fuel_trim_1", "mixture", "%", _trim("1"), ("rpm", "engine_load"), 6.0,
        "Short and long trim together are {deviation:.1f} % {direction} this car's usual ({times}).", lasting_s=5,
    ),
    Context(
        "trim of bank 2", "long_fuel_trim_2", "mixture", "%", _trim("2"), ("rpm", "engine_load"), 6.0,
        "Short and long trim together are {deviation:.1f} % {direction} this car's usual ({times}).", lasting_s=5,
    ),
    *(
        Context(
            f"trim of bank {bank} at light load", f"long_fuel_trim_{bank}", "mixture", "%", _trim_at_light_load(bank),
            (), 8.0,
            "Trims at light load lie {deviation:.1f} % {direction} their usual distance from those under load "
            "({times}). Above: air gets past the throttle.",
            lasting_s=5, averaged_s=(5.0,),
        )
        for bank in ("1", "2")
    ),
    Context(
        "supply voltage", "control_module_voltage", "level", "V", _voltage, ("rpm",), 0.4,
        "Supply voltage is {deviation:.2f} V {direction} this car's usual at this engine speed ({times}).", lasting_s=5,
        floor_above=0.8,  # regulators raise it in the cold by about 10 mV per °C
    ),
    Context(
        "running temperature", "coolant_temp", "level", "°C", _warm_coolant, ("speed",), 10.0,
        "Coolant is {deviation:.0f} °C {direction} this car's usual once warm ({times}).", lasting_s=5,
        floor_above=15.0,  # fans let a warm engine in traffic get about so much hotter than its thermostat does
    ),
    Context(
        "idle speed", "rpm", "level", "rpm", _idle_rpm, (), 250.0,
        "Idle is {deviation:.0f} rpm {direction} this car's usual ({times}).", lasting_s=5, averaged_s=(20.0, 60.0),
    ),
    Context(
        "idle roughness", "rpm", "roughness", "rpm", _roughness, (), 8.0,
        "At warm idle rpm scatters {deviation:.0f} rpm {direction} this car's usual ({times}).", lasting_s=0.5,
    ),
    Context(
        "heated intake air", "intake_temp", "level", "°C", _heated_air, ("speed",), 12.0,
        "Intake air over ambient is {deviation:.0f} °C {direction} this car's usual ({times}).", lasting_s=5,
    ),
    Context(
        "fuel pressure", "fuel_pressure", "level", "%", _log_steady("fuel_pressure"), ("rpm", "engine_load"), 0.06,
        "Fuel pressure is " + _FLOW, percent=True, lasting_s=5,
    ),
    Context(
        "rail pressure", "fuel_rail_pressure_direct", "level", "%", _log_steady("fuel_rail_pressure_direct"),
        ("rpm", "engine_load"), 0.06, "Fuel rail pressure is " + _FLOW, percent=True, lasting_s=5,
    ),
    Context(
        "throttle by pedal", "throttle_pos", "level", "%", _steady("throttle_pos"), ("accelerator_pos_d", "rpm"), 6.0,
        "Throttle is {deviation:.1f} % {direction} its usual for the pedal ({times}).",
    ),
    Context(
        "sensor behind the catalyst", "o2_b1s2", "roughness", "V", _activity("o2_b1s2"), (), 0.08,
        "The sensor behind the catalyst swings {deviation:.2f} V {direction} its usual: the catalyst stores less "
        "oxygen ({times}).", lasting_s=20, averaged_s=(60.0,),
    ),
    Context(
        "sensor before the catalyst", "o2_b1s1", "roughness", "V", _activity("o2_b1s1"), (), 0.10,
        "The sensor before the catalyst swings {deviation:.2f} V {direction} its usual ({times}).",
        lasting_s=20, averaged_s=(60.0,),
    ),
)  # fmt: skip


def contexts_of(conditions: Conditions) -> Iterator[tuple[Context, Floats]]:
    """Yield the quantities this session's signals allow, with their values; a map needs its keys recorded."""
    lean = conditions.unthrottled
    for context in CONTEXTS:
        if not conditions.timeline.has(*context.keys):
            continue
        # A diesel's flap shuts for regeneration: what its throttle does says nothing about the air.
        if lean and "throttle_pos" in (context.signal, *context.keys):
            continue
        value = context.value(conditions)
        if value is not None and np.isfinite(value).any():
            yield context, value
