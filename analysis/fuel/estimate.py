"""One method's flow as litres, kilograms and carbon dioxide with intervals, over any part of a drive."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import hypot
from statistics import NormalDist

import numpy as np

from analysis.driving.distance import SPEED_ACCURACY
from analysis.engine import Engine
from analysis.findings import Quantity, absent, derived
from analysis.fuel.flows import Flow
from analysis.fuel.fuels import ASK, Fuel
from analysis.motion import speed_track
from analysis.results.fuel import Calibration
from analysis.table import Floats
from analysis.timeline import Bools

SHORTEST_KM = 0.5
KM_PER_MILE = 1.609344
US_GALLON_L, IMPERIAL_GALLON_L = 3.785411784, 4.54609
_CARBON_CONTENT = 0.02
_BY_KILOGRAM = "natural gas is sold by the kilogram; see fuel_kg"


def scaled(percent: float, confidence_level: float) -> float:
    """Return a half width in per cent as a share at another level; the stated ones are taken as 95 %."""
    normal = NormalDist()
    return percent / 100 * normal.inv_cdf(0.5 + confidence_level / 2) / normal.inv_cdf(0.975)


@dataclass(frozen=True)
class Estimate:
    """A flow with its fuel, correction and relative half width."""

    flow: Flow
    fuel: Fuel | None
    engine: Engine
    relative: float
    factor: float = 1.0
    calibration: Calibration | None = None

    @cached_property
    def litres_s(self) -> Floats | None:
        """Litres per second on the grid; None where the fuel has no known density."""
        if self.flow.by_volume:
            return self.flow.per_s * self.factor
        if self.fuel is None or self.fuel.density_g_l is None:
            return None
        return self.flow.per_s * self.factor / self.fuel.density_g_l

    @cached_property
    def grams_s(self) -> Floats | None:
        """Grams per second on the grid; None where the fuel has no known density."""
        if not self.flow.by_volume:
            return self.flow.per_s * self.factor
        if self.fuel is None or self.fuel.density_g_l is None:
            return None
        return self.flow.per_s * self.factor * self.fuel.density_g_l

    @cached_property
    def known(self) -> Bools:
        """The moments whose fuel is known."""
        return np.isfinite(self.flow.per_s)

    @property
    def said(self) -> str:
        """Name the method with its inputs."""
        scale = f" x {self.factor:.3f} from fill-ups" if self.calibration else ""
        return f"{self.flow.method} ({', '.join(self.flow.inputs)}){scale}"

    def volume_l(self, where: Bools | None = None) -> float | None:
        """Sum litres over the marked moments, None where the fuel has no known density."""
        if self.litres_s is None:
            return None
        return self.engine.timeline.total(self.litres_s, where)

    def litres(self, where: Bools | None = None, part: str = "summed over the drive") -> Quantity:
        """State the litres of the marked moments with the method's interval."""
        volume = self.volume_l(where)
        if volume is None:
            return absent("L", _BY_KILOGRAM if self.fuel else ASK)
        return bounded(volume, "L", f"{self.said}, {part}", self.relative, self._samples(where))

    def kilograms(self) -> Quantity:
        """State the mass of the fuel."""
        if self.grams_s is None:
            return absent("kg", ASK)
        mass = self.engine.timeline.total(self.grams_s) / 1000
        return bounded(mass, "kg", f"{self.said}, summed over the drive", self.relative, self._samples(None))

    def carbon_dioxide_kg(self, where: Bools | None = None) -> Quantity:
        """State the carbon dioxide the fuel burns to, by its carbon content."""
        if self.fuel is None or self.grams_s is None:
            return absent("kg", ASK)
        mass = self.engine.timeline.total(self.grams_s, where) / 1000 * self.fuel.co2_g_g
        method = f"{self.said}, {self.fuel.co2_g_g:.2f} g CO2 per g ({self.fuel.source})"
        return bounded(mass, "kg", method, hypot(self.relative, _CARBON_CONTENT), self._samples(where))

    def _samples(self, where: Bools | None) -> int:
        return int(np.count_nonzero(self.known if where is None else self.known & where))

    def calibrated(self, calibration: Calibration, relative: float) -> "Estimate":
        """Return the estimate corrected by fill-ups."""
        return replace(self, factor=calibration.factor, relative=relative, calibration=calibration)


def bounded(value: float, unit: str, method: str, relative: float, samples: int) -> Quantity:
    """State a value with an interval of so large a share of it on each side."""
    low, high = sorted((value * (1 - relative), value * (1 + relative)))
    return derived(value, unit, method, low=low, high=high, samples=samples)


@dataclass(frozen=True)
class Distance:
    """Kilometres of some moments and their relative half width, or why there are none."""

    km: float
    relative: float
    samples: int
    missing: str | None = None

    def quantity(self, method: str) -> Quantity:
        """State the distance."""
        if self.missing is not None:
            return absent("km", self.missing)
        return bounded(self.km, "km", method, self.relative, self.samples)


def distance(engine: Engine, where: Bools, confidence_level: float) -> Distance:
    """Sum road speed over the marked moments; bounds are those of the driven distance."""
    track = speed_track(engine.timeline)
    if track is None:
        return Distance(0.0, 0.0, 0, "no road speed was recorded (speed or gps_speed)")
    known = where & np.isfinite(engine.speed_kmh)
    km = engine.timeline.total(engine.speed_kmh, known) / 3600
    if not known.any():
        return Distance(0.0, 0.0, 0, "road speed and fuel are never known at the same time")
    moving_h = engine.timeline.seconds(known & (engine.speed_kmh > 0)) / 3600
    step_kmh = 1.0 if track.signal.startswith("speed") else 0.1
    slack = SPEED_ACCURACY * km + 0.5 * step_kmh * moving_h
    share = scaled(100 * slack / km, confidence_level) if km > 0 else 0.0
    return Distance(km, share, int(np.count_nonzero(known)))


def per_distance(amount: float | None, relative: float, over: Distance, unit: str, method: str) -> Quantity:
    """State an amount of fuel (L) or CO2 (kg) over a distance in `unit`, never from instantaneous figures."""
    if amount is None:
        return absent(unit, _BY_KILOGRAM)
    if over.missing is not None:
        return absent(unit, over.missing)
    if over.km < SHORTEST_KM:
        return absent(
            unit, f"the car moved only {over.km:.2f} km; under {SHORTEST_KM:g} km a rate says nothing"
        )
    if amount <= 0:
        return absent(unit, "no fuel was seen over this distance")
    ratio = {
        "L/100km": 100 * amount / over.km,
        "g/km": 1000 * amount / over.km,
        "mpg (US)": over.km / KM_PER_MILE / (amount / US_GALLON_L),
        "mpg (imperial)": over.km / KM_PER_MILE / (amount / IMPERIAL_GALLON_L),
    }[unit]
    return bounded(ratio, unit, method, hypot(relative, over.relative), over.samples)
