"""The catalogue of questions that the built-in responder must understand, or decline; and how it does."""

import json
from importlib.resources import files
from typing import Any, NamedTuple

from server.chat.builtin.intents import INTENTS
from server.chat.builtin.routing import route


class Wrong(NamedTuple):
    """A question that was not understood as it should be."""

    question: str
    expected: str
    got: str


class Verdict(NamedTuple):
    """How the catalogue was answered; `expected` is a tool, or `decline`."""

    routed: int
    declined: int
    wrong: list[Wrong]

    def say(self) -> str:
        """Say the counts and every miss."""
        total = self.routed + self.declined
        lines = [
            f"Built-in responder: {total - len(self.wrong)} of {total} right "
            f"({self.routed} to route, {self.declined} to decline)."
        ]
        return "\n".join(
            lines + [f"wrong: {one.question!r} -> {one.got}, not {one.expected}" for one in self.wrong]
        )

    def plain(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""
        return {**self._asdict(), "wrong": [one._asdict() for one in self.wrong]}


def run_catalogue() -> Verdict:
    """Route every question of catalogue.json, as if every tool were offered."""
    text = (files(__package__) / "catalogue.json").read_text(encoding="utf-8")
    catalogue: dict[str, list[str]] = json.loads(text)
    offered = {tool for intent in INTENTS for tool in intent.tools}
    asked = [(question, tool) for tool, questions in catalogue.items() for question in questions]
    got = [route(question, offered).tool or "decline" for question, _ in asked]
    wrong = [
        Wrong(question, tool, chosen)
        for (question, tool), chosen in zip(asked, got, strict=True)
        if tool != chosen
    ]
    declined = len(catalogue["decline"])
    return Verdict(len(asked) - declined, declined, wrong)
