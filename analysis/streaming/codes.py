"""Trouble codes that appear or go while readings come in, told from the car's own count and lamp."""

from collections.abc import Iterator, Mapping

from analysis.streaming.changes import Change, Latest, Readings, Said

_READ = "Read the codes with read_trouble_codes before anything is cleared."


class CodeDetector:
    """The number of confirmed codes and the malfunction indicator lamp, apart for each ECU."""

    def __init__(self) -> None:
        self.signals = frozenset({"dtc_count", "mil_on"})
        self._before: dict[tuple[str, str], float] = {}

    def feed(self, readings: Readings, latest: Mapping[str, Latest]) -> Iterator[Change]:
        """Raise when the count grows or the lamp comes on, clear when codes and lamp are gone."""
        key = readings.signal, readings.ecu
        for time_s, value in zip(readings.times_s.tolist(), readings.values.tolist(), strict=True):
            before = self._before.get(key, 0.0)
            if value == before:
                continue
            if before > 0:
                yield _change(readings, time_s, value, is_raised=False)
            if value > 0:
                yield _change(readings, time_s, value, is_raised=True)
            self._before[key] = value


def _change(readings: Readings, time_s: float, value: float, *, is_raised: bool) -> Change:
    if readings.signal == "mil_on":
        said = Said("Malfunction indicator lamp is on", "off", "The car reports a confirmed fault.", _READ)
    else:
        said = Said(
            f"{value:.0f} confirmed trouble codes",
            "none",
            "The car counts its confirmed codes itself.",
            _READ,
        )
    return Change(
        readings.signal, "dtc_count", readings.signal, readings.ecu, is_raised, time_s, value, readings.unit,
        "warning", said,
    )  # fmt: skip
