"""All channels of one log: one signal each, and the closing account of cells that were not kept."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

from vehicle.logs.channel import Channel
from vehicle.logs.names import Meaning, meaning_of
from vehicle.logs.notes import PLACES, Notes
from vehicle.logs.preview import ColumnMatch

MOST_CHANNELS = 2_000
_NAMED = 20


class Channels:
    """The channels of one log, by the name (and unit) the file gives them."""

    def __init__(
        self, log_format: str, notes: Notes, matches: list[ColumnMatch], *, tells_repeats: bool = False
    ) -> None:
        self._format = log_format
        self._notes = notes
        self._matches = matches
        self._tells_repeats = tells_repeats  # where rows are tables, the timeline tells them by row
        self._known: dict[Hashable, Channel] = {}
        self._taken: dict[tuple[str, str], str] = {}

    def known(self, name: Hashable) -> Channel | None:
        """Return a channel that has been made already."""
        return self._known.get(name)

    def get(self, heading: str, unit_text: str | None = None, nth: int = 0) -> Channel | None:
        """Return the channel of the nth column of a heading, made at its first mention; None beyond 2,000."""
        name = (heading, unit_text, nth)
        known = self._known.get(name)
        if known is not None or self._is_full():
            return known
        return self.add(name, meaning_of(heading, self._format, unit_text))

    def add(self, name: Hashable, meaning: Meaning) -> Channel | None:
        """Make a channel whose meaning is settled; None beyond 2,000 of them."""
        if self._is_full():
            return None
        channel = Channel(self._alone(meaning), self._notes, self._alone, tells_repeats=self._tells_repeats)
        self._known[name] = channel
        self._matches.append(channel.match)
        return channel

    def _is_full(self) -> bool:
        if len(self._known) < MOST_CHANNELS:
            return False
        self._notes.say(f"Only the first {MOST_CHANNELS:,} channels are kept.")
        return True

    def finish(self, rows: int) -> None:
        """Tell which channels hold nothing, and how many cells are empty in the others."""
        channels = list(self._known.values())
        for channel in channels:
            channel.finish(rows)
        empty = [c for c in channels if not (c.kept or c.rejected or c.not_measured)]
        self._tell("Columns without a single value", empty)
        self._tell(
            "Columns that hold no numbers, ignored", [c for c in channels if c.rejected and not c.kept]
        )
        self._tell_missing([c for c in channels if c.missing and c.kept])
        for channel in channels:
            if channel.not_measured:
                reasons = "; ".join(mark.reason for mark in channel.marks())
                self._notes.say(
                    f"{channel.not_measured:,} values of {channel.match.source!r} were not kept: {reasons}."
                )

    def _alone(self, meaning: Meaning) -> Meaning:
        """Return the meaning under a name that no other channel of the same ECU has."""
        first = self._taken.get((meaning.signal, meaning.ecu))
        if first is not None and not meaning.signal.startswith("x_"):
            meaning = meaning.as_found(f"{first!r} is already kept as {meaning.signal}")
        name, number = meaning.signal, 1
        while (meaning.signal, meaning.ecu) in self._taken:
            number += 1
            meaning = replace(meaning, signal=f"{name}_{number}")
        self._taken[meaning.signal, meaning.ecu] = meaning.source
        return meaning

    def _tell(self, what: str, channels: list[Channel]) -> None:
        if channels:
            names = ", ".join(f"{c.match.source!r}" for c in channels[:_NAMED])
            more = f" and {len(channels) - _NAMED} more" if len(channels) > _NAMED else ""
            self._notes.say(f"{what}: {names}{more}.")

    def _tell_missing(self, channels: list[Channel]) -> None:
        if channels:
            named = "; ".join(
                f"{c.match.source!r} {c.missing:,}, first in line {c.first_missing}"
                for c in channels[:PLACES]
            )
            more = f"; and {len(channels) - PLACES} more columns" if len(channels) > PLACES else ""
            total = sum(c.missing for c in channels)
            self._notes.say(f"Empty cells in columns that are kept: {total:,} ({named}{more}).")
