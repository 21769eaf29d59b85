"""What detection costs: the batch form over 720,000 readings, the live form per reading and in agreement."""

from time import perf_counter

import numpy as np

from analysis.anomalies import StreamingDetector, detect
from analysis.anomalies.judgement import same
from analysis.results.anomalies import Baseline
from analysis.table import SignalSeries, SignalTable
from anomaly_benchmark.corpus import Corpus

_BATCH_S = 0.5


def print_costs(corpus: Corpus, baseline: Baseline) -> None:
    """Print the time of both forms, and how well the live form agrees on every faulty drive."""
    long = _joined([one.table for one in corpus.unseen[:4]])
    print("\n#### cost\n\n| form | measured |\n|---|---|")
    for name, known in (("rules alone", None), ("with a baseline", baseline)):
        took = min(_seconds(long, known) for _ in range(5))
        print(f"| `detect`, {name}, {long.readings} readings | {1000 * took:.0f} ms |")
    took_s, readings, lost, extra, apart = 0.0, 0, 0, 0, [0.0]
    chosen = corpus.faulty[::6]
    for drive in chosen:
        live, seconds = _fed(drive.table, baseline)
        took_s, readings = took_s + seconds, readings + drive.table.readings
        whole = detect(drive.table, baseline=baseline).anomalies
        pairs = [(a, b) for a in whole for b in live.anomalies if same(a, b) or a.start_s == b.start_s]
        lost += sum(not any(a is pair[0] for pair in pairs) for a in whole)
        extra += sum(not any(b is pair[1] for pair in pairs) for b in live.anomalies)
        apart += [
            max(abs(a.start_s - b.start_s), abs(a.end_s - b.end_s))
            for a, b in pairs
            if a.channel == b.channel
        ]
    print(
        f"| `StreamingDetector`, batches of {_BATCH_S} s, judged every 5 s | {1e6 * took_s / readings:.0f} µs/reading |"
    )
    print(
        f"| live against whole, {len(chosen)} faulty drives | {lost} anomalies lost, {extra} more, "
        f"places within {max(apart):.1f} s |"
    )


def _seconds(table: SignalTable, baseline: Baseline | None) -> float:
    began = perf_counter()
    detect(table, baseline=baseline)
    return perf_counter() - began


def _joined(tables: list[SignalTable]) -> SignalTable:
    """Put drives one after the other, as one session."""
    series = {}
    for name, first in tables[0].items():
        times = [table[name].times_s + 901.0 * k for k, table in enumerate(tables)]
        values = [table[name].values for table in tables]
        series[name] = SignalSeries(name, first.unit, np.concatenate(times), np.concatenate(values))
    return SignalTable(series)


def _fed(table: SignalTable, baseline: Baseline) -> tuple[StreamingDetector, float]:
    live = StreamingDetector(baseline, units={name: one.unit for name, one in table.items()})
    first, last = table.span_s
    edges = np.arange(first, last + 2 * _BATCH_S, _BATCH_S)
    places = {name: np.searchsorted(one.times_s, edges) for name, one in table.items()}
    began = perf_counter()
    for k in range(edges.size - 1):
        live.add(
            {
                name: (one.times_s[at[k] : at[k + 1]], one.values[at[k] : at[k + 1]])
                for (name, one), at in zip(table.items(), places.values(), strict=True)
            }
        )
    live.judge()
    return live, perf_counter() - began
