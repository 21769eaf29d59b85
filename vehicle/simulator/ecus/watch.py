"""What the ECU's monitors measure while driving: windows and means over what the sensors say, never the truth."""

from dataclasses import dataclass, field

from vehicle.simulator.physics.air import air_flow_gps
from vehicle.simulator.physics.state import CLOSED_LOOP, State

WINDOW_S = 60.0
STUCK_WINDOW_S = 300.0
MISFIRE_WINDOW_REVS = 1000.0


@dataclass(slots=True)
class OxygenWindow:
    """One minute of steady closed-loop driving seen by both oxygen sensors."""

    seconds: float = 0.0
    switches: int = 0
    front_path_v: float = 0.0
    rear_path_v: float = 0.0
    front_low_v: float = 2.0
    front_high_v: float = 0.0
    rear_low_v: float = 2.0
    rear_high_v: float = 0.0

    @property
    def period_s(self) -> float:
        """Mean time of a full rich-lean-rich swing of the front sensor."""
        return 2.0 * self.seconds / max(self.switches, 1)

    @property
    def path_ratio(self) -> float:
        """How far the rear sensor's voltage travels for each volt the front sensor's does."""
        return self.rear_path_v / max(self.front_path_v, 0.1)


@dataclass(slots=True)
class MisfireWindow:
    """A thousand revolutions of counted misfires."""

    revs: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0, 0, 0, 0])

    @property
    def share_pct(self) -> float:
        """Misfires in per cent of all firings (two per revolution of a four-cylinder engine)."""
        return 100.0 * sum(self.counts) / max(2.0 * self.revs, 1.0)


@dataclass(slots=True)
class Watch:
    """Running measurements of this driving cycle; `oxygen` and `misfire` are the last complete windows."""

    start_coolant_c: float | None = None
    start_iat_c: float = 0.0
    air_kg: float = 0.0
    closed_loop_s: float = 0.0
    cruise_s: float = 0.0
    trim_pct: float = 0.0
    maf_error: float = 0.0
    oxygen: OxygenWindow | None = None
    misfire: MisfireWindow | None = None
    coolant_span_c: float | None = None
    finished: dict[str, int] = field(default_factory=lambda: {"oxygen": 0, "misfire": 0, "coolant": 0})
    cycle_misfires: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    _oxygen: OxygenWindow = field(default_factory=OxygenWindow)
    _misfire: MisfireWindow = field(default_factory=MisfireWindow)
    _front_v: float = 0.45
    _rear_v: float = 0.45
    _speed: float = 0.0
    _stuck_s: float = 0.0
    _coolant_low: float = 999.0
    _coolant_high: float = -99.0

    def step(self, s: State, dt: float) -> None:
        """Take in dt seconds of a running engine."""
        if self.start_coolant_c is None:
            self.start_coolant_c, self.start_iat_c = s.coolant_read, s.iat_read
        self.air_kg += 0.001 * s.maf_read * dt if not s.fuel_cut else 0.0
        if s.fuel_status == CLOSED_LOOP:
            self._watch_mixture(s, dt)
        self._watch_air(s, dt)
        self._watch_oxygen(s, dt)
        self._watch_misfires(s, dt)
        self._watch_coolant(s, dt)

    def _watch_mixture(self, s: State, dt: float) -> None:
        self.closed_loop_s += dt
        self.trim_pct += (s.stft_pct + s.ltft_pct - self.trim_pct) * dt / 6.0

    def _watch_air(self, s: State, dt: float) -> None:
        """Compare the air flow sensor with speed-density from the manifold pressure sensor."""
        if s.maf_read > 10.0 and not s.shifting:
            modelled = air_flow_gps(s.rpm_read, s.map_read, s.iat_read, s.baro_kpa)
            self.maf_error += (s.maf_read / modelled - 1.0 - self.maf_error) * dt / 8.0

    def _watch_oxygen(self, s: State, dt: float) -> None:
        front, rear = s.o2_front_v, s.o2_rear_v
        steady = s.speed_kmh > 40.0 and abs(s.speed_kmh - self._speed) < 0.4 * dt * 10.0
        self._speed = s.speed_kmh
        if steady and s.fuel_status == CLOSED_LOOP and s.catalyst_c > 450.0 and abs(s.stft_pct) < 20.0:
            w = self._oxygen
            w.seconds += dt
            self.cruise_s += dt
            w.switches += (front > 0.45) != (self._front_v > 0.45)
            w.front_path_v += abs(front - self._front_v)
            w.rear_path_v += max(0.0, abs(rear - self._rear_v) - 0.008)
            w.front_low_v, w.front_high_v = min(w.front_low_v, front), max(w.front_high_v, front)
            w.rear_low_v, w.rear_high_v = min(w.rear_low_v, rear), max(w.rear_high_v, rear)
            if w.seconds >= WINDOW_S:
                self.oxygen, self._oxygen = w, OxygenWindow()
                self.finished["oxygen"] += 1
        self._front_v, self._rear_v = front, rear

    def _watch_misfires(self, s: State, dt: float) -> None:
        w = self._misfire
        w.revs += s.rpm / 60.0 * dt
        if any(s.misfires):
            for cylinder, count in enumerate(s.misfires):
                w.counts[cylinder] += count
                self.cycle_misfires[cylinder] += count
        if w.revs >= MISFIRE_WINDOW_REVS:
            self.misfire, self._misfire = w, MisfireWindow()
            self.finished["misfire"] += 1

    def _watch_coolant(self, s: State, dt: float) -> None:
        self._stuck_s += dt
        self._coolant_low = min(self._coolant_low, s.coolant_read)
        self._coolant_high = max(self._coolant_high, s.coolant_read)
        if self._stuck_s >= STUCK_WINDOW_S:
            self.coolant_span_c = self._coolant_high - self._coolant_low
            self._stuck_s, self._coolant_low, self._coolant_high = 0.0, 999.0, -99.0
            self.finished["coolant"] += 1
