"""Trouble codes: reading them (services 03, 07, 0A) and clearing them (service 04)."""

from __future__ import annotations

from vehicle.codes.form import bytes_to_code
from vehicle.diagnostics.asking import absences, ask, by_ecu
from vehicle.diagnostics.models import Absence, ClearReport, CodeKind, CodesReport, EcuCodes
from vehicle.elm327.outcomes import PENDING
from vehicle.links.link import Link

SERVICES: dict[CodeKind, int] = {"stored": 0x03, "pending": 0x07, "permanent": 0x0A}
CLEAR = 0x04
CLEAR_DEADLINE_S = 6.0


class CodeListError(ValueError):
    """A list of codes whose length contradicts itself."""


def code_text(word: bytes) -> str:
    """Return the code that two bytes spell."""
    return bytes_to_code(int.from_bytes(word, "big"))


def decode_codes(data: bytes, *, is_can: bool) -> list[str]:
    """Decode what stands behind 43, 47 or 4A.

    On CAN a count comes first and must fit (ISO 15765-4); elsewhere unused places are 0000. Raises CodeListError.
    """
    words = data
    if is_can:
        if not data or len(data) != 1 + 2 * data[0]:
            stated = f"the count says {data[0]}" if data else "the count is missing"
            raise CodeListError(f"{stated}, {(len(data) - 1) / 2:g} codes came")
        words = data[1:]
    if len(words) % 2:
        raise CodeListError(f"{len(words)} bytes are no whole number of codes")
    pairs = [words[start : start + 2] for start in range(0, len(words), 2)]
    return [code_text(pair) for pair in pairs if is_can or pair != b"\0\0"]


def read_trouble_codes(
    link: Link, kinds: tuple[CodeKind, ...] = ("stored", "pending", "permanent")
) -> CodesReport:
    """Read codes of each kind from every ECU; raises CannotConnectError.

    "No codes" is an empty list of an ECU that answered so; an ECU that did not answer is in `absent`.
    """
    lists: list[EcuCodes] = []
    absent: list[Absence] = []
    for kind in kinds:
        reply = ask(link, bytes([SERVICES[kind]]))
        what = f"{kind} codes"
        for ecu, answers in by_ecu(reply.answers).items():
            try:
                codes = [code for data in answers for code in decode_codes(data[1:], is_can=link.info.is_can)]
            except CodeListError as error:
                absent.append(Absence(what=what, ecu=ecu, reason=f"damaged answer: {error}"))
            else:
                lists.append(EcuCodes(ecu=ecu, kind=kind, codes=list(dict.fromkeys(codes))))
        absent += absences(link, what, reply, (answer.ecu for answer in reply.answers))
    return CodesReport(lists=lists, absent=absent)


def clear_trouble_codes(link: Link) -> ClearReport:
    """Tell every ECU to clear codes, freeze frames and readiness (service 04); raises CannotConnectError.

    This changes the car. Whether it may be done, and a copy of what is lost, are the caller's business.
    """
    reply = ask(link, bytes([CLEAR]), deadline_s=CLEAR_DEADLINE_S)
    cleared = [answer.ecu for answer in reply.answers]
    absent = absences(link, "clearing", reply, cleared)
    pending = {refusal.ecu for refusal in reply.refusals if refusal.nrc == PENDING}
    return ClearReport(
        cleared=cleared,
        absent=[
            item.model_copy(update={"reason": "still at work when the wait ended: read the codes again"})
            if item.ecu in pending
            else item
            for item in absent
        ],
    )
