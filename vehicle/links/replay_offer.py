"""Which recorded signals can travel as answers to requests, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from vehicle.links.recording import Recording, Track
from vehicle.poller.support import BITMAPS, RANGE
from vehicle.signals import SIGNALS, NotEncodableError, encode_mode01

VOLTAGE = "elm_voltage"

Offered = Mapping[str, Mapping[int, Sequence[Track]]]


class Offer(NamedTuple):
    """The tracks behind each parameter of each ECU, and why a recorded signal is behind none."""

    by_ecu: Offered
    withheld: Mapping[str, str]


def offer(recording: Recording) -> Offer:
    """Try the recorded signals out: offered is what bytes say truly, over the whole range recorded."""
    by_ecu: dict[str, dict[int, list[Track]]] = {}
    withheld: dict[str, str] = {}
    for ecu, tracks in recording.tracks.items():
        fitting: dict[int, list[Track]] = {}
        for track in tracks.values():
            pid, problem = _parameter(track)
            if problem:
                withheld[track.signal] = problem
            elif pid is not None:
                fitting.setdefault(pid, []).append(track)
        for pid, together in fitting.items():
            if problem := _unsayable(pid, together):
                withheld |= {track.signal: problem for track in together}
        by_ecu[ecu] = {pid: some for pid, some in fitting.items() if some[0].signal not in withheld}
    offered = {track.signal for pids in by_ecu.values() for some in pids.values() for track in some}
    return Offer(by_ecu, {name: why for name, why in withheld.items() if name not in offered})


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


def _unsayable(pid: int, tracks: Sequence[Track]) -> str:
    """Say why a parameter's recorded values cannot be told truly, trying the ends of what each signal was."""
    problem, said = "", False
    for at_us in _telling_moments(tracks):
        values = held(tracks, at_us)
        try:
            encode_mode01(pid, values)
            said = True
        except NotEncodableError as error:
            problem = error.message
            if len(values) == len(tracks):
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
