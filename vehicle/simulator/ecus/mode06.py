"""Results of the on-board monitoring tests, as service 06 reports them on CAN (SAE J1979 appendix D to F)."""

from dataclasses import dataclass

from vehicle.simulator.ecus.rules import (
    CATALYST_RATIO_LIMIT,
    MISFIRE_LIMIT_PCT,
    OXYGEN_PERIOD_LIMIT_S,
    TRIM_LIMIT_PCT,
)
from vehicle.simulator.ecus.watch import Watch

# unit-and-scaling identifiers: (scale, signed)
_SCALES = {
    0x0A: (0.122e-3, False),  # V
    0x10: (0.001, False),  # s
    0x20: (0.00390625, False),  # ratio
    0x24: (1.0, False),  # count
    0x2F: (0.01, False),  # %
    0xAF: (0.01, True),  # %
}
# monitor and test ids with their unit-and-scaling id and limits
_TESTS: dict[tuple[int, int], tuple[int, float, float]] = {
    (0x01, 0x07): (0x0A, 0.0, 0.35),
    (0x01, 0x08): (0x0A, 0.55, 1.1),
    (0x01, 0x0A): (0x10, 0.0, OXYGEN_PERIOD_LIMIT_S),
    (0x02, 0x07): (0x0A, 0.0, 0.75),
    (0x02, 0x08): (0x0A, 0.45, 1.1),
    (0x21, 0x80): (0x20, 0.0, CATALYST_RATIO_LIMIT),
    (0x81, 0x80): (0xAF, -TRIM_LIMIT_PCT, TRIM_LIMIT_PCT),
    (0xA1, 0x0B): (0x24, 0.0, 65535.0),
    (0xA1, 0x0C): (0x24, 0.0, 65535.0),
    (0xA1, 0x80): (0x2F, 0.0, MISFIRE_LIMIT_PCT),
    **{(0xA2 + cylinder, test): (0x24, 0.0, 65535.0) for cylinder in range(4) for test in (0x0B, 0x0C)},
}
MONITOR_IDS = frozenset(monitor for monitor, _ in _TESTS)


@dataclass(frozen=True, slots=True)
class Result:
    """One test's last value with its limits, in the units of its scaling id."""

    test: int
    scaling: int
    value: float
    low: float
    high: float

    def encode(self) -> bytes:
        """Return the eight bytes after the monitor id: test, scaling, value, minimum, maximum."""
        scale, signed = _SCALES[self.scaling]
        low, high = (-32768, 32767) if signed else (0, 65535)
        words = b"".join(
            min(max(round(number / scale), low), high).to_bytes(2, "big", signed=signed)
            for number in (self.value, self.low, self.high)
        )
        return bytes([self.test, self.scaling]) + words


class MonitorResults:
    """The last result of every test; tests that have not run since clearing report zeros."""

    def __init__(self) -> None:
        self._values: dict[tuple[int, int], float] = {}
        self._earlier_misfires = [0.0, 0.0, 0.0, 0.0]
        self._seen: dict[str, int] = {}

    def clear(self) -> None:
        """Forget all results."""
        self._values.clear()
        self._earlier_misfires = [0.0, 0.0, 0.0, 0.0]

    def of(self, monitor: int) -> list[Result]:
        """Return the results of one monitor id."""
        found = []
        for (owner, test), (scaling, low, high) in _TESTS.items():
            if owner == monitor:
                value = self._values.get((owner, test))
                found.append(
                    Result(test, scaling, 0.0, 0.0, 0.0)
                    if value is None
                    else Result(test, scaling, value, low, high)
                )
        return found

    def take(self, w: Watch) -> None:
        """Take over what the monitors have finished measuring."""
        if w.finished["oxygen"] != self._seen.get("oxygen"):
            self._seen["oxygen"] = w.finished["oxygen"]
            self._take_oxygen(w)
        if w.finished["misfire"] != self._seen.get("misfire"):
            self._seen["misfire"] = w.finished["misfire"]
            self._take_misfires(w)
        if w.closed_loop_s > 60.0:
            self._values[0x81, 0x80] = w.trim_pct

    def end_cycle(self, w: Watch) -> None:
        """Let this cycle's misfires enter the mean over driving cycles (J1979: 0.1 new + 0.9 old)."""
        for cylinder, count in enumerate(w.cycle_misfires):
            self._earlier_misfires[cylinder] = 0.1 * count + 0.9 * self._earlier_misfires[cylinder]
        self._seen.clear()

    def _take_oxygen(self, w: Watch) -> None:
        window = w.oxygen
        if window is None:
            return
        self._values[0x01, 0x07] = window.front_low_v
        self._values[0x01, 0x08] = window.front_high_v
        self._values[0x01, 0x0A] = window.period_s
        self._values[0x02, 0x07] = window.rear_low_v
        self._values[0x02, 0x08] = window.rear_high_v
        self._values[0x21, 0x80] = window.path_ratio

    def _take_misfires(self, w: Watch) -> None:
        window = w.misfire
        if window is None:
            return
        self._values[0xA1, 0x80] = max(window.share_pct, self._values.get((0xA1, 0x80), 0.0))
        self._values[0xA1, 0x0B] = sum(self._earlier_misfires)
        self._values[0xA1, 0x0C] = sum(w.cycle_misfires)
        for cylinder in range(4):
            self._values[0xA2 + cylinder, 0x0B] = self._earlier_misfires[cylinder]
            self._values[0xA2 + cylinder, 0x0C] = w.cycle_misfires[cylinder]
