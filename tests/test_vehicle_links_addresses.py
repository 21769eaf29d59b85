"""Opening links: addresses, what is wrong with them, serial lines with baud rates, and drivers loaded late."""

import socket
import threading
import time

import pytest
from scripted_adapter import Script, StnPty

from vehicle.errors import BadAddressError, CannotConnectError
from vehicle.links import LinkState, open_link, scheme_of
from vehicle.links.elm327 import Elm327
from vehicle.links.owner import OwnedLink

RPM = bytes.fromhex("010C")


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
    [
        ("/dev/ttyUSB0", "serial"),
        ("COM3", "serial"),
        ("/dev/rfcomm0?baud=9600", "serial"),
        ("socket://10.0.0.1:35000", "socket"),
        ("sim:petrol", "sim"),
        ("can:virtual:x", "can"),
        ("ble:OBDLink", "ble"),
    ],
)
def test_addresses_have_schemes(address: str, scheme: str) -> None:
    assert scheme_of(address) == scheme


@pytest.mark.parametrize(
    "address", ["", "ttyUSB0", "/etc/passwd", "http://x", "serial:/dev/x", "sim", "file:///x"]
)
def test_other_texts_are_refused_naming_the_forms(address: str) -> None:
    with pytest.raises(BadAddressError, match="no adapter address") as caught:
        open_link(address)
    assert "socket://" in caught.value.hint


@pytest.mark.parametrize(
    "address",
    [
        "/dev/ttyS0?speed=9600",
        "/dev/ttyS0?baud=fast",
        "socket://h:1?protocol=Z",
        "socket://host",
        "socket://host:port",
    ],
)
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
