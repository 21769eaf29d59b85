"""The car's diagnostic bus: which control units there are and what they reply to one request."""

from threading import RLock
from typing import NamedTuple

from vehicle.simulator.ecus.ecu import Ecu
from vehicle.simulator.ecus.engine_ecu import EngineServices
from vehicle.simulator.ecus.other_ecus import PUMP_PIDS, TRANSMISSION_PIDS, SmallServices
from vehicle.simulator.misbehaviour import Misbehaviour
from vehicle.simulator.model import Model

PROTOCOL_NAMES = {
    "0": "AUTO",
    "1": "SAE J1850 PWM",
    "2": "SAE J1850 VPW",
    "3": "ISO 9141-2",
    "4": "ISO 14230-4 (KWP 5BAUD)",
    "5": "ISO 14230-4 (KWP FAST)",
    "6": "ISO 15765-4 (CAN 11/500)",
    "7": "ISO 15765-4 (CAN 29/500)",
    "8": "ISO 15765-4 (CAN 11/250)",
    "9": "ISO 15765-4 (CAN 29/250)",
    "A": "SAE J1939 (CAN 29/250)",
    "B": "USER1 (CAN 11/125)",
    "C": "USER2 (CAN 11/50)",
}
_NEVER_REFUSES = "123"  # J1850 and ISO 9141-2 units stay silent where others answer 7F
CAN_BITS = {"6": 11, "7": 29, "8": 11, "9": 29, "A": 29, "B": 11, "C": 11}


class Reply(NamedTuple):
    """One control unit's payload."""

    ecu: Ecu
    payload: bytes


class Bus:
    """The control units behind the connector; `lock` guards model and units against several askers."""

    def __init__(self, model: Model) -> None:
        options = model.options
        self.model = model
        self.protocol = options.protocol
        self.lock = RLock()
        self.misbehaviour = Misbehaviour(options.misbehave)
        can = options.protocol in CAN_BITS
        pump = SmallServices(model, can, PUMP_PIDS, b"FPCM-FuelPumpCtrl", b"17040-SIM-P001")
        box = SmallServices(model, can, TRANSMISSION_PIDS, b"TCM\0-TransmisCtrl", b"28101-SIM-T020")
        self.ecus = (
            Ecu("engine", 0x7E8, 0x10, EngineServices(model, can), options.negative),
            Ecu("transmission", 0x7E9, 0x18, box, options.negative),
            Ecu("fuel pump", 0x7EA, 0x21, pump, options.negative),
        )[: options.ecus]

    @property
    def awake(self) -> bool:
        """Whether the ignition is on, so that units answer."""
        return self.model.state.ignition and not self.misbehaviour.active("ignition_off")

    def ask(self, payload: bytes, address: int | None) -> list[Reply]:
        """Return the replies of every unit (address None) or of the one addressed, in order of arrival."""
        replies = []
        with self.lock:
            for ecu in self.ecus:
                if address is not None and address not in (ecu.can_id - 8, ecu.address):
                    continue
                answer = ecu.answer(payload, broadcast=address is None)
                if answer is not None and not (answer[0] == 0x7F and self.protocol in _NEVER_REFUSES):
                    replies.append(Reply(ecu, answer))
        return replies
