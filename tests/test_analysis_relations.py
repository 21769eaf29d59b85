"""Correlations and trends: found where they are, and no oftener than promised where they are not."""

import numpy as np
import pytest
from test_analysis_tables import table_of, trip

from analysis.correlations import autocorrelations, benjamini_hochberg, correlations
from analysis.timeline import Timeline
from analysis.trends import trends


def ar1(phi: float, count: int, rng: np.random.Generator, rows: int = 1) -> np.ndarray:
    """Series whose neighbours correlate by phi."""
    from scipy.signal import lfilter

    noise = rng.normal(size=(rows, count + 500))
    return lfilter([1.0], [1.0, -phi], noise, axis=1)[:, 500:]


@pytest.mark.parametrize("phi", [0.0, 0.9, 0.98])
def test_independent_autocorrelated_signals_rarely_seem_correlated(phi: float) -> None:
    rng = np.random.default_rng(11)
    called = refused = told = 0
    for _ in range(12):
        rows = ar1(phi, 2000, rng, rows=8)
        found = correlations(
            Timeline(table_of(np.arange(2000.0), **{f"x_{k}": row for k, row in enumerate(rows)}))
        )
        told += len(found.pairs)
        refused += len(found.refused)
        called += sum(pair.p_value < 0.05 for pair in found.pairs)
    assert told + refused == 12 * 28
    assert called / told < 0.10


def test_a_signal_that_moves_only_within_the_steps_is_refused_and_the_others_are_judged() -> None:
    times_s = np.arange(0.0, 60.0, 0.5)
    moving = np.sin(times_s / 5) + times_s / 9
    flutter = np.where(np.arange(times_s.size) % 2, 1.5, 2.5)
    found = correlations(Timeline(table_of(times_s, flutter=flutter, one=moving, two=2 * moving)))
    assert found.refused["flutter"].startswith("constant")
    assert [(pair.first, pair.second) for pair in found.pairs] in ([("one", "two")], [])


def test_the_naive_count_of_samples_would_have_called_most_of_them() -> None:
    rng = np.random.default_rng(12)
    rows = ar1(0.98, 2000, rng, rows=16)
    r = np.abs(np.corrcoef(rows)[np.triu_indices(16, 1)])
    naive = np.mean(r * np.sqrt(1998 / (1 - r**2)) > 1.96)
    assert naive > 0.6


def test_a_real_correlation_is_found_with_an_interval_around_it() -> None:
    rng = np.random.default_rng(13)
    shared, own = ar1(0.9, 3000, rng, rows=2)
    found = correlations(Timeline(table_of(np.arange(3000.0), x_a=shared, x_b=shared + 0.75 * own)))
    (pair,) = found.pairs
    assert pair.low < 0.8 < pair.high
    assert pair.significant
    assert pair.effective_samples < 600


def test_pairs_with_too_few_independent_samples_are_refused_by_name() -> None:
    times = np.arange(600.0)
    found = correlations(Timeline(table_of(times, x_a=np.sin(times / 150), x_b=np.cos(times / 140))))
    assert found.pairs == []
    assert "effective samples" in found.refused["x_a ~ x_b"]


def test_gaps_in_one_signal_do_not_shift_it_against_the_other() -> None:
    rng = np.random.default_rng(14)
    values = ar1(0.5, 2000, rng)[0]
    keep = (np.arange(2000) < 700) | (np.arange(2000) > 900)
    full, holed = np.arange(2000.0), np.arange(2000.0)[keep]
    table = {**table_of(full, x_a=values), **table_of(holed, x_b=values[keep])}
    from analysis.table import SignalTable

    (pair,) = correlations(Timeline(SignalTable(table))).pairs
    assert pair.r == pytest.approx(1.0, abs=1e-6)
    assert pair.samples == pytest.approx(keep.sum(), abs=2)


def test_autocorrelation_by_fft_equals_the_direct_sum() -> None:
    rng = np.random.default_rng(15)
    row = ar1(0.8, 300, rng)[0]
    direct = [np.mean((row[: 300 - k] - row.mean()) * (row[k:] - row.mean())) / row.var() for k in range(20)]
    assert autocorrelations(row[None, :])[0, :20] == pytest.approx(direct, abs=1e-9)


def test_adjusted_p_values_are_those_of_scipy() -> None:
    from scipy.stats import false_discovery_control

    p = np.random.default_rng(16).uniform(size=50) ** 2
    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))


@pytest.mark.parametrize("phi", [0.0, 0.6, 0.9])
def test_series_without_a_trend_rarely_seem_to_have_one(phi: float) -> None:
    rng = np.random.default_rng(21)
    rows = ar1(phi, 1200, rng, rows=200)
    found = trends(Timeline(table_of(np.arange(1200.0), **{f"x_{k}": row for k, row in enumerate(rows)})))
    told = len(found.signals)
    assert told > 20
    assert np.mean([trend.p_value < 0.05 for trend in found.signals]) < 0.10


def test_a_slope_is_found_in_units_per_hour_within_its_interval() -> None:
    rng = np.random.default_rng(22)
    times = np.arange(3600.0)
    drift = 12.6 + 0.5 * times / 3600 + ar1(0.7, 3600, rng)[0] * 0.05
    (trend,) = trends(Timeline(table_of(times, control_module_voltage=drift))).signals
    assert trend.low < 0.5 < trend.high
    assert trend.slope_per_hour == pytest.approx(0.5, abs=0.1)
    assert trend.significant
    assert trend.unit == "V"


def test_constant_and_short_signals_have_no_trend_but_a_reason() -> None:
    times = np.arange(100.0)
    found = trends(Timeline(table_of(times, x_a=np.ones(100), x_b=np.where(times < 10, times, 9.0))))
    assert found.signals == []
    assert found.refused["x_a"] == "constant"
    assert "x_b" in found.refused


def test_a_whole_drive_gives_sound_pairs_and_no_warning() -> None:
    found = correlations(Timeline(trip(1200)))
    assert all(-1 <= pair.low <= pair.r <= pair.high <= 1 for pair in found.pairs)
    assert {pair.first for pair in found.pairs} | {pair.second for pair in found.pairs} >= {"rpm", "maf"}
