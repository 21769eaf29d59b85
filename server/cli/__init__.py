"""The `obd-agent` command: what a technician types, and how the servers are started."""

import sys

import typer

from server.cli import approving, chat, data, serving, technician, tool_calls
from server.cli.shell import CommandFailedError

app = typer.Typer(
    name="obd-agent",
    help="Read, record, understand and compare what a car says over OBD-II.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (serving, tool_calls, technician, approving, chat, data):
    room.add_commands(app)


def main() -> None:
    """Run the command line; exit status 0 done, 1 failed, 2 wrong usage."""
    try:
        app()
    except CommandFailedError as refusal:
        sys.exit(refusal.show())
