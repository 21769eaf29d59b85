"""Freeze frames: the conditions each ECU kept when a code came (service 02, always with a frame number)."""

from __future__ import annotations

from vehicle.diagnostics.asking import absences, ask
from vehicle.diagnostics.models import Absence, FreezeFrame, FreezeFrameReport, FrozenValue
from vehicle.diagnostics.trouble_codes import code_text
from vehicle.errors import CarError
from vehicle.links.link import Link
from vehicle.poller.support import BITMAPS, RANGE, pids_of
from vehicle.signals import SIGNALS, decode_mode01

FREEZE = 0x02
CODE_PID = 0x02


def read_freeze_frames(link: Link, frame: int = 0) -> FreezeFrameReport:
    """Read the freeze frame of every ECU that keeps one; raises CannotConnectError."""
    reply = ask(link, bytes([FREEZE, CODE_PID, frame]))
    frames: list[FreezeFrame] = []
    empty: list[str] = []
    absent: list[Absence] = []
    whole = [answer for answer in reply.answers if len(answer.data) == 5]
    absent += absences(link, "freeze frame", reply, (answer.ecu for answer in whole))
    for ecu, data in whole:
        if data[3:] == b"\0\0":
            empty.append(ecu)
            continue
        values = _read_values(link, ecu, frame, absent)
        frames.append(FreezeFrame(ecu=ecu, frame=frame, code=code_text(data[3:]), values=values))
    return FreezeFrameReport(frames=frames, empty=empty, absent=absent)


def _read_values(link: Link, ecu: str, frame: int, absent: list[Absence]) -> list[FrozenValue]:
    found: list[FrozenValue] = []
    for pid in sorted(_kept(link, ecu, frame) - BITMAPS - {CODE_PID}):
        reply = ask(link, bytes([FREEZE, pid, frame]), ecu)
        answer = next((data for source, data in reply.answers if source == ecu), None)
        what = f"freeze frame PID {pid:02X}"
        if answer is None:
            absent.append(Absence(what=what, ecu=ecu, reason=reply.reason))
            continue
        try:
            values = decode_mode01(pid, answer[3:])
        except CarError as error:
            absent.append(Absence(what=what, ecu=ecu, reason=error.message))
            continue
        found += [
            FrozenValue(signal=name, value=value, unit=SIGNALS[name].unit) for name, value in values.items()
        ]
    return found


def _kept(link: Link, ecu: str, frame: int) -> set[int]:
    """Return which parameters the frame holds, by its own bitmaps."""
    kept: set[int] = set()
    for start in range(0, 0x100, RANGE):
        if start and start not in kept:
            break
        reply = ask(link, bytes([FREEZE, start, frame]), ecu)
        for source, data in reply.answers:
            if source == ecu and len(data) == 7:
                kept |= pids_of(start, data[3:])
    return kept
