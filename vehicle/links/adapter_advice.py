"""What to do with an adapter, given what a check found."""

from __future__ import annotations

from vehicle.links.adapter_models import AdapterReport

# Limits are our judgement: a workshop capture of six signals wants two readings of each per second.
_SLOW_PER_S = 12.0
_RESTING_V, _EMPTY_V, _HIGH_V = 12.4, 11.8, 15.0


def advise(report: AdapterReport) -> list[str]:
    """Return advice, the most important first; nothing where nothing is to be done."""
    return [
        *_of_car(report),
        *_of_batches(report),
        *_of_speed(report),
        *_of_supply(report),
        *_of_chip(report),
    ]


def _of_car(report: AdapterReport) -> list[str]:
    if not report.no_car_reason:
        return []
    return [f"The car could not be asked ({report.no_car_reason}): switch the ignition on and check again."]


def _of_batches(report: AdapterReport) -> list[str]:
    failed = [one for one in report.batches if one.size > 1 and not one.worked]
    if not failed or report.batch_size is None:
        return []
    return [
        f"Ask for {report.batch_size} parameter{'s' if report.batch_size > 1 else ''} per request with this adapter; "
        "captures find that size by themselves and lose a second or two doing so."
    ]


def _of_speed(report: AdapterReport) -> list[str]:
    best = max(report.rates.single_per_s or 0.0, report.rates.batched_per_s or 0.0)
    if report.rates.single_per_s is None or best >= _SLOW_PER_S:
        return []
    return [
        f"Only {best:.0f} readings/s: record few signals, and expect fast events such as a throttle snap missed."
    ]


def _of_supply(report: AdapterReport) -> list[str]:
    volts = report.supply_v
    if volts is None:
        return []
    if volts < _EMPTY_V:
        return [f"Supply {volts:.1f} V: the battery is nearly flat; connect a charger before long work."]
    if volts < _RESTING_V:
        return [f"Supply {volts:.1f} V: with the engine off this discharges the battery; connect a charger."]
    return (
        [f"Supply {volts:.1f} V is high: check the charging voltage with a multimeter."]
        if volts > _HIGH_V
        else []
    )


def _of_chip(report: AdapterReport) -> list[str]:
    if report.verdict != "clone-looking":
        return []
    return [
        "Values are checked byte by byte and stay trustworthy; for manufacturer requests use another adapter."
    ]
