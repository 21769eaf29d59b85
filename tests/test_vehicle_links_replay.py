"""A recording as a way to a car: its values at their times, its silences as silence, and nothing made up."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from threading import Event

import numpy as np
import pytest

from vehicle.codes.errors import BadCodeError
from vehicle.codes.form import code_to_bytes
from vehicle.diagnostics.current import read_now
from vehicle.diagnostics.freeze_frames import read_freeze_frames
from vehicle.diagnostics.models import EcuCodes, FreezeFrame, FrozenValue
from vehicle.diagnostics.readiness import read_readiness
from vehicle.diagnostics.trouble_codes import clear_trouble_codes, read_trouble_codes
from vehicle.errors import BadAddressError
from vehicle.links import Link, LinkState, open_link
from vehicle.links.recording import Recording
from vehicle.links.replay import Replay
from vehicle.links.replay_address import parse_replay
from vehicle.poller import Batch, Gap, Poller, read_support
from vehicle.runs import Run
from vehicle.signals import SIGNALS

Play = Callable[..., Link]


def run(
    signal: str, times_s: list[float], values: list[float], ecu: str = "7E8", unit: str | None = None
) -> Run:
    own = SIGNALS[signal].unit if signal in SIGNALS else "count"
    times_us = np.round(np.array(times_s) * 1e6).astype(np.int64)
    return Run(signal, own if unit is None else unit, ecu, times_us, np.array(values, float), "test")


def steps(count: int, period_s: float = 0.1, start_s: float = 0.0) -> list[float]:
    return [start_s + period_s * number for number in range(count)]


def rpm(count: int = 20, start_s: float = 0.0, ecu: str = "7E8") -> Run:
    return run("rpm", steps(count, start_s=start_s), [800.0 + 4 * number for number in range(count)], ecu)


@pytest.fixture
def play() -> Iterator[Play]:
    """Open a replay of runs; slow enough to stand still unless told otherwise."""
    with ExitStack() as stack:

        def opened(*runs: Run, options: str = "speed=0.1", **more: object) -> Link:
            address = f"replay:ses_test?{options}"
            recording = Recording("ses_test", runs, **more)  # type: ignore[arg-type]
            return stack.enter_context(open_link(address, conversation=Replay(address, recording)))

        yield opened


def polled(link: Link, until: Callable[[list[Batch]], bool], signals: list[str] | None = None) -> list[Batch]:
    stop, batches = Event(), []
    for batch in Poller(link, signals, batch_s=0.05).poll(stop):
        batches.append(batch)
        if until(batches) or batch.end_us > 20e6:
            stop.set()
    return batches


def values_of(batches: list[Batch], signal: str) -> list[float]:
    return [float(v) for batch in batches for one in batch.runs if one.signal == signal for v in one.values]


def now(link: Link, *signals: str) -> dict[str, float | str]:
    found = read_now(link, [SIGNALS[name] for name in signals])
    return {one.signal.name: one.reason if one.value is None else one.value for one in found}


def test_recorded_values_come_back_in_their_order_and_at_their_times(play: Play) -> None:
    recorded = rpm(20)
    link = play(recorded, options="speed=1")
    batches = polled(link, lambda found: any(c.state == "no_car" for batch in found for c in batch.states))
    readings = [
        (int(time_us), float(value))
        for batch in batches
        for one in batch.runs
        for time_us, value in zip(one.times_us, one.values, strict=True)
    ]
    values = [value for _, value in readings]
    assert set(values) <= set(recorded.values)
    assert values == sorted(values)
    assert len(set(values)) > 10
    at = {value: time_us for time_us, value in reversed(readings)}
    shifts = [at[v] - int(t) for t, v in zip(recorded.times_us, recorded.values, strict=True) if v in at]
    assert np.median(np.abs(np.array(shifts) - np.median(shifts))) < 50_000
    assert link.state_reason.startswith("ses_test is over")


def test_only_what_was_recorded_is_listed_as_there(play: Play) -> None:
    slow = run("coolant_temp", steps(3), [80.0] * 3)
    odometer = run("odometer", steps(3), [1234.5] * 3, ecu="7E9")
    link = play(rpm(), slow, odometer)
    assert read_support(link) == {"7E8": {0x0C, 0x05}, "7E9": {0xA6}}
    assert now(link, "speed") == {"speed": "PID 0D is not in ses_test, or cannot be told from it"}


def test_an_ecu_nobody_named_stays_without_a_name(play: Play) -> None:
    link = play(rpm(ecu=""))
    assert [one.ecu for one in read_now(link, [SIGNALS["rpm"]])] == [""]
    batches = polled(link, lambda found: bool(values_of(found, "rpm")))
    assert {one.ecu for batch in batches for one in batch.runs} == {""}


def test_what_bytes_cannot_say_truly_is_withheld_with_the_reason(play: Play) -> None:
    link = play(
        rpm(),
        run("dtc_count", steps(3), [2.0] * 3),
        run("speed", steps(3), [30.0, 40.0, 300.0]),
        run("coolant_temp", steps(3), [180.0] * 3, unit="°F"),
        run("x_boost_target", steps(3), [1.0] * 3),
        run("latitude", steps(3), [48.0] * 3),
    )
    assert read_support(link) == {"7E8": {0x0C}}
    poller = Poller(link)
    stop = Event()
    for _ in poller.poll(stop):
        stop.set()
    assert "also carries mil_on, status" in poller.unsupported["dtc_count"]
    assert "speed 300 does not fit" in poller.unsupported["speed"]
    assert "recorded in °F" in poller.unsupported["coolant_temp"]
    assert "no standard request" in poller.unsupported["x_boost_target"]
    assert "no standard request" in poller.unsupported["latitude"]
    assert set(Poller(link, ["rpm"]).unsupported) == set()


def test_a_part_that_was_never_recorded_is_not_believed_where_its_bytes_must_say_something(
    play: Play,
) -> None:
    link = play(run("fuel_status", steps(30), [2.0] * 30), run("o2_s1_wr_voltage", steps(30), [2.5] * 30))
    assert read_support(link) == {"7E8": {0x03, 0x24}}
    silent = "ses_test holds no value of it"
    assert now(link, "fuel_status", "fuel_status_2") == {"fuel_status": 2.0, "fuel_status_2": silent}
    poller, stop = Poller(link, batch_s=0.05), Event()
    seen: set[str] = set()
    for batch in poller.poll(stop):
        seen |= {one.signal for one in batch.runs}
        if batch.end_us > 300_000:
            stop.set()
    assert seen == {"fuel_status", "o2_s1_wr_voltage"}
    assert poller.unsupported == {"fuel_status_2": silent, "o2_s1_wr_voltage_lambda": silent}


def test_a_part_that_holds_no_more_takes_the_others_of_its_bytes_along(play: Play) -> None:
    both = (run("fuel_status", steps(90), [2.0] * 90), run("fuel_status_2", steps(10), [0.0] * 10))
    assert now(play(*both, rpm(90)), "fuel_status") == {"fuel_status": 2.0}
    later = now(play(*both, rpm(90), options="speed=0.1&from_s=8"), "fuel_status", "rpm")
    assert "no value" in str(later["fuel_status"])
    assert later["rpm"] == 1120.0


def test_a_moment_without_a_value_has_none(play: Play) -> None:
    late = run("speed", steps(10, start_s=8.0), [50.0] * 10)
    everything = rpm(100)
    assert now(play(everything, late), "speed") == {"speed": "ses_test has no value of PID 0D at this moment"}
    assert now(play(everything, late, options="speed=0.1&from_s=8.5"), "speed") == {"speed": 50.0}
    brief = run("speed", steps(10), [50.0] * 10)
    assert now(play(everything, brief, options="speed=0.1&from_s=1.5"), "speed") == {"speed": 50.0}
    stale = now(play(everything, brief, options="speed=0.1&from_s=5"), "speed", "rpm")
    assert stale["rpm"] == 1000.0
    assert "no value" in str(stale["speed"])


def test_a_first_reading_that_is_about_to_come_is_waited_for(play: Play) -> None:
    link = play(rpm(40), run("speed", steps(9, start_s=0.3), [50.0] * 9), options="speed=1")
    assert now(link, "speed") == {"speed": 50.0}


def test_a_signal_that_was_recorded_late_is_read_once_it_comes(play: Play) -> None:
    link = play(rpm(60), run("speed", steps(20, start_s=3.5), [50.0] * 20), options="speed=2")
    batches = polled(link, lambda found: bool(values_of(found, "speed")), ["rpm", "speed"])
    assert set(values_of(batches, "speed")) == {50.0}


def test_a_recorded_gap_is_a_car_that_does_not_answer_and_then_answers_again(play: Play) -> None:
    before, after = rpm(10), rpm(30, start_s=4.0)
    gap = Gap(1_000_000, 4_000_000, "lost: the plug was loose")
    both = before._replace(
        times_us=np.concatenate([before.times_us, after.times_us]),
        values=np.concatenate([before.values, after.values]),
    )
    link = play(both, options="speed=2", gaps=(gap,))
    batches = polled(link, lambda found: any(batch.gaps for batch in found))
    (found,) = [gap for batch in batches for gap in batch.gaps]
    assert found.end_us - found.start_us > 1_000_000
    inside = play(both, options="speed=0.1&from_s=2", gaps=(gap,))
    assert inside.state is LinkState.NO_CAR
    assert inside.state_reason == "ses_test has a gap here: lost: the plug was loose"
    assert "no car answers" in str(now(inside, "rpm")["rpm"])


def test_codes_that_were_never_read_are_no_data_and_never_no_codes(play: Play) -> None:
    report = read_trouble_codes(play(rpm()))
    assert report.lists == []
    assert {one.what for one in report.absent} == {"stored codes", "pending codes", "permanent codes"}
    assert all("no trouble codes were recorded in ses_test" in one.reason for one in report.absent)


def test_recorded_codes_and_freeze_frames_are_told_as_they_were(play: Play) -> None:
    codes = (
        EcuCodes(ecu="7E8", kind="stored", codes=["P0171", "U0100", "C1234", "B2AAA"]),
        EcuCodes(ecu="7E9", kind="stored", codes=[]),
        EcuCodes(ecu="7E8", kind="permanent", codes=["P0171"]),
    )
    frozen = [
        FrozenValue(signal="rpm", value=812.5, unit="rpm"),
        FrozenValue(signal="speed", value=0, unit="km/h"),
    ]
    frame = FreezeFrame(ecu="7E8", frame=0, code="P0171", values=frozen)
    link = play(rpm(), rpm(ecu="7E9"), codes=codes, freeze_frames=(frame,))
    report = read_trouble_codes(link)
    assert sorted(report.lists, key=lambda one: (one.kind, one.ecu)) == sorted(
        codes, key=lambda one: (one.kind, one.ecu)
    )
    assert {(one.what, one.ecu) for one in report.absent} >= {
        ("pending codes", "7E8"),
        ("pending codes", "7E9"),
    }
    assert [answer.ecu for answer in link.request(b"\x03", "7E9").answers] == ["7E9"]
    assert link.request(b"\x07", "7E8").answers == link.request(b"").answers == ()
    (told,) = read_freeze_frames(link).frames
    assert (told.code, {v.signal: v.value for v in told.values}) == ("P0171", {"rpm": 812.5, "speed": 0.0})


def test_readiness_is_told_where_its_bytes_were_recorded(play: Play) -> None:
    status = 0x8207E504
    parts = {"status": float(status), "mil_on": 1.0, "dtc_count": 2.0}
    link = play(*(run(name, steps(2), [value] * 2) for name, value in parts.items()))
    (told,) = read_readiness(link).since_clear
    assert (told.mil_on, told.code_count) == (True, 2)
    assert read_readiness(play(rpm())).since_clear == []


def test_nothing_can_be_changed_in_a_recording(play: Play) -> None:
    report = clear_trouble_codes(play(rpm()))
    assert report.cleared == []
    assert "is a recording" in report.absent[0].reason


def test_the_adapters_voltage_is_told_where_it_was_recorded(play: Play) -> None:
    volts = run("elm_voltage", steps(5), [13.9] * 5, ecu="")
    batches = polled(
        play(rpm(), volts), lambda found: bool(values_of(found, "elm_voltage")), ["elm_voltage", "rpm"]
    )
    assert set(values_of(batches, "elm_voltage")) == {13.9}
    assert play(rpm()).command("ATRV") is None
    assert play(rpm()).command("ATI") is None


def test_a_loop_begins_again_at_the_end(play: Play) -> None:
    link = play(rpm(5), options="speed=2&loop=1")
    batches = polled(link, lambda found: values_of(found, "rpm").count(800.0) >= 3)
    values = values_of(batches, "rpm")
    assert any(later < earlier for earlier, later in pairwise(values))
    assert set(values) <= set(rpm(5).values)


@pytest.mark.parametrize(
    "address",
    [
        "replay:",
        "replay:ses_x?sped=2",
        "replay:ses_x?speed=fast",
        "replay:ses_x?speed=0",
        "replay:ses_x?speed=1000",
        "replay:ses_x?speed=nan",
        "replay:ses_x?from_s=inf",
        "replay:ses_x?loop=maybe",
        "replay:ses_x?speed",
        "REPLAY:ses_x",
    ],
)
def test_a_wrong_option_is_refused_naming_those_there_are(address: str) -> None:
    with pytest.raises(BadAddressError) as refused:
        parse_replay(address)
    assert "speed=0.1 to 200" in refused.value.hint
    assert "loop=1" in refused.value.hint


def test_a_replay_cannot_begin_after_its_end_nor_without_its_recording() -> None:
    with pytest.raises(BadAddressError, match=r"ends at 1\.9 s"):
        Replay("replay:ses_test?from_s=2", Recording("ses_test", (rpm(),)))
    with pytest.raises(BadAddressError, match="not brought along"):
        open_link("replay:ses_test")


def test_a_code_is_spelled_in_two_bytes() -> None:
    assert code_to_bytes("P0171") == b"\x01\x71"
    assert code_to_bytes("U3FFF") == b"\xff\xff"
    with pytest.raises(BadCodeError):
        code_to_bytes("P0171:1A")
