"""Recorded sessions played back to the capture tools: the same values, marked as what they are."""

import json
import time
from bisect import bisect_left
from datetime import datetime
from pathlib import Path

import anyio
import mcp
import numpy as np
import pytest
from recordings import recording
from test_server_cli import run as command_line

from server.mcp_server import build_mcp_server
from storage.records import Column
from tools import TOOLS
from tools.adapters import check_adapter, list_adapters
from tools.capture import CaptureState, capture_status, start_capture, stop_capture
from tools.car import read_signals
from tools.clearing import clear_trouble_codes
from tools.context import ToolContext, Workshop
from tools.diagnosis import read_trouble_codes
from tools.errors import ToolError
from tools.guided import run_guided_test
from tools.health import health_report
from tools.importing import import_log
from tools.sessions import get_session, update_session
from tools.vehicles import save_vehicle
from vehicle.signals import SIGNALS

CAR = "sim:workshop?fault=misfire&ecu_ms=5"
SIGNALS_READ = ["rpm", "engine_load", "maf", "short_fuel_trim_1", "o2_b1s1", "coolant_temp", "status"]


@pytest.fixture
def context(workshop: Workshop) -> ToolContext:
    return ToolContext(workshop)


def finished(context: ToolContext, session_id: str, seconds: float = 30.0) -> CaptureState:
    end = time.monotonic() + seconds
    while (state := capture_status(context, session_id)).state != "finished":
        assert time.monotonic() < end, state
        time.sleep(0.02)
    return state


def stored(
    context: ToolContext,
    columns: dict[str, tuple[list[float], list[float]]],
    gap: tuple[float, float] | None = None,
) -> str:
    """Store a finished session of 7E8's readings; returns its id."""
    session = context.store.sessions.create(origin="capture", source="/dev/ttyUSB0")
    parts = [
        Column(name, SIGNALS[name].unit, "7E8", np.array(times) * 1_000_000, np.array(values, float))
        for name, (times, values) in columns.items()
    ]
    parts = [part._replace(times_us=part.times_us.astype(np.int64)) for part in parts]
    context.store.samples.append(session.id, parts)
    if gap:
        context.store.sessions.add_gap(session.id, int(gap[0] * 1e6), int(gap[1] * 1e6), "lost: unplugged")
    return context.store.sessions.finish(session.id).id


def steps(start_s: float, end_s: float) -> list[float]:
    return [start_s + 0.1 * number for number in range(round((end_s - start_s) * 10))]


def series(
    context: ToolContext, session_id: str
) -> dict[tuple[str, str | None], tuple[list[float], list[float]]]:
    return {
        (one.signal, one.ecu): ((one.times_us / 1e6).tolist(), one.values.tolist())
        for one in context.store.samples.read(session_id)
    }


def test_a_recorded_car_is_captured_again_with_the_same_values(context: ToolContext) -> None:
    first = start_capture(context, CAR, SIGNALS_READ, duration_s=3).session_id
    finished(context, first)
    again = start_capture(context, f"replay:{first}")
    state = finished(context, again.session_id)
    before, after = series(context, first), series(context, again.session_id)
    assert before.keys() - after.keys() == set()
    # the lamp and the count are bits of status, and come along with it
    assert {name for name, _ in after.keys() - before.keys()} == {"mil_on", "dtc_count"}
    for key, (times, values) in before.items():
        assert set(after[key][1]) <= set(values), key
        for time_s, value in zip(*after[key], strict=True):
            near = values[bisect_left(times, time_s - 0.5) : bisect_left(times, time_s + 0.5)]
            assert value in near, (key, time_s)
    assert len(set(after["rpm", "7E8"][1])) > 0.5 * len(set(before["rpm", "7E8"][1]))
    assert state.gaps == 0
    assert state.simulated


