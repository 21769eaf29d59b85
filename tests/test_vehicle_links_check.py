"""An adapter is told from a clone by what it answers, and its speed is measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from emulator import emulator

from vehicle.links import open_link
from vehicle.links.adapter_check import check_adapter, known_commands
from vehicle.links.adapter_models import AdapterIdentity, AdapterReport, BatchTry, CommandTry
from vehicle.links.adapter_verdict import PUBLISHED, judge, version_in
from vehicle.links.serial_ports import list_serial_ports


def checked(address: str, rate_s: float = 0.2) -> AdapterReport:
    with open_link(address) as link:
        return check_adapter(link, rate_s=rate_s)


def against(report: AdapterReport) -> str:
    return "; ".join(piece.what for piece in report.evidence if piece.speaks == "against")


def test_an_adapter_that_knows_its_version_and_answers_batches_looks_genuine() -> None:
    report = checked("sim:workshop?version=2.1")
    assert report.verdict == "genuine-looking"
    assert all(one.known for one in report.commands)
    assert all(piece.source for piece in report.evidence)
    assert (report.protocol, report.ecus) == ("ISO 15765-4 CAN (11 bit, 500 kbit/s)", ["7E8", "7E9"])
    assert report.batch_size == 6
    assert report.rates.single_per_s is not None
    assert report.rates.batched_per_s is not None
    assert report.rates.batched_per_s > 1.5 * report.rates.single_per_s
    assert report.supply_v is not None
    assert 11 < report.supply_v < 15


def test_a_clone_that_refuses_batches_and_commands_is_told_with_each_reason() -> None:
    report = checked("sim:workshop?clone=1")
    assert report.verdict == "clone-looking"
    assert "ATAMC" in against(report)
    assert "6 in one request fails" in against(report)
    assert (report.batch_size, report.rates.batched_per_s) == (1, None)
    assert report.rates.single_per_s is not None
    assert any("1 parameter per request" in line for line in report.advice)


def test_a_clone_that_hangs_on_batches_is_freed_again_and_told() -> None:
    report = checked("sim:workshop?clone=hang")
    assert report.verdict == "clone-looking"
    assert "hangs" in against(report)
    assert report.batch_size == 1
    assert (report.rates.single_per_s or 0) > 20


def test_an_stn_chip_is_named_by_its_own_commands() -> None:
    report = checked("sim:workshop?stn=1")
    assert report.verdict == "genuine-looking"
    assert report.identity.stn.startswith("STN1110")
    assert report.identity.device == "OBDLink SX r4.2"


def test_a_version_that_was_never_published_is_a_clone_whatever_it_can_do() -> None:
    report = checked("sim:workshop?version=1.5")
    assert report.verdict == "clone-looking"
    assert against(report) == "it claims ELM327 v1.5, which Elm Electronics never published"


def test_without_a_car_the_adapter_is_still_asked_and_nothing_is_invented() -> None:
    report = checked("sim:workshop?version=2.1&misbehave=ignition_off")
    assert report.verdict == "cannot tell"
    assert report.no_car_reason
    assert (report.batch_size, report.rates.single_per_s, report.rates.batched_per_s) == (None, None, None)
    assert any("ignition" in line for line in report.advice)


def test_outside_can_there_are_no_batches_and_that_is_no_evidence() -> None:
    report = checked("sim:workshop?version=2.1&protocol=3")
    assert [one.size for one in report.batches] == [1]
    assert report.verdict == "cannot tell"
    assert report.rates.batched_per_s is None


def test_the_check_leaves_the_link_as_usable_as_before() -> None:
    with open_link("sim:workshop?version=2.1") as link:
        check_adapter(link, rate_s=0.05)
        assert link.request(bytes([0x01, 0x0C]), "7E8").answers
        assert len(link.request(bytes([0x01, 0x0C])).answers) >= 1


def test_a_stranger_to_our_simulator_is_checked_too(tmp_path: Path) -> None:
    with emulator(tmp_path) as address:
        report = checked(address)
    assert report.verdict == "clone-looking"
    assert "v1.5" in against(report)
    assert report.batch_size == 6
    assert (report.rates.batched_per_s or 0) > (report.rates.single_per_s or 0) > 50


def identity(name: str, stn: str = "") -> AdapterIdentity:
    return AdapterIdentity(name=name, description="", stn=stn, device="", version=version_in(name))


def tries(known_up_to: str) -> list[CommandTry]:
    last = PUBLISHED.index(known_up_to)
    return [
        CommandTry(command=text, since=since, known=PUBLISHED.index(since) <= last, answer="")
        for text, since in known_commands()
    ]


ALL_WORK = [BatchTry(size=size, worked=True, hung=False, waited_s=0.02, reason="") for size in (1, 6)]


@pytest.mark.parametrize("version", [version for version in PUBLISHED if version >= "1.1"])
def test_every_published_version_that_knows_its_own_commands_looks_genuine(version: str) -> None:
    assert judge(identity(f"ELM327 v{version}"), tries(version), ALL_WORK)[0] == "genuine-looking"


def test_knowing_commands_of_a_later_version_gives_a_clone_away() -> None:
    verdict, evidence = judge(identity("ELM327 v1.3a"), tries("2.1"), ALL_WORK)
    assert verdict == "clone-looking"
    assert "came later" in evidence[-2].what


def test_a_name_without_a_version_proves_nothing() -> None:
    assert judge(identity("OBDII v9"), [], ALL_WORK)[0] == "cannot tell"


def test_commands_that_were_not_answered_in_time_prove_nothing() -> None:
    silent = [one.model_copy(update={"known": None}) for one in tries("2.1")]
    assert judge(identity("ELM327 v2.1"), silent, ALL_WORK)[0] == "cannot tell"


@contextmanager
def ports(monkeypatch: pytest.MonkeyPatch, found: list[object]) -> Iterator[None]:
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: found)
    yield


class Port:
    """What pyserial says about a port."""

    device, description, manufacturer, vid, pid = "/dev/ttyUSB0", "USB Serial", "QinHeng", 0x1A86, 0x7523


def test_serial_ports_are_those_the_system_has(monkeypatch: pytest.MonkeyPatch) -> None:
    with ports(monkeypatch, [Port()]):
        port = list_serial_ports()[0]
    assert (port.address, port.usb_id) == ("/dev/ttyUSB0", "1A86:7523")
    assert "CH340" in port.hint
    with ports(monkeypatch, []):
        assert list_serial_ports() == []
