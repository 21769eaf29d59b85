"""Guided tests: the technician is asked for conditions, the car is watched live, the outcome is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from analysis.guided.procedures import PROCEDURES
from analysis.guided.steps import Procedure
from analysis.results.guided import GuidedOutcome, GuidedPhase
from tools.addresses import Adapter, is_simulated, say_adapter
from tools.answer import Answer
from tools.approvals import require_approval
from tools.arguments import VehicleId
from tools.context import ToolContext
from tools.errors import ToolError
from tools.registry import tool
from tools.session_start import check_vehicle
from tools.wording import say_finding

if TYPE_CHECKING:
    from tools.guided_recording import CarriedOut

TestName = Literal["hold_2500_rpm", "snap_throttle", "idle_with_load", "crank"]


class AskedStep(BaseModel):
    """One step as the technician is asked for it; seconds of the car's own clock."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    step: str
    ask: str
    wanted: list[str]
    hold_s: float
    limit_s: float
    seen: GuidedPhase | None


class GuidedTest(Answer):
    """A guided test: what was asked, what was seen, and what it means."""

    test: TestName
    title: str
    adapter: str
    simulated: bool
    prepare: str
    steps: list[AskedStep]
    session_id: str | None
    outcome: GuidedOutcome | None
    not_recorded: dict[str, str]

    def say(self) -> str:
        """Say the steps where the test was only explained, else verdict, findings and evidence."""
        if self.outcome is None:
            asked = [
                f"{n}. {step.ask} (hold {step.hold_s:g} s)" for n, step in enumerate(self.steps, start=1)
            ]
            return "\n".join([f"{self.title}. {self.prepare}", *asked])
        done = sum(step.seen is not None for step in self.steps)
        lines = [
            f"{self.title} on {say_adapter(self.adapter)}: {self.outcome.verdict}. {self.outcome.reason.rstrip('.')}.",
            f"{done} of {len(self.steps)} steps seen, recorded as {self.session_id}.",
            *(say_finding(finding) for finding in self.outcome.findings),
            *(f"Not judged: {part} ({why})." for part, why in self.outcome.not_judged.items()),
        ]
        return "\n".join(lines)


@tool("capture", "Run a guided test", read_only=False, idempotent=False, open_world=True)
def run_guided_test(
    context: ToolContext,
    test: Annotated[
        TestName,
        Field(
            description="hold_2500_rpm: lean or rich, leak against fuel or air sensor. snap_throttle: air, mixture, "
            "return to idle. idle_with_load: charging and idle. crank: battery and starter."
        ),
    ],
    adapter: Adapter | None = None,
    explain_only: Annotated[
        bool, Field(description="Only return the steps, to be read to the technician; nothing is run.")
    ] = False,
    vehicle_id: VehicleId | None = None,
    approval_id: Annotated[
        str | None, Field(description="Needed only by a test that writes to the car; none of these does.")
    ] = None,
) -> GuidedTest:
    """Ask a technician for conditions, watch the car until they are met, record it, and judge the outcome.

    Waits for the technician: up to some minutes; progress says what is asked, seen and still wanted. Somebody must
    sit in the car: call with explain_only first and read them the steps. Reads only. The recording is a session:
    `query_signals` or `plot_signals` show the evidence over the phases. "not carried out" is no verdict about the car.
    """
    procedure = PROCEDURES[test]
    address = context.adapter_of(adapter)
    if explain_only:
        return _answer(test, address, None, None)
    _check(context, address, vehicle_id)
    if procedure.writes:
        arguments = {"test": test, "adapter": address, "vehicle_id": vehicle_id}
        require_approval(context, "run_guided_test", arguments, procedure.writes, approval_id)
    from tools.guided_recording import carry_out

    context.progress(0, 1, f"{procedure.prepare} Connecting to the adapter.")
    done = carry_out(context, address, test, procedure, vehicle_id)
    return _answer(test, address, done, _judge(context, test, procedure, done))


def _check(context: ToolContext, address: str, vehicle_id: str | None) -> None:
    busy = context.workshop.recorders.of_adapter(address)
    if busy is not None:
        raise ToolError(
            "busy", f"{busy.session_id} is recording from {address}.", "Stop it with stop_capture first."
        )
    check_vehicle(context, address, vehicle_id)


def _judge(context: ToolContext, test: TestName, procedure: Procedure, done: CarriedOut) -> GuidedOutcome:
    """Judge what was recorded; a test that ended early is judged only where its last step may fail."""
    from analysis.guided.judging import judge_guided_test
    from analysis.guided.recording import not_carried_out
    from tools.session_table import load_table

    if done.ended_early and not (done.watch.state == "out of time" and done.watch.step.may_fail):
        return not_carried_out(done.ended_early)
    outcome = judge_guided_test(test, load_table(context, done.session_id), done.watch.phases)
    context.progress(1, 1, f"{procedure.title}: {outcome.verdict}")
    return outcome


def _answer(
    test: TestName, address: str, done: CarriedOut | None, outcome: GuidedOutcome | None
) -> GuidedTest:
    procedure = PROCEDURES[test]
    seen = {phase.step: phase for phase in done.watch.phases} if done else {}
    return GuidedTest(
        test=test,
        title=procedure.title,
        adapter=address,
        simulated=is_simulated(address),
        prepare=procedure.prepare,
        steps=[
            AskedStep(
                step=step.key,
                ask=step.ask,
                wanted=[bound.wanted for bound in step.bounds],
                hold_s=step.settle_s + step.hold_s,
                limit_s=step.limit_s,
                seen=seen.get(step.key),
            )
            for step in procedure.steps
        ],
        session_id=done.session_id if done else None,
        outcome=outcome,
        not_recorded=done.unsupported if done else {},
    )
