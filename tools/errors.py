"""Failures a caller can act on: one error type, the same at every door."""

from typing import Any, Literal

Code = Literal[
    "bad_arguments",
    "not_found",
    "not_allowed",
    "car_unreachable",
    "car_refused",
    "unsupported",
    "too_large",
    "timeout",
    "busy",
    "internal_error",
]


class ToolError(Exception):
    """A tool could not answer: `code` for programs, `message` and `hint` for whoever called."""

    def __init__(self, code: Code, message: str, hint: str = "", **details: str) -> None:
        super().__init__(message)
        self.code: Code = code
        self.message = message
        self.hint = hint
        self.details = details

    def body(self) -> dict[str, Any]:
        """Return the error as every door shows it: code, message, hint and what the tool added."""
        return {"code": self.code, "message": self.message, "hint": self.hint, **self.details}
