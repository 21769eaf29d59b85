"""Ask the car now: single values and identity."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from analysis.findings import Quantity, absent, measured
from tools.addresses import Adapter, is_simulated, say_adapter
from tools.answer import Answer
from tools.context import ToolContext
from tools.own_signals import own_signals
from tools.registry import tool
from tools.wording import say_value
from vehicle.diagnostics.models import MonitorTestReport, VehicleInfoReport


class SignalNow(BaseModel):
    """One signal as one ECU reported it just now."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    signal: str
    ecu: str | None
    quantity: Quantity


class SignalsNow(Answer):
    """Values read just now, one per signal and ECU."""

    adapter: str
    simulated: bool
    values: list[SignalNow]

    def say(self) -> str:
        """Say each value, or why there is none."""
        rows = [
            f"{one.signal}{f' ({one.ecu})' if one.ecu else ''}: {say_value(one.quantity)}"
            for one in self.values
        ]
        return "\n".join([f"Read from {say_adapter(self.adapter)}:", *rows])


class MonitorTests(MonitorTestReport, Answer):
    """On-board test results with limits and verdicts."""

    def say(self) -> str:
        """Say what failed, what came close, and what was not answered."""
        failed = [test for test in self.tests if test.verdict == "failed"]
        head = f"{len(self.tests)} on-board tests, {len(failed)} failed."
        rows = [
            f"{test.ecu} {test.monitor_name}, {test.test_name}: {test.verdict} {test.value} {test.unit} "
            f"(limits {test.low} to {test.high})"
            for test in failed or self.tests[:12]
        ]
        return "\n".join(
            [head, *rows, *(f"Not learned: {one.what} {one.ecu}: {one.reason}." for one in self.absent)]
        )


class VehicleInfo(VehicleInfoReport, Answer):
    """Who the ECUs say they are."""

    def say(self) -> str:
        """Say each ECU's identity, and what was not answered."""
        rows = [
            f"{info.ecu}: VIN {info.vin or 'not given'}, name {info.name or 'not given'}, "
            f"calibrations {', '.join(info.calibration_ids) or 'not given'}"
            for info in self.ecus
        ]
        return "\n".join(
            [*rows, *(f"Not learned: {one.what} {one.ecu}: {one.reason}." for one in self.absent)]
        )


@tool("capture", "Read signals now", open_world=True)
def read_signals(
    context: ToolContext,
    signals: Annotated[
        list[str],
        Field(min_length=1, max_length=30, description="Signals to read, such as rpm or coolant_temp."),
    ],
    adapter: Adapter | None = None,
) -> SignalsNow:
    """Read signals from the car once, now; every ECU that answers is reported. Reads only.

    A signal the car does not have is absent, with the reason. To record over time use `start_capture`.
    """
    from vehicle.diagnostics.current import read_now
    from vehicle.signals import find_signal

    address = context.adapter_of(adapter)
    own = own_signals(context)
    wanted = [own.get(name) or find_signal(name) for name in dict.fromkeys(signals)]
    with context.workshop.links.borrow(address) as link:
        values = [
            SignalNow(
                signal=now.signal.name,
                ecu=now.ecu or None,
                quantity=absent(now.signal.unit, now.reason)
                if now.value is None
                else measured(now.value, now.signal.unit, samples=1),
            )
            for now in read_now(link, wanted)
        ]
    return SignalsNow(adapter=address, simulated=is_simulated(address), values=values)


@tool("capture", "Read on-board test results", open_world=True)
def read_monitor_tests(context: ToolContext, adapter: Adapter | None = None) -> MonitorTests:
    """Read the on-board monitor tests (service 06) with scaling, limits and verdict, per ECU. Reads only."""
    from vehicle.diagnostics.monitor_tests import read_monitor_tests as read

    with context.workshop.links.borrow(context.adapter_of(adapter)) as link:
        return MonitorTests.of(read(link))


@tool("capture", "Read who the car is", open_world=True)
def read_vehicle_info(context: ToolContext, adapter: Adapter | None = None) -> VehicleInfo:
    """Read VIN, calibration ids and checks, ECU names and in-use ratios (service 09), per ECU. Reads only.

    Next: `decode_vin` with the VIN.
    """
    from vehicle.diagnostics.vehicle_info import read_vehicle_info as read

    with context.workshop.links.borrow(context.adapter_of(adapter)) as link:
        return VehicleInfo.of(read(link))
