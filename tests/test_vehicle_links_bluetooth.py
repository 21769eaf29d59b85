"""Bluetooth LE without a radio: bleak's scanner and client replaced by ones that lead to the simulated adapter."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import bleak
import pytest

from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links import LinkState, bluetooth, open_link
from vehicle.links.ble_wire import KNOWN_LINES, choose_line
from vehicle.simulator import SimulatedCar

NAME, ADDRESS = "OBDII-LE", "AA:BB:CC:DD:EE:FF"


def characteristic(uuid: str, service: str, *properties: str, longest: int = 20) -> Any:
    return SimpleNamespace(
        uuid=uuid, service_uuid=service, properties=list(properties), max_write_without_response_size=longest
    )


class Radio:
    """The world as bleak sees it: one adapter, plugged into a car."""

    def __init__(self, car: SimulatedCar) -> None:
        self.adapter = car.adapter()
        self.characteristics = {
            1: characteristic("00002a00-0000-1000-8000-00805f9b34fb", "1800", "read"),
            2: characteristic(KNOWN_LINES[0][0], "fff0", "notify"),
            3: characteristic(KNOWN_LINES[0][1], "fff0", "write", "write-without-response"),
        }
        self.pieces: list[int] = []
        self.clients: list[Any] = []

    async def find(self, matches: Callable[[Any, Any], bool], **_: object) -> object | None:
        device = SimpleNamespace(address=ADDRESS, name=None)
        return device if matches(device, SimpleNamespace(local_name=NAME)) else None

    def client(self, device: object, hung_up: Callable[[Any], None], timeout: float) -> object:
        radio = self

        class Client:
            services = SimpleNamespace(characteristics=radio.characteristics)

            async def connect(self) -> None:
                self.hung_up = hung_up
                radio.clients.append(self)

            async def start_notify(self, _: object, callback: Callable[[Any, bytearray], None]) -> None:
                self.notify = callback

            async def write_gatt_char(self, _: object, data: bytes, response: bool) -> None:
                radio.pieces.append(len(data))
                answer = radio.adapter.exchange(bytes(data))
                for start in range(0, len(answer), 20):
                    await asyncio.sleep(0)
                    self.notify(None, bytearray(answer[start : start + 20]))

            async def disconnect(self) -> None:
                pass

        return Client()


@pytest.fixture
def radio(monkeypatch: pytest.MonkeyPatch) -> Radio:
    found = Radio(SimulatedCar("petrol?warm=1&ecus=2", clock=lambda: 0.0))
    monkeypatch.setattr(bleak.BleakScanner, "find_device_by_filter", found.find)
    monkeypatch.setattr(bleak, "BleakClient", found.client)
    monkeypatch.setattr(bluetooth, "_has_d_bus", lambda: True)
    return found


@pytest.mark.parametrize("name", [NAME, ADDRESS, NAME.lower()])
def test_an_adapter_is_found_by_name_or_address_and_talks_in_small_pieces(radio: Radio, name: str) -> None:
    with open_link(f"ble:{name}") as link:
        assert link.info.ecus == ("7E8", "7E9")
        assert "ELM327" in link.info.adapter
        assert link.request(bytes.fromhex("010C0D05110F10"), "7E8").checked()
        assert len(link.request(b"\x09\x02", "7E8").checked()[0].data) == 20
    assert max(radio.pieces) <= 20


def test_an_adapter_that_hangs_up_is_called_again(radio: Radio) -> None:
    with open_link(f"ble:{NAME}") as link:
        radio.clients[-1].hung_up(radio.clients[-1])
        link.wait_until(LinkState.LOST, LinkState.WAITING, timeout_s=2.0)
        assert link.wait_until(LinkState.CONNECTED, timeout_s=5.0) is LinkState.CONNECTED
        assert link.request(b"\x01\x0c", "7E8").checked()
        assert link.reconnects == 1


def test_an_adapter_out_of_reach_or_without_a_serial_line_is_told(radio: Radio) -> None:
    with pytest.raises(CannotConnectError, match="in reach"):
        open_link("ble:somebody else", timeout_s=2.0)
    del radio.characteristics[3]
    with pytest.raises(CannotConnectError, match="no serial line"):
        open_link(f"ble:{NAME}", timeout_s=2.0)


def test_the_only_pair_of_a_service_is_taken_for_its_line_and_one_of_several_is_not() -> None:
    notifies = characteristic("aaa1", "aaa0", "notify")
    written = characteristic("aaa2", "aaa0", "write")
    other = characteristic("bbb1", "bbb0", "write")
    assert choose_line([other, written, notifies]) == (notifies, written)
    assert choose_line([notifies, written, characteristic("aaa3", "aaa0", "write")]) is None
    assert choose_line([notifies, other]) is None


def test_a_machine_without_a_bluetooth_stack_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bluetooth, "_has_d_bus", lambda: False)
    monkeypatch.setattr(bluetooth.sys, "platform", "linux")
    with pytest.raises(CannotConnectError) as caught:
        open_link(f"ble:{NAME}")
    assert caught.value.code == "unsupported"


def test_an_address_without_a_name_is_refused() -> None:
    with pytest.raises(BadAddressError):
        open_link("ble:")
