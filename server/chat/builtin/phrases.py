"""The sentences around a tool's answer, in English and German; the tools themselves speak English."""

from collections.abc import Collection, Sequence
from typing import Any

from server.chat.builtin.intents import INTENTS
from server.chat.builtin.routing import Route
from server.chat.desk import Outcome

_TEXTS: dict[str, tuple[str, str]] = {
    "who": (
        "Built-in responder (rules, no language model)",
        "Eingebauter Antwortgeber (Regeln, kein Sprachmodell)",
    ),
    "understood": ("I understood: {what}.", "Verstanden als: {what}."),
    "read_as": ("Read “{word}” as “{meant}”.", "„{word}“ als „{meant}“ gelesen."),
    "failed": ("That did not work: {message} {hint}", "Das ging nicht: {message} {hint}"),
    "unclear": (
        "I did not understand that well enough to answer, and I do not guess. I can:",
        "Das habe ich nicht sicher genug verstanden, und ich rate nicht. Ich kann:",
    ),
    "help": (
        "I answer questions about recorded sessions and connected cars. I can:",
        "Ich beantworte Fragen zu aufgezeichneten Fahrten und angeschlossenen Autos. Ich kann:",
    ),
    "writes": (
        "I only read: I change, record, import and delete nothing. The commands `obd-agent import`, `capture` and "
        "`call TOOL` do. I can:",
        "Ich lese nur: Ich ändere, zeichne auf, importiere und lösche nichts. Das tun die Befehle "
        "`obd-agent import`, `capture` und `call TOOL`. Ich kann:",
    ),
    "not offered": (
        "I understood “{what}”, but this process does not offer a tool for it. I can:",
        "Verstanden als „{what}“, aber dieser Prozess bietet kein Werkzeug dafür an. Ich kann:",
    ),
    "no_adapter": (
        "No adapter is set: name one, such as /dev/ttyUSB0, socket://192.168.0.10:35000 or sim:demo, or set "
        "OBD_AGENT_ADAPTER.",
        "Es ist kein Adapter eingestellt: Nenne einen, etwa /dev/ttyUSB0, socket://192.168.0.10:35000 oder sim:demo, "
        "oder setze OBD_AGENT_ADAPTER.",
    ),
    "sessions": (
        "That needs {needed} session(s), and {found} were found: import a log or record a drive first, or name the id.",
        "Dafür braucht es {needed} Fahrt(en), gefunden: {found}. Importiere ein Log oder zeichne eine Fahrt auf, "
        "oder nenne die Id.",
    ),
    "latest": ("No session was named; taken: {rows}.", "Keine Fahrt genannt; genommen: {rows}."),
    "in question": ("For the session in question, {id}.", "Für die Fahrt, um die es geht: {id}."),
    "vehicle": ("Which vehicle? Name its id: {rows}.", "Welches Fahrzeug? Nenne die Id: {rows}."),
    "none": ("none is entered yet", "es ist noch keines eingetragen"),
}


class Phrases:
    """The sentences in one language."""

    def __init__(self, language: str) -> None:
        self._index = 1 if language == "de" else 0

    def _say(self, name: str, **values: object) -> str:
        return _TEXTS[name][self._index].format(**values)

    def answer(self, understood: Route, outcome: Outcome, note: str) -> str:
        """Say how the question was understood, what was taken for granted, and what the tool says."""
        heading = f"{self._say('who')}. {self._say('understood', what=self._what(understood))}"
        corrected = understood.reading.corrected.items()
        notes = [self._say("read_as", word=word, meant=meant) for word, meant in corrected]
        body = outcome.text()
        if outcome.error is not None:
            body = self._say("failed", message=outcome.error.message, hint=outcome.error.hint)
        return "\n".join([" ".join([heading, *notes, note]).strip(), "", body])

    def decline(self, understood: Route, offered: Collection[str]) -> str:
        """Say why there is no answer, and what could be asked."""
        reason = self._say(understood.reason or "unclear", what=self._what(understood))
        return "\n".join([f"{self._say('who')}. {reason}", *self._choices(offered)])

    def _choices(self, offered: Collection[str]) -> list[str]:
        able = [intent for intent in INTENTS if any(name in offered for name in intent.tools)]
        lines = [f"- {(intent.english, intent.german)[self._index]}" for intent in able]
        return list(dict.fromkeys(lines))

    def _what(self, understood: Route) -> str:
        intent = understood.intent
        return "" if intent is None else (intent.english, intent.german)[self._index]

    def no_adapter(self) -> str:
        """Ask for an adapter."""
        return self._say("no_adapter")

    def too_few_sessions(self, needed: int, found: int) -> str:
        """Say that there are not enough sessions."""
        return self._say("sessions", needed=needed, found=found)

    def session_in_question(self, session_id: str) -> str:
        """Say that the conversation's session was taken."""
        return self._say("in question", id=session_id)

    def latest(self, rows: Sequence[dict[str, Any]]) -> str:
        """Say which sessions were taken because none was named."""
        return self._say("latest", rows=", ".join(_row(row) for row in rows)) if rows else ""

    def which_vehicle(self, rows: Sequence[dict[str, Any]]) -> str:
        """Ask which vehicle is meant."""
        return self._say("vehicle", rows=", ".join(_row(row) for row in rows) or self._say("none"))


def _row(row: dict[str, Any]) -> str:
    return f"{row['id']} ({row['name']})" if row.get("name") else str(row["id"])
