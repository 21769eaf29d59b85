"""Measure comparing sessions: false differences on healthy drives, power for known shifts, cover of the intervals."""

import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

from drives import ETIOS_DRIVES, ETIOS_IDLES, LEON_DRIVES, changed, etios, leon, table_of  # noqa: E402
from recordings import FOLDER  # noqa: E402

from analysis.compare import compare  # noqa: E402
from analysis.compare.limits import RULES  # noqa: E402
from analysis.table import SignalTable  # noqa: E402

SHIFTS = (
    ("coolant_temp", -8.0),
    ("control_module_voltage", -0.5),
    ("long_fuel_trim_1", 5.0),
    ("intake_pressure", 6.0),
)
CARS: tuple[tuple[tuple[str, ...], Callable[[str], SignalTable]], ...] = (
    ((*ETIOS_DRIVES, *ETIOS_IDLES), etios),
    (LEON_DRIVES, leon),
)


def false_differences() -> tuple[int, int, int, float]:
    """Compare all pairs of healthy drives of each car; return pairs, signals compared and called different.

    The last number is the share called different among the rows per signal and operating state.
    """
    pairs = signals = different = rows = by_state = 0
    for names, load in CARS:
        for first, second in itertools.combinations(names, 2):
            result = compare([load(first), load(second)], names=[first, second])
            pairs += bool(result.signals)
            signals += len(result.signals)
            different += sum(row.verdict == "different" for row in result.signals)
            rows += len(result.states)
            by_state += sum(row.verdict == "different" for row in result.states)
    return pairs, signals, different, by_state / rows


def raw_test() -> tuple[int, int]:
    """Do the same with the usual Mann-Whitney test on raw samples and Benjamini-Hochberg."""
    from scipy.stats import false_discovery_control, mannwhitneyu

    signals = different = 0
    for names, load in CARS:
        for first, second in itertools.combinations(names, 2):
            both = [name for name in RULES if name in load(first) and name in load(second)]
            values = [[load(name)[signal].values for name in (first, second)] for signal in both]
            p_values = [mannwhitneyu(one, two).pvalue for one, two in values]
            signals += len(both)
            different += int((false_discovery_control(p_values) < 0.05).sum())
    return signals, different


def power(signal: str, by: float) -> tuple[int, int]:
    """Shift a signal of the second session of every ordered pair; return compared pairs and those called different."""
    found = pairs = 0
    for names, load in CARS:
        for first, second in itertools.permutations(names, 2):
            if signal not in load(second):
                continue
            moved = changed(load(second), signal, load(second)[signal].values + by)
            rows = compare([load(first), moved], names=[first, second]).signals
            row = next((row for row in rows if row.signal == signal), None)
            pairs += row is not None
            found += row is not None and row.verdict == "different"
    return pairs, found


def simulated_session(rng: np.random.Generator, minutes: int, shift: float) -> SignalTable:
    """Make a warm drive through rpm and load levels with a trim that wanders (time constant 10 s)."""
    n = 60 * minutes
    level = np.repeat(rng.integers(0, 5, n // 20 + 1), 20)[:n]
    noise = np.empty(n)
    noise[0] = rng.standard_normal()
    for place in range(1, n):
        noise[place] = 0.905 * noise[place - 1] + 0.425 * rng.standard_normal()
    columns = {
        "rpm": ("rpm", 1200 + 500.0 * level + rng.normal(0, 30, n)),
        "speed": ("km/h", 30 + 18.0 * level + rng.normal(0, 1, n)),
        "engine_load": ("%", 24 + 10.0 * level + rng.normal(0, 1, n)),
        "coolant_temp": ("°C", np.full(n, 90.0)),
        "long_fuel_trim_1": ("%", 0.8 * level + 2 * noise + shift),
    }
    return table_of({name: (unit, np.arange(n) * 1.0, values) for name, (unit, values) in columns.items()})


def cover(repeats: int, minutes: int) -> tuple[float, float]:
    """Return how often the 95 % interval holds the true shift of 1 %, and how often no shift is called different."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(repeats):
        pair = [simulated_session(rng, minutes, 0.0), simulated_session(rng, minutes, 1.0)]
        row = compare(pair, signals=["long_fuel_trim_1"]).signals[0].difference
        held += row.low <= 1.0 <= row.high  # type: ignore[operator]  # a derived shift has bounds
    called = 0
    for _ in range(repeats // 2):
        pair = [simulated_session(rng, minutes, 0.0), simulated_session(rng, minutes, 0.0)]
        called += compare(pair, signals=["long_fuel_trim_1"]).signals[0].verdict == "different"
    return held / repeats, called / (repeats // 2)


def main() -> None:
    """Print the tables."""
    print("Comparing sessions")
    for minutes in (10, 30):
        held, called = cover(200, minutes)
        print(
            f"  95 % interval holds the truth, {minutes} min simulated: {100 * held:.1f} %; false: {100 * called:.1f} %"
        )
    if not FOLDER.exists():
        print("  the real recordings are not here: set OBD_AGENT_RECORDINGS")
        return
    start = time.perf_counter()
    pairs, signals, different, by_state = false_differences()
    seconds = time.perf_counter() - start
    raw_signals, raw = raw_test()
    share, raw_share = different / signals, raw / raw_signals
    print(f"  healthy drives: {pairs} pairs, {signals} signals: {100 * share:.1f} % called different")
    print(f"  the same per operating state: {100 * by_state:.1f} %")
    print(f"  Mann-Whitney on raw samples: {100 * raw_share:.1f} %, {raw_share / share:.0f} times as often")
    print(f"  {1000 * seconds / 51:.0f} ms a pair")
    for signal, by in SHIFTS:
        compared, found = power(signal, by)
        print(f"  {signal} {by:+g}: found in {100 * found / compared:.0f} % of {compared} ordered pairs")


if __name__ == "__main__":
    main()
