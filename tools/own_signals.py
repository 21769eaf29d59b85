"""A person's own signals: maker-specific requests from CSV files in the home's folder `signals`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.context import ToolContext
from tools.errors import ToolError

if TYPE_CHECKING:
    from vehicle.signals import Signal


def own_signals(context: ToolContext) -> dict[str, Signal]:
    """Return the signals of all files, by name; files are read anew, so that a change counts at once.

    Raises:
        ToolError: `bad_arguments` naming file, line and column of what cannot be used.
    """
    from vehicle.signals.custom import SignalFileError, read_signal_file

    found: dict[str, Signal] = {}
    for path in sorted((context.workshop.home / "signals").glob("*.csv")):
        try:
            fresh = read_signal_file(path)
        except (SignalFileError, UnicodeDecodeError) as error:
            raise ToolError(
                "bad_arguments", f"{path.name}: {error}", "Correct the file, or move it away."
            ) from error
        twice = sorted(found.keys() & fresh.keys())
        if twice:
            raise ToolError(
                "bad_arguments", f"{path.name}: {twice[0]} is in another file too.", "Rename one of them."
            )
        found |= fresh
    return found
