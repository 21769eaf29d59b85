"""OBD answers among CAN frames: put together, decoded, and everything else counted."""

import builtins
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from vehicle.logs import open_log, preview_log
from vehicle.logs.answers import is_answer, is_request
from vehicle.logs.errors import BrokenLogError, MissingReaderError, NoUsableSignalError
from vehicle.logs.isotp import Reassembly

LOGS = Path(__file__).parent / "data" / "logs"


def read(path):
    reader = open_log(path)
    found = {}
    for batch in reader.batches():
        for run in batch:
            times, values = found.setdefault((run.signal, run.ecu), ([], []))
            times += (run.times_us / 1e6).round(6).tolist()
            values += run.values.tolist()
    return reader, found


def test_a_candump_log_is_decoded_per_ecu():
    reader, found = read(LOGS / "candump.log")
    assert (reader.format, reader.rows) == ("candump", 13)
    assert reader.started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert found == {
        ("rpm", "7E8"): ([0.02, 0.05], [1726.0, 1726.0]),  # 1A F8 / 4
        ("coolant_temp", "7E9"): ([0.03], [0.0]),
        ("speed", "18DAF110"): ([0.04], [50.0]),
        ("maf", "7E8"): ([0.05], [0.9]),  # three PIDs in one answer of two frames
        ("speed", "7E8"): ([0.05], [60.0]),
        ("coolant_temp", "7E8"): ([0.08], [-40.0]),
    }


@pytest.mark.parametrize(
    "part",
    [
        "Requests the car refused: 1 (line 9)",
        "length does not fit their PIDs, dropped: 1 (line 12)",
        "were broken, dropped: 2 (line 11; line 14)",
        "carry no data: 1 (line 13)",
        "2 frames are OBD requests",
        "1 frames of 1 other identifiers (123)",
    ],
)
def test_every_frame_that_gives_no_reading_is_accounted_for(part):
    reader, _ = read(LOGS / "candump.log")
    assert [warning for warning in reader.warnings if part in warning], reader.warnings


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["  can0  7E8   [8]  03 41 0D 32 00 00 00 00", "  can0  7E8   [8]  03 41 0D 33 00 00 00 00"],
            ([0.0, 1e-6], [50.0, 51.0]),
        ),
        (
            [
                " (001.000000)  can0  RX - -  7E8   [8]  03 41 0D 32 00 00 00 00",
                " (001.500000)  can0  RX - -  7E8   [8]  03 41 0D 33 00 00 00 00   '.A.3....'",
            ],
            ([0.0, 0.5], [50.0, 51.0]),
        ),
        (
            [
                "(2021-07-26 04:40:54.250000)  can0  7E8   [8]  03 41 0D 32 00 00 00 00",
                "(2021-07-26 04:40:55.000000)  can0  7E8   [8]  03 41 0D 33 00 00 00 00",
            ],
            ([0.0, 0.75], [50.0, 51.0]),
        ),
        (
            [
                "(1700000000.500000) can0 7E8##10003410D3200000000000000",
                "(1700000001.000000) can0 7E8##003410D33",
            ],
            ([0.0, 0.5], [50.0, 51.0]),
        ),  # CAN FD: in a long frame the length stands in the second byte
    ],
)
def test_other_forms_of_candump_are_read(tmp_path, lines, expected):
    path = tmp_path / "frames.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    _, found = read(path)
    assert found == {("speed", "7E8"): expected}


def test_local_and_missing_times_of_candump_are_told_apart(tmp_path):
    path = tmp_path / "frames.txt"
    path.write_text("(2021-07-26 04:40:54.250000)  can0  7E8   [4]  03 41 0D 32\n", encoding="utf-8")
    reader, _ = read(path)
    assert (reader.clock, reader.local_start) == ("local", datetime(2021, 7, 26, 4, 40, 54, 250000))
    path.write_text("can0  7E8   [4]  03 41 0D 32\n", encoding="utf-8")
    reader, _ = read(path)
    assert (reader.clock, reader.timing, reader.duration_s) == ("none", "order", None)