def test_a_capture_of_a_replay_says_what_it_is_everywhere(context: ToolContext) -> None:
    first = stored(context, {"rpm": (steps(0, 2), [900.0] * 20)})
    started = start_capture(context, f"replay:{first}?speed=2", ["rpm"], name="again")
    assert started.simulated
    assert "a recording played back" in started.say()
    state = finished(context, started.session_id)
    assert state.problem is None
    session = get_session(context, started.session_id)
    assert (session.session.origin, session.session.started_at) == ("replay", None)
    assert session.session.source == f"replay:{first}?speed=2"
    assert f"A replay of {first}, which was recorded from /dev/ttyUSB0" in (session.session.notes or "")
    assert f"replay:{first}" in session.session.line()
    assert session.details["clock_rate"] == 2
    assert "a recording played back" in read_signals(context, ["rpm"], f"replay:{first}").say()


def test_a_replay_at_speed_is_timed_by_the_recordings_clock(context: ToolContext) -> None:
    first = stored(context, {"rpm": (steps(0, 20), [800.0 + 4 * n for n in range(200)])})
    session_id = start_capture(context, f"replay:{first}?speed=10").session_id
    finished(context, session_id)
    times, values = series(context, session_id)["rpm", "7E8"]
    slope = np.polyfit(times, values, 1)[0]
    assert slope == pytest.approx(40, rel=0.05)
    assert get_session(context, session_id).session.duration_s == pytest.approx(20, abs=4)


def test_a_gap_stays_a_gap_with_the_reason_it_had(context: ToolContext) -> None:
    times = steps(0, 1) + steps(4, 6)
    first = stored(context, {"rpm": (times, [900.0] * len(times))}, gap=(1.0, 4.0))
    session_id = start_capture(context, f"replay:{first}").session_id
    assert finished(context, session_id).gaps == 1
    (gap,) = get_session(context, session_id).gaps
    assert gap.end_s - gap.start_s > 2
    again, _ = series(context, session_id)["rpm", "7E8"]
    assert not [time_s for time_s in again if gap.start_s + 0.2 < time_s < gap.end_s - 0.2]


def test_a_replay_begins_where_it_is_told(context: ToolContext) -> None:
    first = stored(context, {"rpm": (steps(0, 5), [800.0 + 4 * n for n in range(50)])})
    (rpm,) = read_signals(context, ["rpm"], f"replay:{first}?from_s=3&speed=0.1").values
    assert rpm.quantity.value == pytest.approx(920, abs=8)


def test_a_replay_begins_anew_for_the_next_who_asks_and_is_shared_with_a_capture(
    context: ToolContext,
) -> None:
    first = stored(context, {"rpm": (steps(0, 4), [800.0 + 4 * n for n in range(40)])})
    address = f"replay:{first}?speed=10"
    for _ in range(2):
        session_id = start_capture(context, address).session_id
        finished(context, session_id)
        assert series(context, session_id)["rpm", "7E8"][1][0] < 850
    slow = f"replay:{first}?speed=0.5"
    session_id = start_capture(context, slow).session_id
    until_s = time.monotonic() + 20
    while max(series(context, session_id).get(("rpm", "7E8"), ([], [0.0]))[1]) < 820:
        assert time.monotonic() < until_s
        time.sleep(0.02)
    (rpm,) = read_signals(context, ["rpm"], slow).values
    assert rpm.quantity.value is not None
    assert rpm.quantity.value >= 820
    stop_capture(context, session_id)


def test_an_imported_log_of_a_real_car_is_replayed(context: ToolContext) -> None:
    path = recording("carobd_toyota_etios/idle8.csv")
    first = import_log(context, str(path)).session_id
    address = f"replay:{first}?speed=20&loop=1"
    session_id = start_capture(context, address, duration_s=40).session_id
    state = finished(context, session_id)
    before, after = series(context, first), series(context, session_id)
    assert len(after) > 5
    assert state.unsupported
    for (signal, ecu), (_, values) in after.items():
        assert ecu is None
        recorded = np.array(before[signal, None][1])
        # a log prints six digits of what the bytes carry
        assert max(np.abs(recorded - value).min() for value in set(values)) < 1e-4, signal
    told = {one.signal: one.quantity for one in read_signals(context, ["rpm", "nox_b1s1"], address).values}
    assert told["rpm"].kind == "measured"
    assert told["nox_b1s1"].kind == "absent"


