"""What a run prints, kept up to a size: its beginning and its end."""

import re
from typing import Any

_END_SHARE = 4  # a quarter of what is kept is kept from the end, where conclusions are printed
# CSI and OSC sequences of a terminal, and every control character but tab, newline and carriage return.
_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"
    r"|\x1b."
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
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


def clean(data: Any) -> Any:
    """Return plain data with control characters, and halves of characters, taken out of every text in it."""
    if isinstance(data, str):
        return _CONTROL.sub("", data.encode("utf-8", "replace").decode())
    if isinstance(data, list):
        return [clean(item) for item in data]
    if isinstance(data, dict):
        return {clean(key): clean(item) for key, item in data.items()}
    return data
