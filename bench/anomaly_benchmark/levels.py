"""What `sensitivity` does: false alarms per hour, time in alarm and faults found at each level, with a baseline."""

from collections.abc import Callable

import numpy as np

from analysis.anomalies.conditions import Conditions
from analysis.anomalies.judgement import Judgement, merged
from analysis.engine import Engine
from analysis.results.anomalies import Anomaly, Baseline
from analysis.timeline import Timeline
from anomaly_benchmark.corpus import Corpus
from anomaly_benchmark.drives import GRID_S, Drive

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
HEAD = "| sensitivity | false alarms/h | healthy time in alarm | faults found | alarms that touch the fault |"


def print_levels(corpus: Corpus, baseline_of: Callable[[Drive], Baseline | None]) -> None:
    """Print a row per sensitivity; here every reported anomaly counts, not only every episode."""
    healthy = corpus.unseen if corpus.unseen is corpus.tuned else corpus.tuned + corpus.unseen
    judged = {one.name: _judged(one, baseline_of(one)) for one in healthy + corpus.faulty}
    hours = sum(one.span_s[1] - one.span_s[0] for one in healthy) / 3600
    print(
        f"\n#### {corpus.name}: sensitivity, over {hours:.1f} h of healthy drives\n\n{HEAD}\n"
        + "|---" * 5
        + "|"
    )
    for level in LEVELS:
        factor = 2.0 ** (1 - 2 * level)
        quiet = {one.name: merged(judged[one.name].anomalies(factor)) for one in healthy}
        false = sum(len(found) for found in quiet.values())
        alarm_s = sum(_alarm_s(one, quiet[one.name]) for one in healthy)
        right = total = found = 0
        for one in corpus.faulty:
            alarms = merged(judged[one.name].anomalies(factor))
            touching = [a for a in alarms if a.end_s > one.fault[0] - 1 and a.start_s <= one.fault[1] + 5]
            found, right, total = found + bool(touching), right + len(touching), total + len(alarms)
        print(
            f"| {level:g} | {false / hours:.1f} | {alarm_s / hours / 36:.1f} % | {found / len(corpus.faulty):.2f} "
            f"| {right / max(total, 1):.2f} |"
        )


def _judged(drive: Drive, baseline: Baseline | None) -> Judgement:
    return Judgement(Conditions(Engine(Timeline(drive.table))), baseline)


def _alarm_s(drive: Drive, anomalies: list[Anomaly]) -> float:
    size = drive.truth().size
    grid = drive.span_s[0] + GRID_S * np.arange(size)
    alarm = np.zeros(size, dtype=bool)
    for one in anomalies:
        alarm |= (grid >= one.start_s) & (grid <= one.end_s)
    return float(alarm.sum()) * GRID_S
