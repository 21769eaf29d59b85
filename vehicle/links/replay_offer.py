"""Which recorded signals can travel as answers to requests, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from vehicle.diagnostics.readiness import SINCE_CLEAR, THIS_DRIVE
from vehicle.links.recording import Recording, Track
from vehicle.poller.support import BITMAPS, RANGE
from vehicle.signals import SIGNALS, NotEncodableError, encode_mode01, signals_of_pid

VOLTAGE = "elm_voltage"

# Their four bytes are read as they are: all of them must be true.
_READ_WHOLE = (SINCE_CLEAR, THIS_DRIVE)


class Part(NamedTuple):
    """What one ECU has for one parameter: the tracks, and signals of the same bytes that were never recorded."""

    tracks: Sequence[Track]
    unsaid: frozenset[str] = frozenset()

    def encoded(self, pid: int, at_us: float) -> bytes:
        """Return the bytes of a moment; empty where no value holds. Raises NotEncodableError."""
        values = held(self.tracks, at_us)
        return encode_mode01(pid, values, self.unsaid) if values else b""


class Offer(NamedTuple):
    """What is behind each parameter of each ECU, and why a signal cannot be told, or not be believed."""

    by_ecu: Mapping[str, Mapping[int, Part]]
    withheld: Mapping[str, str]


def offer(recording: Recording) -> Offer:
    """Try the recorded signals out: offered is what bytes say truly, over the whole range recorded."""
    by_ecu: dict[str, dict[int, Part]] = {}
    withheld: dict[str, str] = {}
    recorded = {name for tracks in recording.tracks.values() for name in tracks}
    for ecu, tracks in recording.tracks.items():
        by_ecu[ecu] = {}
        for pid, together in _by_parameter(tracks.values(), withheld).items():
            part = Part(together)
            problem = _unsayable(pid, part)
            if problem and pid not in _READ_WHOLE:
                part = Part(together, frozenset(one.name for one in signals_of_pid(pid)) - recorded)
                problem = _unsayable(pid, part)
            if problem:
                withheld |= {track.signal: problem for track in together}
            else:
                by_ecu[ecu][pid] = part
                withheld |= dict.fromkeys(part.unsaid, f"{recording.name} holds no value of it")
    offered = {track.signal for parts in by_ecu.values() for part in parts.values() for track in part.tracks}
    return Offer(by_ecu, {name: why for name, why in withheld.items() if name not in offered})


def _by_parameter(tracks: Iterable[Track], withheld: dict[str, str]) -> dict[int, list[Track]]:
    """Group tracks by the parameter that carries them; those that none carries are withheld."""
    found: dict[int, list[Track]] = {}
    for track in tracks:
        pid, problem = _parameter(track)
        if problem:
            withheld[track.signal] = problem
        elif pid is not None:
            found.setdefault(pid, []).append(track)
    return found


def _parameter(track: Track) -> tuple[int | None, str]:
    """Return the parameter of service 01 that carries a signal, or why none does; neither for the voltage."""
    signal = SIGNALS.get(track.signal)
    if track.signal == VOLTAGE:
        return None, ""
    if signal is None or signal.service != 1 or signal.pid is None:
        return None, "no standard request carries it, so it cannot be replayed"
    if track.unit != signal.unit:
        return None, f"recorded in {track.unit or 'no unit'}, and requests carry it in {signal.unit}"
    return signal.pid, ""


def _unsayable(pid: int, part: Part) -> str:
    """Say why a parameter's recorded values cannot be told truly, trying the ends of what each signal was."""
    problem, said = "", False
    for at_us in _telling_moments(part.tracks):
        try:
            said = bool(part.encoded(pid, at_us)) or said
        except NotEncodableError as error:
            problem = error.message
            if len(held(part.tracks, at_us)) == len(part.tracks):
                return problem
    return "" if said else problem


def _telling_moments(tracks: Sequence[Track]) -> Iterator[float]:
    for track in tracks:
        low, high = min(track.values), max(track.values)
        for place in (0, track.values.index(low), track.values.index(high), len(track.values) - 1):
            yield track.times_us[place]


def held(tracks: Sequence[Track], at_us: float) -> dict[str, float]:
    """Return the values that hold at a time, by signal."""
    places = ((track, track.place(at_us)) for track in tracks)
    return {track.signal: track.values[place] for track, place in places if place is not None}


def bitmap(pids: Sequence[int], start: int) -> bytes | None:
    """Return the four bytes that say which parameters after `start` there are; None where none comes after."""
    if not any(pid > start for pid in pids):
        return None
    having = {pid for pid in pids if start < pid <= start + RANGE}
    if any(pid > start + RANGE for pid in pids) and start + RANGE in BITMAPS:
        having.add(start + RANGE)
    return sum(1 << (start + RANGE - pid) for pid in having).to_bytes(4, "big")
