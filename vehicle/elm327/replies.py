"""From the text of a reply to checked outcomes: service and parameter echoed, or it is not believed."""

from __future__ import annotations

from vehicle.elm327.frames import Frame, FrameError, parse_frame
from vehicle.elm327.isotp import Messages, assemble_can, assemble_legacy
from vehicle.elm327.lines import Sorted, sort_lines
from vehicle.elm327.outcomes import Answer, NegativeResponse, Rejected, Reply
from vehicle.elm327.protocols import Family
from vehicle.signals import SplitError, load_pids, split_mode01

NEGATIVE = 0x7F
# Bytes of the request that the answer repeats behind the service byte (SAE J1979, ISO 14229-1).
_ECHO = {
    0x02: 2,
    0x06: 1,
    0x09: 1,
    0x10: 1,
    0x11: 1,
    0x14: 0,
    0x19: 1,
    0x1A: 1,
    0x21: 1,
    0x22: 2,
    0x27: 1,
    0x28: 1,
    0x2E: 2,
    0x2F: 2,
    0x31: 3,
    0x3E: 1,
    0x85: 1,
}
# Asking these again changes nothing in the car.
READING = frozenset({0x01, 0x02, 0x03, 0x06, 0x07, 0x09, 0x0A, 0x19, 0x1A, 0x21, 0x22, 0x3E})
# Outside CAN these answer with several messages of one ECU.
_REPEATING = frozenset({0x46, 0x42})


def parse_reply(text: str, request: bytes, family: Family | None, command: str = "", ecu: str = "") -> Reply:
    """Parse what came before the prompt into outcomes for `request`.

    `command` is the line that was sent (its echo is skipped); with `ecu`, answers of others are not believed.
    """
    found = sort_lines(text, command or request.hex().upper())
    frames, rejected = _frames(found, family)
    messages = _assemble(frames)
    rejected += messages.rejected
    answers: list[Answer] = []
    refusals: list[NegativeResponse] = []
    for source, data in messages.whole:
        if ecu and source != ecu:
            rejected.append(Rejected(f"from {source}, asked was {ecu}", data.hex().upper()))
        elif data[0] == NEGATIVE:
            _refusal(source, data, request, refusals, rejected)
        elif problem := echo_problem(data, request):
            rejected.append(Rejected(problem, f"{source} {data.hex().upper()}"))
        else:
            answers.append(Answer(source, data))
    answers = _without_doubles(answers, rejected)
    rejected += [Rejected("not understood", line[:80]) for line in found.noise]
    if not (answers or refusals or rejected or found.trouble):
        rejected.append(Rejected("an empty answer", text[:80]))
    return Reply(
        request, tuple(answers), tuple(refusals), tuple(rejected), found.trouble, len(frames), raw=text
    )


def family_of(reply: Reply) -> Family | None:
    """Name the family of the first frame in a reply whose protocol was not known."""
    for line in sort_lines(reply.raw, reply.request.hex().upper()).frames:
        try:
            return parse_frame(line, None).family
        except FrameError:
            continue
    return None


def _frames(found: Sorted, family: Family | None) -> tuple[list[Frame], list[Rejected]]:
    frames: list[Frame] = []
    rejected: list[Rejected] = []
    for line in found.frames:
        try:
            frames.append(parse_frame(line, family))
        except FrameError as error:
            rejected.append(Rejected(str(error), line[:80]))
    return frames, rejected


def _assemble(frames: list[Frame]) -> Messages:
    can = assemble_can(frame for frame in frames if frame.family.is_can)
    legacy = assemble_legacy([frame for frame in frames if not frame.family.is_can])
    return Messages(can.whole + legacy.whole, can.rejected + legacy.rejected)


def _refusal(
    ecu: str, data: bytes, request: bytes, refusals: list[NegativeResponse], rejected: list[Rejected]
) -> None:
    # KWP ECUs may repeat request bytes between service and code (ISO 14230-3); the code comes last.
    if len(data) < 3 or data[1] != request[0]:
        rejected.append(Rejected("a refusal of another request", f"{ecu} {data.hex().upper()}"))
        return
    refusals.append(NegativeResponse(ecu, data[1], data[2] if len(data) == 3 else data[-1]))


def echo_problem(data: bytes, request: bytes) -> str:
    """Say why `data` is no answer to `request`; empty where it is one."""
    if data[0] != request[0] + 0x40:
        return f"service {data[0]:02X} does not answer {request[0]:02X}"
    if request[0] == 0x01:
        return _parameter_problem(data[1:], request[1:])
    echo = request[1 : 1 + _ECHO.get(request[0], 0)]
    if data[1 : 1 + len(echo)] != echo:
        return f"{data[: 1 + len(echo)].hex().upper()} does not repeat {request.hex().upper()}"
    return ""


def _parameter_problem(body: bytes, asked: bytes) -> str:
    """Say why these are not the parameters asked for, each whole; lengths of unknown ones cannot be checked."""
    if not body or body[0] not in asked:
        return f"parameter {body[:1].hex().upper() or 'none'} was not asked for"
    if any(pid not in load_pids() for pid in asked):
        return ""
    try:
        split_mode01(body, asked)
    except SplitError as error:
        return error.message
    return ""


def _without_doubles(answers: list[Answer], rejected: list[Rejected]) -> list[Answer]:
    """One ECU answers a request once; two different answers mean that one is stale, and which is unknown."""
    kept: list[Answer] = []
    for answer in answers:
        others = [other for other in answers if _same_question(other, answer)]
        if any(other.data != answer.data for other in others):
            rejected.append(
                Rejected("one ECU gave two different answers", f"{answer.ecu} {answer.data.hex()}")
            )
        elif answer not in kept:
            kept.append(answer)
    return kept


def _same_question(one: Answer, other: Answer) -> bool:
    if one.ecu != other.ecu or one.data[0] in _REPEATING:
        return False
    return one.data[:2] == other.data[:2] if one.data[0] == 0x41 else True
