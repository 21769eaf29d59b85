"""What a run prints, kept up to a size: its beginning and its end."""

import math
import re
from typing import Any

_END_SHARE = 4  # a quarter of what is kept is kept from the end, where conclusions are printed
_DEPTH = 40  # of nested data: what is deeper cannot be written as JSON everywhere (pydantic stops at 255)
_WIDEST = 2**63  # of whole numbers: beyond it databases and other languages read something else
# CSI and OSC sequences of a terminal, every control character but tab, newline and carriage return, and what turns
# or hides text: overrides and isolates of direction, and tags that only a machine reads.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b."
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


class Output:
    """Takes printed bytes; keeps `kept_bytes` of them and counts the rest."""

    def __init__(self, kept_bytes: int) -> None:
        self._head_room = kept_bytes - kept_bytes // _END_SHARE
        self._tail_room = kept_bytes // _END_SHARE
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def take(self, data: bytes) -> None:
        """Take in the next bytes."""
        self.total += len(data)
        room = self._head_room - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room < len(data) else b""
        if len(self._tail) > 2 * self._tail_room:
            del self._tail[: -self._tail_room]

    @property
    def truncated(self) -> bool:
        """Say whether something in the middle is missing."""
        return self.total > self._head_room + self._tail_room

    def text(self) -> str:
        """Return what was printed, without control characters, and a line in place of what is missing."""
        if not self.truncated:
            return _plain(bytes(self._head + self._tail))
        tail = bytes(self._tail[-self._tail_room :])
        missing = self.total - len(self._head) - len(tail)
        return f"{_plain(bytes(self._head))}\n… {missing} bytes left out …\n{_plain(tail)}"


def _plain(data: bytes) -> str:
    return _CONTROL.sub("", data.decode("utf-8", "replace"))


def clean(data: Any, depth: int = _DEPTH) -> Any:
    """Return plain data that any reader of JSON takes.

    Control characters and halves of characters are taken out of every text, numbers that are not finite become
    None, and whole numbers beyond 64 bits text. Raises ValueError for data nested too deeply.
    """
    if depth < 0:
        raise ValueError("nested too deeply")
    if isinstance(data, str):
        return _CONTROL.sub("", data.encode("utf-8", "replace").decode())
    if isinstance(data, list):
        return [clean(item, depth - 1) for item in data]
    if isinstance(data, dict):
        return {clean(key): clean(item, depth - 1) for key, item in data.items()}
    if isinstance(data, float) and not math.isfinite(data):
        return None
    if isinstance(data, int) and not -_WIDEST <= data < _WIDEST:
        return str(data)
    return data
