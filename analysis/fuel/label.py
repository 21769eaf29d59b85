"""Compares a drive's consumption with the official figures the caller gives."""

from typing import Literal

from analysis.findings import Quantity, derived
from analysis.results.fuel import FuelSegment, LabelComparison, LabelFigures

_LEAST_KM = 3.0
_NOTE = "a label comes from a test cycle: one drive's weather, load and road explain 20 % and more either way"


def against_label(
    whole: Quantity, segments: list[FuelSegment], label: LabelFigures | None
) -> list[LabelComparison]:
    """Return the drive over the combined figure, and its city and highway parts over theirs, from 3 km on."""
    if label is None:
        return []
    parts = {part.kind: part.l_per_100km for part in segments if (part.distance_km.value or 0.0) >= _LEAST_KM}
    wanted: list[tuple[Literal["combined", "city", "highway"], Quantity | None, float | None]] = [
        ("combined", whole, label.combined_l_per_100km),
        ("city", parts.get("city"), label.city_l_per_100km),
        ("highway", parts.get("highway"), label.highway_l_per_100km),
    ]
    return [
        _compared(figure, driven, stated, label.source)
        for figure, driven, stated in wanted
        if driven is not None and driven.value is not None and stated is not None
    ]


def _compared(
    figure: Literal["combined", "city", "highway"], driven: Quantity, stated: float, source: str
) -> LabelComparison:
    value, low, high = driven.value or 0.0, driven.low or 0.0, driven.high or 0.0
    ratio = derived(
        value / stated,
        "ratio",
        "driven / label",
        low=low / stated,
        high=high / stated,
        samples=driven.samples,
    )
    given = derived(stated, "L/100km", f"label figure given by the caller: {source}")
    return LabelComparison(figure=figure, driven=driven, label=given, ratio=ratio, note=_NOTE)
