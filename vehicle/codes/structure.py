"""What the characters of a trouble code say by themselves: ISO 15031-6 and SAE J2012."""

from vehicle.codes.failure_types import explain_failure_type
from vehicle.codes.form import ReadCode, read_code
from vehicle.codes.models import Assigner, CodeStructure

SOURCE = "SAE J2012 / ISO 15031-6 code structure"

SYSTEMS = {"P": "powertrain", "C": "chassis", "B": "body", "U": "network"}

_POWERTRAIN = {
    "0": "fuel and air metering, auxiliary emission controls",
    "1": "fuel and air metering",
    "2": "fuel and air metering",
    "3": "ignition system or misfire",
    "4": "auxiliary emission controls",
    "5": "vehicle speed, idle control and auxiliary inputs",
    "6": "computer and auxiliary outputs",
    "7": "transmission",
    "8": "transmission",
    "9": "transmission",
    "A": "hybrid and electric propulsion",
    "B": "hybrid and electric propulsion",
    "C": "hybrid and electric propulsion",
    "D": "hybrid and electric propulsion",
    "E": "hybrid and electric propulsion",
}
_P2 = {
    "0": "fuel and air metering, auxiliary emission controls",
    "1": "fuel and air metering, auxiliary emission controls",
    "2": "fuel and air metering, auxiliary emission controls",
    "3": "ignition system or misfire",
    "4": "auxiliary emission controls",
    "5": "auxiliary inputs",
    "6": "computer and auxiliary outputs",
    "7": "transmission",
    "8": "transmission",
    "A": "fuel and air metering, auxiliary emission controls",
}
_P3 = {"4": "cylinder deactivation"}
_NETWORK = {
    "0": "network electrical",
    "1": "network communication",
    "2": "network communication",
    "3": "network software",
    "4": "network data",
    "5": "network data",
}
_SUBSYSTEMS = {"P0": _POWERTRAIN, "P2": _P2, "P3": _P3, "U0": _NETWORK}

_BLOCKS: dict[str, tuple[Assigner, str]] = {
    "P0": ("SAE", "P0 codes are assigned by SAE and ISO"),
    "P1": ("manufacturer", "P1 codes are assigned by each manufacturer"),
    "P2": ("SAE", "P2 codes are assigned by SAE and ISO"),
    "C0": ("SAE", "C0 codes are assigned by SAE and ISO"),
    "C1": ("manufacturer", "C1 codes are assigned by each manufacturer"),
    "C2": ("manufacturer", "C2 codes are assigned by each manufacturer"),
    "C3": ("unknown", "C3 codes are reserved; nobody has been given them in the editions we know"),
    "B0": ("SAE", "B0 codes are assigned by SAE and ISO"),
    "B1": ("manufacturer", "B1 codes are assigned by each manufacturer"),
    "B2": ("manufacturer", "B2 codes are assigned by each manufacturer"),
    "B3": ("unknown", "B3 codes are reserved; nobody has been given them in the editions we know"),
    "U0": ("SAE", "U0 codes are assigned by SAE and ISO"),
    "U1": ("manufacturer", "U1 codes are assigned by each manufacturer"),
    "U2": ("manufacturer", "U2 codes are assigned by each manufacturer"),
    "U3": ("SAE", "U3 codes are assigned by SAE and ISO, or reserved by them"),
}


def assigner(code: str) -> tuple[Assigner, str]:
    """Return who assigns the meaning of a well-formed code, and the rule that says so."""
    if code.startswith("P3"):
        if code[2] in "0123":
            return "manufacturer", "P30xx to P33xx codes are assigned by each manufacturer"
        return "SAE", "P34xx to P3Fxx codes are assigned by SAE and ISO, or reserved by them"
    return _BLOCKS[code[:2]]


def explain_structure(code: str) -> CodeStructure:
    """Explain what the letter and digits of a trouble code say, whether or not its meaning is known.

    Raises BadCodeError for text that is not a trouble code.
    """
    return structure_of(read_code(code))


def structure_of(read: ReadCode) -> CodeStructure:
    """Explain a code that has been read already."""
    code = read.code
    who, why = assigner(code)
    subsystem, reason = _subsystem(code)
    return CodeStructure(
        code=code,
        system=SYSTEMS[code[0]],
        assigned_by=who,
        assigned_by_reason=why,
        subsystem=subsystem,
        subsystem_reason=reason,
        failure_type=None if read.failure_type is None else explain_failure_type(read.failure_type),
        source=SOURCE,
        notes=read.notes,
    )


def _subsystem(code: str) -> tuple[str | None, str | None]:
    block = code[:2]
    if block == "P1" or code[:3] in {"P30", "P31", "P32", "P33"}:
        usual = _POWERTRAIN.get(code[2])
        return usual, "by custom; the manufacturer is free to group differently" if usual else "unknown"
    table = _SUBSYSTEMS.get(block)
    if table is None:
        return None, f"the third character of {block} codes has no subsystem in the standard we can cite"
    found = table.get(code[2])
    return found, None if found else f"{code[:3]}xx has no subsystem in the standard we can cite"
