import pytest
from simulated import ask, payload, plug, still_car

from vehicle.simulator.ecus.encode import PIDS
from vehicle.simulator.ecus.memory import code_bytes

WARM_DRIVE_S = 900.0


@pytest.fixture(scope="module")
def leaking():
    """A car that has been driven with a vacuum leak until its code was stored."""
    return still_car("petrol?fault=vacuum_leak&ecus=1&warm=1", 1200.0)


@pytest.fixture(scope="module")
def healthy():
    return still_car("petrol?ecus=1", WARM_DRIVE_S)


def supported(adapter, service: int, lists: range) -> set[int]:
    found = set()
    for first in lists:
        data = payload(adapter, f"{service:02X}{first:02X}")
        assert data[:2] == bytes([service + 0x40, first])
        bits = int.from_bytes(data[2:6], "big")
        found |= {first + 1 + place for place in range(32) if bits >> (31 - place) & 1}
    return found


def test_the_bitmaps_name_exactly_the_pids_that_answer(healthy):
    adapter = plug(healthy)
    named = supported(adapter, 1, range(0x00, 0xE0, 0x20))
    answering = {pid for pid in range(0x100) if ask(adapter, f"01{pid:02X}") != b"NO DATA"}
    assert named == answering - {0x00}
    assert named - set(range(0x20, 0xE0, 0x20)) == PIDS


def test_a_healthy_car_reports_no_codes_with_a_count_of_zero(healthy):
    adapter = plug(healthy)
    assert [payload(adapter, service) for service in ("03", "07", "0A")] == [b"\x43\0", b"\x47\0", b"\x4a\0"]
    assert payload(adapter, "020200") == b"\x42\x02\0\0\0"
    assert ask(adapter, "020C00") == b"NO DATA"


def test_codes_are_counted_and_the_lamp_is_on(leaking):
    adapter = plug(leaking)
    code = code_bytes("P0171")
    assert code == b"\x01\x71"
    assert payload(adapter, "03") == b"\x43\x01" + code
    assert payload(adapter, "07") == b"\x47\x01" + code
    assert payload(adapter, "0A") == b"\x4a\x01" + code
    assert payload(adapter, "0101")[2] == 0x81


def test_the_freeze_frame_is_the_moment_the_code_came(leaking):
    adapter = plug(leaking)
    assert payload(adapter, "020200") == b"\x42\x02\x00\x01\x71"
    rpm = int.from_bytes(payload(adapter, "020C00")[3:], "big") / 4
    assert 600 < rpm < 1000
    assert payload(adapter, "020D00") == b"\x42\x0d\x00\x00"
    short, long = (payload(adapter, f"02{pid}00")[3] / 1.28 - 100 for pid in ("06", "07"))
    assert short + long > 18
    assert payload(adapter, "020C000D00")[:3] == b"\x42\x0c\x00"


def test_a_freeze_frame_request_without_a_frame_number_is_refused(leaking):
    assert payload(plug(leaking), "020C") == b"\x7f\x02\x12"
    assert ask(plug(leaking), "020C01") == b"NO DATA"


def test_clearing_takes_codes_frame_readiness_and_counters_but_not_the_permanent_code():
    car = still_car("petrol?fault=fuel_pressure_low&ecus=1", 200.0)
    adapter = plug(car)
    assert payload(adapter, "03")[1] == 1
    assert payload(adapter, "04") == b"\x44"
    assert payload(adapter, "03") == b"\x43\0"
    assert payload(adapter, "07") == b"\x47\0"
    assert payload(adapter, "0A") == b"\x4a\x01\x00\x87"
    assert payload(adapter, "020200")[3:] == b"\0\0"
    assert payload(adapter, "0101") == bytes.fromhex("4101 00 77 65 65")
    assert [payload(adapter, f"01{pid}")[2:] for pid in ("21", "30", "31", "4E")] == [
        b"\0\0",
        b"\0",
        b"\0\0",
        b"\0\0",
    ]
    assert payload(adapter, "0681")[5:7] == b"\0\0"
    car.advance(120.0)
    assert payload(adapter, "03") == b"\x43\x01\x00\x87"


def test_an_ecu_may_refuse_clearing_while_the_engine_runs():
    car = still_car("petrol?ecus=1&clear_refused=1", 60.0)
    adapter = plug(car)
    assert payload(adapter, "04") == b"\x7f\x04\x22"
    car.ignition(False)
    car.advance(2.0)
    car.ignition(True)
    assert payload(adapter, "04") == b"\x44"


def test_readiness_of_this_drive_completes_as_driving_covers_it():
    car = still_car("petrol?ecus=1", 20.0)
    adapter = plug(car)
    assert payload(adapter, "0141") == bytes.fromhex("4141 00 37 65 65")
    assert payload(adapter, "0101") == bytes.fromhex("4101 00 07 65 00")
    before = payload(adapter, "0908")
    car.advance(1500.0)
    assert payload(adapter, "0141") == bytes.fromhex("4141 00 07 65 00")
    after = payload(adapter, "0908")
    assert int.from_bytes(after[7:9], "big") == int.from_bytes(before[7:9], "big") + 1


