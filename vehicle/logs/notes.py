"""What an importer must tell: things counted while reading, with the first few places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

PLACES = 5
KINDS = 60  # distinct things told; a file cannot make the list longer than this


@dataclass
class _Counted:
    count: int = 0
    places: list[str] = field(default_factory=list)


class Notes:
    """Collects sentences and counted events; `texts` renders them in the order they first came up."""

    def __init__(self) -> None:
        self._said: dict[str, _Counted | None] = {}
        self._untold = 0

    def say(self, sentence: str) -> None:
        """Tell one thing once."""
        if self._room_for(sentence):
            self._said.setdefault(sentence, None)

    def count(self, what: str, places: Sequence[str] = (), number: int | None = None) -> None:
        """Count events of one kind; keep the first few `places` where they happened."""
        number = len(places) if number is None else number
        if number == 0 or not self._room_for(what):
            return
        counted = self._said.get(what)
        if counted is None:
            counted = self._said[what] = _Counted()
        counted.count += number
        counted.places.extend(places[: PLACES - len(counted.places)])

    def count_lines(self, what: str, lines: Sequence[int] | NDArray[np.int64]) -> None:
        """Count events by the numbers of the lines where they happened."""
        self.count(what, [f"line {line}" for line in lines[:PLACES]], len(lines))

    def forget(self, what: str) -> None:
        """Take back a count that something said later covers."""
        self._said.pop(what, None)

    def texts(self) -> list[str]:
        """Return every sentence, with counts and first places."""
        told = [what if counted is None else _rendered(what, counted) for what, counted in self._said.items()]
        return [*told, f"{self._untold} more kinds of problem are not listed."] if self._untold else told

    def _room_for(self, what: str) -> bool:
        if what in self._said or len(self._said) < KINDS:
            return True
        self._untold += 1
        return False


def _rendered(what: str, counted: _Counted) -> str:
    if not counted.places:
        return f"{what}: {counted.count:,}."
    more = counted.count - len(counted.places)
    rest = f" and {more:,} more" if more else ""
    return f"{what}: {counted.count:,} ({'; '.join(counted.places)}{rest})."
