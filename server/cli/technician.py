"""What a technician types: import a log, capture a car, list sessions, look after the installation."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from server.cli.demo import run_demo
from server.cli.doctor import examine
from server.cli.shell import AsJson, ask, complain, open_workshop, print_json, progress_bar, say, show
from tools.answer import Answer

Vehicle = Annotated[str | None, typer.Option(help="Id of the vehicle it belongs to.")]


def add_commands(app: typer.Typer) -> None:
    """Add the technician's commands."""
    app.command("import")(import_files)
    app.command("capture")(capture)
    app.command("sessions")(sessions)
    app.command("report")(report)
    app.command("doctor")(doctor)
    app.command("demo")(demo)


def import_files(
    files: Annotated[list[Path], typer.Argument(help="Log files; the format is told from the content.")],
    vehicle: Vehicle = None,
    log_format: Annotated[str | None, typer.Option("--format", help="Format, instead of detection.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show how columns would be understood.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read log files of other programs into sessions."""
    answers: list[Answer] = []
    with open_workshop() as workshop:
        for file in files:
            arguments = {"path": str(file), "vehicle_id": vehicle, "format": log_format, "dry_run": dry_run}
            with progress_bar(file.name) as progress:
                result = ask(workshop, "import_log", arguments, as_json=as_json, progress=progress)
            answers.append(result)
            if not as_json:
                say(result.say())
    if as_json:
        print_json([result.structured() for result in answers])


def capture(
    adapter: Annotated[
        str | None,
        typer.Option(help="Address such as /dev/ttyUSB0, socket://192.168.0.10:35000 or sim:demo."),
    ] = None,
    duration: Annotated[
        float | None, typer.Option(min=1, help="Seconds to record; else until Ctrl-C.")
    ] = None,
    signals: Annotated[str, typer.Option(help="Signals, separated by commas; else all the car has.")] = "",
    vehicle: Vehicle = None,
    as_json: AsJson = False,
) -> None:
    """Record a car into a session."""
    wanted = [name.strip() for name in signals.split(",") if name.strip()]
    arguments: dict[str, Any] = {"adapter": adapter, "duration_s": duration, "vehicle_id": vehicle}
    with open_workshop() as workshop:
        started = ask(workshop, "start_capture", arguments | {"signals": wanted or None}, as_json=as_json)
        session_id = started.structured()["session_id"]
        complain(f"Recording into {session_id}; Ctrl-C ends it and keeps what was recorded.")
        with progress_bar("recording") as progress:
            try:
                while session_id in workshop.running_captures():
                    state = ask(workshop, "capture_status", {"session_id": session_id}).structured()
                    progress(
                        state["duration_s"], duration, f"{state['readings']:,} readings, {state['link']}"
                    )
                    time.sleep(0.2)
            except KeyboardInterrupt:
                complain("Stopping.")
        show(ask(workshop, "stop_capture", {"session_id": session_id}, as_json=as_json), as_json)


def sessions(
    text: Annotated[
        str | None, typer.Argument(help="Only sessions whose name, source or notes contain this.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the recorded and imported sessions."""
    with open_workshop() as workshop:
        show(ask(workshop, "list_sessions", {"text": text, "limit": limit}, as_json=as_json), as_json)


def report(
    session: Annotated[str, typer.Argument(help="Id of the session.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report as Markdown to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Report a car's health from a session."""
    with open_workshop() as workshop:
        answer = ask(workshop, "health_report", {"session_id": session}, as_json=as_json)
        if output is not None:
            kept = [one for one in answer.structured()["artifacts"] if one["mime"] == "text/markdown"]
            output.write_bytes(workshop.store.artifacts.get(kept[0]["artifact_id"]).data or b"")
            complain(f"Wrote {output}.")
        show(answer, as_json)


def doctor(as_json: AsJson = False) -> None:
    """Check the installation, and say how to mend what is wrong."""
    with open_workshop() as workshop:
        checks = examine(workshop)
    if as_json:
        print_json([check._asdict() for check in checks])
    else:
        for check in checks:
            say(
                f"{'ok  ' if check.ok else 'FAIL'} {check.name}: {check.found}"
                + (f"\n     {check.hint}" if check.hint else "")
            )
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


def demo(
    fault: Annotated[str, typer.Option(help="Fault of the simulated car.")] = "vacuum_leak",
    minutes: Annotated[
        float, typer.Option(min=1, max=60, help="Minutes of driving, on the car's own clock.")
    ] = 12,
    as_json: AsJson = False,
) -> None:
    """Drive a simulated car with a fault, record it over real ELM327 bytes, and say what was found."""
    with open_workshop() as workshop, progress_bar("driving") as progress:
        run_demo(workshop, fault, minutes, as_json=as_json, progress=progress)
