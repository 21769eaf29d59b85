"""Logs whose rows repeat all signals but read only one: finds them, and keeps only what was really read.

Such loggers ask one parameter at a time and write a full row each time, older values repeated. Left as they are,
every rate, every acceleration and every count of samples would be wrong by the number of signals.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.tracks import Gap, Track, retimed

_FEWEST_ROWS = 50
_FEWEST_SIGNALS = 3
_LOOKED_AT = 20_000


def rows_per_reading(tracks: Mapping[str, Track]) -> int | None:
    """Return after how many rows a signal is read again, or None if rows do not repeat older values.

    Told from three things at once: all signals share their times, a row brings no more than one new value, and
    the number of rows between two changes of a signal has one clear smallest step.
    """
    long = [track for track in tracks.values() if len(track) > _FEWEST_ROWS]
    rows = min((len(track) for track in long), default=0)
    rows = min(rows, _LOOKED_AT)
    if len(long) < _FEWEST_SIGNALS or any(track.repairs.duplicates for track in long):
        return None
    if any(not np.array_equal(track.times_s[-rows:], long[0].times_s[-rows:]) for track in long[1:]):
        return None
    changed = np.stack([np.diff(track.values[-rows:]) != 0 for track in long])
    at_once = changed.sum(axis=0)
    if np.count_nonzero(changed.any(axis=1)) < _FEWEST_SIGNALS or np.count_nonzero(at_once) < 30:
        return None
    if np.mean(at_once[at_once > 0] > 1) > 0.05:
        return None
    return _smallest_step(changed)


def _smallest_step(changed: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> int | None:
    """Return the commonest number of rows between changes if hardly any change comes sooner."""
    apart = np.concatenate([np.diff(np.flatnonzero(row)) for row in changed])
    if apart.size < 30:
        return None
    step = int(np.argmax(np.bincount(apart)))
    sooner = np.mean(apart < step)
    return step if step >= _FEWEST_SIGNALS and sooner < 0.05 else None


def really_read(track: Track, rows: int, recorded: Sequence[Gap] = ()) -> Track:
    """Return a track with only the rows in which it was read: at its changes, and each `rows` after one."""
    changes = np.concatenate(([0], np.flatnonzero(np.diff(track.values) != 0) + 1))
    index = np.arange(len(track))
    since = index - changes[np.searchsorted(changes, index, side="right") - 1]
    return retimed(track, since % rows == 0, recorded)
