"""How healthy a car is, what is probably wrong, and what to test next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from analysis.results.health import HealthReport, Readiness, Recommendation, TroubleCode
from tools.anomalies import own_normal
from tools.answer import Answer, ArtifactRef
from tools.arguments import SessionId, VehicleId
from tools.context import ToolContext
from tools.errors import ToolError
from tools.keeping import keep
from tools.recorded import Recorded, recorded_session
from tools.registry import tool
from tools.trouble_codes import SNAPSHOT, TroubleCodesNow
from tools.wording import say_finding, say_value

if TYPE_CHECKING:
    pass

_PLOTTED = ("long_fuel_trim_1", "short_fuel_trim_1", "coolant_temp", "control_module_voltage", "rpm", "speed")


class Health(HealthReport, Answer):
    """A car's health with evidence, and the files made of it."""

    session_id: str
    artifacts: list[ArtifactRef]

    def say(self) -> str:
        """Say the scores, the findings, the first causes and the next test."""
        lines = [f"{self.session_id}: overall health {say_value(self.overall)}."]
        lines += [f"{part.system}: {say_value(part.score)}." for part in self.systems]
        lines += [say_finding(finding) for finding in self.findings]
        lines += _say_causes(self.recommendation)
        lines += [self.readiness, *self.notes[:3]]
        lines += [f"Record next: {text}" for text in self.record_next[:5]]
        return "\n".join(lines + [f"Kept: {one.artifact_id} ({one.name})." for one in self.artifacts])

    def artifacts_to_show(self) -> list[ArtifactRef]:
        """Return the plot."""
        return [one for one in self.artifacts if one.mime == "image/png"]


class Diagnosis(Recommendation, Answer):
    """Ranked causes and the next test."""

    def say(self) -> str:
        """Say the causes with what speaks for them, the next test and why."""
        return "\n".join(_say_causes(self)) or "Nothing points to a cause."


def _say_causes(found: Recommendation) -> list[str]:
    lines = []
    for cause in found.causes[:4]:
        against = f" Against: {'; '.join(cause.contradicting[:2])}." if cause.contradicting else ""
        told = "; ".join(cause.supporting[:3]) or f"the codes {', '.join(cause.codes)}"
        lines.append(
            f"Possible cause ({cause.strength}, {cause.priority}): {cause.title}. "
            f"For: {told}.{against} Confirm: {cause.confirm.test}."
        )
    if found.next_test is not None:
        lines.append(
            f"Next test: {found.next_test.test} ({found.next_test.minutes} min): {found.next_test.how}"
        )
    return [*lines, found.why] if found.why else lines


@tool("analysis", "Report a car's health")
def health_report(
    context: ToolContext,
    session_id: SessionId | None = None,
    vehicle_id: VehicleId | None = None,
    format: Annotated[  # noqa: A002 - the argument's name is part of the contract
        Literal["md", "json"], Field(description="File to keep beside the answer: Markdown or JSON.")
    ] = "md",
) -> Health:
    """Score a car's systems from a session (or a vehicle's newest one): evidence, causes, next test, maintenance.

    Missing data widen a score's interval and are named; below 40 % coverage there is no number. Nothing is assumed to
    be well because it was not measured.
    """
    chosen = _chosen(context, session_id, vehicle_id)
    recorded, report = assessed(context, chosen)
    answer = Health.model_construct(session_id=chosen, artifacts=[], **dict(report))
    artifacts = [*_plot(context, recorded, report), _file(context, chosen, report, format)]
    return answer.model_copy(update={"artifacts": artifacts})


@tool("analysis", "Recommend what to test")
def recommend_diagnosis(
    context: ToolContext,
    session_id: SessionId | None = None,
    trouble_code: Annotated[
        str | None, Field(max_length=200, description="A code such as P0171, or several separated by commas.")
    ] = None,
    odometer_km: Annotated[
        float | None, Field(ge=0, description="For maintenance that goes by distance.")
    ] = None,
) -> Diagnosis:
    """Rank causes by the evidence of a session, by trouble codes, or by both; name the test that separates them.

    The cheapest test that tells the first two causes apart comes first, with how to do it and why.
    """
    from analysis.health import recommend

    if session_id is None and trouble_code is None:
        raise ToolError("bad_arguments", "Nothing to go by.", "Give session_id, trouble_code, or both.")
    report, vehicle = None, None
    if session_id is not None:
        recorded, report = assessed(context, session_id)
        vehicle = recorded.vehicle
    codes = [TroubleCode(code=_normal(code)) for code in (trouble_code or "").split(",") if code.strip()]
    return Diagnosis.of(recommend(report, trouble_codes=codes, vehicle=vehicle, odometer_km=odometer_km))


