"""Checking an adapter: clones give themselves away, and what works with it is tried and measured."""

import pytest

from vehicle.diagnostics.adapter import check_adapter
from vehicle.links import find_ports, open_link
from vehicle.simulator import SimulatedCar


@pytest.mark.parametrize(
    ("options", "verdict", "word"),
    [
        ("petrol?version=2.2", "no sign of a clone", "knows what version 2.2 brought"),
        ("petrol?version=1.5", "clone", "never released"),
        ("petrol?version=2.1&clone=1", "clone", "does not know ATPPS"),
        ("petrol?stn=1", "stn", "STN chip"),
    ],
)
def test_a_clone_gives_itself_away_by_its_version_or_by_what_it_does_not_know(
    options: str, verdict: str, word: str
) -> None:
    with SimulatedCar(options).serve_tcp() as address, open_link(address.url) as link:
        report = check_adapter(link, measure_s=0.2)
    assert report.verdict == verdict
    assert any(word in line for line in report.evidence), report.evidence
    assert report.batch_size == (1 if "clone=1" in options else 6)
    assert report.readings_per_s
    assert report.readings_per_s > 10
    assert report.voltage_v
    assert report.protocol_number == "6"
    assert report.absent == []


def test_without_a_car_what_needs_one_is_absent_with_the_reason() -> None:
    car = SimulatedCar("petrol")
    car.ignition(False)
    with car.serve_tcp() as address, open_link(address.url) as link:
        report = check_adapter(link, measure_s=0.2)
    assert report.state == "no_car"
    assert (report.batch_size, report.readings_per_s) == (None, None)
    assert {item.what for item in report.absent} == {"batch size", "readings per second"}
    assert all("no car" in item.reason for item in report.absent)


def test_a_simulated_car_is_called_so() -> None:
    with open_link("sim:petrol") as link:
        assert check_adapter(link, measure_s=0.1).verdict == "simulated"


def test_serial_ports_are_listed_without_opening_them() -> None:
    ports = find_ports()
    assert [port.likely for port in ports] == sorted((port.likely for port in ports), reverse=True)
