"""The quality of one signal's readings: rate, gaps, steps, limits."""

import numpy as np

from analysis.findings import Quantity, absent, derived
from analysis.results.quality import SignalQuality, StuckRun, TimeGap, Verdict
from analysis.table import Floats
from analysis.timeline import Timeline
from analysis.tracks import Gap, Track

LISTED_GAPS = 20
_MOST_CODES = 4096


def signal_quality(name: str, timeline: Timeline, stuck: list[StuckRun]) -> SignalQuality:
    """Describe rate, jitter, completeness, gaps, steps and limits of one signal."""
    track = timeline[name]
    codes = np.unique(track.values)
    gap_count, gap_s, gaps = _gaps(track, timeline.recorded_gaps)
    outside = _outside(track)
    notes = _notes(track, codes)
    complete = _completeness(track, timeline.end_s - timeline.start_s)
    repairs = track.repairs
    return SignalQuality(
        signal=name,
        unit=track.unit,
        readings=len(track) + repairs.missing + repairs.duplicates + repairs.unplaced + repairs.repeated,
        missing=repairs.missing,
        duplicates=repairs.duplicates,
        backward=repairs.backward,
        unplaced=repairs.unplaced,
        repeated=repairs.repeated,
        first_s=float(track.times_s[0]) if len(track) else None,
        last_s=float(track.times_s[-1]) if len(track) else None,
        rate_hz=_rate(track),
        jitter=_jitter(track),
        completeness=complete,
        gap_count=gap_count,
        gap_s=gap_s,
        gaps=gaps,
        codes=int(codes.size),
        step=common_step(codes),
        longest_unchanged_s=longest_unchanged_s(track),
        outside_limits=outside,
        stuck=stuck,
        verdict=_verdict(track, complete, outside, bool(stuck)),
        notes=notes,
    )


def _gaps(track: Track, recorded: tuple[Gap, ...]) -> tuple[int, float, list[TimeGap]]:
    """Return number, seconds and the longest gaps of a track in order of time."""
    places = np.flatnonzero(track.gaps)
    lengths = track.intervals_s[places]
    listed = np.sort(places[np.argsort(-lengths, kind="stable")[:LISTED_GAPS]])
    gaps = [_gap(float(track.times_s[place]), float(track.times_s[place + 1]), recorded) for place in listed]
    return int(places.size), float(lengths.sum()), gaps


def _gap(start_s: float, end_s: float, recorded: tuple[Gap, ...]) -> TimeGap:
    """Make a gap with the reason the recorder noted, where it noted one."""
    reasons = [reason for start, end, reason in recorded if start < end_s and end > start_s]
    return TimeGap(start_s=start_s, end_s=end_s, reason="; ".join(reasons) or "no readings")


def _rate(track: Track) -> Quantity:
    if len(track) < 2:
        return absent("Hz", "one reading or none")
    return derived(1 / track.period_s, "Hz", "1 / median interval", samples=len(track) - 1)


def _jitter(track: Track) -> Quantity:
    if len(track) < 5:
        return absent("ratio", "fewer than five readings")
    low, high = quantiles(np.sort(track.intervals_s), (0.25, 0.75))
    method = "interquartile range of the intervals / median interval"
    return derived((high - low) / track.period_s, "ratio", method, samples=len(track) - 1)


def _completeness(track: Track, span_s: float) -> Quantity:
    if len(track) < 3:
        return absent("%", "fewer than three readings")
    expected = span_s / track.period_s + 1
    method = "readings / (duration of the session / median interval + 1)"
    return derived(min(100.0, 100 * len(track) / expected), "%", method, samples=len(track))


def quantiles(ordered: Floats, shares: tuple[float, ...]) -> list[float]:
    """Return quantiles of already sorted values, by linear interpolation (as numpy's default)."""
    places = np.asarray(shares) * (ordered.size - 1)
    lower = places.astype(np.intp)
    upper = np.minimum(lower + 1, ordered.size - 1)
    share = places - lower
    return [float(value) for value in ordered[lower] * (1 - share) + ordered[upper] * share]


def common_step(codes: Floats) -> float | None:
    """Return the step of which all differences of sorted distinct values are multiples, or None."""
    if not 3 <= codes.size <= _MOST_CODES:
        return None
    span = float(codes[-1] - codes[0])
    smallest = float(np.diff(codes).min())
    if smallest <= 0 or span / smallest > 1e5:
        return None
    step = span / round(span / smallest)
    counts = (codes - codes[0]) / step
    return step if float(np.abs(counts - np.round(counts)).max()) < 0.05 else None


def longest_unchanged_s(track: Track) -> float:
    """Return the longest time over which the value repeats, not counted across gaps."""
    if len(track) < 2:
        return 0.0
    ends = np.append(np.flatnonzero((np.diff(track.values) != 0) | track.gaps), len(track) - 1)
    starts = np.append(0, ends[:-1] + 1)
    return float((track.times_s[ends] - track.times_s[starts]).max())


def _outside(track: Track) -> int:
    """Count readings outside the limits the standard allows."""
    low = -np.inf if track.low is None else track.low
    high = np.inf if track.high is None else track.high
    return int(np.count_nonzero((track.values < low) | (track.values > high)))


def _notes(track: Track, codes: Floats) -> list[str]:
    notes = []
    if len(track) > 20 and codes.size == 1:
        at_limit = codes[0] in (track.low, track.high)
        tail = ", the end of its range: probably not fitted" if at_limit else ""
        notes.append(f"constant at {codes[0]:g} {track.unit}{tail}")
    if track.repairs.steps:
        notes.append(f"the clock steps back {len(track.repairs.steps)} times")
    return notes


def _verdict(track: Track, complete: Quantity, outside: int, stuck: bool) -> Verdict:
    """Sum a signal up: poor below 60 % of the readings or with false values, usable below 80 %."""
    share = complete.value if complete.value is not None else 100.0
    if stuck or share < 60 or outside > 0.01 * max(1, len(track)) or not len(track):
        return "poor"
    return "usable" if share < 80 or outside or track.repairs.unplaced else "good"
