"""`obd-agent demo`: the main job from end to end, on a simulated car that speaks real ELM327 bytes."""

import time
from pathlib import Path
from typing import Any

from server.cli.shell import ask, print_json, say
from tools.answer import Answer
from tools.context import Progress, Workshop

SPEEDUP = 30
SIGNALS = [
    "rpm",
    "speed",
    "coolant_temp",
    "engine_load",
    "throttle_pos",
    "maf",
    "intake_pressure",
    "intake_temp",
    "short_fuel_trim_1",
    "long_fuel_trim_1",
    "control_module_voltage",
    "fuel_status",
]

ANALYSES = ("get_session", "analyze_session", "health_report")

CLIENTS = """
To use it from an MCP client such as Claude Desktop, Cursor or VS Code, add the server
  {"mcpServers": {"obd-agent": {"command": "obd-agent", "args": ["mcp"]}}}
and ask: "What does my newest session say about the engine?"
"""


def run_demo(workshop: Workshop, fault: str, minutes: float, *, as_json: bool, progress: Progress) -> None:
    """Capture a drive of the simulated car, analyse it and print what was found."""
    address = f"sim:demo?fault={fault}&speedup={SPEEDUP}"
    wanted = {"adapter": address, "signals": SIGNALS, "duration_s": minutes * 60, "name": f"Demo: {fault}"}
    session_id = ask(workshop, "start_capture", wanted, as_json=as_json).structured()["session_id"]
    while session_id in workshop.running_captures():
        state = ask(workshop, "capture_status", {"session_id": session_id}).structured()
        progress(state["duration_s"], minutes * 60, f"{state['readings']:,} readings")
        time.sleep(0.1)
    told = {name: ask(workshop, name, {"session_id": session_id}) for name in ANALYSES}
    pictured = {"session_id": session_id, "signals": ["speed", "rpm", "long_fuel_trim_1", "coolant_temp"]}
    told["plot_signals"] = ask(workshop, "plot_signals", pictured)
    if as_json:
        print_json({name: result.structured() for name, result in told.items()})
    else:
        _say_all(session_id, address, told, write_report(workshop, session_id, told["health_report"]))


def write_report(workshop: Workshop, session_id: str, health: Answer) -> Path:
    """Write the health report as a file that a person can open; return where it is."""
    kept = [one for one in health.structured()["artifacts"] if one["mime"] == "text/markdown"]
    path = workshop.home / "reports" / f"{session_id}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(workshop.store.artifacts.get(kept[0]["artifact_id"]).data or b"")
    return path


def _say_all(session_id: str, address: str, told: dict[str, Answer], report: Path) -> None:
    say(f"Drove a simulated car ({address}) and recorded it over real ELM327 bytes into {session_id}.\n")
    for result in told.values():
        say(result.say() + "\n")
    next_steps: dict[str, Any] = {
        "obd-agent sessions": "lists it",
        "obd-agent serve": "offers it over HTTP and MCP",
    }
    say(f"The report: {report}")
    say("\n".join(f"{command} {does}." for command, does in next_steps.items()))
    say(CLIENTS)
