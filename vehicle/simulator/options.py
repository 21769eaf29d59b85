"""What can be asked of the simulated car, and how an address spells it: `sim:NAME?fault=KIND&severity=0.5`."""

import dataclasses
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from urllib.parse import parse_qsl

from vehicle.errors import BadAddressError, CarError
from vehicle.simulator.misbehaviour import read_tricks
from vehicle.simulator.physics.driver import SCRIPTS

FAULTS = (
    "vacuum_leak",
    "maf_under_reading",
    "thermostat_stuck_open",
    "overheating",
    "weak_alternator",
    "misfire",
    "worn_catalyst",
    "fuel_pressure_low",
    "coolant_sensor_stuck",
    "o2_lazy",
)
CYCLES = ("mixed", "city", "highway", "idle")
PROTOCOLS = ("1", "2", "3", "4", "5", "6", "7", "8", "9")

DEFAULT_VIN = "2HGFC2F51GH000001"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """One simulated car with its adapter; every field is also a key of the address.

    `fault_at` and `ambient` are in seconds of simulated time and °C; `ecu_ms`, `wait_ms` and `baud` switch the
    timing model on (0: no delays); `padding` is the CAN fill byte in hex, or "off". With a `driver` the car stays
    parked and somebody follows the script of a workshop test.
    """

    name: str = "petrol"
    fault: str = ""
    severity: float = 1.0
    fault_at: float = 0.0
    cycle: str = "mixed"
    driver: str = ""
    seed: int = 1
    speedup: float = 1.0
    ambient: float = 20.0
    warm: bool = False
    gearbox: str = "auto"
    gears: int = 6
    protocol: str = "6"
    ecus: int = 2
    vin: str = DEFAULT_VIN
    version: str = ""
    stn: bool = False
    clone: str = ""
    baud: int = 0
    ecu_ms: float = 0.0
    wait_ms: float = 0.0
    padding: str = "AA"
    negative: bool = False
    clear_refused: bool = False
    misbehave: str = ""

    def __post_init__(self) -> None:
        """Refuse values outside what the model was made for."""
        for key, allowed in CHOICES.items():
            _check_choice(key, str(getattr(self, key)), allowed)
        for key, (low, high) in LIMITS.items():
            if not low <= getattr(self, key) <= high:
                raise BadAddressError(f"{key}={getattr(self, key)} is outside {low:g} to {high:g}.", _GRAMMAR)
        if self.padding != "off" and not _is_byte(self.padding):
            raise BadAddressError(f"padding={self.padding} is no byte.", "Give two hex digits, or off.")
        read_tricks(self.misbehave)
        if self.vin != DEFAULT_VIN:
            _check_vin(self.vin)

    @property
    def banner(self) -> str:
        """What the adapter says it is: STN chips speak ELM327 1.4b, clones like to claim 2.1."""
        usual = "1.4b" if self.stn else "2.1" if self.clone else "1.5"
        return f"ELM327 v{self.version or usual}"


PRESETS: Mapping[str, Mapping[str, object]] = {
    "petrol": {},
    "demo": {"speedup": 20.0},
    "workshop": {"cycle": "idle", "warm": True},
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "name": tuple(PRESETS),
    "fault": ("", *FAULTS),
    "cycle": CYCLES,
    "driver": ("", *SCRIPTS),
    "gearbox": ("auto", "manual"),
    "gears": ("5", "6"),
    "protocol": PROTOCOLS,
    "ecus": ("1", "2", "3"),
    "version": ("", "1.3a", "1.4b", "1.5", "2.1", "2.2", "2.3"),
    "clone": ("", "1", "hang"),
}
LIMITS: Mapping[str, tuple[float, float]] = {
    "severity": (0.0, 1.0),
    "fault_at": (0.0, 1e6),
    "speedup": (0.0, 200.0),
    "ambient": (-30.0, 45.0),
    "baud": (0, 4_000_000),
    "ecu_ms": (0.0, 5000.0),
    "wait_ms": (0.0, 5000.0),
}
_GRAMMAR = "An address reads sim:petrol?fault=vacuum_leak&severity=0.5&speedup=20."


def parse_simulator(address: str) -> SimulatorOptions:
    """Read the part of an address after `sim:`, such as `petrol?fault=vacuum_leak`; raise BadAddressError."""
    name, _, query = address.removeprefix("sim:").partition("?")
    name = name or "petrol"
    _check_choice("name", name, tuple(PRESETS))
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise BadAddressError(f"{query!r} cannot be read: {error}.", _GRAMMAR) from error
    values: dict[str, object] = {"name": name, **PRESETS[name]}
    for key, text in pairs:
        values[key] = _converted(key, text)
    return SimulatorOptions(**values)  # type: ignore[arg-type]  # _converted gave each key its field's type


def _converted(key: str, text: str) -> object:
    _check_choice("key", key, tuple(_CONVERTERS))
    try:
        return _CONVERTERS[key](text)
    except ValueError as error:
        raise BadAddressError(f"{key}={text} is not understood: {error}.", _GRAMMAR) from error


def _switch(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("give 1 or 0")


def _clone(text: str) -> str:
    return {"0": "", "yes": "1", "true": "1"}.get(text.lower(), text.lower())


def _converter(default: object) -> Callable[[str], object]:
    if isinstance(default, bool):
        return _switch
    if isinstance(default, (int, float)):
        return type(default)
    return str


_CONVERTERS: Mapping[str, Callable[[str], object]] = {
    field.name: _converter(field.default)
    for field in dataclasses.fields(SimulatorOptions)
    if field.name != "name"
} | {"clone": _clone}


def _check_choice(key: str, text: str, allowed: tuple[str, ...]) -> None:
    if text in allowed:
        return
    near = get_close_matches(text, allowed, n=1)
    guess = f" Did you mean {near[0]}?" if near else ""
    shown = ", ".join(choice for choice in allowed if choice)
    raise BadAddressError(f"{key} {text!r} is not known to the simulated car.{guess}", f"Allowed: {shown}.")


def _is_byte(text: str) -> bool:
    try:
        return 0 <= int(text, 16) <= 0xFF
    except ValueError:
        return False


def _check_vin(vin: str) -> None:
    from vehicle.vin.check_digit import expected_digit  # the VIN room loads pydantic
    from vehicle.vin.form import read_vin

    try:
        genuine = read_vin(vin)[0] == vin and expected_digit(vin) == vin[8]
    except CarError as error:
        raise BadAddressError(f"vin={vin}: {error.message}.", error.hint) from error
    if not genuine:
        raise BadAddressError(
            f"vin={vin} is no VIN as a car sends it.", "17 capitals with a correct check digit."
        )
