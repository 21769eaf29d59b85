"""The README names what there is, no more and no less."""

import re
from pathlib import Path
from typing import get_args

import typer

from server.cli import app
from server.live.events import EventType
from server.settings import Settings
from tools import TOOLS
from vehicle.links import SCHEMES

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    found = re.search(rf"^#+ {re.escape(title)}$(.*?)(?=^#|\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title!r}"
    return found[1]


def test_every_tool_stands_in_the_readme_under_its_toolset() -> None:
    rows = dict(re.findall(r"^\| (\w+) \| (.*) \|$", section("Tools"), re.MULTILINE))
    rows.pop("toolset")
    listed = {toolset: re.findall(r"`(\w+)`", names) for toolset, names in rows.items()}
    real: dict[str, list[str]] = {}
    for tool in TOOLS:
        real.setdefault(tool.toolset, []).append(tool.name)
    assert listed == real


def test_every_command_stands_in_the_readme() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group has commands
    listed = re.findall(r"^\| `obd-agent (\w+)", section("Commands"), re.MULTILINE)
    assert sorted(listed) == sorted(commands)


def test_every_setting_stands_in_the_readme() -> None:
    names = {
        str(field.validation_alias or f"OBD_AGENT_{name.upper()}")
        for name, field in Settings.model_fields.items()
    }
    assert set(re.findall(r"^\| `(\w+)`", section("Settings"), re.MULTILINE)) == names


def test_every_kind_of_live_event_stands_in_the_readme() -> None:
    rows = re.findall(r"^\| (`.*?) \|", section("Live"), re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}
    assert told == set(get_args(EventType))


def test_every_kind_of_address_stands_in_the_readme() -> None:
    table = section("Adapters")
    assert all(f"`{scheme}:" in table or scheme == "serial" for scheme in SCHEMES)
