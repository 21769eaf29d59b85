"""The sentences around a tool's answer, in English and German; the tools themselves speak English."""

import tomllib
from collections.abc import Collection, Sequence
from importlib.resources import files
from typing import Any

from server.chat.builtin.intents import INTENTS, Intent
from server.chat.builtin.routing import Route
from server.chat.desk import Outcome

MOST_CHOICES = 6
_TEXTS = tomllib.loads((files(__package__) / "texts.toml").read_text(encoding="utf-8"))
Row = dict[str, Any]


class Phrases:
    """The sentences in one language."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, name: str, **values: object) -> str:
        """Return a sentence."""
        text: str = _TEXTS[name.replace(" ", "_")][self.language]
        return text.format(**values)

    def answer(self, understood: Route, body: str, note: str) -> str:
        """Say how the question was understood, what was taken for granted, and the answer itself."""
        heading = f"{self.say('who')}. {self.say('understood', what=self._what(understood.intent))}"
        corrected = understood.reading.corrected.items()
        notes = [self.say("read_as", word=word, meant=meant) for word, meant in corrected]
        return "\n".join([" ".join([heading, *notes, note]).strip(), "", body])

    def ask(self, missing: str) -> str:
        """Say who answers, and what is missing for an answer."""
        return f"{self.say('who')}. {missing}"

    def body(self, outcome: Outcome) -> str:
        """Say what a tool answered, or why it did not."""
        if outcome.error is None:
            return outcome.text()
        return self.say("failed", message=outcome.error.message, hint=outcome.error.hint).strip()

    def decline(self, understood: Route, offered: Collection[str]) -> str:
        """Say why there is no answer, and what could be asked: all for help, else what is near or common."""
        reason = understood.reason or "unclear"
        able = [intent for intent in INTENTS if any(name in offered for name in intent.tools)]
        choices = able if reason == "help" else [intent for intent in able if intent.common]
        if understood.choices:
            choices = [intent for intent in understood.choices if intent in able][:MOST_CHOICES] or choices
        lines = dict.fromkeys(f"- {self._what(intent)}" for intent in choices)
        return "\n".join(
            [f"{self.say('who')}. {self.say(reason, what=self._what(understood.intent))}", *lines]
        )

    def _what(self, intent: Intent | None) -> str:
        if intent is None:
            return ""
        return intent.german if self.language == "de" else intent.english

    def no_adapter(self) -> str:
        """Ask for an adapter."""
        return self.say("no_adapter")

    def too_few_sessions(self, needed: int, found: int) -> str:
        """Say that there are not enough sessions."""
        return self.say("sessions", needed=needed, found=found)

    def none_on(self, day: str, newest: Sequence[Row]) -> str:
        """Say that there is no session of a day, and which is the newest."""
        also = self.say("newest", rows=_rows(newest)) if newest else ""
        return f"{self.say(day)} {also}".strip()

    def session_in_question(self, session_id: str) -> str:
        """Say that the conversation's session was taken."""
        return self.say("in question", id=session_id)

    def taken(self, rows: Sequence[Row]) -> str:
        """Say which sessions were taken because none was named."""
        return self.say("taken", rows=_rows(rows)) if rows else ""

    def which_vehicle(self, rows: Sequence[Row]) -> str:
        """Ask which vehicle is meant."""
        return self.say("vehicle", rows=_rows(rows) or self.say("none"))

    def absent_signal(self, signal: str, have: Sequence[str]) -> str:
        """Say that a session does not hold a signal, and what it holds."""
        return self.say("absent", signal=signal, have=", ".join(sorted(have)) or "-")

    def level(self, name: str, row: Row) -> str:
        """Say the mean and the range of a signal."""
        return self.say("level", signal=name, **_fields(row, "mean minimum maximum count seconds unit"))

    def trend(self, signal: str, row: Row) -> str:
        """Say whether a signal rises, falls, or does neither beyond chance."""
        slope = self.say("slope", value=row["slope_per_hour"], **_fields(row, "unit low high samples"))
        moves = "rises" if row["slope_per_hour"] > 0 else "falls"
        return self.say(moves if row["significant"] else "steady", signal=signal, slope=slope)

    def drift(self, row: Row) -> str:
        """Say how a signal moved over the sessions of a vehicle."""
        slope = _fields(row["slope"], "value unit low high")
        judged = "; ".join(part for part in (row["verdict"], row["reason"]) if part)
        return self.say("drift", verdict=judged, **slope, **_fields(row, "state sessions"))


def _fields(row: Row, names: str) -> Row:
    return {name: row[name] for name in names.split()}


def _rows(rows: Sequence[Row]) -> str:
    return ", ".join(_row(row) for row in rows)


def _row(row: Row) -> str:
    started = (row.get("started_at") or "")[:16].replace("T", " ")
    told = ", ".join(part for part in (row.get("name"), f"{started} UTC" if started else "") if part)
    return f"{row['id']} ({told})" if told else str(row["id"])
