"""Trouble codes as the car has them at one moment: codes, lamp, freeze frames, readiness, time since clearing."""

from pydantic import BaseModel, ConfigDict, Field

from analysis.findings import Quantity
from tools.answer import Answer
from vehicle.diagnostics.models import Absence, EcuCodes, FreezeFrame, ReadinessReport

SNAPSHOT = "trouble_codes"


class SinceClear(BaseModel):
    """How long ago codes were cleared, by the ECU's own counters, and what that means for "no codes"."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    distance_km: Quantity
    time_min: Quantity
    warm_ups: Quantity
    distance_with_mil_km: Quantity
    recently_cleared: bool | None = Field(description="None where no counter was answered")
    reason: str


class TroubleCodesNow(Answer):
    """What the ECUs report now; a list that is empty was answered empty."""

    adapter: str
    simulated: bool
    mil_on: bool | None
    lists: list[EcuCodes]
    freeze_frames: list[FreezeFrame]
    readiness: ReadinessReport
    since_clear: SinceClear
    not_learned: list[Absence]
    snapshot_id: str

    def codes(self, kind: str) -> list[str]:
        """Return the codes of one kind over all ECUs."""
        return list(dict.fromkeys(code for one in self.lists if one.kind == kind for code in one.codes))

    def say(self) -> str:
        """Say the lamp, the codes by kind, what readiness says, and what was not learned."""
        lamp = {True: "on", False: "off", None: "not known"}[self.mil_on]
        lines = [f"Malfunction lamp {lamp}."]
        for kind in ("stored", "pending", "permanent"):
            answered = [one.ecu for one in self.lists if one.kind == kind]
            codes = ", ".join(self.codes(kind)) or ("none" if answered else "not answered")
            lines.append(
                f"{kind.capitalize()} codes: {codes}"
                + (f" (from {', '.join(answered)})." if answered else ".")
            )
        for frame in self.freeze_frames:
            values = ", ".join(f"{one.signal} {one.value:.4g} {one.unit}" for one in frame.values)
            lines.append(f"Freeze frame of {frame.code} ({frame.ecu}): {values}.")
        waiting = [m.name for one in self.readiness.since_clear for m in one.monitors if not m.complete]
        ready = "nothing" if self.readiness.since_clear else "not known"
        lines.append(f"Not ready since clear: {', '.join(dict.fromkeys(waiting)) or ready}.")
        lines.append(self.since_clear.reason)
        return "\n".join(
            lines + [f"Not learned: {one.what} {one.ecu}: {one.reason}." for one in self.not_learned]
        )
