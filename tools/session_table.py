"""Joins storage and analysis: a stored session as a signal table."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING

from tools.context import ToolContext
from tools.errors import ToolError
from tools.times import microseconds

if TYPE_CHECKING:
    from analysis.table import SignalTable
    from storage.records import Channel


def load_table(
    context: ToolContext,
    session_id: str,
    signals: Sequence[str] | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> SignalTable:
    """Return the session's readings in the window (seconds since its start) as a signal table.

    The ECU with most readings of a signal has the plain name; another one's answer is keyed `signal@ECU`.

    Raises:
        ToolError: `not_found` for a signal the session does not hold, `bad_arguments` for an empty window.
    """
    from analysis.table import SignalSeries, SignalTable

    check_window(start_s, end_s)
    channels = context.store.samples.channels(session_id)
    check_signals(channels, signals)
    keys = _keys(channels)
    limits = signal_limits()
    table = {}
    read = context.store.samples.read(
        session_id, signals=signals, start_us=microseconds(start_s), end_us=microseconds(end_s)
    )
    for series in read:
        low, high = limits.get((series.signal, series.unit), (None, None))
        key = keys[series.signal, series.ecu]
        table[key] = SignalSeries(
            signal=series.signal,
            unit=series.unit,
            times_s=series.times_us / 1e6,
            values=series.values,
            low=low,
            high=high,
            ecu=series.ecu,
        )
    return SignalTable(table)


def check_window(start_s: float | None, end_s: float | None) -> None:
    """Refuse a window that ends before it starts.

    Raises:
        ToolError: `bad_arguments`.
    """
    if start_s is not None and end_s is not None and end_s <= start_s:
        raise ToolError(
            "bad_arguments",
            f"The window ends at {end_s:g} s, before it starts at {start_s:g} s.",
            "Give start_s smaller than end_s, both in seconds since the session's start.",
        )


def check_signals(channels: Sequence[Channel], signals: Sequence[str] | None) -> None:
    """Refuse signals that the session does not hold.

    Raises:
        ToolError: `not_found`, naming the nearest signal and those it holds.
    """
    held = {channel.signal for channel in channels}
    for name in signals or ():
        if name not in held:
            near = get_close_matches(name, held, n=1)
            guess = f" Did you mean {near[0]}?" if near else ""
            raise ToolError(
                "not_found",
                f"The session has no signal {name!r}.{guess}",
                f"It has: {', '.join(sorted(held)) or 'none'}.",
            )


def _keys(channels: Sequence[Channel]) -> dict[tuple[str, str | None], str]:
    keys: dict[tuple[str, str | None], str] = {}
    for channel in sorted(channels, key=lambda c: (-c.readings, c.ecu or "")):
        taken = channel.signal in keys.values()
        keys[channel.signal, channel.ecu] = f"{channel.signal}@{channel.ecu}" if taken else channel.signal
    return keys


@cache
def signal_limits() -> dict[tuple[str, str], tuple[float | None, float | None]]:
    """Return the limits (low, high) of every signal of the table, by its name and unit."""
    from vehicle.signals import SIGNALS

    return {(signal.name, signal.unit): (signal.low, signal.high) for signal in SIGNALS.values()}
