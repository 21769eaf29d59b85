"""Serial ports of this machine, as the operating system lists them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class SerialPort(BaseModel):
    """A port that exists; whether an adapter is on it is found out by connecting."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    address: str
    description: str
    maker: str | None
    usb_id: str | None
    hint: str


# USB identities of serial chips and makers met on OBD adapters (pyserial gives them; the pairs are USB-IF's).
_HINTS = {
    0x0403: "FTDI chip: in OBDLink and many ELM327 cables",
    0x10C4: "Silicon Labs CP210x: in many ELM327 cables",
    0x1A86: "CH340: in cheap ELM327 cables",
    0x067B: "Prolific PL2303: in cheap ELM327 cables",
}


def list_serial_ports() -> list[SerialPort]:
    """Return the serial ports with what their USB identity tells; empty where there are none."""
    from serial.tools import list_ports

    return [
        SerialPort(
            address=port.device,
            description=port.description if port.description != "n/a" else "",
            maker=port.manufacturer,
            usb_id=None if port.vid is None else f"{port.vid:04X}:{port.pid:04X}",
            hint=_HINTS.get(port.vid, ""),
        )
        for port in sorted(list_ports.comports(), key=lambda port: port.device)
    ]
