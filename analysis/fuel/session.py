"""Fuel of a whole session: every method, the most trusted one's numbers, segments, advice, label."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.engine import Engine
from analysis.errors import UnknownChoiceError
from analysis.facts import VehicleFacts
from analysis.findings import Quantity, absent
from analysis.fuel.advice import advice
from analysis.fuel.air import EngineSize, Refusal
from analysis.fuel.calibration import calibrated, unused
from analysis.fuel.estimate import Distance, Estimate, distance, per_distance, scaled
from analysis.fuel.flows import Flow, flows
from analysis.fuel.fuels import Burned, burned
from analysis.fuel.label import against_label
from analysis.fuel.methods import agreement, described, findings, refused, usable
from analysis.fuel.segments import segments
from analysis.results.fuel import FillUp, FuelAnalysis, LabelFigures
from analysis.table import SignalTable
from analysis.timeline import Gap, Timeline

_ELECTRIC = "an electric car burns no fuel; its energy needs battery voltage and current (PID 9A) over time"


def analyze_fuel(
    table: SignalTable,
    *,
    vehicle: VehicleFacts | None = None,
    fuel_type: str | None = None,
    displacement_l: float | None = None,
    volumetric_efficiency: float | None = None,
    fill_ups: Sequence[FillUp] = (),
    label: LabelFigures | None = None,
    gaps: Sequence[Gap] = (),
    confidence_level: float = 0.95,
) -> FuelAnalysis:
    """Tell the fuel of a session by every method its signals carry; rates are distance over fuel.

    `displacement_l` and `fuel_type` override what is saved with the vehicle; nothing is guessed. Intervals are
    those of the method at `confidence_level`. Raises UnknownChoiceError for arguments that cannot be.
    """
    _check(confidence_level, displacement_l, volumetric_efficiency)
    engine = Engine(Timeline(table, gaps=gaps))
    burns = burned(engine.timeline, fuel_type, vehicle)
    if burns.fuel_type == "electric":
        return _nothing(burns, engine, confidence_level, _ELECTRIC, [])
    if displacement_l is None and vehicle is not None:
        displacement_l = vehicle.displacement_l
    outcomes = flows(engine, burns.fuel, EngineSize(displacement_l, volumetric_efficiency))
    refusals = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    found = [flow for flow in outcomes if isinstance(flow, Flow)]
    estimates, notes = _estimates(found, burns, engine, fill_ups, confidence_level)
    chosen, poor = usable(estimates)
    refusals += poor
    if not chosen:
        reason = burns.question or "; ".join(f"{refusal.method}: {refusal.reason}" for refusal in refusals)
        return _nothing(burns, engine, confidence_level, reason, refusals)
    return _answer(Session(engine, burns, chosen, refusals, confidence_level), label, fill_ups, notes)


def _estimates(
    found: list[Flow], burns: Burned, engine: Engine, fill_ups: Sequence[FillUp], level: float
) -> tuple[list[Estimate], list[str]]:
    """Return every flow as an estimate, corrected by the fill-ups that speak for it, and what to say of them."""
    estimates, notes = [], []
    for flow in found:
        plain = Estimate(flow, burns.fuel, engine, scaled(flow.half_percent, level))
        better, said = calibrated(plain, fill_ups, distance(engine, plain.known, level), level)
        estimates.append(better)
        notes += said
    return estimates, notes


def _check(level: float, displacement_l: float | None, efficiency: float | None) -> None:
    """Raise UnknownChoiceError for arguments no engine has."""
    if not 0.5 <= level < 1:
        raise UnknownChoiceError(
            f"confidence_level {level} is not possible.", "Give one from 0.5 to below 1."
        )
    if displacement_l is not None and not 0.1 <= displacement_l <= 20:
        raise UnknownChoiceError(
            f"displacement_l {displacement_l} is no car engine.", "Give litres, such as 1.5."
        )
    if efficiency is not None and not 0.3 <= efficiency <= 1.5:
        raise UnknownChoiceError(
            f"volumetric_efficiency {efficiency} is not possible.", "Give a ratio such as 0.85."
        )


@dataclass(frozen=True)
class Session:
    """A session with its usable estimates, best first, and the methods refused."""

    engine: Engine
    burns: Burned
    estimates: list[Estimate]
    refusals: list[Refusal]
    level: float

    @property
    def best(self) -> Estimate:
        """The estimate the numbers rest on."""
        return self.estimates[0]


def _answer(
    session: Session, label: LabelFigures | None, fill_ups: Sequence[FillUp], notes: list[str]
) -> FuelAnalysis:
    """Put the best estimate's numbers together."""
    best, engine, level = session.best, session.engine, session.level
    driven = distance(engine, best.known, level)
    agreed = agreement(session.estimates)
    parts = segments(best, level)
    economy = _economy(best, driven)
    return FuelAnalysis(
        fuel_type=session.burns.fuel_type,
        fuel_type_from=session.burns.said_by,
        question=session.burns.question,
        method=best.flow.method,
        methods=[described(estimate) for estimate in session.estimates]
        + [refused(r) for r in session.refusals],
        agreement=agreed,
        fuel_l=best.litres(),
        fuel_kg=best.kilograms(),
        distance_km=driven.quantity("road speed summed over the moments whose fuel is known"),
        co2_kg=best.carbon_dioxide_kg(),
        idle_fuel_l=_idle(best),
        segments=parts,
        advice=advice(best),
        label=against_label(economy["l_per_100km"], parts, label),
        findings=findings(session.burns, agreed, session.estimates),
        notes=notes + unused(fill_ups, driven) + _notes(session),
        **economy,
    )


