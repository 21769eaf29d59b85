"""The ELM327 driver against exact bytes: what it sends, what it makes of what comes back."""

import os
import select
import socket
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from vehicle.elm327.outcomes import AdapterError, Timeout
from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links import Link, LinkState, open_link, scheme_of
from vehicle.links.elm327 import Elm327
from vehicle.links.owner import OwnedLink

Answer = str | Callable[[], str]
QUIET = {"ATI": "ELM327 v2.2", "STI": "?", "ATDPN": "A6", "0100": "7E8064100BE3EB813", "ATRV": "12.4V"}
RPM, VIN = bytes.fromhex("010C"), bytes.fromhex("0902")


class Script:
    """A dumb adapter: works on lines one after the other, cannot be interrupted, ends everything with a prompt."""

    def __init__(self, answers: dict[str, Answer], delays: dict[str, float] | None = None) -> None:
        self.answers: dict[str, Answer] = QUIET | answers
        self.delays = delays or {}
        self.log: list[str] = []
        self.prompt = ">"
        self.stop = threading.Event()

    def reply(self, command: str) -> bytes:
        self.log.append(command)
        if pause := self.delays.pop(command, 0.0):
            self.stop.wait(pause)
        known = self.answers.get(command, "OK" if command.startswith("AT") else "NO DATA" if command else "")
        text = known if isinstance(known, str) else known()
        return (text if text.endswith("\0") else f"{text}\r\r{self.prompt}").rstrip("\0").encode("latin-1")

    def requests(self) -> list[str]:
        return [line for line in self.log if line[:2].isdigit() and line != "0100"]

    def serve(self, connection: socket.socket) -> None:
        buffer = b""
        with connection:
            while not self.stop.is_set():
                if not select.select([connection], [], [], 0.05)[0]:
                    continue
                try:
                    chunk = connection.recv(4096)
                    if not chunk:
                        return
                    buffer += chunk
                    while b"\r" in buffer:
                        line, _, buffer = buffer.partition(b"\r")
                        connection.sendall(self.reply(line.decode("latin-1")))
                except OSError:
                    return


@contextmanager
def served(script: Script) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not script.stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                threads.append(threading.Thread(target=script.serve, args=(connection,), daemon=True))
                threads[-1].start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield f"socket://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            script.stop.set()
            acceptor.join(timeout=2.0)
            for thread in threads:
                thread.join(timeout=2.0)


@contextmanager
def linked(script: Script) -> Iterator[Link]:
    with served(script) as address, open_link(address, timeout_s=5.0) as link:
        yield link


def test_connecting_is_quick_and_sends_only_what_a_capture_needs() -> None:
    script = Script({})
    began = time.monotonic()
    with linked(script) as link:
        assert time.monotonic() - began < 0.3
        settings = ["ATI", "ATD", "ATE0", "ATL0", "ATS0", "ATH1", "ATAT2", "STI"]
        assert script.log == [*settings, "ATTP6", "0100"]
        assert (link.info.adapter, link.info.ecus, link.batch_limit) == ("ELM327 v2.2", ("7E8",), 6)
        assert link.info.protocol
        assert link.info.protocol.number == "6"


def test_where_the_commonest_protocol_fails_the_adapter_searches_and_is_asked_what_it_found() -> None:
    tries = iter(["CAN ERROR", "SEARCHING...\r18DAF110064100BE3EB813"])
    script = Script({"0100": lambda: next(tries), "ATDPN": "A7"})
    with linked(script) as link:
        assert [line for line in script.log if line.startswith("ATTP")] == ["ATTP6", "ATTP0"]
        deadline = time.monotonic() + 2.0
        while link.info.protocol is None or not link.info.protocol.number:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert link.info.protocol.number == "7"


def test_a_protocol_that_was_asked_for_is_the_only_one_tried() -> None:
    script = Script({"0100": "NO DATA"})
    with served(script) as address, open_link(address + "?protocol=3", timeout_s=3.0) as link:
        assert link.state is LinkState.NO_CAR
        assert {line for line in script.log if line.startswith("ATTP")} == {"ATTP3"}