def test_a_trim_of_a_sensor_that_is_not_used_is_no_reading(tmp_path):
    path = tmp_path / "frames.log"
    path.write_text(
        "(1700000000.000000) can0 7E8#0441142AFF000000\n(1700000001.000000) can0 7E8#0441142A80000000\n",
        encoding="utf-8",
    )
    _, found = read(path)
    assert found["o2_b1s1_trim", "7E8"] == ([1.0], [0.0])
    assert found["o2_b1s1", "7E8"][1] == pytest.approx([0.21, 0.21])


def test_traffic_without_obd_answers_says_so(tmp_path):
    path = tmp_path / "frames.log"
    path.write_text("(1700000000.000000) can0 123#00\n" * 5, encoding="utf-8")
    with pytest.raises(NoUsableSignalError, match="5 CAN frames, but no OBD answer"):
        open_log(path)


def test_a_truck_network_is_called_what_it_is(tmp_path):
    path = tmp_path / "frames.log"
    path.write_text("(1700000000.000000) can0 0CF00400#FFFE00FFFF00FFFF\n" * 3, encoding="utf-8")
    with pytest.raises(NoUsableSignalError, match=r"J1939 network.*EEC1.*61444"):
        preview_log(path)


@pytest.mark.parametrize(
    ("can_id", "extended", "answer", "request_"),
    [
        (0x7E8, False, True, False),
        (0x7EF, False, True, False),
        (0x7F0, False, False, False),
        (0x7DF, False, False, True),
        (0x7E0, False, False, True),
        (0x18DAF110, True, True, False),
        (0x18DA10F1, True, False, True),
        (0x18DB33F1, True, False, True),
        (0x7E8, True, False, False),
    ],
)
def test_identifiers_are_sorted_as_iso_15765_4_has_them(can_id, extended, answer, request_):
    assert (is_answer(can_id, extended), is_request(can_id, extended)) == (answer, request_)


def test_frames_of_two_senders_are_not_mixed_and_a_lost_frame_loses_the_message():
    messages = Reassembly()
    assert messages.add(0, "a", bytes.fromhex("100A410102030405"), 1) is None
    assert messages.add(1, "b", bytes.fromhex("1008410908070605"), 2) is None
    assert messages.add(2, "a", bytes.fromhex("2106070809FFFFFF"), 3).data == bytes.fromhex(
        "41010203040506070809"
    )
    assert messages.add(3, "b", bytes.fromhex("22040302"), 4) is None  # 21 is missing
    assert messages.add(4, "b", bytes.fromhex("21040302"), 5) is None  # and comes too late
    assert (messages.broken, messages.broken_lines) == (2, [4, 5])


def test_a_message_whose_next_frame_comes_after_a_second_is_lost():
    messages = Reassembly()
    messages.add(0, "a", bytes.fromhex("1009410102030405"), 1)
    assert messages.add(1_000_001, "a", bytes.fromhex("21060708"), 2) is None
    assert messages.broken == 1


@pytest.mark.parametrize("frame", ["", "00", "08", "0341", "10", "10054101", "F0"])
def test_a_frame_that_cannot_be_is_counted_and_never_padded(frame):
    messages = Reassembly()
    assert messages.add(0, "a", bytes.fromhex(frame), 1) is None
    assert messages.broken == 1


