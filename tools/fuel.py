"""Fuel: what a session used, by which method, and fill-ups that calibrate it."""

from typing import Annotated

from pydantic import Field

from analysis.facts import FuelType
from analysis.findings import Quantity
from analysis.results.fuel import FillUp, FuelAnalysis, FuelMethodName
from tools.answer import Answer
from tools.arguments import SessionId, VehicleId
from tools.context import ToolContext
from tools.errors import ToolError
from tools.recorded import recorded_session
from tools.registry import tool
from tools.wording import say_finding, say_quantity, say_value

FILL_UP = "fill_up"


class FuelUse(FuelAnalysis, Answer):
    """What a session used, with method and interval."""

    session_id: str

    def say(self) -> str:
        """Say the fuel, its method, the economy, or what has to be answered first."""
        if self.question:
            lines = [f"{self.session_id}: fuel unknown. {self.question}"]
        else:
            by = f" by {self.method}." if self.method else "."
            lines = [f"{self.session_id}: fuel {say_value(self.fuel_l)}{by}"]
        told = [
            say_quantity(name, value)
            for name, value in self
            if isinstance(value, Quantity) and name != "fuel_l"
        ]
        lines += ["; ".join(part for part in told if part) + "."] if any(told) else []
        for segment in self.segments:
            lines.append(f"{segment.kind}: {segment.duration_s:,.0f} s, {say_value(segment.fuel_l)}.")
        lines += [
            f"{advice.title}: {say_value(advice.litres)}. {advice.recommendation}" for advice in self.advice
        ]
        lines += [say_finding(finding) for finding in self.findings]
        return "\n".join(lines + self.notes)


class FillUpSaved(Answer):
    """A fill-up as it is remembered."""

    vehicle_id: str
    fill_up: FillUp
    fill_ups: int

    def say(self) -> str:
        """Say what was kept, and how many there are."""
        return f"Kept {self.fill_up.litres:g} L for {self.vehicle_id}; {self.fill_ups} fill-ups calibrate its fuel now."


@tool("analysis", "Analyse fuel")
def analyze_fuel(
    context: ToolContext,
    session_id: SessionId,
    fuel_type: Annotated[
        FuelType | None, Field(description="What the car burns, where its vehicle does not say.")
    ] = None,
    displacement_l: Annotated[
        float | None, Field(gt=0, le=20, description="Engine displacement in litres, for speed-density.")
    ] = None,
    volumetric_efficiency: Annotated[
        float | None,
        Field(gt=0.2, lt=1.6, description="For speed-density, where it is known; 1 is a full cylinder."),
    ] = None,
    confidence_level: Annotated[float, Field(ge=0.5, lt=1, description="Level of the intervals.")] = 0.95,
) -> FuelUse:
    """Tell litres, L/100 km, both mpg and CO2 of a session, by the most trusted method its signals carry.

    Economy is distance over fuel, idle fuel included. An unknown fuel type is a question to answer, never a guess.
    Next: `save_fill_up` calibrates the method.
    """
    from analysis.fuel import analyze_fuel as analyse

    recorded = recorded_session(context, session_id)
    vehicle_id = recorded.session.vehicle_id
    result = analyse(
        recorded.table,
        vehicle=recorded.vehicle,
        fuel_type=fuel_type,
        displacement_l=displacement_l,
        volumetric_efficiency=volumetric_efficiency,
        fill_ups=fill_ups_of(context, vehicle_id) if vehicle_id else (),
        gaps=recorded.gaps,
        confidence_level=confidence_level,
    )
    return FuelUse.model_construct(session_id=session_id, **dict(result))


@tool("analysis", "Enter a fill-up", read_only=False, idempotent=False)
def save_fill_up(
    context: ToolContext,
    vehicle_id: VehicleId,
    litres: Annotated[float, Field(gt=0, le=2000, description="Litres pumped, from full tank to full tank.")],
    distance_km: Annotated[
        float | None, Field(gt=0, description="Driven since the tank was last full.")
    ] = None,
    session_ids: Annotated[
        list[str] | None,
        Field(min_length=1, max_length=200, description="The sessions that used this fuel up."),
    ] = None,
) -> FillUpSaved:
    """Enter a fill-up; pumped litres over what a method estimated for the same stretch calibrate `analyze_fuel`.

    Name the sessions that cover the whole stretch, or the distance driven since the tank was last full.
    """
    context.store.vehicles.get(vehicle_id)
    method, estimated = _estimate(context, session_ids) if session_ids else (None, None)
    fill_up = FillUp(litres=litres, distance_km=distance_km, estimated_l=estimated, method=method)
    context.store.snapshots.save(None, vehicle_id, FILL_UP, fill_up.model_dump())
    return FillUpSaved(vehicle_id=vehicle_id, fill_up=fill_up, fill_ups=len(fill_ups_of(context, vehicle_id)))


def fill_ups_of(context: ToolContext, vehicle_id: str) -> list[FillUp]:
    """Return the fill-ups entered for the vehicle, latest first."""
    kept = context.store.snapshots.list(vehicle_id=vehicle_id, kind=FILL_UP, limit=200)
    return [FillUp.model_validate(snapshot.data) for snapshot in kept.rows]


def _estimate(context: ToolContext, session_ids: list[str]) -> tuple[FuelMethodName, float]:
    """Sum what one method says about all the sessions, without calibration.

    Raises:
        ToolError: a session carries no fuel, or the sessions do not share their method.
    """
    from analysis.fuel import analyze_fuel as analyse

    methods, litres = set(), 0.0
    for session_id in session_ids:
        recorded = recorded_session(context, session_id)
        result = analyse(recorded.table, vehicle=recorded.vehicle, gaps=recorded.gaps)
        if result.method is None or result.fuel_l.value is None:
            raise ToolError(
                "bad_arguments", f"{session_id} does not tell its fuel: {result.fuel_l.reason}.", _HINT
            )
        methods.add(result.method)
        litres += result.fuel_l.value
    if len(methods) > 1:
        raise ToolError(
            "bad_arguments", f"The sessions use different methods: {', '.join(sorted(methods))}.", _HINT
        )
    return methods.pop(), litres


_HINT = "Leave session_ids out and give distance_km instead."