def test_a_line_count_is_learned_used_and_learned_again_when_it_proves_wrong() -> None:
    frames = ["7E810094110000400BF", "7E8219FA8970000000"]
    answers: dict[str, Answer] = {"010C": "7E804410C1AF8", "010C1": "7E804410C1AF8"}
    script = Script(answers)
    with linked(script) as link:
        for _ in range(3):
            assert link.request(RPM, "7E8").answers
        assert script.requests() == ["010C", "010C1", "010C1"]
        # the same request suddenly has a longer answer: with the old count it is cut short
        script.answers |= {"0110001": frames[0], "011000": "7E8064110000441FF"}
        payload = bytes.fromhex("011000")
        script.answers["011000"] = "7E804411000040000"[:15]
        assert link.request(payload, "7E8").answers
        script.answers["011000"] = "7E8100941100004" "00BF\r7E8219FA897"
        assert link.request(payload, "7E8").answers[0].data == bytes.fromhex("411000040 0BF9FA897".replace(" ", ""))
        assert script.requests()[3:] == ["011000", "0110001", "011000"]
        script.answers["0110002"] = script.answers["011000"]
        assert link.request(payload, "7E8").answers
        assert script.requests()[6:] == ["0110002"]


def test_an_adapter_that_refuses_the_count_is_asked_without_it_from_then_on() -> None:
    script = Script({"010C": "7E804410C1AF8", "010C1": "?"})
    with linked(script) as link:
        for _ in range(3):
            assert link.request(RPM, "7E8").answers
        assert script.requests() == ["010C", "010C1", "010C", "010C"]


def test_with_several_ecus_free_to_answer_no_count_is_sent() -> None:
    both = "7E804410C1AF8\r7E904410C1AF8"
    script = Script({"0100": "7E8064100BE3EB813\r7E906410080180001", "010C": both})
    with linked(script) as link:
        assert link.info.ecus == ("7E8", "7E9")
        for _ in range(2):
            assert [answer.ecu for answer in link.request(RPM).answers] == ["7E8", "7E9"]
        assert script.requests() == ["010C", "010C"]


def test_one_ecu_is_addressed_once_and_all_of_them_again_when_asked() -> None:
    script = Script({"010C": "7E804410C1AF8", "03": "7E8024300", "010C1": "7E804410C1AF8"})
    with linked(script) as link:
        link.request(RPM, "7E8")
        link.request(RPM, "7E8")
        link.request(b"\x03")
        aims = [line for line in script.log if line.startswith(("ATSH", "ATCRA"))]
        assert aims == ["ATSH7E0", "ATCRA7E8", "ATSH7DF", "ATCRA"]


def test_29_bit_cars_and_makers_own_addresses_get_their_headers_and_flow_control() -> None:
    script = Script({"0100": "18DAF110064100BE3EB813", "010C": "18DAF11004410C1AF8",
                     "221E1C": "18DAF12805621E1C0500"})
    with linked(script) as link:
        assert link.info.ecus == ("18DAF110",)
        assert link.request(RPM, "18DAF110").answers
        assert link.request(bytes.fromhex("221E1C"), "18DAF128").answers
        aims = [line for line in script.log if line.startswith(("ATSH", "ATCRA", "ATFC"))]
        assert aims == ["ATSHDA10F1", "ATCRA18DAF110", "ATSHDA28F1", "ATCRA18DAF128"]
    script = Script({"221E1C": "77E05621E1C0500"})
    with linked(script) as link:
        assert link.request(bytes.fromhex("221E1C"), "714:77E").answers
        aims = [line for line in script.log if line.startswith(("ATSH", "ATCRA", "ATFC"))]
        assert aims == ["ATSH714", "ATCRA77E", "ATFCSH714", "ATFCSD300000", "ATFCSM1"]


