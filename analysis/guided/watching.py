"""Watches readings come in and says which step is done, what is seen and what is still wanted; no clock of its own."""

from collections import deque
from collections.abc import Collection
from statistics import median
from typing import Literal

from analysis.guided.steps import Bound, Procedure, Step
from analysis.results.guided import GuidedPhase

State = Literal["watching", "done", "out of time"]
# A condition lost for less than this is a stray reading.
_STRAY_S = 0.7
_RECENT_S = 1.5
# Nothing read for so long: what was held may not be held any more.
_SILENT_S = 15.0


class Watch:
    """The progress of one test over the times of its readings, in seconds of the car's session."""

    def __init__(self, procedure: Procedure, signals: Collection[str]) -> None:
        self.phases: list[GuidedPhase] = []
        self.state: State = "watching"
        self._steps = procedure.steps
        self._signals = frozenset(signals)
        self._number = 0
        self._asked_s: float | None = None
        self._since_s: float | None = None
        self._lost_s: float | None = None
        self._now_s = 0.0
        self._read_s = 0.0
        self._recent: dict[str, deque[tuple[float, float]]] = {}
        self._before: dict[str, float] = {}
        self._baseline: dict[str, list[float]] = {}

    @property
    def step(self) -> Step:
        """The step asked for now, or the last one."""
        return self._steps[min(self._number, len(self._steps) - 1)]

    @property
    def share(self) -> float:
        """How much of the test is done, 0 to 1."""
        held = 0.0
        if self._since_s is not None and self.state == "watching":
            held = min(1.0, (self._now_s - self._since_s) / max(self.step.settle_s + self.step.hold_s, 0.1))
        return (self._number + held) / len(self._steps)

    def see(self, time_s: float, signal: str, value: float) -> None:
        """Take in one reading and move on where the step is done or its time is over."""
        self._read_s = max(self._read_s, time_s)
        recent = self._recent.setdefault(signal, deque())
        recent.append((time_s, value))
        while recent[0][0] < time_s - _RECENT_S:
            recent.popleft()
        if self.state == "watching":
            self.pass_time(time_s)
        if self.state == "watching":
            self._look(time_s, signal, value)

    def pass_time(self, time_s: float) -> None:
        """Note that it is `time_s`, so that silence does not last for ever."""
        self._now_s = max(self._now_s, time_s)
        if self._asked_s is None:
            self._asked_s = time_s
        if self._now_s - self._read_s > _SILENT_S:
            self._drop_hold()
        holding = self._since_s is not None
        if self.state == "watching" and not holding and self._now_s - self._asked_s > self.step.limit_s:
            self.state = "out of time"

    def words(self) -> str:
        """Say what is asked, what is seen now and what is wanted."""
        if self.state == "done":
            return "All steps are done."
        step = self.step
        seen = ", ".join(self._seen(bound) for bound in self._bounds(step))
        wanted = ", ".join(bound.wanted for bound in self._bounds(step))
        if step.changes:
            wanted += ", and a change of " + " or ".join(
                f"{one.signal} by {one.by:+g} {one.unit}"
                for one in step.changes
                if one.signal in self._signals
            )
        text = f"{step.ask} Now {seen or 'nothing yet'}; wanted {wanted}"
        if self._since_s is None:
            return text + "."
        return f"{text}; held {self._now_s - self._since_s:.0f} of {step.settle_s + step.hold_s:.0f} s."

    def _bounds(self, step: Step) -> list[Bound]:
        return [bound for bound in step.bounds if bound.signal in self._signals]

    def _seen(self, bound: Bound) -> str:
        recent = self._recent.get(bound.signal)
        return (
            f"{bound.signal} {recent[-1][1]:,.4g} {bound.unit}" if recent else f"{bound.signal} not read yet"
        )

    def _look(self, time_s: float, signal: str, value: float) -> None:
        step = self.step
        if not self._met(step):
            if self._since_s is not None:
                self._lost_s = time_s if self._lost_s is None else self._lost_s
                if time_s - self._lost_s > _STRAY_S:
                    self._drop_hold()
            return
        self._lost_s = None
        if self._since_s is None:
            self._since_s = time_s
        if time_s >= self._since_s + step.settle_s:
            self._baseline.setdefault(signal, []).append(value)
        if time_s - self._since_s >= step.settle_s + step.hold_s:
            self._finish(step, time_s)

    def _drop_hold(self) -> None:
        self._since_s = self._lost_s = None
        self._baseline.clear()

    def _met(self, step: Step) -> bool:
        for bound in self._bounds(step):
            recent = self._recent.get(bound.signal)
            if not recent or not bound.met(recent[-1][1]):
                return False
        if not step.changes or self._since_s is not None:  # what was switched on stays on
            return True
        return any(
            one.met(self._before[one.signal], median(value for _, value in self._recent[one.signal]))
            for one in step.changes
            if one.signal in self._before
        )

    def _finish(self, step: Step, time_s: float) -> None:
        start_s = (self._since_s or 0.0) + step.settle_s if step.hold_s else self._asked_s or 0.0
        self.phases.append(GuidedPhase(step=step.key, start_s=start_s, end_s=time_s))
        self._before = {name: median(values) for name, values in self._baseline.items()}
        self._baseline = {}
        self._number += 1
        self._asked_s, self._since_s, self._lost_s = time_s, None, None
        if self._number == len(self._steps):
            self.state = "done"
