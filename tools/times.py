"""Seconds, as people and analysis read them, and whole microseconds, as storage keeps them."""

from typing import SupportsInt


def seconds_of(time_us: SupportsInt | None) -> float | None:
    """Return microseconds as seconds, or None for none."""
    return None if time_us is None else int(time_us) / 1e6


def microseconds(time_s: float | None) -> int | None:
    """Return seconds as whole microseconds, or None for none."""
    return None if time_s is None else round(time_s * 1e6)
