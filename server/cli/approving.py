"""`obd-agent approve`: a person allows one call once."""

from typing import Annotated

import typer

from server.cli.shell import AsJson, CommandFailedError, open_workshop, print_json, say
from tools.approvals import decide
from tools.errors import ToolError


def add_commands(app: typer.Typer) -> None:
    """Add the approving command."""
    app.command("approve")(approve)


def approve(
    approval_id: Annotated[
        str | None, typer.Argument(help="Id of the approval; without it, what waits is listed.")
    ] = None,
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Allow a call that waits for a person to run once, or list what waits."""
    with open_workshop() as workshop:
        if approval_id is None:
            waiting = workshop.store.approvals.pending()
            rows = [{"id": one.id, "what": one.what, "requester": one.requester} for one in waiting]
            lines = [f"{one.id}  {one.what} (asked by {one.requester})" for one in waiting]
            print_json(rows) if as_json else say("\n".join(lines) or "Nothing waits for a person.")
            return
        try:
            decided = decide(workshop.store, approval_id, approved=not refuse, by="person in the terminal")
        except ToolError as error:
            raise CommandFailedError(error, as_json) from error
    if as_json:
        print_json({"id": decided.id, "decision": decided.decision, "what": decided.what})
    else:
        say(f"{decided.id} {decided.decision}: {decided.what}")