def test_codes_are_those_the_session_kept_and_otherwise_not_known(context: ToolContext) -> None:
    without = stored(context, {"rpm": (steps(0, 5), [900.0] * 50)})
    answer = read_trouble_codes(context, f"replay:{without}")
    assert answer.lists == []
    assert answer.mil_on is None
    assert "Stored codes: not answered." in answer.say()
    assert "no trouble codes were recorded" in answer.say()
    told = {"lists": [{"ecu": "7E8", "kind": "stored", "codes": ["P0300"]}], "freeze_frames": []}
    context.store.snapshots.save(without, None, "trouble_codes", told)
    answer = read_trouble_codes(context, f"replay:{without}?loop=1")
    assert answer.codes("stored") == ["P0300"]
    assert answer.simulated
    assert "Pending codes: not answered." in answer.say()


def test_nothing_is_cleared_in_a_recording_and_nobody_is_asked(context: ToolContext) -> None:
    first = stored(context, {"rpm": (steps(0, 5), [0.0] * 50)})
    with pytest.raises(ToolError, match="is a recording") as refused:
        clear_trouble_codes(context, f"replay:{first}")
    assert refused.value.code == "unsupported"
    assert context.store.approvals.pending() == []


def test_a_replay_is_no_drive_of_a_vehicle(context: ToolContext) -> None:
    first = stored(context, {"rpm": (steps(0, 3), [900.0] * 30)})
    vehicle_id = save_vehicle(context, name="Etios").vehicle.id
    with pytest.raises(ToolError, match="no new drive"):
        start_capture(context, f"replay:{first}", vehicle_id=vehicle_id)
    session_id = start_capture(context, f"replay:{first}", ["rpm"]).session_id
    stop_capture(context, session_id)
    with pytest.raises(ToolError, match="no new drive"):
        update_session(context, session_id, vehicle_id=vehicle_id)
    assert update_session(context, first, vehicle_id=vehicle_id).session.vehicle_id == vehicle_id


def test_the_check_of_a_replay_finds_no_adapter_and_the_recordings_pace(context: ToolContext) -> None:
    times = steps(0, 30)
    first = stored(context, {name: (times, [10.0] * 300) for name in ("rpm", "speed", "maf")})
    answer = check_adapter(context, f"replay:{first}")
    assert (answer.verdict, answer.protocol, answer.batch_size) == ("cannot tell", None, 3)
    assert answer.batched_rate.value is not None
    assert answer.batched_rate.value < 60
    assert "no adapter" in answer.identity.name
    assert answer.evidence == []
    assert "a recording played back" in answer.say()


def test_a_check_says_nothing_against_an_adapter_where_the_recording_lacks_a_part(
    context: ToolContext,
) -> None:
    late = [n + 8.0 for n in steps(0, 10)]
    first = stored(context, {"rpm": (steps(0, 20), [900.0] * 200), "maf": (late, [5.0] * 100)})
    assert check_adapter(context, f"replay:{first}").verdict == "cannot tell"


def test_a_health_report_on_a_replay_says_that_it_is_one(context: ToolContext) -> None:
    first = stored(context, {"rpm": (steps(0, 20), [900.0] * 200)})
    session_id = start_capture(context, f"replay:{first}?speed=20").session_id
    finished(context, session_id)
    report = health_report(context, session_id)
    assert f"A replay of {first}" in report.say()
    kept = context.store.artifacts.get(report.artifacts[-1].artifact_id)
    assert f"A replay of {first}" in (kept.data or b"").decode()


