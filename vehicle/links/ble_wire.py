"""The byte line to a Bluetooth LE adapter: notifications in, writes out, on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from vehicle.errors import CannotConnectError
from vehicle.links.wire import WRITE_TIMEOUT_S, Wire

if TYPE_CHECKING:
    from bleak import BleakClient
    from bleak.backends.characteristic import BleakGATTCharacteristic

T = TypeVar("T")
SCAN_S = 8.0
CONNECT_S = 10.0
_SMALLEST_WRITE = 20
_BASE = "0000{}-0000-1000-8000-00805f9b34fb"
# (notifies, is written to) of serial lines over GATT, as adapters' makers and users name them.
KNOWN_LINES = (
    (_BASE.format("fff1"), _BASE.format("fff2")),
    (_BASE.format("ffe1"), _BASE.format("ffe1")),
    (_BASE.format("2af0"), _BASE.format("2af1")),
    ("6e400003-b5a3-f393-e0a9-e50e24dcca9e", "6e400002-b5a3-f393-e0a9-e50e24dcca9e"),
    ("bef8d6c9-9c21-4c9e-b632-bd58c1009f9f", "bef8d6c9-9c21-4c9e-b632-bd58c1009f9f"),
)
_NOTIFIES = {"notify", "indicate"}
_WRITES = {"write", "write-without-response"}


class GattLine(NamedTuple):
    """The two characteristics that make a serial line; often one and the same."""

    notifies: BleakGATTCharacteristic
    written: BleakGATTCharacteristic


def choose_line(characteristics: list[BleakGATTCharacteristic]) -> GattLine | None:
    """Return the serial line among an adapter's characteristics: a known one, or the only pair of one service."""
    by_uuid = {one.uuid.lower(): one for one in characteristics}
    for notifies, written in KNOWN_LINES:
        if notifies in by_uuid and written in by_uuid:
            return GattLine(by_uuid[notifies], by_uuid[written])
    pairs = [
        GattLine(notifying, writable)
        for notifying in characteristics
        for writable in characteristics
        if notifying.service_uuid == writable.service_uuid
        and not _NOTIFIES.isdisjoint(notifying.properties)
        and not _WRITES.isdisjoint(writable.properties)
    ]
    return pairs[0] if len(pairs) == 1 else None


class BleWire(Wire):
    """An open line to a Bluetooth LE adapter."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self._name = name
        self._came = bytearray()
        self._news = threading.Condition()
        self._gone = ""
        self._client: BleakClient | None = None
        self._line: GattLine | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"bluetooth {name}", daemon=True)
        self._thread.start()
        try:
            self._do(self._open(), SCAN_S + CONNECT_S)
        except BaseException:
            self.close()
            raise

    def _do(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Run a coroutine on the loop; raises CannotConnectError for whatever Bluetooth had against it."""
        from bleak.exc import BleakError

        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except (BleakError, OSError, EOFError) as error:  # a TimeoutError is an OSError
            future.cancel()
            reason = str(error) or type(error).__name__
            raise CannotConnectError(
                f"{self.url}: {reason}.",
                "Check that Bluetooth is on, the adapter is plugged in and not paired elsewhere.",
            ) from error

    async def _open(self) -> None:
        from bleak import BleakClient, BleakScanner

        wanted = self._name.casefold()
        device = await BleakScanner.find_device_by_filter(
            lambda device, heard: (
                wanted
                in (
                    device.address.casefold(),
                    (device.name or "").casefold(),
                    (heard.local_name or "").casefold(),
                )
            ),
            timeout=SCAN_S,
        )
        if device is None:
            raise CannotConnectError(
                f"No Bluetooth LE device called {self._name} is in reach.",
                "Give the name or address it shows.",
            )
        client = self._client = BleakClient(device, lambda _: self._note_end(), timeout=CONNECT_S)
        await client.connect()
        line = self._line = choose_line(list(client.services.characteristics.values()))
        if line is None:
            raise CannotConnectError(f"{self._name} has no serial line over GATT that is known.")
        await client.start_notify(line.notifies, lambda _, data: self._take(data))

    def _take(self, data: bytearray) -> None:
        with self._news:
            self._came += data
            self._news.notify_all()

    def _note_end(self) -> None:
        with self._news:
            self._gone = "the adapter hung up"
            self._news.notify_all()

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting at most `timeout_s` for the first byte."""
        with self._news:
            if not self._came and not self._gone:
                self._news.wait(max(0.0, timeout_s))
            if not self._came and self._gone:
                raise self.lost(self._gone)
            data = bytes(self._came)
            self._came.clear()
        return data

    def write(self, data: bytes) -> None:
        """Send bytes, in pieces the adapter takes."""
        if self._gone or self._client is None or self._line is None:
            raise self.lost(self._gone or "it is not open")
        try:
            self._do(self._write(self._client, self._line.written, data), WRITE_TIMEOUT_S)
        except CannotConnectError as error:
            raise self.lost(error.message) from error

    @staticmethod
    async def _write(client: BleakClient, written: BleakGATTCharacteristic, data: bytes) -> None:
        plain = "write-without-response" in written.properties
        size = max(_SMALLEST_WRITE, written.max_write_without_response_size if plain else _SMALLEST_WRITE)
        for start in range(0, len(data), size):
            await client.write_gatt_char(written, data[start : start + size], response=not plain)

    def close(self) -> None:
        """Hang up and end the loop."""
        if self._client is not None:
            with contextlib.suppress(CannotConnectError):
                self._do(self._client.disconnect(), WRITE_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WRITE_TIMEOUT_S)
        if not self._thread.is_alive():
            self._loop.close()
