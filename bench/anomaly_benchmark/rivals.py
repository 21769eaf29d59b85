"""Methods to compare with: z-score, isolation forest, principal components, matrix profile."""

from collections.abc import Callable, Sequence

import numpy as np

from anomaly_benchmark.drives import GRID_S, Drive

Scorer = Callable[[Drive], np.ndarray]
_FEATURES = (
    "rpm", "speed", "coolant_temp", "engine_load", "maf", "intake_pressure", "intake_temp", "throttle_pos",
    "short_fuel_trim_1", "long_fuel_trim_1", "control_module_voltage", "timing_advance",
)  # fmt: skip
_MOTIF_S = 60.0
_PROFILED = ("rpm", "intake_pressure", "coolant_temp", "control_module_voltage")


def _columns(drive: Drive) -> dict[str, np.ndarray]:
    """Return the signals a method looks at, on the benchmark's grid, last value held."""
    start, size = drive.span_s[0], drive.truth().size
    grid = start + GRID_S * np.arange(size)
    found = {}
    for name in _FEATURES:
        if name in drive.table and len(drive.table[name]) > 1:
            one = drive.table[name]
            place = np.clip(np.searchsorted(one.times_s, grid, side="right") - 1, 0, len(one) - 1)
            found[name] = one.values[place]
    return found


def _matrix(drive: Drive, names: Sequence[str]) -> np.ndarray:
    columns = _columns(drive)
    return np.column_stack([columns.get(name, np.zeros(drive.truth().size)) for name in names])


def z_score(drive: Drive) -> np.ndarray:
    """Score by the largest number of standard deviations of any signal over its own session, at full rate."""
    start, size = drive.span_s[0], drive.truth().size
    scores = np.zeros(size)
    for one in drive.table.values():
        spread = one.values.std()
        if spread > 0:
            place = np.clip(((one.times_s - start) / GRID_S).astype(int), 0, size - 1)
            np.maximum.at(scores, place, np.abs(one.values - one.values.mean()) / spread)
    return scores


def isolation_forest(healthy: Sequence[Drive]) -> Scorer:
    """Learn scikit-learn's isolation forest from healthy drives."""
    from sklearn.ensemble import IsolationForest

    names = sorted(set.intersection(*(set(_columns(one)) for one in healthy)))
    known = np.vstack([_matrix(one, names) for one in healthy])
    forest = IsolationForest(n_estimators=100, random_state=0).fit(known[:: max(1, len(known) // 20_000)])
    return lambda drive: -forest.score_samples(_matrix(drive, names))


def principal_components(healthy: Sequence[Drive]) -> Scorer:
    """Learn the components that hold 90 % of the variance of healthy drives; score by what they leave out."""
    from sklearn.decomposition import PCA

    names = sorted(set.intersection(*(set(_columns(one)) for one in healthy)))
    known = np.vstack([_matrix(one, names) for one in healthy])
    mean, spread = known.mean(axis=0), known.std(axis=0) + 1e-9
    components = PCA(0.9).fit((known - mean) / spread)

    def score(drive: Drive) -> np.ndarray:
        scaled = (_matrix(drive, names) - mean) / spread
        left = scaled - components.inverse_transform(components.transform(scaled))
        return np.sqrt((left**2).sum(axis=1))

    return score


def matrix_profile(drive: Drive) -> np.ndarray:
    """Score by stumpy's distance of each minute to its nearest neighbour in the session, largest of four signals."""
    import stumpy

    columns = _columns(drive)
    size, length = drive.truth().size, round(_MOTIF_S / GRID_S)
    scores = np.zeros(size)
    for name in _PROFILED:
        if name not in columns or np.ptp(columns[name]) == 0 or size < 3 * length:
            continue
        distances = stumpy.stump(columns[name].astype(float), length)[:, 0].astype(float)
        distances[~np.isfinite(distances)] = 0.0
        # A window's distance stands for its middle.
        scores[length // 2 : length // 2 + distances.size] = np.maximum(
            scores[length // 2 : length // 2 + distances.size], distances
        )
    return scores
