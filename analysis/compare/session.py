"""Compares sessions with the first of them, and tells slow change where there are three or more."""

from collections.abc import Sequence

from analysis.compare.confounders import confounders, explained_by
from analysis.compare.degradation import degradation
from analysis.compare.differences import Pair, compared, wanted_signals
from analysis.compare.points import Drive
from analysis.errors import NotEnoughDataError, UnknownChoiceError
from analysis.facts import VehicleFacts
from analysis.findings import Evidence, Finding
from analysis.results.compare import Comparison, Confounder, Degradation, NotCompared, SignalDifference
from analysis.table import SignalTable
from analysis.timeline import Gap

_METHOD = (
    "Warm running only. Operating points: state x rpm x load x speed, without the signal under test; points both "
    "visited for 6 s; 60 s blocks; Hodges-Lehmann shift weighted by the shorter stay; interval by block jackknife "
    "with first-order correlation; p by 499 block permutations, Benjamini-Hochberg; called different only beyond "
    "the engineering minimum. The interval is about these sessions, not about all drives of the car."
)
_SYSTEMS = {
    "coolant_temp": "cooling",
    "oil_temp": "engine mechanical",
    "control_module_voltage": "charging and battery",
    "timing_advance": "ignition",
    "intake_pressure": "intake and boost",
    "rpm": "engine mechanical",
    "catalyst_temp_b1s1": "emissions",
    "catalyst_temp_b1s2": "emissions",
    "o2_b1s2": "emissions",
}


def compare(
    tables: Sequence[SignalTable],
    *,
    names: Sequence[str] | None = None,
    signals: Sequence[str] | None = None,
    vehicles: Sequence[VehicleFacts | None] | None = None,
    gaps: Sequence[Sequence[Gap]] | None = None,
    confidence_level: float = 0.95,
) -> Comparison:
    """Compare sessions with the first one, signal by signal, at the operating points they share.

    With three or more sessions, given in the order they were driven, slow change is told too. Raises
    NotEnoughDataError for fewer than two sessions and UnknownChoiceError for arguments that do not fit together.
    """
    drives = _drives(tables, names, gaps, confidence_level)
    facts: list[VehicleFacts | None] = list(vehicles) if vehicles is not None else [None] * len(drives)
    if len(facts) != len(drives):
        raise UnknownChoiceError(
            f"{len(facts)} vehicles for {len(drives)} sessions.",
            "Give one per session, None where not known.",
        )
    chosen = wanted_signals(drives, list(signals) if signals is not None else None)
    whole, parts, lost, conditions = _against_first(drives, facts, chosen, confidence_level)
    trends = degradation(drives, chosen, confidence_level) if len(drives) >= 3 else []
    return Comparison(
        sessions=[drive.name for drive in drives],
        reference=drives[0].name,
        confidence_level=confidence_level,
        method=_METHOD,
        signals=sorted(whole, key=_importance),
        states=sorted(parts, key=_importance),
        not_compared=lost,
        confounders=conditions,
        degradation=trends,
        findings=_findings(whole, parts, conditions, trends, drives[0].name),
        notes=_notes(drives),
    )


def _against_first(
    drives: list[Drive], facts: list[VehicleFacts | None], chosen: list[str], level: float
) -> tuple[list[SignalDifference], list[SignalDifference], list[NotCompared], list[Confounder]]:
    """Compare every session with the first: rows per signal, per state, what was lost, and the conditions."""
    whole: list[SignalDifference] = []
    parts: list[SignalDifference] = []
    lost: list[NotCompared] = []
    conditions: list[Confounder] = []
    for drive, fact in zip(drives[1:], facts[1:], strict=True):
        found = confounders(drives[0], drive, (facts[0], fact))
        rows, state_rows, not_compared = compared(Pair(drives[0], drive), chosen, found, level)
        whole, parts, lost = whole + rows, parts + state_rows, lost + not_compared
        conditions += found
    return whole, parts, lost, conditions


