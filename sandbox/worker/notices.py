"""Collects the warnings of a run: pandas says by warning, and only by warning, that an assignment did nothing."""

import sys
import warnings
from types import TracebackType
from typing import Any, TextIO

from sandbox.worker.tracebacks import FILE

_KEPT = 20
_CHARACTERS = 600
# Of interest to whoever maintains a library, unless the user's own line is to blame.
_FOR_LIBRARIES = (
    DeprecationWarning,
    PendingDeprecationWarning,
    ImportWarning,
    SyntaxWarning,
)
# Nothing can be shown from in here, and the figure is saved anyway.
_POINTLESS = ("FigureCanvasAgg is non-interactive",)


class Notices:
    """While entered, keeps every different warning once, with the user's line and how often it came."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, int | None], int] = {}
        self._before = (warnings.showwarning, warnings.filterwarnings, warnings.simplefilter)

    def __enter__(self) -> "Notices":
        warnings.resetwarnings()
        warnings.simplefilter("always")
        warnings.showwarning = self._show
        for name in ("filterwarnings", "simplefilter"):
            setattr(warnings, name, _still_heard(getattr(warnings, name)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        warnings.showwarning, warnings.filterwarnings, warnings.simplefilter = self._before

    def seen(self) -> list[dict[str, Any]]:
        """Return the warnings as plain data, in the order they came."""
        return [
            {"category": category, "message": message, "line": line, "count": count}
            for (category, message, line), count in self._found.items()
        ]

    def _show(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, ResourceWarning) or (
            issubclass(category, _FOR_LIBRARIES) and filename != FILE
        ):
            return
        text = str(message).strip()[:_CHARACTERS]
        if not text.startswith(_POINTLESS):
            key = category.__name__[:100], text, lineno if filename == FILE else _users_line()
            if key in self._found or len(self._found) < _KEPT:
                self._found[key] = self._found.get(key, 0) + 1


def _still_heard(change: Any) -> Any:
    """Return the filter function with one difference: "ignore" does not silence assignments without effect."""
    from pandas.errors import ChainedAssignmentError  # type: ignore[attr-defined] # newer than the stubs

    original_filter = warnings.simplefilter

    def changed(*arguments: Any, **options: Any) -> None:
        change(*arguments, **options)
        original_filter("always", ChainedAssignmentError)

    return changed


def _users_line() -> int | None:
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != FILE:
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return frame.f_lineno
