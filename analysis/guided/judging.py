"""From a test's recording and phases to its verdict."""

from collections.abc import Callable, Mapping, Sequence

from analysis.guided.crank import judge_crank
from analysis.guided.hold import judge_hold
from analysis.guided.load import judge_load
from analysis.guided.procedures import PROCEDURES
from analysis.guided.recording import Recording, not_carried_out
from analysis.guided.snap import judge_snap
from analysis.results.guided import GuidedOutcome, GuidedPhase
from analysis.table import SignalTable

_JUDGES: Mapping[str, Callable[[Recording], GuidedOutcome]] = {
    "hold_2500_rpm": judge_hold,
    "snap_throttle": judge_snap,
    "idle_with_load": judge_load,
    "crank": judge_crank,
}


def judge_guided_test(test: str, table: SignalTable, phases: Sequence[GuidedPhase]) -> GuidedOutcome:
    """Judge a test by what was recorded in its phases; a step that may fail need not have been reached."""
    seen = {phase.step for phase in phases}
    for step in PROCEDURES[test].steps:
        if step.key not in seen and not step.may_fail:
            return not_carried_out(f"The step {step.key!r} was not seen: {step.ask}")
    return _JUDGES[test](Recording(table, phases))