def _economy(best: Estimate, driven: Distance) -> dict[str, Quantity]:
    """Return the rates over distance: the drive's fuel over the same moments' distance."""
    known = best.known & (best.engine.speed_kmh >= 0)
    volume, carbon = best.volume_l(known), best.carbon_dioxide_kg(known)
    method = f"{best.said} over road speed, both summed over the same moments"
    return {
        "l_per_100km": per_distance(volume, best.relative, driven, "L/100km", method),
        "mpg_us": per_distance(volume, best.relative, driven, "mpg (US)", method),
        "mpg_imp": per_distance(volume, best.relative, driven, "mpg (imperial)", method),
        "co2_g_per_km": (
            absent("g/km", carbon.reason or "")
            if carbon.value is None
            else per_distance(carbon.value, best.relative, driven, "g/km", method)
        ),
    }


def _idle(best: Estimate) -> Quantity:
    idle = best.engine.idle
    if "idle" in best.engine.why_not or "running" in best.engine.why_not:
        return absent("L", best.engine.why_not.get("idle") or best.engine.why_not["running"])
    return best.litres(idle, "summed while the engine runs and the car stands")


def _notes(session: Session) -> list[str]:
    """Say what the numbers leave out."""
    engine, best = session.engine, session.best
    notes = list(engine.notes)
    running_s = engine.timeline.seconds(engine.running)
    missed_s = engine.timeline.seconds(engine.running & ~best.known)
    if running_s and missed_s > 0.02 * running_s:
        notes.append(
            f"{missed_s:.0f} s of {running_s:.0f} s running have no fuel figure: sums are lower bounds"
        )
    if "standing" in engine.why_not:
        notes.append(f"no segments and no rates: {engine.why_not['standing']}")
    if (session.burns.fuel_type or "").startswith("hybrid"):
        notes.append(
            "a hybrid's battery may hold more or less energy at the end than at the start: not counted"
        )
    return notes


def _nothing(
    burns: Burned, engine: Engine, level: float, reason: str, refusals: list[Refusal]
) -> FuelAnalysis:
    """Answer with every number absent, for one reason."""
    everywhere = engine.speed_kmh >= 0
    units = {"fuel_l": "L", "fuel_kg": "kg", "l_per_100km": "L/100km", "mpg_us": "mpg (US)"}
    units |= {"mpg_imp": "mpg (imperial)", "co2_kg": "kg", "co2_g_per_km": "g/km", "idle_fuel_l": "L"}
    return FuelAnalysis(
        fuel_type=burns.fuel_type,
        fuel_type_from=burns.said_by,
        question=burns.question,
        method=None,
        methods=[refused(refusal) for refusal in refusals],
        agreement=[],
        distance_km=distance(engine, everywhere, level).quantity("road speed summed over the drive"),
        segments=[],
        advice=[],
        label=[],
        findings=findings(burns, [], []),
        notes=[],
        **{name: absent(unit, reason) for name, unit in units.items()},
    )