def _normal(code: str) -> str:
    from vehicle.codes.form import read_code

    return read_code(code).code


def _chosen(context: ToolContext, session_id: str | None, vehicle_id: str | None) -> str:
    """Return the session to report on: the one named, or the vehicle's newest.

    Raises:
        ToolError: neither is given, or the vehicle has no session.
    """
    if session_id is not None:
        return session_id
    if vehicle_id is None:
        raise ToolError("bad_arguments", "Nothing to report on.", "Give session_id or vehicle_id.")
    context.store.vehicles.get(vehicle_id)
    newest = context.store.sessions.list(vehicle_id=vehicle_id, limit=1).rows
    if not newest:
        raise ToolError("not_found", f"{vehicle_id} has no sessions.", "Record or import one first.")
    return newest[0].id


def assessed(context: ToolContext, session_id: str) -> tuple[Recorded, HealthReport]:
    """Return a session with the report on it: its readings, anomalies, and the codes read at its end."""
    from analysis.anomalies import detect
    from analysis.health import assess

    recorded = recorded_session(context, session_id)
    codes, readiness = _kept_codes(context, session_id)
    normal = own_normal(context, recorded.session)
    report = assess(
        recorded.table,
        anomalies=detect(recorded.table, baseline=normal.baseline, gaps=recorded.gaps),
        trouble_codes=codes,
        readiness=readiness,
        vehicle=recorded.vehicle,
        gaps=recorded.gaps,
    )
    notes = [*normal.notes, *report.notes]
    if recorded.session.origin == "replay" and recorded.session.notes:
        notes.insert(0, recorded.session.notes)
    return recorded, report.model_copy(update={"notes": notes})


def _kept_codes(context: ToolContext, session_id: str) -> tuple[list[TroubleCode] | None, Readiness | None]:
    """Return the codes and the readiness that were read for the session, or None where nobody read them."""
    kept = context.store.snapshots.list(session_id=session_id, kind=SNAPSHOT, limit=1).rows
    if not kept:
        return None, None
    now = TroubleCodesNow.model_validate(kept[0].data)
    # One entry a code, by the most telling list it stands in: stored says more than pending or permanent.
    codes: dict[str, TroubleCode] = {}
    for one in now.lists:
        for code in one.codes:
            if code not in codes or one.kind == "stored":
                codes[code] = TroubleCode(code=code, status=one.kind, ecu=one.ecu)
    engine = now.readiness.since_clear[:1]
    readiness = Readiness(
        mil_on=now.mil_on,
        monitors={monitor.name: monitor.complete for one in engine for monitor in one.monitors},
        distance_since_clear_km=now.since_clear.distance_km.value,
        warmups_since_clear=None
        if now.since_clear.warm_ups.value is None
        else int(now.since_clear.warm_ups.value),
        minutes_since_clear=now.since_clear.time_min.value,
    )
    return list(codes.values()), readiness


def _plot(context: ToolContext, recorded: Recorded, report: HealthReport) -> list[ArtifactRef]:
    """Draw what the findings rest on, or the usual signals; nothing where the session has none of them."""
    from analysis.charts import plot_signals

    named = [item.signal for finding in report.findings for item in finding.evidence]
    wanted = [name for name in dict.fromkeys([*named, *_PLOTTED]) if len(recorded.table.get(name, ())) > 1][
        :5
    ]
    if not wanted:
        return []
    png, _ = plot_signals(
        recorded.table, wanted, findings=report.findings, gaps=recorded.gaps, title=recorded.session.id
    )
    return [keep(context, recorded.session.id, "plot", "health.png", "image/png", png)]


def _file(context: ToolContext, session_id: str, report: HealthReport, form: str) -> ArtifactRef:
    from analysis.health import report_markdown

    if form == "json":
        data = report.model_dump_json(indent=2).encode()
        return keep(context, session_id, "report", "health.json", "application/json", data)
    data = report_markdown(report).encode()
    return keep(context, session_id, "report", "health.md", "text/markdown", data)
