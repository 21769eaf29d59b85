"""A serial CAN adapter (SLCAN) on a pseudo-terminal, wired to a virtual CAN bus; it can be unplugged and put back."""

import os
import threading
import tty
from pathlib import Path

import can


class SlcanAdapter:
    """Its device path stays the same while it is unplugged and plugged in again."""

    def __init__(self, path: Path, channel: str) -> None:
        self.path = path
        self._channel = channel
        self.commands: list[str] = []
        self._pumps: list[threading.Thread] = []

    def plug(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._theirs))
        self._bus = can.Bus(self._channel, interface="virtual", ignore_config=True)
        self._gone = threading.Event()
        self._pumps = [
            threading.Thread(target=pump, daemon=True) for pump in (self._from_host, self._from_bus)
        ]
        for pump in self._pumps:
            pump.start()

    def unplug(self) -> None:
        """Take the adapter away: the host's next read or write fails."""
        self._gone.set()
        os.close(self._theirs)
        self._pumps[1].join()
        os.close(self._ours)
        self._pumps[0].join()
        self._bus.shutdown()

    def _from_host(self) -> None:
        import select

        pending = b""
        while not self._gone.is_set():
            try:
                if not select.select([self._ours], [], [], 0.02)[0]:
                    continue
                pending += os.read(self._ours, 4096)
            except (OSError, ValueError):
                return
            *lines, pending = pending.split(b"\r")
            for line in lines:
                self.commands.append(line[:1].decode())
                if line[:1] == b"t":
                    self._bus.send(
                        can.Message(
                            arbitration_id=int(line[1:4], 16),
                            is_extended_id=False,
                            data=bytes.fromhex(line[5:].decode()),
                        )
                    )

    def _from_bus(self) -> None:
        while not self._gone.is_set():
            message = self._bus.recv(0.02)
            if message is not None:
                line = (
                    f"t{message.arbitration_id:03X}{len(message.data)}{bytes(message.data).hex().upper()}\r"
                )
                os.write(self._ours, line.encode())
