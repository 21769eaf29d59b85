"""Sorting the lines of a reply: frames, adapter messages, and what is neither."""

from __future__ import annotations

import re
from typing import NamedTuple

from vehicle.elm327.outcomes import AdapterError, BusError, NoData, Trouble

_HEX = re.compile(r"[0-9A-F]+")
_PREFIXES = re.compile(r"^(?:SEARCHING\.*|BUS INIT:? ?\.*(?:OK)?)\s*", re.IGNORECASE)
_BUS = {
    "UNABLE TO CONNECT",
    "BUS BUSY",
    "BUS ERROR",
    "CAN ERROR",
    "DATA ERROR",
    "<DATA ERROR",
    "<RX ERROR",
    "RX ERROR",
    "FB ERROR",
    "FC RX TIMEOUT",
    "BUS INIT ERROR",
}
_ADAPTER = {"BUFFER FULL", "STOPPED", "?", "LV RESET", "LP ALERT", "ACT ALERT", "OUT OF MEMORY"}
_ERROR_NUMBER = re.compile(r"ERR\d\d")
_BANNER = re.compile(r"(?:ELM3\d\d|STN\d{4}|OBDLINK|OBDII?\b)", re.IGNORECASE)
# No bus to talk on: the car is off or the protocol is wrong.
NO_CAR = {"UNABLE TO CONNECT", "BUS INIT ERROR"}


class Sorted(NamedTuple):
    """The lines of a reply by what they are."""

    frames: list[str]
    trouble: Trouble | None
    noise: list[str]
    restarted: bool


def sort_lines(text: str, command: str) -> Sorted:
    """Sort the text before the prompt; `command` is what was sent, so that its echo is not taken for data."""
    frames: list[str] = []
    noise: list[str] = []
    trouble: Trouble | None = None
    restarted = False
    for raw in re.split(r"[\r\n]+", text):
        line = raw.replace("\0", "").strip()
        if not line or line.replace(" ", "").upper() == command:
            continue
        rest = _PREFIXES.sub("", line) if line[0] in "SsBb" else line
        compact = rest.replace(" ", "")
        if not compact:
            continue
        if _HEX.fullmatch(compact):
            frames.append(compact)
            continue
        found = trouble_in(line) or trouble_in(rest)
        restarted = restarted or bool(_BANNER.search(rest)) or "LV RESET" in rest
        if found is not None:
            trouble = trouble or found
        elif _BANNER.search(rest):
            trouble = AdapterError(f"the adapter restarted ({rest})")
        else:
            noise.append(line)
    return Sorted(frames, trouble, noise, restarted)


def trouble_in(line: str) -> Trouble | None:
    """Name the adapter message a line is, or ends with; None where it is none."""
    text = re.sub(r"\s+", " ", line.upper()).strip()
    if text.startswith("NO DATA") or text == "NODATA":
        return NoData()
    if re.fullmatch(r"BUS INIT:? ?\.*ERROR", text) or text == "...ERROR":
        return BusError("BUS INIT ERROR")
    if text in _BUS:
        return BusError(text)
    if text in _ADAPTER or _ERROR_NUMBER.fullmatch(text):
        return AdapterError(text)
    for message in ("<DATA ERROR", "<RX ERROR"):
        if text.endswith(message):
            return BusError(message)
    return None
