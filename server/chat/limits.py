"""How much one answer may take: turns, calls, tokens, time, and what a model is shown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """The limits of one answer; beyond `turns` or `calls` the model must answer from what it has."""

    turns: int = 12
    calls: int = 40
    tokens: int = 400_000
    seconds: float = 300.0
    result_chars: int = 12_000
    context_tokens: int = 32_000

    @property
    def context_chars(self) -> int:
        """What fits into the context, at the usual four characters a token."""
        return self.context_tokens * 4
