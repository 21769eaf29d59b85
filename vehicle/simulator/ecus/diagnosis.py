"""On-board diagnosis: lets failures mature into pending, stored and permanent codes, and keeps the counters.

A real ECU confirms most codes in the next driving cycle. Here a failure that goes on is confirmed in the same
cycle as well, so that one recorded drive can show the whole story; a second failing cycle confirms at once.
"""

from dataclasses import dataclass, field

from vehicle.simulator.ecus.encode import PIDS, encode_pid
from vehicle.simulator.ecus.memory import Memory
from vehicle.simulator.ecus.mode06 import MonitorResults
from vehicle.simulator.ecus.readiness import MONITORS
from vehicle.simulator.ecus.rules import RULES, Rule, Verdict
from vehicle.simulator.ecus.watch import Watch
from vehicle.simulator.physics.state import State

PASSED_CYCLES_TO_HEAL = 3
_FROZEN = PIDS - {0x01, 0x13, 0x1C, 0x41}
_CHECK_STEPS = 10
_FIRST = ("P017", "P030")  # fuel and misfire codes take the freeze frame over from others


@dataclass(slots=True)
class Record:
    """How a rule has fared: failing time by region (idling, driving) in this cycle, and earlier cycles."""

    failing: list[float] = field(default_factory=lambda: [0.0, 0.0])
    failed: bool = False
    failed_before: bool = False
    passed: bool = False
    passed_cycles: int = 0
    windows_seen: int = 0


class Diagnosis:
    """The ECU's diagnostic executive; `step` belongs to every model step."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.watch = Watch()
        self.results = MonitorResults()
        self._records = {rule.code: Record() for rule in RULES}
        self._steps = 0
        self._distance_km = 0.0
        self._warm = False

    def step(self, s: State, dt: float) -> None:
        """Watch dt seconds; once a second judge, count and complete."""
        if s.running:
            self.watch.step(s, dt)
        self._steps += 1
        if self._steps % _CHECK_STEPS == 0:
            self._count(s, dt * _CHECK_STEPS)
            if s.running:
                self._check(s, dt * _CHECK_STEPS)

    def clear(self) -> None:
        """Forget codes, test results and readiness (service 04)."""
        self.memory.clear()
        self.results.clear()
        self._records = {rule.code: Record() for rule in RULES}
        start = (self.watch.start_coolant_c, self.watch.start_iat_c, self.watch.air_kg)
        self.watch = Watch()
        self.watch.start_coolant_c, self.watch.start_iat_c, self.watch.air_kg = start

    def end_cycle(self) -> None:
        """Close the driving cycle: heal what passed, and get ready for the next start."""
        for code, record in self._records.items():
            if record.passed and not record.failed:
                self._heal(code, record)
            healthy_cycles = 0 if record.failed else record.passed_cycles
            self._records[code] = Record(failed_before=record.failed, passed_cycles=healthy_cycles)
        self.results.end_cycle(self.watch)
        self.watch = Watch()
        self.memory.ready_this_drive = {}
        self.memory.ignition_cycles += 1
        self._warm = False

    def _heal(self, code: str, record: Record) -> None:
        m = self.memory
        record.passed_cycles += 1
        if code in m.pending:
            m.pending.remove(code)
        if record.passed_cycles >= PASSED_CYCLES_TO_HEAL or code not in m.stored:
            if code in m.permanent:
                m.permanent.remove(code)
            m.mil = m.mil and bool(m.permanent)

    def _check(self, s: State, seconds: float) -> None:
        region = 0 if s.speed_kmh < 3.0 else 1
        for rule in RULES:
            record = self._records[rule.code]
            lasting = seconds
            if rule.window:
                finished = self.watch.finished[rule.window]
                if finished == record.windows_seen:
                    continue
                record.windows_seen, lasting = finished, 1.0
            self._judge(s, rule, record, region if rule.split else 0, lasting)
        self._complete_monitors(s)
        self.results.take(self.watch)

    def _judge(self, s: State, rule: Rule, record: Record, region: int, lasting: float) -> None:
        verdict = rule.test(s, self.watch)
        if verdict is Verdict.PASS:
            record.passed = True
            record.failing[region] = max(0.0, record.failing[region] - lasting * 0.5)
        elif verdict is Verdict.FAIL:
            record.failing[region] += lasting
            if record.failing[region] >= rule.pending:
                self._mature(s, rule, record, record.failing[region] >= rule.confirmed)

    def _mature(self, s: State, rule: Rule, record: Record, lasted: bool) -> None:
        m, code = self.memory, rule.code
        if code not in m.pending:
            m.pending.append(code)
            self._freeze(s, code)
        record.failed = True
        if (lasted or record.failed_before) and code not in m.stored:
            m.stored.append(code)
            m.mil = True
            if code not in m.permanent:
                m.permanent.append(code)

    def _freeze(self, s: State, code: str) -> None:
        m = self.memory
        if m.freeze_code and (m.freeze_code[:4] in _FIRST or code[:4] not in _FIRST):
            return
        m.freeze_code = code
        m.freeze = {pid: encode_pid(pid, s, m) for pid in _FROZEN}

    def _count(self, s: State, seconds: float) -> None:
        m = self.memory
        driven, self._distance_km = s.distance_km - self._distance_km, s.distance_km
        m.distance_since_clear_km += driven
        if s.running:
            m.minutes_since_clear += seconds / 60.0
        if m.mil:
            m.distance_with_mil_km += driven
            m.minutes_with_mil += seconds / 60.0 if s.running else 0.0
        start = self.watch.start_coolant_c
        if not self._warm and start is not None and s.coolant_read > max(71.0, start + 22.0):
            self._warm = True
            m.warmups_since_clear = min(m.warmups_since_clear + 1, 255)

    def _complete_monitors(self, s: State) -> None:
        done = self.memory.ready_this_drive
        if len(done) == len(MONITORS):
            return
        w = self.watch
        start = w.start_coolant_c
        cold_start = start is not None and start < 35.0 and abs(start - w.start_iat_c) < 8.0
        reached = {
            "components": s.run_time_s > 10.0,
            "oxygen_sensor_heater": s.run_time_s > 75.0,
            "misfire": w.misfire is not None,
            "fuel_system": w.closed_loop_s > 120.0 and s.coolant_read > 62.0,
            "oxygen_sensor": w.oxygen is not None,
            "catalyst": w.oxygen is not None and w.cruise_s > 90.0,
            "evaporative": cold_start and s.run_time_s > 600.0 and w.cruise_s > 120.0,
        }
        for name, yes in reached.items():
            if yes and name not in done:
                self.memory.complete(name)
