"""From replies to values by signal, and which signals an ECU marks as not fitted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from vehicle.elm327.outcomes import Reply
from vehicle.errors import CarError
from vehicle.poller.plan import Question
from vehicle.signals import Signal, decode_mode01, decode_signal, split_mode01

_VOLTS = re.compile(r"(\d+\.\d+)\s*V?")
# So many answers without a value: the ECU has the parameter and not this part of it.
_SILENT_ANSWERS = 3

Found = tuple[str, int, dict[str, float]]


def values_in(question: Question, reply: Reply) -> Iterator[Found]:
    """Yield (ecu, pid, values by signal) for each parameter in a reply; what cannot be decoded is left out.

    Answers of ECUs the question was not for are left out as well.
    """
    if question.command:
        volts = _VOLTS.search(reply.raw)
        if volts and question.signal:
            yield "", -1, {question.signal.name: float(volts[1])}
        return
    for ecu, data in reply.answers:
        # outside CAN everybody answers, and each ECU is asked for its own
        if question.pids and ecu != question.ecu:
            continue
        try:
            yield from _decoded(question, ecu, data)
        except CarError:  # length or formula: no value; the poller sees it as missing
            continue


def _decoded(question: Question, ecu: str, data: bytes) -> Iterator[Found]:
    if question.signal is not None:
        value = decode_signal(question.signal, data[len(question.payload) :])
        yield ecu, -1, {} if value is None else {question.signal.name: value}
        return
    parts = split_mode01(data[1:], question.pids) if len(question.pids) > 1 else [(data[1], data[2:])]
    for pid, body in parts:
        yield ecu, pid, decode_mode01(pid, body)


class Undecided:
    """Signals whose parameter answers and which have not shown a value yet."""

    def __init__(self) -> None:
        self._counts: dict[int, dict[str, int]] = {}
        self._decided: set[str] = set()

    def expect(self, signals: Iterable[Signal]) -> None:
        """Begin to look at these signals."""
        self._counts.clear()
        for signal in signals:
            if signal.service == 1 and signal.pid is not None and signal.name not in self._decided:
                self._counts.setdefault(signal.pid, {})[signal.name] = 0

    def decide(self, pid: int, found: Mapping[str, float], ecu: str) -> dict[str, str]:
        """Take in an answer; returns the signals now known to be not fitted, with the reason."""
        counts = self._counts.get(pid)
        if not counts:
            return {}
        absent = {}
        for name in list(counts):
            counts[name] += 1
            if name in found or counts[name] >= _SILENT_ANSWERS:
                del counts[name]
                self._decided.add(name)
                if name not in found:
                    absent[name] = (
                        f"{ecu or 'the ECU'} answers PID {pid:02X} and marks this part as not there"
                    )
        return absent