def bus_log(path, frames):
    """Write an MDF 4 file as bus loggers do: one structured channel of CAN frames."""
    from asammdf import MDF, Signal
    from asammdf.blocks.source_utils import Source

    kind = np.dtype(
        [
            ("CAN_DataFrame.BusChannel", "u1"),
            ("CAN_DataFrame.ID", "<u4"),
            ("CAN_DataFrame.IDE", "u1"),
            ("CAN_DataFrame.DLC", "u1"),
            ("CAN_DataFrame.DataLength", "u1"),
            ("CAN_DataFrame.DataBytes", "u1", (8,)),
        ]
    )
    rows = [
        (
            1,
            can_id,
            wide,
            8,
            len(bytes.fromhex(data)),
            np.frombuffer(bytes.fromhex(data).ljust(8, b"\0"), "u1"),
        )
        for _, can_id, wide, data in frames
    ]
    samples = np.rec.fromrecords(rows, dtype=kind)
    times = np.array([time for time, *_ in frames])
    with MDF(version="4.11") as mdf:
        mdf.append(Signal(samples, times, name="CAN_DataFrame", source=Source("CAN", "CAN", "", 2, 2)))
        mdf.start_time = datetime(2021, 7, 26, 4, 40, 54, tzinfo=UTC)
        mdf.save(path, overwrite=True)


FRAMES = [
    (5.0, 0x123, 0, "0011"),
    (5.5, 0x7E8, 0, "04410C1AF8"),
    (6.0, 0x18DAF110, 1, "03410D32"),
    (7.0, 0x7E8, 0, "03410D33"),
]


def test_an_mdf_file_of_a_bus_logger_is_decoded(tmp_path):
    pytest.importorskip("asammdf")
    path = tmp_path / "bus.csv"
    bus_log(path.with_suffix(".mf4"), FRAMES)
    path.with_suffix(".mf4").rename(path)
    reader, found = read(path)
    assert (reader.format, reader.rows, reader.clock) == ("mf4", 4, "utc")
    assert reader.started_at == datetime(2021, 7, 26, 4, 40, 59, tzinfo=UTC)
    assert found == {
        ("rpm", "7E8"): ([0.5], [1726.0]),
        ("speed", "18DAF110"): ([1.0], [50.0]),
        ("speed", "7E8"): ([2.0], [51.0]),
    }
    assert reader.position_bytes == reader.size_bytes


def test_an_mdf_file_with_signals_is_read_with_their_units(tmp_path):
    asammdf = pytest.importorskip("asammdf")
    path = tmp_path / "signals.mf4"
    times = np.array([1.0, 1.1, 1.2])
    with asammdf.MDF(version="4.10") as mdf:
        mdf.append(
            [
                asammdf.Signal(np.array([80.0, 81.0, 82.0]), times, name="Vehicle speed", unit="mph"),
                asammdf.Signal(np.array([1, 2, 3]), times, name="Mystery", unit=""),
            ]
        )
        mdf.start_time = datetime(2024, 1, 1, tzinfo=UTC)
        mdf.save(path)
    reader, found = read(path)
    assert found["speed", ""][0] == pytest.approx([0, 0.1, 0.2])
    assert found["speed", ""][1][0] == pytest.approx(80 * 1.609344)
    assert found["x_mystery", ""][1] == [1, 2, 3]
    assert reader.started_at == datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.7, 0.99])
def test_an_mdf_file_cut_short_is_refused_before_it_is_parsed(tmp_path, share):
    pytest.importorskip("asammdf")
    whole = tmp_path / "bus.mf4"
    bus_log(whole, FRAMES * 50)
    raw = whole.read_bytes()
    cut = tmp_path / "cut.mf4"
    cut.write_bytes(raw[: max(8, int(len(raw) * share))])
    with pytest.raises(BrokenLogError, match="no whole MDF file") as refusal:
        open_log(cut)
    assert "cut short" in refusal.value.hint


def test_without_asammdf_the_way_to_install_it_is_named(tmp_path, monkeypatch):
    pytest.importorskip("asammdf")
    path = tmp_path / "bus.mf4"
    bus_log(path, FRAMES)
    found = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "asammdf":
            raise ImportError(name)
        return found(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingReaderError) as refusal:
        open_log(path)
    assert "obd-agent[mdf]" in refusal.value.hint
