"""The driver against a second opinion: ELM327-emulator's car, in a process of its own."""

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from vehicle.diagnostics.readiness import read_readiness
from vehicle.diagnostics.trouble_codes import read_trouble_codes
from vehicle.diagnostics.vehicle_info import read_vehicle_info
from vehicle.links import Link, open_link
from vehicle.poller import Poller

if importlib.util.find_spec("elm") is None:
    pytest.skip("ELM327-emulator is a development dependency", allow_module_level=True)


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("elm")), "-b", "out.txt", "-s", "car", "-n", str(port)]
    folder = tmp_path_factory.mktemp("elm")
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process,
    ):
        try:
            yield _opened(f"socket://127.0.0.1:{port}", process)
        finally:
            process.kill()


def _opened(address: str, process: subprocess.Popen[bytes]) -> Link:
    from vehicle.errors import CannotConnectError

    end = time.monotonic() + 20.0
    while True:
        try:
            return open_link(address)
        except CannotConnectError:
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)


def test_six_parameters_are_read_in_one_request(link: Link) -> None:
    stop = Event()
    values: dict[str, list[float]] = {}
    poller = Poller(
        link,
        ["rpm", "speed", "coolant_temp", "throttle_pos", "intake_temp", "maf"],
        every_round=True,
        batch_s=0.2,
    )
    for batch in poller.poll(stop):
        for run in batch.runs:
            values.setdefault(run.signal, []).extend(run.values)
        if len(values) == 6:
            stop.set()
    assert all(len(numbers) > 10 for numbers in values.values())
    assert 0 < values["rpm"][-1] < 8000
    assert link.batch_limit == 6
    assert poller.unsupported == {}


def test_the_vin_comes_whole(link: Link) -> None:
    report = read_vehicle_info(link)
    vins = [info.vin for info in report.ecus if info.vin] or [item.reason for item in report.absent]
    assert vins
    assert len(link.request(bytes.fromhex("0902")).checked()[0].data) == 20


def test_readiness_is_decoded_and_code_lists_without_their_count_are_refused(link: Link) -> None:
    readiness = read_readiness(link).since_clear[0]
    assert readiness.ignition == "spark"
    # the emulator's 43 carries no count byte where codes are stored; without codes it is whole
    report = read_trouble_codes(link, ("stored",))
    assert report.lists or report.absent
    for found in report.lists:
        assert found.codes == []
    link.close()
