"""What makes generated requests reach something: a filled workshop, the ids in it, and bounds on what takes long."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from hypothesis import strategies as st
from pdfs import write_pdf
from stored_drives import START, store_drive, store_simulated

from tools import TOOLS
from tools.context import Workshop

CAR = "sim:petrol?speedup=50"
ADAPTERS = [
    CAR,
    "sim:petrol?fault=misfire&speedup=50",
    "sim:nobody?speedup=x",
    "socket://127.0.0.1:9",
    "pigeon:7",
]
# Codes are cleared only while a car stands; a guided test that nobody follows lasts its time, in the car's own time.
PARKED = ["sim:petrol?driver=hold2500&speedup=200", "sim:petrol?speedup=200", "socket://127.0.0.1:9"]
CODE = ["1 + 1", "print('x' * 10)", "session.frame()", "import os", "1 / 0", "(", "é\x00"]
SIGNALS = ["rpm", "speed", "coolant_temp", "engine_load", "no_such_signal", "", "RPM", "x_ü"]
QUESTIONS = [
    "What does P0171 mean?",
    "Is my newest session well?",
    "Plot rpm",
    "?",
    "\x00",
    "delete everything",
]
TIMES = [START.isoformat(), "2026-05-04T10:30:01+02:00"]
LOGS = Path(__file__).parent / "data" / "logs"


class Filled:
    """A workshop that holds one of everything, filled again where requests have removed it."""

    def __init__(self, workshop: Workshop, address: str) -> None:
        self._store = workshop.store
        self._client = httpx.Client(base_url=f"http://{address}", timeout=60)
        self._paths = [str(path) for path in sorted(LOGS.iterdir())] + [
            str(LOGS),
            str(workshop.home / "none.csv"),
        ]
        self._paths.append(
            str(write_pdf(workshop.home / "golf.pdf", ["Torque the sump plug to 30 Nm.", None]))
        )
        self._post("/api/tools/import_manual", path=self._paths[-1])
        self._post("/api/tools/clear_trouble_codes", adapter=PARKED[0])
        self._post("/api/tools/run_python", code="1 + 1", session_ids=[])
        self._capture = self._post("/api/tools/start_capture", adapter=CAR, duration_s=0.1)["session_id"]
        for message in ("What does P0171 mean?", "List my sessions"):
            self._post("/api/chat", message=message)

    def _post(self, route: str, **body: Any) -> Any:
        return self._client.post(route, json=body).json()

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def fill(self) -> None:
        """Put back what is missing: finished and live sessions of a vehicle, an alert, a plot."""
        held = self._store.sessions.list(state="finished", limit=200).rows
        if sum(one.readings > 0 and one.vehicle_id is not None for one in held) < 2:
            vehicle = self._post("/api/tools/save_vehicle", name="Golf", fuel_type="gasoline")["vehicle"][
                "id"
            ]
            store_drive(self._store, vehicle_id=vehicle)
            session = store_simulated(self._store, fault="vacuum_leak", vehicle_id=vehicle, duration_s=240)
            self._post("/api/tools/read_trouble_codes", adapter=CAR, session_id=session)
            self._post("/api/tools/save_fill_up", vehicle_id=vehicle, litres=40, distance_km=600)
        if not self._store.alerts.list(limit=1).rows or not self._live():
            session = self._post("/api/sessions")["id"]
            columns = {"t_s": list(range(6)), "coolant_temp": [118] * 6, "rpm": [800] * 6}
            self._post(f"/api/sessions/{session}/data", start=START.isoformat(), columns=columns)
        if not self._store.artifacts.list(limit=1).rows:
            self._store.artifacts.save(None, "plot", "p.png", "image/png", b"\x89PNG")

    def _live(self) -> list[str]:
        rows = self._store.sessions.list(state="recording", limit=200).rows
        return [one.id for one in rows if one.origin == "intake"]

    def known(self, path: str) -> dict[str, list[Any]]:
        """Return values that arguments of these names can have on a path."""
        store = self._store
        finished = store.sessions.list(state="finished", limit=6).rows
        driven = [one.vehicle_id for one in finished if one.vehicle_id is not None and one.readings]
        return {
            "session_id": self._sessions(path, [one.id for one in finished]),
            "vehicle_id": [*dict.fromkeys(driven), *(one.id for one in store.vehicles.list(limit=1).rows)],
            "artifact_id": [one.id for one in store.artifacts.list(limit=3).rows],
            "alert_id": [one.id for one in store.alerts.list(limit=3).rows],
            "approval_id": self._approvals(path),
            "conversation_id": [one.id for one in store.conversations.list(limit=3).rows],
            "run_id": [one.id for one in store.snapshots.list(kind="python_run", limit=1).rows],
            "manual_id": [one.id for one in store.manuals.list(limit=1).rows],
            "path": self._paths[-1:] if path.endswith("/import_manual") else self._paths,
            "vin": ["WVWZZZ1KZ5W000001", "1HGCM82633A004352"],
            "trouble_code": ["P0171", "P0300, P0420"],
            "message": QUESTIONS,
            "query": ["sump plug", "P0171"],
            "start": TIMES,
            "time": TIMES,
            "timestamp": TIMES,
        }

    def _sessions(self, path: str, finished: list[str]) -> list[str]:
        live = self._live()[:1]
        if path.endswith("/stream"):
            # A live session's stream ends with the session only; tests of its own follow it.
            return finished
        if path.endswith(("/capture_status", "/stop_capture")):
            return [self._capture, *finished[:1]]
        return [*live, *finished[:1]] if path.endswith("/data") else finished + live

    def _approvals(self, path: str) -> list[str]:
        if not path.endswith("/clear_trouble_codes"):
            return [one.id for one in self._store.approvals.pending()[:3]]
        asked = self._post("/api/tools/clear_trouble_codes", adapter=PARKED[0])["approval_id"]
        self._post(f"/api/approvals/{asked}", approve=True)
        return [asked]


TAKEN = {f"/api/tools/{tool.name}": set(tool.input_schema["properties"]) for tool in TOOLS}
# Optional, and without them a tool has nothing to reach.
WANTED = ("adapter", "approval_id", "run_id", "session_id", "vehicle_id", "trouble_code")


def with_wanted(draw: st.DrawFn, path: str, body: Any) -> Any:
    """Return a tool's arguments with, mostly, what it could reach something by; `aimed` makes it real."""
    if not isinstance(body, dict):
        return body
    if path.startswith("/v1") and draw(st.booleans()):
        asked = {"role": "user", "content": draw(st.sampled_from(QUESTIONS))}
        return {"stream": body.get("stream", False), "messages": [asked]}
    if isinstance(body.get("columns"), dict):
        columns = {
            name: [*values, 1.0, 1.0][:2]
            for name, values in body["columns"].items()
            if isinstance(values, list)
        }
        return body | {"columns": columns | {"t_s": [0.0, 1.5]}}
    missing = [name for name in WANTED if name in TAKEN.get(path, ()) and body.get(name) is None]
    return body | {name: "x" for name in missing if draw(st.integers(0, 3)) < 3}