def test_a_guided_test_on_its_own_recording_comes_to_the_same_verdict(context: ToolContext) -> None:
    car = "sim:workshop?driver=hold2500&fault=vacuum_leak&speedup=30"
    first = run_guided_test(context, "hold_2500_rpm", car)
    assert first.session_id is not None
    again = run_guided_test(context, "hold_2500_rpm", f"replay:{first.session_id}?speed=20")
    assert first.outcome is not None
    assert again.outcome is not None
    assert (again.outcome.verdict, again.outcome.reason) == (first.outcome.verdict, first.outcome.reason)
    assert again.simulated
    assert "a recording played back" in again.say()


def test_a_guided_test_on_a_recording_that_lacks_its_signals_says_so(context: ToolContext) -> None:
    first = stored(context, {"speed": (steps(0, 3), [0.0] * 30)})
    with pytest.raises(ToolError, match="does not report"):
        run_guided_test(context, "hold_2500_rpm", f"replay:{first}")


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("replay:ses_nowhere", "not_found", "ses_nowhere"),
        ("replay:{}?spede=2", "bad_arguments", "spede"),
        ("replay:{}?from_s=99", "bad_arguments", "ends at"),
    ],
)
def test_a_replay_that_cannot_be_is_refused_and_leaves_no_session(
    context: ToolContext, address: str, code: str, says: str
) -> None:
    first = stored(context, {"rpm": (steps(0, 3), [900.0] * 30)})
    for tool in (start_capture, check_adapter, read_trouble_codes):
        with pytest.raises(ToolError, match=says) as refused:
            tool.run(context, {"adapter": address.format(first)})
        assert refused.value.code == code
        assert refused.value.hint
    assert context.store.sessions.list().total == 1


def test_what_has_no_times_or_is_still_recorded_is_not_played(context: ToolContext) -> None:
    recording_now = context.store.sessions.create(origin="capture", source="x")
    empty = context.store.sessions.finish(context.store.sessions.create(origin="capture", source="x").id)
    for session_id, code in ((recording_now.id, "busy"), (empty.id, "unsupported")):
        with pytest.raises(ToolError) as refused:
            read_signals(context, ["rpm"], f"replay:{session_id}")
        assert refused.value.code == code
    assert list_adapters(context).replays.newest == []


def test_replays_are_listed_newest_first_and_not_all_of_them(context: ToolContext) -> None:
    ids = [stored(context, {"rpm": ([0.0, 1.0], [900.0, 900.0])}) for _ in range(12)]
    for number, session_id in enumerate(ids):
        context.store.sessions.update(
            session_id, started_at=datetime.fromisoformat(f"2026-03-{number + 1:02}T00:00:00+00:00")
        )
    replays = list_adapters(context).replays
    assert [one.address for one in replays.newest] == [f"replay:{one}" for one in reversed(ids[2:])]
    assert replays.sessions == 12
    assert "the newest 10 of 12 sessions" in list_adapters(context).say()
    assert "loop=1" in replays.options


def test_a_replay_is_read_over_mcp(workshop: Workshop) -> None:
    first = stored(ToolContext(workshop), {"rpm": (steps(0, 30), [900.0] * 300)})

    async def call() -> mcp.types.CallToolResult:
        async with mcp.Client(build_mcp_server(TOOLS, workshop)) as client:
            return await client.call_tool("read_signals", {"signals": ["rpm"], "adapter": f"replay:{first}"})

    result = anyio.run(call)
    assert not result.is_error
    assert "rpm (7E8): 900 rpm" in result.content[0].text


def test_a_replay_is_captured_to_its_end_from_the_shell(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, f"sqlite:///{tmp_path / 'obd-agent.db'}")
    first = stored(ToolContext(workshop), {"rpm": (steps(0, 10), [900.0] * 100)})
    workshop.close()
    done = command_line(
        tmp_path, "call", "start_capture", json.dumps({"adapter": f"replay:{first}?speed=10"})
    )
    assert done.returncode == 0, done.stderr
    session_id = json.loads(done.stdout)["session_id"]
    session = json.loads(
        command_line(tmp_path, "call", "get_session", json.dumps({"session_id": session_id})).stdout
    )
    assert session["session"]["state"] == "finished"
    assert session["session"]["readings"] > 20
