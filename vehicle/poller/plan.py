"""From wanted signals to requests: which ECU, which parameters together, how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vehicle.elm327.protocols import ecu_of_header
from vehicle.signals import SIGNALS, Signal, find_signal
from vehicle.signals.table import load_pids

PERIODS_S = {"fast": 0.0, "slow": 1.0, "rare": 60.0}
STEPS = (6, 3, 1)
VOLTAGE = "elm_voltage"


@dataclass(frozen=True, slots=True)
class Wish:
    """A signal wanted, of one ECU where one was named (`rpm@7E9`)."""

    signal: Signal
    ecu: str = ""


@dataclass(slots=True)
class Question:
    """One request asked again and again; `signal` is set for those of a user's file."""

    payload: bytes
    ecu: str
    period_s: float
    pids: tuple[int, ...] = ()
    signal: Signal | None = None
    command: str = ""
    due_s: float = 0.0
    failures: int = 0
    in_flight: int = 0
    proven: bool = False
    missing: dict[int, int] = field(default_factory=dict)

    @property
    def names(self) -> str:
        """The request in words, for reasons."""
        return self.command or f"{self.payload.hex().upper()} of {self.ecu or 'all ECUs'}"


def read_wishes(signals: Iterable[str] | None, custom: Mapping[str, Signal]) -> list[Wish] | None:
    """Look the names up (`rpm`, `rpm@7E9`, names of a user's file); None stays None: everything there is.

    Raises UnknownSignalError.
    """
    if signals is None:
        return None
    wishes = []
    for text in signals:
        name, _, ecu = text.partition("@")
        wishes.append(Wish(custom.get(name) or find_signal(name), ecu.upper()))
    return list(dict.fromkeys(wishes))


def everything(support: Mapping[str, frozenset[int]], custom: Mapping[str, Signal]) -> list[Wish]:
    """Return every standard signal some ECU lists, and a user's own."""
    listed = frozenset().union(*support.values())
    standard = [Wish(signal) for signal in SIGNALS.values() if signal.service == 1 and signal.pid in listed]
    return standard + [Wish(signal) for signal in custom.values()]


def ecu_for(wish: Wish, support: Mapping[str, frozenset[int]]) -> str | None:
    """Return the ECU to ask: the one named, or of those that list the parameter the one that lists most."""
    pid = wish.signal.pid
    having = [ecu for ecu, pids in support.items() if pid in pids and wish.ecu in ("", ecu)]
    return max(having, key=lambda ecu: len(support[ecu]), default=None)


def make_plan(
    wishes: Sequence[Wish],
    support: Mapping[str, frozenset[int]],
    limit: int,
    dropped: Mapping[str, str],
    *,
    every_round: bool = False,
) -> tuple[list[Question], dict[str, str]]:
    """Return the questions to ask, and why each signal without one cannot be read."""
    unsupported = dict(dropped)
    questions: list[Question] = []
    batches: dict[tuple[str, str], dict[int, None]] = {}
    for wish in wishes:
        signal = wish.signal
        if signal.name in dropped:
            continue
        if signal.name == VOLTAGE:
            questions.append(Question(b"", "", PERIODS_S["slow"], command="ATRV", signal=signal))
        elif signal.service is None or signal.pid is None:
            unsupported[signal.name] = "no request to a car reads it"
        elif signal.service != 1 or signal.header:
            questions.append(_own_question(wish, support))
        elif (ecu := ecu_for(wish, support)) is None:
            who = f"{wish.ecu} does not list" if wish.ecu else "no ECU lists"
            unsupported[signal.name] = f"{who} PID {signal.pid:02X}"
        else:
            batches.setdefault((ecu, "fast" if every_round else signal.rate), {})[signal.pid] = None
    for (ecu, rate), pids in _quickest_once(batches).items():
        questions += _batched(ecu, rate, list(pids), limit)
    return questions, unsupported


def _quickest_once(
    batches: Mapping[tuple[str, str], dict[int, None]],
) -> dict[tuple[str, str], dict[int, None]]:
    """Leave out of the slower batches what a faster one asks anyway."""
    asked: set[tuple[str, int]] = set()
    found: dict[tuple[str, str], dict[int, None]] = {}
    for (ecu, rate), pids in sorted(batches.items(), key=lambda item: PERIODS_S[item[0][1]]):
        found[ecu, rate] = {pid: None for pid in pids if (ecu, pid) not in asked}
        asked |= {(ecu, pid) for pid in pids}
    return found


def _batched(ecu: str, rate: str, pids: list[int], limit: int) -> list[Question]:
    """Form batches; parameters of unknown length are asked alone, as their answers could not be taken apart."""
    known = [pid for pid in pids if pid in load_pids()]
    groups = [known[start : start + limit] for start in range(0, len(known), limit)]
    groups += [[pid] for pid in pids if pid not in load_pids()]
    return [Question(bytes([0x01, *group]), ecu, PERIODS_S[rate], tuple(group)) for group in groups]


def _own_question(wish: Wish, support: Mapping[str, frozenset[int]]) -> Question:
    signal = wish.signal
    ecu = wish.ecu or ecu_of_header(signal.header) or next(iter(support), "")
    return Question(bytes.fromhex(signal.request), ecu, PERIODS_S[signal.rate], signal=signal)


def next_step(limit: int) -> int:
    """Return the batch size to try where `limit` does not work."""
    return next((step for step in STEPS if step < limit), 1)
