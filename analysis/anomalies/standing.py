"""Keeps account of the anomalies of a live session: what is new, what grew, what is over, what was none."""

from collections.abc import Callable, Iterator, Sequence

from analysis.anomalies.channels import MERGED_S
from analysis.anomalies.judgement import same
from analysis.results.anomalies import Anomaly, LiveAnomaly

_GROWN = 1.25
_REMEMBERED = 500


class Standing:
    """The anomalies of a live session so far, each told once and again when something about it changes."""

    def __init__(self) -> None:
        self._known: dict[int, LiveAnomaly] = {}
        self._told: dict[int, float] = {}
        self._raised = 0

    @property
    def anomalies(self) -> list[LiveAnomaly]:
        """All anomalies that were not withdrawn, strongest first; of very many the latest 500."""
        return sorted(self._known.values(), key=lambda one: (-one.score, one.start_s, one.channel))

    def settle(
        self, found: Sequence[Anomaly], since_s: float, kept_s: Callable[[Anomaly], float]
    ) -> Iterator[LiveAnomaly]:
        """Compare what is found from `since_s` on with what is known, and yield what changed."""
        seen: set[int] = set()
        for anomaly in found:
            numbers = [n for n, known in self._known.items() if _continues(anomaly, known, since_s)]
            if numbers:
                seen.update(numbers)
                yield from self._grown(anomaly, numbers, since_s)
            else:
                yield self._new(anomaly)
                seen.add(self._raised)
        for number, known in list(self._known.items()):
            if number not in seen and known.start_s >= since_s:
                yield self._withdrawn(number)
            elif known.state != "cleared" and kept_s(known) > MERGED_S:
                yield self._put(number, known, "cleared")
        for number in list(self._known)[:-_REMEMBERED]:
            self._forget(number)

    def _new(self, anomaly: Anomaly) -> LiveAnomaly:
        self._raised += 1
        self._told[self._raised] = anomaly.score
        return self._put(self._raised, anomaly, "raised")

    def _grown(self, anomaly: Anomaly, numbers: Sequence[int], since_s: float) -> Iterator[LiveAnomaly]:
        """Bring what is known up to date; several that have grown together become the first of them."""
        first, *others = numbers
        before = self._known[first]
        # What began within the window is found anew in full; of older ones only the last part is seen.
        joined = [anomaly, *(self._known[n] for n in numbers if self._known[n].start_s < since_s)]
        for number in others:
            yield self._withdrawn(number)
        strongest = max(joined, key=lambda one: one.score)
        span = {"start_s": min(one.start_s for one in joined), "end_s": max(one.end_s for one in joined)}
        now = strongest.model_copy(update=span)
        again = before.state == "cleared" and now.end_s > before.end_s + MERGED_S
        state = "cleared" if before.state == "cleared" and not again else "updated"
        if again or now.score >= _GROWN * self._told[first]:
            self._told[first] = now.score
            yield self._put(first, now, state)
        else:
            self._put(first, now, before.state)

    def _put(self, number: int, anomaly: Anomaly, state: str) -> LiveAnomaly:
        values = {name: getattr(anomaly, name) for name in Anomaly.model_fields}
        live = LiveAnomaly.model_validate({**values, "number": number, "state": state})
        self._known[number] = live
        return live

    def _withdrawn(self, number: int) -> LiveAnomaly:
        gone = self._known[number].model_copy(update={"state": "withdrawn"})
        self._forget(number)
        return gone

    def _forget(self, number: int) -> None:
        del self._known[number], self._told[number]


def _continues(anomaly: Anomaly, known: LiveAnomaly, since_s: float) -> bool:
    """Say whether an anomaly is one that is known already; the very same reading for single ones.

    One that began before the window and is not cleared goes on however long its check did not apply.
    """
    if (anomaly.signal, anomaly.kind) != (known.signal, known.kind):
        return False
    if anomaly.kind == "spike":
        return anomaly.start_s == known.start_s
    open_before = known.state != "cleared" and known.start_s < since_s and known.channel == anomaly.channel
    return open_before or same(anomaly, known)