def test_standing_at_idle_leaves_catalyst_and_oxygen_sensor_not_ready():
    car = still_car("petrol?ecus=1&cycle=idle", 30.0)
    adapter = plug(car)
    ask(adapter, "04")
    car.advance(1200.0)
    _, complete = payload(adapter, "0101")[4:]
    assert complete & 0x25 == 0x25


def test_monitor_results_carry_limits_and_tell_good_from_bad():
    good, bad = (still_car(f"petrol?ecus=1&warm=1{fault}", 700.0) for fault in ("", "&fault=worn_catalyst"))
    ratios = []
    for car in (good, bad):
        data = payload(plug(car), "0621")
        assert data[:4] == b"\x46\x21\x80\x20"
        value, low, high = (int.from_bytes(data[place : place + 2], "big") for place in (4, 6, 8))
        ratios.append(value)
        assert low == 0
    assert ratios[0] < 0.2 * high < high < ratios[1]


def test_monitor_ids_are_named_by_their_own_bitmaps(healthy):
    adapter = plug(healthy)
    named = {mid for mid in supported(adapter, 6, range(0x00, 0xC0, 0x20)) if mid % 0x20}
    assert named == {0x01, 0x02, 0x21, 0x81, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5}
    for mid in named:
        assert payload(adapter, f"06{mid:02X}")[:2] == bytes([0x46, mid])


def test_vehicle_information_is_complete(healthy):
    adapter = plug(healthy)
    assert payload(adapter, "0900") == bytes.fromhex("4900 55400000")
    assert payload(adapter, "0902") == b"\x49\x02\x01" + healthy.options.vin.encode()
    calibrations = payload(adapter, "0904")
    assert calibrations[:3] == b"\x49\x04\x02"
    assert len(calibrations) == 3 + 2 * 16
    assert len(payload(adapter, "0906")) == 3 + 2 * 4
    assert payload(adapter, "090A") == b"\x49\x0a\x01ECM\0-EngineControl\0\0"


def test_a_second_failing_cycle_stores_a_code_at_once_and_passing_cycles_heal_it():
    car = still_car("petrol?fault=fuel_pressure_low&ecus=1", 40.0)
    memory = car.model.memory
    assert (memory.pending, memory.stored) == (["P0087"], [])
    restart(car)
    car.advance(30.0)
    assert memory.stored == memory.permanent == ["P0087"]
    car.repair()
    for _ in range(4):
        restart(car)
        car.advance(40.0)
    assert (memory.pending, memory.permanent, memory.mil) == ([], [], False)
    assert memory.stored == ["P0087"]


def restart(car):
    car.ignition(False)
    car.advance(5.0)
    car.ignition(True)


def test_with_the_ignition_off_nobody_answers_and_the_engine_stands():
    car = still_car("petrol", 60.0)
    adapter = plug(car)
    assert payload_of_first(adapter, "010C") > 0
    car.ignition(False)
    car.advance(3.0)
    assert ask(adapter, "010C") == b"CAN ERROR"
    assert ask(adapter, "ATIGN") == b"OFF"
    ask(adapter, "ATSP0")
    assert ask(adapter, "0100") == b"SEARCHING...\rUNABLE TO CONNECT"
    assert car.state()["rpm"] == 0
    car.ignition(True)
    car.advance(10.0)
    assert payload_of_first(adapter, "010C") > 0


def payload_of_first(adapter, request: str) -> int:
    line = next(line for line in ask(adapter, request).decode().split("\r") if line.startswith("41"))
    return int("".join(line.split()[2:]), 16)


def test_uds_gives_vin_and_codes_with_status(leaking):
    adapter = plug(leaking, "ATSH7E0")
    assert payload(adapter, "22F190") == b"\x62\xf1\x90" + leaking.options.vin.encode()
    assert payload(adapter, "22F191") == b"\x7f\x22\x31"
    assert payload(adapter, "1902FF") == bytes.fromhex("59 02 8D 01 71 00 8D")
    assert payload(adapter, "3E00") == b"\x7e\0"
    assert payload(adapter, "2E0001") == b"\x7f\x2e\x11"


def test_broadcasts_are_refused_only_where_a_car_is_set_to():
    assert ask(plug(still_car("petrol?ecus=1")), "0112") == b"NO DATA"
    assert payload(plug(still_car("petrol?ecus=1&negative=1")), "0112") == b"\x7f\x01\x12"


def test_the_transmission_answers_for_itself():
    adapter = plug(still_car("petrol", 40.0), "ATSH7E1")
    assert payload(adapter, "0100") == bytes.fromhex("4100 80180011")
    assert payload(adapter, "090A")[3:6] == b"TCM"
    assert ask(adapter, "0902") == b"NO DATA"
    assert payload(adapter, "03") == b"\x43\0"
