"""How well anomalies are found: faults injected into simulated and real drives, beside four other methods.

Counted honestly: the threshold of every method is the one that raises at most one false alarm an hour on healthy
drives it did not learn from; recall is the share of faults an alarm then touches, precision the share of alarms in
faulty drives that touch the fault, and false alarms are counted again on further healthy drives. VUS-PR needs no
threshold. Point adjustment is not used: it makes a random score look excellent (Kim et al. 2022). Real drives are
those of one petrol car: each is judged by a baseline of, and at a threshold for, the others.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "tests")]

import numpy as np  # noqa: E402
from anomaly_benchmark import own, rivals  # noqa: E402
from anomaly_benchmark.corpus import Corpus, real_corpus, simulated_corpus  # noqa: E402
from anomaly_benchmark.drives import Drive  # noqa: E402
from anomaly_benchmark.measures import Trace, episodes, threshold_for, touches, vus_pr  # noqa: E402

from analysis.anomalies import learn_baseline  # noqa: E402
from analysis.results.anomalies import Baseline  # noqa: E402

Scorer = Callable[[Drive], np.ndarray]
HEAD = "| method | recall at 1 FA/h | precision | FA/h unseen | VUS-PR | ms per drive |"


class Result:
    """One method over one corpus."""

    def __init__(self, name: str, corpus: Corpus, score: Scorer) -> None:
        self.name = name
        self.took: list[float] = []
        self.tuned = [self._trace(score, one) for one in corpus.tuned]
        self.unseen = (
            self.tuned if corpus.unseen is corpus.tuned else [self._trace(score, d) for d in corpus.unseen]
        )
        self.faulty = [self._trace(score, one) for one in corpus.faulty]
        self.threshold = threshold_for(self.tuned)
        self._for: dict[tuple[str, ...], float] = {}

    def _trace(self, score: Scorer, drive: Drive) -> Trace:
        began = perf_counter()
        scores = score(drive)
        self.took.append(perf_counter() - began)
        return Trace(drive, scores)

    def threshold_at(self, trace: Trace) -> float:
        """Return the threshold a drive is judged at: of real ones, tuned on the others only."""
        others = trace.drive.others
        if not others:
            return self.threshold
        if others not in self._for:
            self._for[others] = threshold_for([one for one in self.tuned if one.drive.name in others])
        return self._for[others]

    def counted(self) -> dict[str, float]:
        seen = [touches(trace, self.threshold_at(trace)) for trace in self.faulty]
        unseen_h = sum(trace.scores.size for trace in self.unseen) * 0.5 / 3600
        false = sum(len(episodes(trace.scores, self.threshold_at(trace))) for trace in self.unseen)
        return {
            "recall": float(np.mean([found for found, *_ in seen])),
            "precision": sum(right for _, right, _ in seen) / max(1, sum(alarms for *_, alarms in seen)),
            "false": false / unseen_h,
            "vus": float(np.mean([vus_pr(trace.scores, trace.drive.truth()) for trace in self.faulty])),
            "ms": 1000 * float(np.median(self.took)),
        }

    def by_kind(self) -> dict[str, tuple[int, int, float]]:
        found: dict[str, tuple[int, int, float]] = {}
        for trace in self.faulty:
            hit, of, total = found.get(trace.drive.kind, (0, 0, 0.0))
            hit += touches(trace, self.threshold_at(trace))[0]
            found[trace.drive.kind] = (hit, of + 1, total + vus_pr(trace.scores, trace.drive.truth()))
        return found

    def missed(self) -> list[str]:
        return [one.drive.name for one in self.faulty if not touches(one, self.threshold_at(one))[0]]


def baselines(corpus: Corpus) -> Callable[[Drive], Baseline]:
    """Return what gives a drive its baseline: one for all, or for real drives one of the others."""
    known: dict[tuple[str, ...], Baseline] = {}

    def baseline_of(drive: Drive) -> Baseline:
        if drive.others not in known:
            known[drive.others] = learn_baseline(
                [one.table for one in corpus.learned if not drive.others or one.name in drive.others]
            )
        return known[drive.others]

    return baseline_of


def methods(corpus: Corpus) -> dict[str, Scorer]:
    return {
        "global z-score": rivals.z_score,
        "isolation forest": rivals.isolation_forest(corpus.learned),
        "PCA reconstruction": rivals.principal_components(corpus.learned),
        "matrix profile (stumpy)": rivals.matrix_profile,
        "rules, no baseline": own.scorer(lambda _: None),
        "rules and baseline": own.scorer(baselines(corpus)),
    }


def report(corpus: Corpus, chosen: Sequence[str] = ()) -> None:
    """Print how every method does on a corpus, and the last one by kind of fault."""
    healthy_h = sum(d.span_s[1] - d.span_s[0] for d in corpus.tuned) / 3600
    print(f"\n### {corpus.name}: {len(corpus.faulty)} faults, threshold tuned on {healthy_h:.1f} h\n")
    print(HEAD + "\n" + "|---" * (HEAD.count("|") - 1) + "|")
    results = []
    for name, score in methods(corpus).items():
        if chosen and name not in chosen:
            continue
        result = Result(name, corpus, score)
        results.append(result)
        r = result.counted()
        print(
            f"| {name} | {r['recall']:.2f} | {r['precision']:.2f} | {r['false']:.1f} | {r['vus']:.2f} | {r['ms']:.0f} |"
        )
    print("\n| fault | drives | " + " | ".join(f"{one.name}: found, VUS-PR" for one in results) + " |")
    print("|---" * (2 + len(results)) + "|")
    tables = [one.by_kind() for one in results]
    for kind, (_, of, _) in tables[0].items():
        cells = [f"{table[kind][0]}, {table[kind][2] / of:.2f}" for table in tables]
        print(f"| {kind} | {of} | " + " | ".join(cells) + " |")
    print(f"\nmissed by {results[-1].name}:", "; ".join(results[-1].missed()) or "none")


def main() -> None:
    """Print the tables."""
    report(simulated_corpus())
    real = real_corpus()
    if real is None:
        print("\nThe real recordings are not here: set OBD_AGENT_RECORDINGS to measure on them too.")
    else:
        report(real)


if __name__ == "__main__":
    main()
