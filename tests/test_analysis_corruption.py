"""Single readings that were corrupted on the way are found in real recordings, and hardly anything else is."""

from collections.abc import Iterator

import numpy as np
from drives import ETIOS_DRIVES, LEON_DRIVES, changed, etios, leon

from analysis.anomalies import detect
from analysis.table import SignalTable

# A jump no car makes and takes back between readings; manifold pressure may, when the pedal is blipped.
JUMPS = {"rpm": 3000.0, "coolant_temp": 40.0, "speed": 80.0, "intake_temp": 40.0}
EACH = 8
NEAR_S = 1.5


def recordings() -> Iterator[SignalTable]:
    yield from (etios(name) for name in ETIOS_DRIVES)
    yield from (leon(name) for name in LEON_DRIVES)


def corrupted(table: SignalTable, name: str, rng: np.random.Generator) -> tuple[SignalTable, list[float]]:
    """Return the table with some single readings thrown off, and the times of those."""
    series = table[name]
    places = np.sort(rng.choice(np.arange(20, len(series) - 20), EACH, replace=False))
    values = series.values.copy()
    for place in places:
        up = series.high is None or values[place] + JUMPS[name] <= series.high
        values[place] += JUMPS[name] if up else -JUMPS[name]
    return changed(table, name, values), series.times_s[places].tolist()


def test_corrupted_single_readings_are_found_with_precision_and_recall_over_nine_tenths() -> None:
    rng = np.random.default_rng(7)
    found, thrown, false = 0, 0, 0
    for table in recordings():
        for name in JUMPS:
            spoilt, times_s = corrupted(table, name, rng)
            seen = [
                one for one in detect(spoilt, signals=[name]).anomalies if one.kind in ("spike", "impossible")
            ]
            hit = {t for t in times_s for one in seen if one.start_s - NEAR_S <= t <= one.end_s + NEAR_S}
            away = [
                one for one in seen if not any(one.start_s - NEAR_S <= t <= one.end_s + NEAR_S for t in hit)
            ]
            found, thrown, false = found + len(hit), thrown + EACH, false + len(away)
    assert found / thrown > 0.9, (found, thrown)
    assert found / (found + false) > 0.9, (found, false)
