"""One method over all drives of the benchmark, and what is counted of it."""

from collections.abc import Callable
from time import perf_counter

import numpy as np

from anomaly_benchmark.corpus import Corpus
from anomaly_benchmark.drives import Drive
from anomaly_benchmark.measures import Trace, episodes, hours, threshold_for, touches, vus_pr

Scorer = Callable[[Drive], np.ndarray]


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
        self.vus = [vus_pr(trace.scores, trace.drive.truth()) for trace in self.faulty]
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
        false = sum(len(episodes(trace.scores, self.threshold_at(trace))) for trace in self.unseen)
        return {
            "recall": float(np.mean([found for found, *_ in seen])),
            "precision": sum(right for _, right, _ in seen) / max(1, sum(alarms for *_, alarms in seen)),
            "false": false / hours(self.unseen),
            "vus": float(np.mean(self.vus)),
            "ms": 1000 * float(np.median(self.took)),
        }

    def by_kind(self) -> dict[str, tuple[int, int, float]]:
        found: dict[str, tuple[int, int, float]] = {}
        for trace, vus in zip(self.faulty, self.vus, strict=True):
            hit, of, total = found.get(trace.drive.kind, (0, 0, 0.0))
            hit += touches(trace, self.threshold_at(trace))[0]
            found[trace.drive.kind] = (hit, of + 1, total + vus)
        return found

    def missed(self) -> list[str]:
        return [one.drive.name for one in self.faulty if not touches(one, self.threshold_at(one))[0]]
