"""The AT commands of an ELM327: a table from their spelling to what they set and print."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vehicle.simulator.ecus.bus import CAN_BITS, PROTOCOL_NAMES, Bus
from vehicle.simulator.elm.settings import Settings

OK = ("OK",)
_KEEP = ("echo", "linefeeds")


@dataclass(slots=True)
class Elm:
    """The adapter as the AT commands see it."""

    settings: Settings
    bus: Bus
    banner: str
    saved_protocol: str = "0"
    identifier: str = ""

    def reset(self) -> None:
        """Go back to the state after power-on, with the protocol that was saved."""
        fresh = Settings()
        for name in Settings.__slots__:
            setattr(self.settings, name, getattr(fresh, name))
        self.settings.protocol = self.saved_protocol
        self.settings.automatic = self.saved_protocol == "0"


Handler = Callable[[Elm, Sequence[str]], Sequence[str]]


def run_at(elm: Elm, command: str) -> Sequence[str]:
    """Run one AT command (upper case, no spaces, without AT); return its lines, `?` where it is not known."""
    for pattern, handler in _TABLE:
        if match := pattern.fullmatch(command):
            return handler(elm, match.groups())
    return ("?",)


def _flag(name: str) -> Handler:
    def set_flag(elm: Elm, found: Sequence[str]) -> Sequence[str]:
        setattr(elm.settings, name, found[0] == "1")
        return OK

    return set_flag


def _text(name: str) -> Handler:
    def set_text(elm: Elm, found: Sequence[str]) -> Sequence[str]:
        setattr(elm.settings, name, found[0])
        return OK

    return set_text


def _accept(_: Elm, __: Sequence[str]) -> Sequence[str]:
    return OK


def _reset(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    elm.reset()
    return ("", "", elm.banner)


def _defaults(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    kept = {name: getattr(elm.settings, name) for name in _KEEP}
    elm.reset()
    for name, value in kept.items():
        setattr(elm.settings, name, value)
    return OK


def _set_protocol(elm: Elm, found: Sequence[str]) -> Sequence[str]:
    kind, automatic, number = found
    wanted = number if number in PROTOCOL_NAMES else "?"
    if wanted == "?":
        return ("?",)
    s = elm.settings
    s.protocol, s.automatic, s.connected = wanted, bool(automatic) or wanted == "0", False
    s.header = s.receive = s.filter = s.mask = ""
    if kind == "S" and s.memory:
        elm.saved_protocol = "0" if s.automatic else wanted
    return OK


def _protocol_name(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    s = elm.settings
    if s.protocol == "0":
        return ("AUTO",)
    return (("AUTO, " if s.automatic else "") + PROTOCOL_NAMES[s.protocol],)


def _protocol_number(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    s = elm.settings
    return (("A" if s.automatic else "") + s.protocol,)


def _close(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    elm.settings.connected = False
    return OK


def _filter_receive(elm: Elm, found: Sequence[str]) -> Sequence[str]:
    elm.settings.receive = found[0] or ""
    return OK


def _automatic_receive(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    elm.settings.receive = elm.settings.filter = elm.settings.mask = ""
    return OK


def _adaptive(elm: Elm, found: Sequence[str]) -> Sequence[str]:
    elm.settings.adaptive = int(found[0])
    return OK


def _timeout(elm: Elm, found: Sequence[str]) -> Sequence[str]:
    elm.settings.timeout_steps = int(found[0], 16) or 0x32
    return OK


def _baud_timeout(elm: Elm, found: Sequence[str]) -> Sequence[str]:
    elm.settings.baud_timeout_s = (int(found[0], 16) or 256) * 0.005
    return OK


def _voltage(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    return (f"{elm.bus.model.state.volts + elm.settings.voltage_offset:.1f}V",)


def _calibrate_voltage(elm: Elm, found: Sequence[str]) -> Sequence[str]:
    if found[0] == "0000":
        elm.settings.voltage_offset = 0.0
    else:
        elm.settings.voltage_offset = int(found[0]) / 100.0 - elm.bus.model.state.volts
    return OK


def _ignition(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    return ("ON" if elm.bus.awake else "OFF",)


def _key_words(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    slow = elm.settings.connected and elm.settings.protocol in "345"
    return ("1:08 2:08",) if slow else ("1:-- 2:--",)


def _describe(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    return (elm.identifier,) if elm.identifier else ("?",)


def _store_identifier(elm: Elm, found: Sequence[str]) -> Sequence[str]:
    elm.identifier = found[0]
    return OK


def _can_status(elm: Elm, _: Sequence[str]) -> Sequence[str]:
    return ("T:00 R:00",) if elm.settings.protocol in CAN_BITS else ("?",)


def _parameters(_: Elm, __: Sequence[str]) -> Sequence[str]:
    rows = range(0, 0x30, 4)
    return [" ".join(f"{number:02X}:FF F" for number in range(row, row + 4)) for row in rows]


_SPELLINGS: tuple[tuple[str, Handler], ...] = (
    (r"Z|WS", _reset),
    (r"D", _defaults),
    (r"I", lambda elm, _: (elm.banner,)),
    (r"@1", lambda elm, _: ("OBDII to RS232 Interpreter",)),
    (r"@2", _describe),
    (r"@3(.{1,12})", _store_identifier),
    (r"E([01])", _flag("echo")),
    (r"L([01])", _flag("linefeeds")),
    (r"S([01])", _flag("spaces")),
    (r"H([01])", _flag("headers")),
    (r"D([01])", _flag("length")),
    (r"M([01])", _flag("memory")),
    (r"R([01])", _flag("responses")),
    (r"CAF([01])", _flag("formatting")),
    (r"CFC([01])", _flag("flow_control")),
    (r"AL", lambda elm, _: _flag("long_messages")(elm, ("1",))),
    (r"NL", lambda elm, _: _flag("long_messages")(elm, ("0",))),
    (r"([ST])P(A?)([0-9A-C])", _set_protocol),
    (r"([ST])P([0-9A-C]?)(A)", _set_protocol),
    (r"DP", _protocol_name),
    (r"DPN", _protocol_number),
    (r"PC", _close),
    (r"SH([0-9A-F]{3}|[0-9A-F]{6}|[0-9A-F]{8})", _text("header")),
    (r"CP([0-9A-F]{2})", _text("priority")),
    (r"CRA([0-9A-FX]{3}|[0-9A-FX]{8})?", _filter_receive),
    (r"CF([0-9A-F]{3}|[0-9A-F]{8})", _text("filter")),
    (r"CM([0-9A-F]{3}|[0-9A-F]{8})", _text("mask")),
    (r"AR", _automatic_receive),
    (r"(?:SR|RA)([0-9A-F]{2})", _filter_receive),
    (r"AT([012])", _adaptive),
    (r"ST([0-9A-F]{2})", _timeout),
    (r"BRT([0-9A-F]{2})", _baud_timeout),
    (r"RV", _voltage),
    (r"CV([0-9]{4})", _calibrate_voltage),
    (r"IGN", _ignition),
    (r"KW", _key_words),
    (r"CS", _can_status),
    (r"PPS", _parameters),
    (r"CEA(?:[0-9A-F]{2})?|TA[0-9A-F]{2}|FC(?:SH|SD)[0-9A-F]{2,16}|FCSM[012]|SS|FE|BI|SI|FI", _accept),
    (
        r"KW[01]|PP(?:[0-9A-F]{2}|)(?:ON|OFF|SV[0-9A-F]{2})|WM[0-9A-F]{2,12}|SW[0-9A-F]{2}|IB(?:10|48|96)",
        _accept,
    ),
    (
        r"V[01]|CSM[01]|BRT[0-9A-F]{2}|IIA[0-9A-F]{2}|IFR[0-2SH]{1,2}|J(?:E|S|HF[01]|TM[15])|PB[0-9A-F]{4}",
        _accept,
    ),
    (r"AMC", lambda elm, _: ("00",)),
    (r"AMT[0-9A-F]{2}|RTR|CTM[15]", _accept),
)
_TABLE = tuple((re.compile(spelling), handler) for spelling, handler in _SPELLINGS)
