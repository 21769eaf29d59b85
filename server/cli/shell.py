"""What the commands share: settings, the workshop, output for people or programs, errors with a hint."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from server.calls import answer, find_tool
from server.selection import AnyTool
from server.settings import Settings
from tools import TOOLS
from tools.answer import Answer
from tools.context import Progress, ToolContext, Workshop, no_progress
from tools.errors import ToolError

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


class CommandFailedError(Exception):
    """A command could not do its work: carries the error that the tool gave."""

    def __init__(self, error: ToolError, as_json: bool) -> None:
        super().__init__(error.message)
        self.error = error
        self.as_json = as_json

    def show(self) -> int:
        """Print the error and return the exit status: 2 for wrong usage, 1 for anything else."""
        if self.as_json:
            print_json(self.error.body())
        else:
            complain(f"{self.error.message}\n{self.error.hint}".strip())
        return 2 if self.error.code == "bad_arguments" else 1


def say(text: str) -> None:
    """Print a result on standard output."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def complain(text: str) -> None:
    """Print what a person should know, but no program should read, on standard error."""
    sys.stderr.write(text.rstrip("\n") + "\n")


def print_json(value: Any) -> None:
    """Print one JSON document."""
    say(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


def show(result: Answer, as_json: bool) -> None:
    """Print an answer for a person or for a program."""
    if as_json:
        print_json(result.structured())
    else:
        say(result.say())


@contextmanager
def open_workshop(*, allow_reduced: bool = True) -> Iterator[Workshop]:
    """Open the workshop that the settings describe, and close it in the end."""
    settings = Settings()
    reduced = settings.reduced_sandbox and allow_reduced
    workshop = Workshop(settings.home, settings.database, settings.adapter, reduced_sandbox=reduced)
    workshop.search_url = settings.search_url
    workshop.idle_session_s = settings.idle_session_s
    try:
        yield workshop
    finally:
        workshop.close()


def ask(
    workshop: Workshop,
    name: str,
    arguments: dict[str, Any],
    *,
    as_json: bool = False,
    progress: Progress = no_progress,
) -> Answer:
    """Call a tool as a command does.

    Raises:
        CommandFailedError: the tool refused; `main` prints it.
    """
    context = ToolContext(workshop, requester="cli", progress=progress)
    try:
        tool: AnyTool = find_tool(TOOLS, name)
        return answer(tool, context, {key: value for key, value in arguments.items() if value is not None})
    except ToolError as error:
        raise CommandFailedError(error, as_json) from error


@contextmanager
def progress_bar(label: str) -> Iterator[Progress]:
    """Show a progress bar on a terminal, and nothing on a pipe."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total, message: bar.update(
            task, completed=done, total=total, description=message or label
        )
