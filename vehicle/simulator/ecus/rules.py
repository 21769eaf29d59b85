"""When the ECU calls something a fault: one rule per trouble code, over what its monitors measured.

Limits are of the size makers publish for such monitors; they are this car's calibration, nobody else's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from vehicle.simulator.ecus.watch import Watch
from vehicle.simulator.physics.state import CLOSED_LOOP, State

TRIM_LIMIT_PCT = 20.0
CATALYST_RATIO_LIMIT = 0.45
OXYGEN_PERIOD_LIMIT_S = 2.6
MISFIRE_LIMIT_PCT = 2.0
VOLTAGE_LIMIT = 12.2
RAIL_LIMIT_KPA = 300.0
HOT_LIMIT_C = 112.0
MAF_LIMIT = 0.12
STUCK_SPAN_C = 0.3


class Verdict(Enum):
    """What a rule says of the present moment."""

    IDLE = "not tested now"
    PASS = "tested and good"  # noqa: S105  # a verdict, no secret
    FAIL = "tested and bad"


Test = Callable[[State, Watch], Verdict]


@dataclass(frozen=True, slots=True)
class Rule:
    """A trouble code, its test, and how long it has to fail to be pending and then confirmed.

    The test runs once a second and the times are seconds; a rule with a `window` is tested once per finished
    window of that kind and its times count windows.
    `split` keeps idling and driving apart, as makers' trim cells do.
    """

    code: str
    test: Test
    pending: float
    confirmed: float
    window: str = ""
    split: bool = False


def _judge(enabled: bool, failing: bool) -> Verdict:
    if not enabled:
        return Verdict.IDLE
    return Verdict.FAIL if failing else Verdict.PASS


def _trims_enabled(s: State, w: Watch) -> bool:
    return s.fuel_status == CLOSED_LOOP and s.coolant_read > 62.0 and w.closed_loop_s > 30.0


def _thermostat(s: State, w: Watch) -> Verdict:
    """Judge once the air burnt should have warmed the coolant to its regulating temperature."""
    start = w.start_coolant_c
    if start is None or not -8.0 <= start <= 63.0:
        return Verdict.IDLE
    stuck = w.coolant_span_c is not None and w.coolant_span_c < STUCK_SPAN_C
    due = w.air_kg > 0.075 * (88.0 - start)
    if s.coolant_read >= 75.0:
        return Verdict.PASS
    return _judge(due and not stuck, s.coolant_read < 74.0)


def _misfiring(cylinder: int | None) -> Test:
    """Judge one cylinder, or several at once (None): P0300 is for more than one cylinder."""

    def test(_: State, w: Watch) -> Verdict:
        window = w.misfire
        if window is None:
            return Verdict.IDLE
        share = window.share_pct
        if cylinder is not None:
            share *= window.counts[cylinder] / max(sum(window.counts), 1)
            return _judge(True, share > MISFIRE_LIMIT_PCT * 0.6)
        several = sum(count > 0.1 * sum(window.counts) for count in window.counts) > 1
        return _judge(True, share > MISFIRE_LIMIT_PCT and several)

    return test


def _period_too_long(_: State, w: Watch) -> Verdict:
    seen = w.oxygen
    return _judge(seen is not None, seen is not None and seen.period_s > OXYGEN_PERIOD_LIMIT_S)


def _catalyst_spent(_: State, w: Watch) -> Verdict:
    seen = w.oxygen
    return _judge(seen is not None, seen is not None and seen.path_ratio > CATALYST_RATIO_LIMIT)


def _coolant_stuck(_: State, w: Watch) -> Verdict:
    span = w.coolant_span_c
    return _judge(span is not None, span is not None and span < STUCK_SPAN_C)


def _air_flow(s: State, w: Watch) -> Verdict:
    return _judge(s.maf_read > 10.0 and not s.fuel_cut, abs(w.maf_error) > MAF_LIMIT)


def _lean(s: State, w: Watch) -> Verdict:
    return _judge(_trims_enabled(s, w), w.trim_pct > TRIM_LIMIT_PCT)


def _rich(s: State, w: Watch) -> Verdict:
    return _judge(_trims_enabled(s, w), w.trim_pct < -TRIM_LIMIT_PCT)


def _rail_low(s: State, _: Watch) -> Verdict:
    return _judge(s.run_time_s > 5.0, s.rail_read < RAIL_LIMIT_KPA)


def _too_hot(s: State, _: Watch) -> Verdict:
    return _judge(s.running, s.coolant_read > HOT_LIMIT_C)


def _voltage_low(s: State, _: Watch) -> Verdict:
    return _judge(s.run_time_s > 20.0, s.volts_read < VOLTAGE_LIMIT)


RULES: tuple[Rule, ...] = (
    Rule("P0087", _rail_low, 15.0, 60.0),
    Rule("P0101", _air_flow, 30.0, 120.0),
    Rule("P0116", _coolant_stuck, 1.0, 2.0, window="coolant"),
    Rule("P0128", _thermostat, 5.0, 120.0),
    Rule("P0133", _period_too_long, 1.0, 2.0, window="oxygen"),
    Rule("P0171", _lean, 25.0, 90.0, split=True),
    Rule("P0172", _rich, 25.0, 90.0, split=True),
    Rule("P0217", _too_hot, 10.0, 45.0),
    Rule("P0300", _misfiring(None), 2.0, 5.0, window="misfire"),
    Rule("P0301", _misfiring(0), 2.0, 5.0, window="misfire"),
    Rule("P0302", _misfiring(1), 2.0, 5.0, window="misfire"),
    Rule("P0303", _misfiring(2), 2.0, 5.0, window="misfire"),
    Rule("P0304", _misfiring(3), 2.0, 5.0, window="misfire"),
    Rule("P0420", _catalyst_spent, 1.0, 2.0, window="oxygen"),
    Rule("P0562", _voltage_low, 45.0, 150.0),
)
