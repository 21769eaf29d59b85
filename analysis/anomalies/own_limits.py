"""The checks against this car's own healthy sessions, as channels."""

from collections.abc import Iterator

import numpy as np

from analysis.anomalies.baseline import SLIP_FLOOR
from analysis.anomalies.channels import Channel
from analysis.anomalies.conditions import Conditions
from analysis.anomalies.context import contexts_of
from analysis.anomalies.maps import MapReader
from analysis.anomalies.transmission import slip
from analysis.anomalies.warm_up import cold_by
from analysis.results.anomalies import Baseline, Limits


def own_channels(conditions: Conditions, baseline: Baseline) -> Iterator[Channel]:
    """Yield the checks against this car's own healthy sessions."""
    reader = MapReader(conditions.timeline)
    for context, values in contexts_of(conditions):
        learned = baseline.maps.get(context.name)
        if learned is None:
            continue
        yield Channel(
            name=context.name,
            signal=context.signal,
            kind=context.kind,
            deviation=values - reader.read(learned),
            unit=context.unit,
            limits=baseline.limits[context.name],
            expected=f"as in {baseline.sessions} healthy sessions of this car, in the same state",
            explanation=context.explanation,
            baseline=True,
            percent=context.percent,
            lasting_s=context.lasting_s,
        )
    yield from _gear_channel(conditions, baseline)
    yield from _warm_up_channel(conditions, baseline)


def _gear_channel(conditions: Conditions, baseline: Baseline) -> Iterator[Channel]:
    if not baseline.gear_log_ratios or not conditions.timeline.has("speed", "rpm"):
        return
    ratios = ", ".join(f"{np.exp(ratio):.0f}" for ratio in baseline.gear_log_ratios)
    yield Channel(
        name="gear ratio",
        signal="rpm",
        kind="slip",
        deviation=slip(conditions, baseline.gear_log_ratios),
        unit="%",
        limits=baseline.limits.get("gear ratio", [Limits(averaged_s=5, below=SLIP_FLOOR, above=SLIP_FLOOR)]),
        expected=f"rpm over km/h at one of {ratios}",
        explanation="Engine over road speed is {deviation:.0f} % {direction} the nearest gear of this car ({times}).",
        baseline=True,
        percent=True,
        lasting_s=3,
    )


def _warm_up_channel(conditions: Conditions, baseline: Baseline) -> Iterator[Channel]:
    if baseline.warm_up is None or not conditions.timeline.has("coolant_temp", "rpm"):
        return
    yield Channel(
        name="warm-up",
        signal="coolant_temp",
        kind="level",
        deviation=cold_by(conditions, baseline.warm_up),
        unit="°C",
        limits=[Limits(averaged_s=5, below=5.0, above=np.inf)],
        expected="at least what this car reached after the same work in its slowest healthy warm-up",
        explanation="Coolant lies {deviation:.0f} °C {direction} the slowest healthy warm-up of this car ({times}).",
        baseline=True,
        lasting_s=10,
    )
