"""Says where in the user's code an error arose."""

import traceback
from types import TracebackType
from typing import Any

FILE = "<analysis>"
_MESSAGE_CHARACTERS = 2000
_FRAMES = 12
_NAME_CHARACTERS = 100
_LINE_CHARACTERS = 300


def describe(error: BaseException) -> dict[str, Any]:
    """Return type, message, line of the user's code, and the traceback through the user's own frames."""
    if isinstance(error, SyntaxError) and error.filename == FILE:
        return {
            "type": type(error).__name__[:_NAME_CHARACTERS],
            "message": error.msg,
            "line": error.lineno,
            "traceback": f"line {error.lineno}: {(error.text or '').strip()[:_LINE_CHARACTERS]}",
        }
    frames = own_frames(error.__traceback__)
    return {
        "type": type(error).__name__[:_NAME_CHARACTERS],
        "message": str(error)[:_MESSAGE_CHARACTERS],
        "line": frames[-1].lineno if frames else None,
        "traceback": "\n".join(
            f"line {frame.lineno}, in {frame.name[:_NAME_CHARACTERS]}: {(frame.line or '')[:_LINE_CHARACTERS]}"
            for frame in frames[-_FRAMES:]
        ),
    }


def own_frames(start: TracebackType | None) -> list[traceback.FrameSummary]:
    """Return the frames of a traceback that lie in the user's code, outermost first."""
    return [frame for frame in traceback.extract_tb(start) if frame.filename == FILE]
