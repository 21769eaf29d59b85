"""Reads which cylinder bank and which sensor are meant, as in “trim bank 2” or “b1s2”."""

import re
from collections.abc import Callable

PLACE = re.compile(r"b[12](?:s[1-4])?|s[1-4]")
_SPELLED = re.compile(r"\b(?:bank|sensor|sonde)\s?[1-4]\b")
_JOINED = re.compile(r"\b([ls]tft|maf|map)\s?([12])\b")
_BANK = re.compile(r"\bb(?:ank|k)?\s?([12])(?=\b|s)")
_SENSOR = re.compile(r"(?:\bs(?:ensor|onde)?|(?<=\bb[12])s|\bo2s|\bsensor)\s?([1-4])\b")
_TRIM = re.compile(r"((?:short|long)_fuel_trim_)1")
_OXYGEN = re.compile(r"o2_b1s1")


def placed(text: str) -> tuple[str, Callable[[list[str]], list[str]]]:
    """Return the text without spelled banks and sensors, and what names the signals of those places.

    Unnamed, the first bank and the first sensor are meant; an answer always names its signal.
    """
    apart = _JOINED.sub(r"\1 bank \2", text)
    sensors = list(dict.fromkeys(_SENSOR.findall(apart))) or ["1"]
    banks = list(dict.fromkeys(_BANK.findall(apart))) or ["1"]

    def place(signals: list[str]) -> list[str]:
        named = [
            _OXYGEN.sub(f"o2_b{bank}s{sensor}", _TRIM.sub(rf"\g<1>{bank}", signal))
            for signal in signals
            for bank in banks
            for sensor in sensors
        ]
        return list(dict.fromkeys(named))

    return _SPELLED.sub(" ", apart), place