def _drives(
    tables: Sequence[SignalTable],
    names: Sequence[str] | None,
    gaps: Sequence[Sequence[Gap]] | None,
    level: float,
) -> list[Drive]:
    """Check the arguments and put the sessions on their grids."""
    if len(tables) < 2:
        raise NotEnoughDataError("A comparison needs two sessions or more.", "Name at least two sessions.")
    labels = list(names) if names is not None else [f"session {place + 1}" for place in range(len(tables))]
    if len(labels) != len(tables) or len(set(labels)) != len(labels):
        raise UnknownChoiceError(
            "The names do not fit the sessions.", "Give one name per session, all different."
        )
    if not 0.5 <= level < 1:
        raise UnknownChoiceError(
            f"confidence_level {level} is not possible.", "Give one from 0.5 to below 1."
        )
    noted = list(gaps) if gaps is not None else [()] * len(tables)
    return [Drive(label, table, tuple(gap)) for label, table, gap in zip(labels, tables, noted, strict=True)]


def _importance(row: SignalDifference) -> tuple[int, float]:
    """Sort differences first, then by size against the minimum that matters."""
    order = {"different": 0, "cannot tell": 1, "no relevant difference": 2}
    return order[row.verdict], -abs(row.difference.value or 0.0) / max(row.minimum_effect, 1e-12)


def _notes(drives: list[Drive]) -> list[str]:
    notes = [
        f"{drive.name}: warmth is not known ({drive.engine.why_not['warm']}), so cold running is compared too"
        for drive in drives
        if not drive.warmth_known
    ]
    return notes + [f"{drive.name}: {note}" for drive in drives for note in drive.engine.notes]


def _findings(
    rows: list[SignalDifference],
    parts: list[SignalDifference],
    conditions: list[Confounder],
    trends: list[Degradation],
    reference: str,
) -> list[Finding]:
    """Return a finding for every signal called different, as a whole or in a state, and for every drift."""
    found = []
    for row in rows:
        states = [part for part in parts if (part.signal, part.session) == (row.signal, row.session)]
        states = [part for part in states if part.verdict == "different"]
        if row.verdict == "different" or states:
            own = [part for part in conditions if part.session == row.session]
            shown = row if row.verdict == "different" else max(states, key=lambda s: -_importance(s)[1])
            found.append(_difference(shown, states, explained_by(row.signal, own), reference))
    return found + [_drift(part) for part in trends if part.verdict == "drifts"]


def _difference(
    row: SignalDifference, states: list[SignalDifference], others: list[str], reference: str
) -> Finding:
    where = f" Seen in: {', '.join(part.state or '' for part in states)}." if states else ""
    other = f" May be explained by: {', '.join(others)}." if others else ""
    value = row.difference.value or 0.0
    return Finding(
        rule="sessions-differ",
        title=f"{row.signal} is {value:+.3g} {row.unit} in {row.session} against {reference}",
        system=_SYSTEMS.get(row.signal, "fuel and air"),
        severity="info" if others else "advice",
        confidence=(0.5 if others else 0.9) * (1 - row.p_adjusted),
        evidence=[
            Evidence(
                signal=row.signal,
                unit=row.unit,
                statistic=f"shift against {reference} at {row.points} shared operating points",
                value=value,
                expected=f"within ±{row.minimum_effect:.3g} {row.unit}",
                samples=row.difference.samples,
            )
        ],
        explanation=f"{row.reason}.{where}{other}",
        recommendation=(
            "Repeat the drive under like conditions before judging."
            if others
            else "Look for what was changed or repaired between the sessions, then check this system."
        ),
        source=f"block permutation at matched operating points; {row.minimum_source}",
    )


def _drift(part: Degradation) -> Finding:
    return Finding(
        rule="drift-over-sessions",
        title=f"{part.signal} drifts at {part.state} over {len(part.values)} sessions",
        system=_SYSTEMS.get(part.signal, "fuel and air"),
        severity="advice",
        confidence=0.9 * (1 - part.p_adjusted),
        evidence=[
            Evidence(
                signal=part.signal,
                unit=part.slope_per_session.unit,
                statistic="Theil-Sen slope over the sessions",
                value=part.slope_per_session.value,
                expected="0 within its interval",
                samples=len(part.values),
            )
        ],
        explanation=part.reason,
        recommendation="Follow it over the next sessions and check this system before it reaches its limit.",
        source="Kendall and Theil-Sen over session medians",
    )
