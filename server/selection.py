"""Which tools a process offers: fixed at start, so that every client sees one list."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from tools.registry import Tool

AnyTool = Tool[Any, Any]


class UnknownChoiceError(ValueError):
    """A tool or toolset was named that does not exist."""


def select_tools(
    tools: Sequence[AnyTool],
    *,
    toolsets: Sequence[str] = (),
    names: Sequence[str] = (),
    exclude: Sequence[str] = (),
    read_only: bool = False,
) -> tuple[AnyTool, ...]:
    """Return the tools to offer, in their own order.

    Toolsets and names add up (all tools when neither is given); exclusion wins over both, read-only over all.

    Raises:
        UnknownChoiceError: a name that is no tool or toolset here.
    """
    _check(toolsets, {tool.toolset for tool in tools}, "toolset")
    _check([*names, *exclude], {tool.name for tool in tools}, "tool")
    everything = not toolsets and not names
    return tuple(
        tool
        for tool in tools
        if (everything or tool.toolset in toolsets or tool.name in names)
        and tool.name not in exclude
        and (tool.effects.read_only or not read_only)
    )


def _check(chosen: Iterable[str], known: set[str], kind: str) -> None:
    for name in chosen:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            guess = f" Did you mean {near[0]}?" if near else ""
            raise UnknownChoiceError(
                f"There is no {kind} {name!r}.{guess} There are: {', '.join(sorted(known))}."
            )
