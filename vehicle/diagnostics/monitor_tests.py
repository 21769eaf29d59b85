"""On-board monitoring test results: service 06, scaled, with limits and verdict."""

from __future__ import annotations

from vehicle.diagnostics.asking import absences, ask, bitmap_in
from vehicle.diagnostics.models import Absence, MonitorTest, MonitorTestReport
from vehicle.diagnostics.scaling import as_number, monitor_name, name_of_test, scalings
from vehicle.errors import CarError
from vehicle.links.link import Link
from vehicle.poller.support import BITMAPS, RANGE, pids_of

SERVICE = 0x06
_CAN_RESULT = 9
_LEGACY_RESULT = 6


class MonitorResultError(CarError, ValueError):
    """Test results whose length contradicts itself."""

    code = "car_refused"


def read_monitor_tests(link: Link) -> MonitorTestReport:
    """Read every on-board test result of every ECU; raises CannotConnectError."""
    monitors, absent = _monitors(link)
    tests: list[MonitorTest] = []
    for ecu, numbers in monitors.items():
        for number in sorted(numbers - BITMAPS):
            tests += _read(link, ecu, number, absent)
    return MonitorTestReport(tests=tests, absent=absent)


def _monitors(link: Link) -> tuple[dict[str, set[int]], list[Absence]]:
    found: dict[str, set[int]] = {}
    absent: list[Absence] = []
    for start in range(0, 0x100, RANGE):
        if start and not any(start in numbers for numbers in found.values()):
            break
        reply = ask(link, bytes([SERVICE, start]))
        for ecu, data in reply.answers:
            if bitmap := bitmap_in(data, link.info.is_can):
                found.setdefault(ecu, set()).update(pids_of(start, bitmap))
        if not start:
            absent += absences(link, "monitor tests", reply, found)
    return found, absent


def _read(link: Link, ecu: str, monitor: int, absent: list[Absence]) -> list[MonitorTest]:
    reply = ask(link, bytes([SERVICE, monitor]), ecu)
    answers = [data for source, data in reply.answers if source == ecu]
    what = f"monitor {monitor:02X}"
    if not answers:
        absent.append(Absence(what=what, ecu=ecu, reason=reply.reason))
    decode = decode_can_results if link.info.is_can else decode_legacy_results
    tests: list[MonitorTest] = []
    for data in answers:
        try:
            tests += decode(ecu, data[1:])
        except MonitorResultError as error:
            absent.append(Absence(what=what, ecu=ecu, reason=error.message))
    return tests


def decode_can_results(ecu: str, data: bytes) -> list[MonitorTest]:
    """Decode what stands behind 46: nine bytes per test (monitor, test, scaling, value, low, high)."""
    if not data or len(data) % _CAN_RESULT:
        raise MonitorResultError(f"{len(data)} bytes are no whole number of test results of nine.")
    if any(data[start] != data[0] for start in range(0, len(data), _CAN_RESULT)):
        raise MonitorResultError("The results belong to different monitors.")
    return [_can_result(ecu, data[start : start + _CAN_RESULT]) for start in range(0, len(data), _CAN_RESULT)]


def _can_result(ecu: str, data: bytes) -> MonitorTest:
    monitor, test, identifier = data[:3]
    value, low, high = (as_number(data[start : start + 2], identifier) for start in (3, 5, 7))
    scaling = scalings().get(identifier)
    # An ECU reports zeros everywhere until the test has run since codes were cleared (SAE J1979).
    ran = any(data[3:])
    scaled = [scaling.apply(number) for number in (value, low, high)] if scaling and ran else [None] * 3
    return MonitorTest(
        ecu=ecu,
        monitor=monitor,
        monitor_name=monitor_name(monitor),
        test=test,
        test_name=name_of_test(test),
        unit=scaling.unit if scaling else f"unknown scaling {identifier:02X}",
        value=scaled[0],
        low=scaled[1],
        high=scaled[2],
        raw=(value, low, high),
        verdict="not_run" if not ran else "passed" if low <= value <= high else "failed",
    )


def decode_legacy_results(ecu: str, data: bytes) -> list[MonitorTest]:
    """Decode what stands behind 46 outside CAN: test, limit type and component, value, limit; scaling unknown."""
    if len(data) != _LEGACY_RESULT:
        raise MonitorResultError(f"{len(data)} bytes are no test result of six.")
    test, component = data[0], data[1]
    value, limit = int.from_bytes(data[2:4], "big"), int.from_bytes(data[4:6], "big")
    is_minimum = bool(component & 0x80)
    passed = value >= limit if is_minimum else value <= limit
    return [
        MonitorTest(
            ecu=ecu,
            monitor=test,
            monitor_name=f"manufacturer's test {test:02X}",
            test=component & 0x7F,
            test_name=f"component {component & 0x7F:02X}",
            unit="the maker's own scaling",
            value=None,
            low=None,
            high=None,
            raw=(value, limit if is_minimum else None, None if is_minimum else limit),
            verdict="not_run" if not (value or limit) else "passed" if passed else "failed",
        )
    ]
