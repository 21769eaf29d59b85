"""`obd-agent tools` and `obd-agent call`: every tool from the shell, the fourth door."""

import json
import sys
from typing import Annotated, Any

import typer

from server.calls import describe
from server.cli.shell import AsJson, CommandFailedError, ask, complain, open_workshop, print_json, say
from tools import TOOLS
from tools.context import Workshop
from tools.errors import ToolError


def add_commands(app: typer.Typer) -> None:
    """Add the commands that list and call tools."""
    app.command("tools")(tools)
    app.command("call")(call)


def tools(as_json: AsJson = False) -> None:
    """List the tools."""
    if as_json:
        print_json([describe(tool) for tool in TOOLS])
        return
    width = max(len(tool.name) for tool in TOOLS)
    for tool in TOOLS:
        effect = "reads" if tool.effects.read_only else "writes"
        say(f"{tool.name:<{width}}  {tool.toolset:<9} {effect:<6} {tool.title}")


def call(
    name: Annotated[str, typer.Argument(help="The tool's name; `obd-agent tools` lists them.")],
    arguments: Annotated[
        str, typer.Argument(help="Arguments as a JSON object; - reads standard input.")
    ] = "{}",
) -> None:
    """Call a tool and print its answer as JSON; a capture it starts is followed to its end."""
    with open_workshop() as workshop:
        result = ask(workshop, name, _parse(arguments), as_json=True)
        print_json(result.structured())
        _wait_for_captures(workshop)


def _parse(arguments: str) -> dict[str, Any]:
    text = sys.stdin.read() if arguments == "-" else arguments
    try:
        values = json.loads(text)
    except ValueError as error:
        raise CommandFailedError(
            ToolError("bad_arguments", f"The arguments are not JSON: {error}.", _SHAPE), True
        ) from error
    if not isinstance(values, dict):
        raise CommandFailedError(
            ToolError("bad_arguments", "The arguments are not a JSON object.", _SHAPE), True
        )
    return values


_SHAPE = """Give one JSON object, for example '{"vin": "1HGCM82633A004352"}'."""


def _wait_for_captures(workshop: Workshop) -> None:
    """Keep the process until its captures end: they would end with it."""
    running = workshop.running_captures()
    if running:
        complain(f"Recording into {', '.join(running)}; Ctrl-C ends it and keeps what was recorded.")
        try:
            workshop.recorders.wait()
        except KeyboardInterrupt:
            complain("Stopped.")
