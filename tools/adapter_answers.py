"""What the adapter tools answer with."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from analysis.findings import Quantity
from tools.addresses import say_adapter
from tools.answer import Answer
from tools.wording import say_value
from vehicle.links.adapter_models import AdapterEvidence, AdapterIdentity, BatchTry
from vehicle.links.serial_ports import SerialPort


class SimulatedKey(BaseModel):
    """A key of a simulated car's address."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    key: str
    default: str
    allowed: str


class SimulatedCars(BaseModel):
    """Cars that exist in this program only; every answer about them says so."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    addresses: list[str]
    faults: list[str]
    keys: list[SimulatedKey]


class ReplayableSession(BaseModel):
    """A recorded session that can be played back as if a car were on the line."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    address: str
    name: str
    started_at: datetime | None
    duration_s: float


class Replays(BaseModel):
    """The newest recordings to play back; `list_sessions` has all `sessions` that were finished."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    newest: list[ReplayableSession]
    sessions: int
    options: str


class RunningCapture(BaseModel):
    """A capture that holds an adapter now."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    session_id: str
    adapter: str


class AdapterList(Answer):
    """What there is to connect to."""

    default_adapter: str | None
    serial_ports: list[SerialPort]
    captures: list[RunningCapture]
    simulated: SimulatedCars
    replays: Replays
    address_forms: list[str]
    not_searched: str

    def say(self) -> str:
        """Say the ports found, the default, the captures and the simulated cars."""
        ports = [
            f"{one.address} ({one.description or one.hint or 'no description'})" for one in self.serial_ports
        ]
        lines = [
            f"Serial ports: {', '.join(ports) or 'none'}.",
            f"Default adapter: {self.default_adapter or 'none set'}.",
            *(f"{one.session_id} is recording from {one.adapter}." for one in self.captures),
            f"Simulated cars: {', '.join(self.simulated.addresses)}; faults: {', '.join(self.simulated.faults)}.",
            self._replays(),
            self.not_searched,
        ]
        return "\n".join(lines)

    def _replays(self) -> str:
        shown = self.replays.newest
        told = "; ".join(f"{one.address} ({one.name}, {one.duration_s:,.0f} s)" for one in shown)
        left = f", the newest {len(shown)} of {self.replays.sessions} sessions" if shown else ""
        return f"Recordings to play back{left}: {told or 'none'}."


class AdapterCheck(Answer):
    """What an adapter is and what it can do."""

    adapter: str
    simulated: bool
    identity: AdapterIdentity
    verdict: Literal["genuine-looking", "clone-looking", "cannot tell"]
    evidence: list[AdapterEvidence]
    protocol: str | None
    ecus: list[str]
    no_car_reason: str
    batches: list[BatchTry]
    batch_size: int | None
    single_rate: Quantity
    batched_rate: Quantity
    supply_voltage: Quantity
    baud: int | None
    connect_s: float | None
    shared_with: str | None
    advice: list[str]

    def say(self) -> str:
        """Say identity, verdict with evidence, speed and advice."""
        ecus = ", ".join(ecu or "without a name" for ecu in self.ecus)
        car = f"{self.protocol or 'protocol not known'}, ECUs {ecus}"
        if not self.ecus:
            car = f"no car: {self.no_car_reason}"
        chip = f"{self.identity.name or 'no name'} {self.identity.stn} {self.identity.device}".strip()
        lines = [
            f"{say_adapter(self.adapter)}: {chip}; {self.verdict}; {car}.",
            f"Parameters per request: {self.batch_size or 'unknown'}; one at a time {say_value(self.single_rate)}, "
            f"batched {say_value(self.batched_rate)}; supply {say_value(self.supply_voltage)}.",
            *(f"Speaks {one.speaks} a genuine chip: {one.what} [{one.source}]." for one in self.evidence),
        ]
        if self.shared_with:
            lines.append(
                f"{self.shared_with} was recording meanwhile, so the rates are lower than the adapter's."
            )
        return "\n".join([*lines, *self.advice])