def test_an_adapter_that_cannot_be_interrupted_and_answers_late_gives_no_stale_value() -> None:
    stale, fresh = "7E804410C0000", "7E804410C1AF8"
    values = iter([stale, *[fresh] * 50])
    script = Script({"010C": lambda: next(values), "010D": "7E803410D32"}, delays={"010C": 0.5})
    with linked(script) as link:
        reply = link.request(RPM, deadline_s=0.15)
        assert isinstance(reply.trouble, Timeout)
        end = time.monotonic() + 5.0
        answers = []
        while time.monotonic() < end and len(answers) < 6:
            for payload, right in ((RPM, "410C1AF8"), (bytes.fromhex("010D"), "410D32")):
                reply = link.request(payload, deadline_s=0.3)
                answers += [answer.data.hex().upper() == right for answer in reply.answers]
        assert answers
        assert all(answers)


@pytest.mark.parametrize("garbage", ["\x80\xff>\x81", ">", "7E80441>0C1AF8", "\x00\x00>\r7E803410D32"])
def test_a_prompt_in_the_midst_of_garbage_does_not_shift_answers(garbage: str) -> None:
    count = iter(range(1000))
    script = Script({"010C": lambda: garbage + "\r7E804410CFFFF" if next(count) == 0 else "7E804410C1AF8"})
    with linked(script) as link:
        first = link.request(RPM, deadline_s=0.5)
        later = [link.request(RPM, deadline_s=0.8) for _ in range(4)]
        assert not first.answers
        assert {answer.data.hex() for reply in later for answer in reply.answers} == {"410c1af8"}


def test_an_empty_answer_is_no_answer() -> None:
    script = Script({"010C": ""})
    with linked(script) as link:
        reply = link.request(RPM)
        assert (reply.answers, reply.reason) == ((), "not believed: an empty answer")


def test_an_adapter_that_lost_power_for_a_moment_gets_its_settings_again() -> None:
    first = iter(["LV RESET\r\rELM327 v2.2"])
    script = Script({"010C": lambda: next(first, "7E804410C1AF8")})
    with linked(script) as link:
        assert isinstance(link.request(RPM).trouble, AdapterError)
        assert link.wait_until(LinkState.CONNECTED, timeout_s=1.0) is LinkState.CONNECTED
        assert link.request(RPM).answers
        assert script.log.count("ATH1") == 2


def test_a_k_line_car_gets_no_batches_and_j1850_keeps_its_distance() -> None:
    def crc(data: str) -> str:
        from vehicle.elm327.frames import crc8

        return data + f"{crc8(bytes.fromhex(data)):02X}"

    script = Script({"0100": crc("486B104100BE3EB813"), "010C": crc("486B10410C1AF8"),
                     "010C1": crc("486B10410C1AF8"), "ATDPN": "A2"})
    with linked(script) as link:
        assert (link.batch_limit, link.info.ecus) == (1, ("10",))
        began = time.monotonic()
        for _ in range(4):
            assert link.request(RPM).answers
        assert time.monotonic() - began >= 0.3
        assert script.requests() == ["010C", "010C1", "010C1", "010C1"]


def test_a_request_longer_than_a_frame_is_refused_without_sending() -> None:
    script = Script({})
    with linked(script) as link:
        assert isinstance(link.request(bytes(8)).trouble, AdapterError)
        assert script.requests() == []


def test_what_is_no_elm327_is_told_with_what_it_said() -> None:
    web = Script({"ATI": "HTTP/1.1 400 Bad Request", "": "?"})
    with served(web) as address, pytest.raises(CannotConnectError, match=r"HTTP/1\.1 400"):
        open_link(address, timeout_s=4.0)
    with served(Script({"ATH1": "?"})) as address, pytest.raises(CannotConnectError, match="refuses ATH1"):
        open_link(address, timeout_s=4.0)


def test_nothing_at_the_address_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(CannotConnectError, match="refused"):
        open_link(f"socket://127.0.0.1:{port}")
    with pytest.raises(CannotConnectError, match="cannot be opened"):
        open_link("/dev/ttyNOT_THERE7")
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("address", "scheme"),
    [("/dev/ttyUSB0", "serial"), ("COM3", "serial"), ("/dev/rfcomm0?baud=9600", "serial"),
     ("socket://10.0.0.1:35000", "socket"), ("sim:petrol", "sim"), ("can:virtual:x", "can"), ("ble:OBDLink", "ble")],
)
def test_addresses_have_schemes(address: str, scheme: str) -> None:
    assert scheme_of(address) == scheme


