"""Reading all that a car tells about its trouble codes, and keeping it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analysis.findings import Quantity, absent, measured
from tools.addresses import is_simulated
from tools.trouble_codes import SNAPSHOT, SinceClear, TroubleCodesNow

if TYPE_CHECKING:
    from storage.store import Store
    from tools.context import Workshop
    from vehicle.diagnostics.models import CodesReport
    from vehicle.links import Link

COUNTERS = ("distance_since_dtc_clear", "time_since_dtc_cleared", "warmups_since_dtc_clear", "distance_w_mil")
# A drive cycle or two cannot finish every monitor: below this, "not ready" is expected, not suspicious.
FEW_WARMUPS = 10


def take_snapshot(workshop: Workshop, link: Link, session_id: str | None = None) -> TroubleCodesNow:
    """Read all that clearing codes would lose, and keep it: with the session named, else the one being recorded."""
    from vehicle.diagnostics.freeze_frames import read_freeze_frames
    from vehicle.diagnostics.readiness import read_readiness
    from vehicle.diagnostics.trouble_codes import read_trouble_codes

    codes = read_trouble_codes(link)
    frames = read_freeze_frames(link)
    readiness = read_readiness(link)
    lamps = [one.mil_on for one in readiness.since_clear if one.mil_on is not None]
    fields: dict[str, Any] = {
        "adapter": link.address,
        "simulated": is_simulated(link.address),
        "mil_on": any(lamps) if lamps else None,
        "lists": codes.lists,
        "freeze_frames": frames.frames,
        "readiness": readiness,
        "since_clear": _since_clear(link, codes),
        "not_learned": [*codes.absent, *frames.absent],
    }
    answer = TroubleCodesNow(**fields, snapshot_id="")
    if session_id is None:
        recorder = workshop.recorders.of_adapter(link.address)
        session_id = recorder.session_id if recorder else None
    before = None if session_id is None else codes_before(workshop.store, session_id)
    kept = workshop.store.snapshots.save(session_id, None, SNAPSHOT, answer.structured())
    answer = answer.model_copy(update={"snapshot_id": kept.id})
    if session_id is not None and workshop.live is not None:
        workshop.live.codes_read(session_id, answer, before)
    return answer


def codes_before(store: Store, session_id: str) -> TroubleCodesNow | None:
    """Return the last codes kept of the session's vehicle, of the session alone where that is not known."""
    vehicle_id = store.sessions.get(session_id).vehicle_id
    if vehicle_id is None:
        kept = store.snapshots.list(session_id=session_id, kind=SNAPSHOT, limit=1).rows
    else:
        kept = store.snapshots.list(vehicle_id=vehicle_id, kind=SNAPSHOT, limit=1).rows
    return TroubleCodesNow.model_validate(kept[0].data) if kept else None


def _since_clear(link: Link, codes: CodesReport) -> SinceClear:
    from vehicle.diagnostics.current import read_now
    from vehicle.signals import SIGNALS

    counters: dict[str, Quantity] = {}
    for now in read_now(link, [SIGNALS[name] for name in COUNTERS]):
        if now.value is not None:
            counters.setdefault(now.signal.name, measured(now.value, now.signal.unit, samples=1))
        elif now.signal.name not in counters:
            counters[now.signal.name] = absent(now.signal.unit, now.reason)
    distance, time, warm_ups, with_mil = (counters[name] for name in COUNTERS)
    recent, reason = judge_clearing(distance, time, warm_ups, bool(codes.codes("permanent")))
    return SinceClear(
        distance_km=distance,
        time_min=time,
        warm_ups=warm_ups,
        distance_with_mil_km=with_mil,
        recently_cleared=recent,
        reason=reason,
    )


def judge_clearing(
    distance: Quantity, time: Quantity, warm_ups: Quantity, permanent: bool
) -> tuple[bool | None, str]:
    """Say whether codes were cleared a short while ago, and why: fewer than 10 warm-ups or 100 km."""
    told = [
        f"{quantity.value:g} {what}"
        for quantity, what in ((distance, "km"), (time, "min"), (warm_ups, "warm-ups"))
        if quantity.value is not None
    ]
    if not told:
        return None, "When codes were cleared last is not known: no ECU answered a counter."
    few = warm_ups.value is not None and warm_ups.value < FEW_WARMUPS
    near = distance.value is not None and distance.value < 100
    since = f"Codes were cleared {', '.join(told)} ago by the ECU's counters"
    if not (few or near):
        return False, f"{since}."
    left = " Permanent codes are still there: the fault was not seen healed." if permanent else ""
    return True, f"{since}: recently, so an empty list does not yet mean a healthy car.{left}"
