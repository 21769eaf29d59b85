"""J2534 without Windows: udsoncan's connection replaced by one that leads to the simulated car."""

import queue
import time
from typing import Self

import pytest
from udsoncan import connections
from udsoncan.exceptions import TimeoutException

from vehicle.elm327.outcomes import AdapterError, Disconnected, NoData
from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links import LinkState, j2534, open_link
from vehicle.poller.support import read_support
from vehicle.simulator import SimulatedCar
from vehicle.uds import read_uds_vin


class Device:
    """What udsoncan's J2534Connection does, towards a simulated car."""

    car: SimulatedCar
    unplugged = False
    pending = False
    stray: tuple[bytes, ...] = ()

    def __init__(self, windll: str, rxid: int, txid: int) -> None:
        if self.unplugged:
            raise RuntimeError("DLL not found")
        assert rxid == txid + 8
        self.library, self.txid = windll, txid
        self.exit_requested = False
        self._frames: queue.Queue[bytes] = queue.Queue()

    def open(self) -> Self:
        return self

    def close(self) -> None:
        pass

    def empty_rxqueue(self) -> None:
        while not self._frames.empty():
            self._frames.get()

    def specific_send(self, payload: bytes, timeout: float) -> None:
        if self.unplugged:
            raise RuntimeError("J2534 PassThruWriteMsgs: ERR_DEVICE_NOT_CONNECTED")
        for frame in self.stray:
            self._frames.put(frame)
        if self.pending:
            self._frames.put(bytes([0x7F, payload[0], 0x78]))
        for reply in self.car.bus.ask(payload, self.txid):
            self._frames.put(reply.payload)

    def specific_wait_frame(self, timeout: float) -> bytes:
        try:
            return self._frames.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutException from None


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> type[Device]:
    class Plugged(Device):
        car = SimulatedCar("petrol?warm=1&ecus=2", clock=lambda: 0.0)

    monkeypatch.setattr(connections, "J2534Connection", Plugged)
    monkeypatch.setattr(j2534, "is_windows", lambda: True)
    return Plugged


def test_one_ecu_is_asked_and_its_answers_are_checked(device: type[Device]) -> None:
    with open_link("j2534:C:/maker/driver.dll") as link:
        assert link.info.adapter == "J2534 C:/maker/driver.dll"
        assert link.info.ecus == ("7E8",)
        assert read_uds_vin(link, "7E8") == device.car.options.vin
        assert set(read_support(link)) == {"7E8"}
        device.stray = (b"\x41\x0d\x22", b"", b"\x7f\x02\x12")
        assert [data[:2] for _, data in link.request(b"\x01\x0c").answers] == [b"\x41\x0c"]
        assert isinstance(link.request(b"\x01\x0c", "7E9").trouble, AdapterError)
    with open_link("j2534:driver.dll?ecu=7E9") as link:
        assert link.request(b"\x01\x0c").checked()[0].ecu == "7E9"


def test_silence_patience_and_deadlines_are_kept(device: type[Device]) -> None:
    with open_link("j2534:driver.dll") as link:
        device.pending = True
        assert link.request(b"\x01\x0c").checked()
        device.pending = False
        began = time.monotonic()
        assert isinstance(link.request(b"\x01\x83").trouble, NoData)
        assert time.monotonic() - began < 0.4


def test_a_device_that_is_pulled_out_is_opened_again(device: type[Device]) -> None:
    with open_link("j2534:driver.dll") as link:
        device.unplugged = True
        assert isinstance(link.request(b"\x01\x0c").trouble, Disconnected)
        device.unplugged = False
        end = time.monotonic() + 3.0
        while not link.reconnects and time.monotonic() < end:
            time.sleep(0.02)
        assert link.wait_until(LinkState.CONNECTED, timeout_s=1.0) is LinkState.CONNECTED
        assert link.request(b"\x01\x0c").checked()
    device.unplugged = True
    with pytest.raises(CannotConnectError, match="DLL not found"):
        open_link("j2534:driver.dll", timeout_s=2.0)


def test_without_a_library_named_the_only_one_installed_is_taken(
    device: type[Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(j2534, "_installed", lambda: ["C:/only.dll"])
    with open_link("j2534:") as link:
        assert link.info.adapter == "J2534 C:/only.dll"
    monkeypatch.setattr(j2534, "_installed", lambda: ["C:/one.dll", "C:/two.dll"])
    with pytest.raises(CannotConnectError, match=r"one\.dll; C:/two\.dll"):
        open_link("j2534:", timeout_s=2.0)


@pytest.mark.parametrize(
    "address", ["j2534:a.dll", "j2534:a.dll?protocol=iso9141", "j2534:a.dll?protocol=iso14230"]
)
def test_what_cannot_run_says_so_at_once(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(j2534, "is_windows", lambda: False)
    with pytest.raises(CannotConnectError) as caught:
        open_link(address)
    assert caught.value.code == "unsupported"
    assert "ELM327" in caught.value.hint


@pytest.mark.parametrize("address", ["j2534:a.dll?ecu=XYZ", "j2534:a.dll?ecu=", "j2534:a.dll?nonsense=1"])
def test_an_address_that_cannot_be_right_is_refused(address: str, device: type[Device]) -> None:
    with pytest.raises(BadAddressError):
        open_link(address)