def aimed(draw: st.DrawFn, known: Mapping[str, list[Any]], path: str, value: Any, name: str = "") -> Any:
    """Return a generated value in which most names that are known carry what exists, and what takes long is short."""
    again = partial(aimed, draw, known, path)
    if isinstance(value, dict):
        return {key: again(one, key) for key, one in _with_duration(path, value).items()}
    if isinstance(value, list):
        single = name.removesuffix("s")
        return [again(one, single if name.endswith("_ids") else f"one of {name}") for one in value]
    choices = _bounded(path, name, value)
    if choices:
        return draw(st.sampled_from(choices))
    if isinstance(value, str) and known.get(name) and draw(st.integers(0, 4)) < 4:
        return draw(st.sampled_from(known[name]))
    return value


def _with_duration(path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Give a capture an end of its own."""
    if path.endswith("/start_capture") and body.get("duration_s") is None:
        return {**body, "duration_s": 0.1}
    return body


def _bounded(path: str, name: str, value: Any) -> list[Any]:
    """Return the values to choose from where a free one could take long or reach beyond this machine."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "adapter" and isinstance(value, str):
        return PARKED if path.endswith(("/run_guided_test", "/clear_trouble_codes")) else ADAPTERS
    if name == "duration_s" and is_number and value > 0.1:
        return [0.05, 0.1]
    if name == "timeout_s" and is_number and value > 1:
        return [1, 1.5]
    if name == "code" and isinstance(value, str):
        return CODE if path.endswith("/run_python") else ["P0171", "U0100", "p03", value]
    if name in ("one of signals", "signal") and isinstance(value, str):
        return [*SIGNALS, value]
    return []
