"""What a session says about fuel: litres by every method there is, economy, segments, advice."""

from typing import Literal

from pydantic import Field

from analysis.facts import FuelType
from analysis.findings import Evidence, Finding, Quantity
from analysis.results.model import Result

FuelMethodName = Literal[
    "ecu_fuel_rate", "ecu_fuel_mass", "maf", "speed_density", "absolute_load", "engine_torque"
]
SegmentKind = Literal["idle", "city", "mixed", "highway"]


class FillUp(Result):
    """Fuel pumped into a tank that was full before and is full again; what calibrates the methods.

    Give `estimated_l` and `method` (what a method said about the same stretch, summed over its sessions), or
    `distance_km` where the session itself is that stretch.
    """

    litres: float = Field(gt=0)
    distance_km: float | None = Field(default=None, gt=0, description="driven since the tank was last full")
    estimated_l: float | None = Field(default=None, gt=0, description="litres `method` gave for the stretch")
    method: FuelMethodName | None = None


class LabelFigures(Result):
    """Official figures of the car, as its label or the EPA table states them, in L/100 km."""

    combined_l_per_100km: float | None = Field(default=None, gt=0)
    city_l_per_100km: float | None = Field(default=None, gt=0)
    highway_l_per_100km: float | None = Field(default=None, gt=0)
    source: str = Field(description="where the figures come from")


class MethodInput(Result):
    """A signal a method used, and how many readings it had."""

    signal: str
    unit: str
    samples: int


class Calibration(Result):
    """A method's correction from fill-ups: pumped litres over estimated litres."""

    factor: float
    low: float
    high: float
    fill_ups: int
    pumped_l: float


class FuelMethod(Result):
    """What one method says about the session's fuel, or why it cannot."""

    method: FuelMethodName
    usable: bool
    reason: str | None = Field(default=None, description="why the method was not used")
    fuel_l: Quantity
    fuel_kg: Quantity
    fuel_l_with_trims: Quantity | None = Field(
        default=None,
        description="the same with fuel trims applied to the air; given where they are over 5 % "
        "(right if the air is measured wrongly, wrong if the injectors or the fuel pressure are off)",
    )
    trim: Quantity | None = Field(default=None, description="mean of short and long fuel trim together, in %")
    coverage: Quantity = Field(description="share of the engine's running time that the method covers")
    uncertainty_percent: float | None = Field(default=None, description="half width of the interval")
    inputs: list[MethodInput]
    assumptions: list[str]
    calibration: Calibration | None = None
    source: str


class MethodAgreement(Result):
    """How far a second method is from the chosen one over the moments that both cover."""

    method: FuelMethodName
    difference: Quantity = Field(description="of the second method's litres from the chosen one's, in %")
    agrees: bool = Field(description="whether the two intervals overlap")


class FuelSegment(Result):
    """All stretches of one kind of driving together."""

    kind: SegmentKind
    definition: str
    duration_s: float
    distance_km: Quantity
    fuel_l: Quantity
    l_per_100km: Quantity
    stretches: int


class FuelAdvice(Result):
    """Something that cost fuel on this drive, with the litres it cost."""

    rule: str
    title: str
    litres: Quantity
    evidence: list[Evidence]
    explanation: str
    recommendation: str
    source: str


class LabelComparison(Result):
    """The drive's consumption over a label figure."""

    figure: Literal["combined", "city", "highway"]
    driven: Quantity
    label: Quantity
    ratio: Quantity = Field(description="driven over label; above 1 the drive used more")
    note: str


class FuelAnalysis(Result):
    """Fuel, economy and carbon dioxide of a session; absent with a reason where nothing carries a number."""

    fuel_type: FuelType | None
    fuel_type_from: str = Field(description="who said what the car burns")
    question: str | None = Field(default=None, description="what to answer so that absent numbers appear")
    method: FuelMethodName | None = Field(description="the method that the numbers below rest on")
    methods: list[FuelMethod] = Field(description="most trusted first")
    agreement: list[MethodAgreement]
    fuel_l: Quantity
    fuel_kg: Quantity
    distance_km: Quantity = Field(description="distance over the moments whose fuel is known")
    l_per_100km: Quantity
    mpg_us: Quantity
    mpg_imp: Quantity
    co2_kg: Quantity
    co2_g_per_km: Quantity
    idle_fuel_l: Quantity
    segments: list[FuelSegment]
    advice: list[FuelAdvice]
    label: list[LabelComparison]
    findings: list[Finding]
    notes: list[str]
