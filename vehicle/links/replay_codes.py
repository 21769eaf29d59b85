"""Trouble codes and freeze frames of a recording, as bytes of the services that ask for them."""

from __future__ import annotations

from vehicle.codes.form import code_to_bytes
from vehicle.diagnostics.freeze_frames import CODE_PID, FREEZE
from vehicle.diagnostics.models import FreezeFrame
from vehicle.diagnostics.trouble_codes import SERVICES
from vehicle.elm327.outcomes import Answer
from vehicle.links.recording import Recording
from vehicle.links.replay_offer import bitmap
from vehicle.poller.support import BITMAPS
from vehicle.signals import SIGNALS, NotEncodableError, encode_mode01

_KINDS = {service: kind for kind, service in SERVICES.items()}
_POSITIVE = 0x40


def answer_codes(recording: Recording, payload: bytes, ecu: str) -> tuple[list[Answer], str]:
    """Return what one ECU, or every one, said to a request for codes or a freeze frame, and why where none did.

    Codes are those read once, at the end of the recorded session as a rule, whatever moment is played.
    """
    service = payload[0] if payload else 0
    if service in _KINDS and len(payload) == 1:
        return _code_lists(recording, service, ecu), _no_codes(recording, f"{_KINDS[service]} codes")
    if service == FREEZE and len(payload) == 3:
        frames = [one for one in recording.freeze_frames if one.frame == payload[2] and ecu in ("", one.ecu)]
        found = [(frame.ecu, _frozen(frame, payload[1])) for frame in frames]
        head = bytes([_POSITIVE + FREEZE, *payload[1:]])
        return [Answer(ecu, head + data) for ecu, data in found if data], _no_codes(recording, "freeze frame")
    return [], f"{recording.name} is a recording: it has no answer to {payload.hex(' ').upper()}"


def _code_lists(recording: Recording, service: int, ecu: str) -> list[Answer]:
    """Return the lists as outside CAN, without a count: a recording says no protocol."""
    return [
        Answer(one.ecu, bytes([_POSITIVE + service]) + b"".join(map(code_to_bytes, one.codes)))
        for one in recording.codes or ()
        if one.kind == _KINDS[service] and ecu in ("", one.ecu)
    ]


def _no_codes(recording: Recording, what: str) -> str:
    if recording.codes is None:
        return f"no trouble codes were recorded in {recording.name}"
    return f"the trouble codes recorded in {recording.name} have no {what}"


def _frozen(frame: FreezeFrame, pid: int) -> bytes:
    """Return the data a freeze frame has for one parameter; empty where it has none."""
    if pid == CODE_PID:
        return code_to_bytes(frame.code)
    kept: dict[int, dict[str, float]] = {}
    for value in frame.values:
        signal = SIGNALS.get(value.signal)
        if signal is not None and signal.service == 1 and signal.pid is not None:
            kept.setdefault(signal.pid, {})[value.signal] = value.value
    if pid in BITMAPS:
        return bitmap((CODE_PID, *(number for number in kept if _encoded(number, kept[number]))), pid) or b""
    return _encoded(pid, kept.get(pid, {}))


def _encoded(pid: int, values: dict[str, float]) -> bytes:
    try:
        return encode_mode01(pid, values) if values else b""
    except NotEncodableError:
        return b""
