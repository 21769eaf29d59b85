"""Checks that need no baseline: limits a technician would use on any car."""

from collections.abc import Iterator

import numpy as np

from analysis.anomalies.channels import Channel, moments_where
from analysis.anomalies.conditions import Conditions
from analysis.anomalies.idle import idle_roughness
from analysis.anomalies.mixture import trim_sum
from analysis.engine import lasting
from analysis.results.anomalies import Limits

TRIM_LIMIT = 10.0
"""Short and long trim together: within 10 % is usual, beyond it codes P0171 to P0175 mature."""
CHARGE_V = (12.8, 15.2)
HOTTEST_C = 106.0
COLDEST_WARM_C = 71.0
_WARMED_UP_S = 900.0
_WARMED_UP_LEAN_S = 1500.0
_NORMAL_C = 88.0
_CHARGED_V = 14.0
_ROUGH_RPM = 40.0
_IDLE_RPM = 1150.0


def rule_channels(conditions: Conditions) -> Iterator[Channel]:
    """Yield the checks this session's signals allow."""
    for bank in ("1", "2"):
        yield from _trim(conditions, bank)
    yield from _charging(conditions)
    yield from _overheating(conditions)
    yield from _too_cold(conditions)
    yield from _rough_idle(conditions)
    yield from _high_idle(conditions)


def _trim(conditions: Conditions, bank: str) -> Iterator[Channel]:
    total = trim_sum(conditions, bank)
    if total is None:
        return
    yield Channel(
        name=f"fuel trim bank {bank}",
        signal=f"long_fuel_trim_{bank}",
        kind="mixture",
        deviation=moments_where(total, conditions.closed_loop),
        unit="%",
        limits=[Limits(averaged_s=30, below=TRIM_LIMIT, above=TRIM_LIMIT)],
        expected=f"short and long trim together within ±{TRIM_LIMIT:g} %",
        explanation=(
            "In closed loop, warm, the mixture is corrected by {value:+.1f} % ({times}): {direction} the usual band "
            "by more than sensor tolerance. Above: air or fuel is missing in the account (leak after the air meter, "
            "low fuel pressure, dirty air meter); below: too much fuel."
        ),
        lasting_s=5,
        shown=total,
    )


def _charging(conditions: Conditions) -> Iterator[Channel]:
    name = conditions.timeline.first_of("control_module_voltage", "elm_voltage")
    if name is None or "running" in conditions.engine.why_not:
        return
    charging = conditions.settled & (conditions.engine.rpm > 1000)
    yield Channel(
        name="charging voltage",
        signal=name,
        kind="level",
        deviation=moments_where(conditions.timeline.held(name) - _CHARGED_V, charging),
        unit="V",
        limits=[Limits(averaged_s=30, below=_CHARGED_V - CHARGE_V[0], above=CHARGE_V[1] - _CHARGED_V)],
        expected=f"{CHARGE_V[0]} to {CHARGE_V[1]} V above 1000 rpm",
        explanation="The supply lies at {value:.2f} V while the engine turns above 1000 rpm ({times}).",
        lasting_s=10,
    )


def _overheating(conditions: Conditions) -> Iterator[Channel]:
    if not conditions.timeline.has("coolant_temp"):
        return
    coolant = conditions.timeline.held("coolant_temp")
    yield Channel(
        name="coolant too hot",
        signal="coolant_temp",
        kind="level",
        deviation=coolant - _NORMAL_C,
        unit="°C",
        limits=[Limits(averaged_s=5, below=np.inf, above=HOTTEST_C - _NORMAL_C)],
        expected=f"below {HOTTEST_C:g} °C",
        explanation="Coolant reaches {value:.0f} °C ({times}).",
    )


def _too_cold(conditions: Conditions) -> Iterator[Channel]:
    timeline, engine = conditions.timeline, conditions.engine
    if not timeline.has("coolant_temp") or "running" in engine.why_not:
        return
    coolant = timeline.held("coolant_temp")
    enough_s = _WARMED_UP_LEAN_S if conditions.unthrottled else _WARMED_UP_S
    long_run = engine.running & (engine.running_s >= enough_s)
    once_warm = engine.running & conditions.lately(
        lasting(engine.running & (coolant >= 80), 10.0, timeline.step_s), 600.0
    )
    yield Channel(
        name="coolant too cold",
        signal="coolant_temp",
        kind="level",
        deviation=moments_where(coolant - _NORMAL_C, long_run | once_warm),
        unit="°C",
        limits=[Limits(averaged_s=0, below=_NORMAL_C - COLDEST_WARM_C, above=np.inf)],
        expected=f"at least {COLDEST_WARM_C:g} °C after {enough_s / 60:.0f} min of running",
        explanation="Coolant is at only {value:.0f} °C in a long-running engine ({times}); cold starts do not count.",
        lasting_s=30,
    )


def _rough_idle(conditions: Conditions) -> Iterator[Channel]:
    if "idle" in conditions.engine.why_not or "running" in conditions.engine.why_not:
        return
    yield Channel(
        name="rough idle",
        signal="rpm",
        kind="roughness",
        deviation=idle_roughness(conditions),
        unit="rpm",
        limits=[Limits(averaged_s=10, below=np.inf, above=_ROUGH_RPM)],
        expected=f"rpm steady within {_ROUGH_RPM:g} rpm (as a standard deviation over 8 s) at warm idle",
        explanation="At warm idle rpm scatters by {deviation:.0f} rpm around {value:.0f} rpm ({times}).",
        lasting_s=5,
    )


def _high_idle(conditions: Conditions) -> Iterator[Channel]:
    if "idle" in conditions.engine.why_not or "running" in conditions.engine.why_not:
        return
    usual = 800.0
    yield Channel(
        name="high idle",
        signal="rpm",
        kind="level",
        deviation=moments_where(conditions.engine.rpm - usual, conditions.settled_idle),
        unit="rpm",
        limits=[Limits(averaged_s=20, below=usual - 450, above=_IDLE_RPM - usual)],
        expected=f"450 to {_IDLE_RPM:g} rpm at warm idle",
        explanation="At warm idle the engine turns at {value:.0f} rpm ({times}).",
        lasting_s=10,
    )
