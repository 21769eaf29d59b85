import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from vehicle.errors import CannotConnectError
from vehicle.simulator import SimulatedCar
from vehicle.simulator.__main__ import main


class Host:
    """The host's end of a line: sends commands and reads up to the prompt."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._ahead = b""
        line.settimeout(5.0)

    def type(self, data: bytes) -> None:
        self._line.sendall(data)

    def read(self) -> bytes:
        data = self._ahead
        while b">" not in data:
            data += self._line.recv(4096) or pytest.fail(f"the line closed after {data!r}")
        answer, prompt, self._ahead = data.partition(b">")
        return answer + prompt

    def ask(self, command: str) -> bytes:
        self.type(command.encode() + b"\r")
        return self.read()

    def closed(self) -> bool:
        try:
            return self._line.recv(1) == b""
        except ConnectionResetError:
            return True


def ready(line: socket.socket, *setup: str) -> Host:
    host = Host(line)
    for command in ("ATE0", "ATL0", "ATS0", "ATH1", "ATSP6", *setup):
        host.ask(command)
    return host


def simulator_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "simulated car"]


def test_a_tcp_server_gives_each_host_an_adapter_of_its_own():
    car = SimulatedCar("petrol?ecus=1")
    with car.serve_tcp() as address:
        assert address.url == f"socket://127.0.0.1:{address.port}"
        with socket.create_connection(address) as first, socket.create_connection(address) as second:
            assert ready(first).ask("010D") == b"7E803410D00AAAAAAAA\r\r>"
            assert Host(second).ask("ATI") == b"ATI\r\nELM327 v1.5\r\n\r\n>"
    assert simulator_threads() == []
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(address, timeout=1.0)


def test_a_port_that_is_taken_is_reported():
    with SimulatedCar().serve_tcp() as address:
        second = SimulatedCar().serve_tcp(port=address.port)
        with pytest.raises(CannotConnectError, match=str(address.port)):
            second.__enter__()


def test_a_socket_pair_needs_no_port():
    with SimulatedCar("petrol?ecus=1").serve_socket() as line:
        assert ready(line).ask("010D") == b"7E803410D00AAAAAAAA\r\r>"
    assert simulator_threads() == []


def test_a_pseudo_terminal_can_be_opened_like_a_serial_port():
    with SimulatedCar("petrol?ecus=1").serve_pty() as path:
        device = os.open(path, os.O_RDWR | os.O_NOCTTY)
        os.write(device, b"ATZ\r")
        data = b""
        while not data.endswith(b">"):
            data += os.read(device, 100)
        assert data == b"ATZ\r\n\r\n\r\nELM327 v1.5\r\n\r\n>"
        os.close(device)
    assert not Path(path).exists()
    assert simulator_threads() == []


def test_the_car_moves_with_the_clock_times_speedup():
    car = SimulatedCar("petrol?speedup=100")
    with car.serve_socket():
        time.sleep(0.3)
    assert 25.0 < car.state()["time_s"] < 200.0


def test_a_byte_typed_into_a_running_command_stops_it():
    with SimulatedCar("petrol?ecus=1&ecu_ms=3000").serve_socket() as line:
        host = ready(line)
        host.type(b"010D\r")
        time.sleep(0.05)
        started = time.monotonic()
        host.type(b" ")
        assert host.read() == b"STOPPED\r\r>"
        assert time.monotonic() - started < 2.0
        assert host.ask("010D") == b"7E803410D00AAAAAAAA\r\r>"


def test_commands_sent_without_waiting_for_the_prompt_are_lost_as_on_a_real_adapter():
    with SimulatedCar("petrol?ecus=1").serve_socket() as line:
        host = ready(line)
        host.type(b"010D\r010C\r")
        assert host.read() == b"STOPPED\r\r>"
        assert b"410C" not in host.read()  # the interrupting character is swallowed: 10C is left


def test_monitoring_is_silent_until_a_byte_comes():
    with SimulatedCar().serve_socket() as line:
        host = ready(line)
        host.type(b"ATMA\r")
        line.settimeout(0.1)
        with pytest.raises(TimeoutError):
            line.recv(1)
        line.settimeout(5.0)
        host.type(b"\r")
        assert host.read() == b"STOPPED\r\r>"


def test_a_hanging_clone_comes_back_when_a_byte_is_typed():
    with SimulatedCar("petrol?clone=hang&ecus=1").serve_socket() as line:
        host = ready(line)
        host.type(b"010C0D\r")
        time.sleep(0.05)
        host.type(b"\r")
        assert host.read() == b"STOPPED\r\r>"
        assert host.ask("010D") == b"7E803410D00AAAAAAAA\r\r>"


def seconds_per_request(address: str, request: str, times: int) -> float:
    with SimulatedCar(address).serve_socket() as line:
        host = ready(line, "ATSH7E0")
        host.ask(request)
        started = time.monotonic()
        for _ in range(times):
            host.ask(request)
        return (time.monotonic() - started) / times


def test_the_frame_count_saves_the_wait_after_the_last_frame():
    timed = "petrol?padding=off&baud=38400&ecu_ms=10&wait_ms=60"
    without, counted = (seconds_per_request(timed, request, 4) for request in ("010D", "010D1"))
    assert without - counted == pytest.approx(0.060, abs=0.015)
    # 6 bytes in, 16 out at ten bits each, and two frames on the bus
    assert 0.010 + 22 * 10 / 38400 < counted < 0.030


def test_a_baud_rate_is_raised_and_falls_back_when_the_host_does_not_answer():
    with SimulatedCar("petrol?ecus=1&baud=9600").serve_socket() as line:
        host = ready(line)
        host.type(b"ATBRD23\r")
        assert line.recv(100) == b"OK\r"
        assert host.read() == b"ELM327 v1.5\r\r>"
        slow = timed(host)
        host.type(b"ATBRD23\r")
        data = b""
        while not data.endswith(b"ELM327 v1.5\r"):
            data += line.recv(100)
        host.type(b"\r")
        assert host.read() == b"OK\r\r>"
        assert timed(host) < slow / 2


def timed(host: Host) -> float:
    started = time.monotonic()
    host.ask("0902")
    return time.monotonic() - started


def test_a_slow_reply_comes_late():
    car = SimulatedCar("petrol?ecus=1")
    with car.serve_socket() as line:
        host = ready(line)
        car.misbehaviour.set("slow", 0.3, times=1)
        started = time.monotonic()
        assert host.ask("010D") == b"7E803410D00AAAAAAAA\r\r>"
        assert time.monotonic() - started >= 0.3


def test_a_dropped_line_closes_and_a_new_one_works():
    car = SimulatedCar("petrol?ecus=1")
    with car.serve_tcp() as address:
        with socket.create_connection(address) as line:
            host = ready(line)
            car.misbehaviour.set("drop")
            host.type(b"010D\r")
            assert host.closed()
        with socket.create_connection(address) as line:
            host = ready(line)
            car.drop_lines()
            assert host.closed()
        with socket.create_connection(address) as line:
            assert ready(line).ask("010D") == b"7E803410D00AAAAAAAA\r\r>"


def test_a_car_that_is_down_closes_lines_at_once_until_it_is_back():
    car = SimulatedCar("petrol?ecus=1")
    with car.serve_tcp() as address:
        with socket.create_connection(address) as line:
            host = ready(line)
            car.misbehaviour.set("down")
            assert host.closed()
        with socket.create_connection(address) as line:
            assert Host(line).closed()
        car.misbehaviour.clear()
        with socket.create_connection(address) as line:
            assert ready(line).ask("010D") == b"7E803410D00AAAAAAAA\r\r>"


def test_several_hosts_at_once_get_their_own_answers():
    car = SimulatedCar("petrol?ecus=1&speedup=50")
    wrong: list[bytes] = []

    def talk(address: tuple[str, int], request: str, start: bytes) -> None:
        with socket.create_connection(address) as line:
            host = ready(line)
            wrong.extend(
                answer for answer in (host.ask(request) for _ in range(100)) if not answer.startswith(start)
            )

    with car.serve_tcp() as address:
        pairs = (("010C", b"7E804410C"), ("010D", b"7E803410D"), ("0105", b"7E8034105"))
        threads = [threading.Thread(target=talk, args=(address, *pair)) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


@pytest.fixture
def obd(monkeypatch):
    """python-OBD without its fixed sleeps of one second."""
    library = pytest.importorskip("obd", reason="python-OBD is an extra")
    logging.getLogger("obd").handlers.clear()
    monkeypatch.setattr("obd.elm327.time", SimpleNamespace(sleep=lambda seconds: None))
    return library


@pytest.mark.parametrize("way", ["serve_tcp", "serve_pty"])
def test_python_obd_connects_and_reads_the_car(obd, way):
    car = SimulatedCar("petrol?fault=misfire&warm=1")
    car.advance(400.0)
    with getattr(car, way)() as address:
        port, baud = (address, None) if way == "serve_pty" else (address.url, 38400)
        connection = obd.OBD(port, baudrate=baud)
        try:
            assert connection.status() == obd.OBDStatus.CAR_CONNECTED
            assert connection.protocol_id() == "6"
            read = {
                name: connection.query(obd.commands[name]).value for name in ("RPM", "COOLANT_TEMP", "MAF")
            }
            codes = connection.query(obd.commands.GET_DTC).value
            status = connection.query(obd.commands.STATUS).value
        finally:
            connection.close()
    assert read["RPM"].magnitude > 500
    assert 80 < read["COOLANT_TEMP"].magnitude < 105
    assert read["MAF"].magnitude > 1
    assert [code for code, _ in codes] == ["P0300", "P0301"]
    assert (status.MIL, status.DTC_count, status.ignition_type) == (True, 2, "spark")


def test_python_obd_finds_a_k_line_car(obd):
    with SimulatedCar("petrol?protocol=5&ecus=1").serve_tcp() as address:
        connection = obd.OBD(address.url, baudrate=38400)
        try:
            assert connection.status() == obd.OBDStatus.CAR_CONNECTED
            assert connection.protocol_id() == "5"
            assert connection.query(obd.commands.COOLANT_TEMP).value.magnitude == 20
        finally:
            connection.close()


def test_it_runs_as_a_command_until_it_is_ended():
    command = [
        sys.executable,
        "-m",
        "vehicle.simulator",
        "petrol",
        "--port",
        "0",
        "--fault",
        "misfire",
        "--ecus",
        "1",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            host, _, port = process.stdout.readline().strip().removeprefix("socket://").partition(":")
            with socket.create_connection((host, int(port))) as line:
                assert ready(line).ask("ATI") == b"ELM327 v1.5\r\r>"
        finally:
            process.terminate()


def test_the_command_names_a_wrong_option(capsys):
    assert main(["petrol", "--fault", "vacum_leak", "--port", "0"]) == 2
    assert "Did you mean vacuum_leak?" in capsys.readouterr().err