@pytest.mark.parametrize("address", ["", "ttyUSB0", "/etc/passwd", "http://x", "serial:/dev/x", "sim", "file:///x"])
def test_other_texts_are_refused_naming_the_forms(address: str) -> None:
    with pytest.raises(BadAddressError, match="no adapter address") as caught:
        open_link(address)
    assert "socket://" in caught.value.hint


@pytest.mark.parametrize("address", ["/dev/ttyS0?speed=9600", "/dev/ttyS0?baud=fast", "socket://h:1?protocol=Z",
                                     "socket://host", "socket://host:port"])
def test_bad_options_are_refused(address: str) -> None:
    with pytest.raises(BadAddressError):
        open_link(address)


def test_a_link_that_does_not_wait_says_where_it_stands_and_connects_later() -> None:
    script = Script({"010C": "7E804410C1AF8"})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with open_link(f"socket://127.0.0.1:{port}", wait=False) as link:
        assert link.wait_until(LinkState.WAITING, timeout_s=1.0) is LinkState.WAITING
        assert "refused" in link.request(RPM).reason
        with socket.create_server(("127.0.0.1", port)) as listener:
            listener.settimeout(5.0)
            connection, _ = listener.accept()
            thread = threading.Thread(target=script.serve, args=(connection,), daemon=True)
            thread.start()
            assert link.wait_until(LinkState.CONNECTED, timeout_s=3.0) is LinkState.CONNECTED
            assert link.request(RPM).answers
            script.stop.set()
            thread.join(timeout=2.0)


class StnPty:
    """An STN adapter on a pseudo-terminal, for what only serial lines do: baud rates."""

    def __init__(self, raises: bool) -> None:
        self.raises = raises
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        self.log: list[str] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        buffer = b""
        while not self.stop.is_set():
            if select.select([self.master], [], [], 0.05)[0]:
                buffer += os.read(self.master, 4096)
                while b"\r" in buffer:
                    line, _, buffer = buffer.partition(b"\r")
                    self._work(line.decode("latin-1"))

    def _work(self, command: str) -> None:
        self.log.append(command)
        known = {"ATI": "ELM327 v1.4b", "STI": "STN1110 v4.0.1", "0100": "7E8064100BE3EB813", "": "OK",
                 "ATRV": "12.4V", "ATDPN": "A6"}
        if command.startswith("STBR"):
            os.write(self.master, b"OK\r")
            if self.raises:
                time.sleep(0.01)
                os.write(self.master, b"STN1110 v4.0.1\r")
            return
        os.write(self.master, (known.get(command, "OK") + "\r\r>").encode())

    def close(self) -> None:
        self.stop.set()
        self.thread.join(timeout=2.0)
        os.close(self.slave)
        os.close(self.master)


@pytest.mark.parametrize("raises", [True, False])
def test_an_stn_adapter_is_asked_for_a_faster_line_and_works_on_when_it_does_not_come(raises: bool) -> None:
    adapter = StnPty(raises)
    link = OwnedLink("stn", Elm327("stn", adapter.path, baud=38400))
    link.start()
    try:
        assert link.wait_until(LinkState.CONNECTED, timeout_s=8.0) is LinkState.CONNECTED
        assert link.info.stn.startswith("STN1110")
        assert (link.info.baud == 2000000) is raises
        assert raises or link.info.baud == 38400
        assert "STBR 2000000" in adapter.log
    finally:
        link.close()
        adapter.close()


def test_the_baud_rate_is_found_by_trying() -> None:
    adapter = StnPty(raises=True)
    link = OwnedLink("stn", Elm327("stn", adapter.path, raise_baud=False))
    link.start()
    try:
        assert link.wait_until(LinkState.CONNECTED, timeout_s=5.0) is LinkState.CONNECTED
        assert link.info.baud == 38400
    finally:
        link.close()
        adapter.close()


def test_importing_links_loads_no_driver() -> None:
    import subprocess
    import sys

    code = (
        "import sys, vehicle.links; "
        "bad = {'serial', 'can', 'bleak', 'obd', 'numpy', 'vehicle.simulator'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=30)
