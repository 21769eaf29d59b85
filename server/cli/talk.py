"""A conversation on a terminal: questions in, the answer as it comes, approvals put to the person."""

import asyncio
import sys

from server.chat.collected import collect
from server.chat.events import ArtifactMade, Done, Event, Failed, TextDelta, ToolEnd, ToolStart
from server.chat.responder import Question, Responder
from server.cli.shell import CommandFailedError, complain, print_json, say
from tools.approvals import decide
from tools.errors import ToolError


class Talk:
    """One conversation on a terminal."""

    def __init__(self, responder: Responder, conversation_id: str | None, built_in: bool) -> None:
        self.responder = responder
        self.conversation_id = conversation_id
        self.built_in = built_in
        self.waiting: list[str] = []

    def go_on(self, vehicle_id: str | None, session_id: str | None) -> None:
        """Ask and answer until the person leaves; a call that waits for approval is put to them."""
        complain(f"{self.responder.models[0]} answers; an empty line or Ctrl-D ends.")
        text = _line("> ")
        while text:
            asked = Question(text, self.conversation_id, vehicle_id, session_id, self.built_in)
            vehicle_id = session_id = None
            error = self.answer(asked)
            if error is not None:
                complain(f"{error.message} {error.hint}".strip())
            text = self._decisions() or _line("> ")
        self.say_how_to_continue()

    def say_how_to_continue(self) -> None:
        """Tell a person at a terminal how to go on later."""
        if self.conversation_id and sys.stderr.isatty():
            complain(f"[Continue with: obd-agent chat --conversation {self.conversation_id}]")

    def _decisions(self) -> str:
        """Ask the person about waiting calls; return what to tell the model then."""
        told = []
        for approval_id in self.waiting:
            what = self.responder.workshop.store.approvals.get(approval_id).what
            yes = _line(f"Approve once: {what}? [y/N] ").lower() in ("y", "yes", "j", "ja")
            decide(self.responder.workshop.store, approval_id, approved=yes, by="person at the terminal")
            told.append(f"I {'approved' if yes else 'refused'} {approval_id}.")
        self.waiting.clear()
        return " ".join(told)

    def answer_as_json(self, question: Question) -> None:
        """Print the whole answer as one JSON document."""
        try:
            answered = asyncio.run(collect(self.responder.ask(question)))
        except ToolError as error:
            raise CommandFailedError(error, True) from error
        print_json(answered.model_dump(mode="json"))

    def answer(self, question: Question) -> ToolError | None:
        """Print the answer as it comes, until Ctrl-C; return the error that ended it, if any."""
        try:
            return asyncio.run(self._follow(question))
        except KeyboardInterrupt:
            complain("\nStopped.")
            return None

    async def _follow(self, question: Question) -> ToolError | None:
        async for event in self.responder.ask(question):
            self._show(event)
            if isinstance(event, Failed):
                return event.as_error()
        return None

    def _show(self, event: Event) -> None:
        if isinstance(event, TextDelta):
            sys.stdout.write(event.text)
            sys.stdout.flush()
        elif isinstance(event, ToolStart) and sys.stderr.isatty():
            complain(f"[{event.tool} …]")
        elif isinstance(event, ToolEnd) and event.error and "approval_id" in event.error:
            self.waiting.append(event.error["approval_id"])
        elif isinstance(event, ArtifactMade):
            complain(f"[{event.file_name}: {event.artifact_id}]")
        elif isinstance(event, Done):
            self.conversation_id = event.conversation_id
            say("")


def _line(prompt: str) -> str:
    try:
        return input(prompt).strip()
    except (EOFError, KeyboardInterrupt):
        complain("")
        return ""
