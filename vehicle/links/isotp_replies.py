"""From whole messages to checked outcomes: service and parameter echoed, or it is not believed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from vehicle.elm327.outcomes import PENDING, Answer, NegativeResponse, Rejected, Reply, Trouble
from vehicle.elm327.replies import NEGATIVE, echo_problem

_LONGEST_RAW = 4096


@dataclass(slots=True)
class Gathering:
    """What has come to one request so far; with `ecu`, messages of others are not believed."""

    request: bytes
    ecu: str = ""
    answers: list[Answer] = field(default_factory=list)
    refusals: list[NegativeResponse] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)

    def take(self, source: str, data: bytes) -> None:
        """Take in one whole message; it must be an answer to the request or a refusal of it."""
        self.raw.append(f"{source} {data.hex().upper()}"[:_LONGEST_RAW])
        problem = self._problem(source, data)
        if problem:
            self.rejected.append(Rejected(problem, self.raw[-1]))
        elif data[0] == NEGATIVE:
            self.refusals.append(NegativeResponse(source, data[1], data[2]))
        elif any(answer.ecu == source and answer.data != data for answer in self.answers):
            # One of the two is stale, and nothing tells which.
            self.answers = [answer for answer in self.answers if answer.ecu != source]
            self.rejected.append(Rejected("one ECU gave two different answers", self.raw[-1]))
        elif Answer(source, data) not in self.answers:
            self.answers.append(Answer(source, data))

    def _problem(self, source: str, data: bytes) -> str:
        if self.ecu and source != self.ecu:
            return f"from {source}, asked was {self.ecu}"
        if not data:
            return "an empty message"
        if data[0] != NEGATIVE:
            return echo_problem(data, self.request)
        if len(data) != 3 or data[1] != self.request[0]:
            return "a refusal of another request"
        return ""

    @property
    def settled(self) -> set[str]:
        """The ECUs that have said their last word."""
        return {answer.ecu for answer in self.answers} | {
            refusal.ecu for refusal in self.refusals if refusal.nrc != PENDING
        }

    @property
    def pending(self) -> set[str]:
        """The ECUs that asked for patience and have not answered yet."""
        return {refusal.ecu for refusal in self.refusals if refusal.nrc == PENDING} - self.settled

    def complete(self, expected: Collection[str]) -> bool:
        """Whether every ECU that can be expected to answer has done so."""
        return bool(expected) and self.settled.issuperset(expected)

    def reply(self, trouble: Trouble | None, sent_s: float, received_s: float) -> Reply:
        """Return the outcome; `trouble` counts where nothing came, or less than was promised."""
        came = (self.answers or self.refusals or self.rejected) and not self.pending
        return Reply(
            self.request,
            tuple(self.answers),
            tuple(self.refusals),
            tuple(self.rejected),
            None if came else trouble,
            len(self.raw),
            sent_s,
            received_s,
            "\r".join(self.raw),
        )
