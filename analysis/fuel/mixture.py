"""The mixture at every moment: lambda and fuel cut, applied together or not at all."""

from dataclasses import dataclass

import numpy as np

from analysis.engine import Engine
from analysis.fuel.fuels import Fuel
from analysis.timeline import Bools, Floats, Timeline

COMMANDED = "commanded_equiv_ratio"
WIDEBAND = ("o2_s1_wr_current_lambda", "o2_s1_wr_voltage_lambda", "lambda_b1s1")
CUT_LAMBDA = 1.5
"""No petrol engine burns at this lambda: a command above it means that no fuel is injected."""
_SATURATED = 1.98
_LOWEST = 0.5
_KNOWN_SHARE = 0.5


@dataclass(frozen=True)
class Mixture:
    """Lambda (1 where not applied) and fuel cut (nowhere where not applied) on the grid, and the reason."""

    lambdas: Floats
    cut: Bools
    applied: bool
    said: str
    inputs: tuple[str, ...] = ()


def mixture(engine: Engine, fuel: Fuel) -> Mixture:
    """Return lambda and fuel cut of a drive, both or neither.

    Taking away the fuel that is not injected in overrun without adding the enrichment elsewhere is worse than
    neither: the two errors cancel to 0.2 % on simulated drives, one alone leaves 10 %.
    """
    timeline = engine.timeline
    ones, never = np.ones(engine.rpm.size), np.zeros(engine.rpm.size, dtype=bool)
    name = _lambda_signal(engine, fuel)
    if name is None:
        return Mixture(ones, never, False, "lambda is not known: 1.0 throughout, and no fuel cut taken away")
    lambdas = timeline.held(name)
    cut = lambdas >= (CUT_LAMBDA if not fuel.lean else _SATURATED)
    overrun = engine.overrun
    if name == COMMANDED and not cut.any() and "overrun" in engine.why_not:
        said = f"fuel cut cannot be told ({engine.why_not['overrun']}), so neither it nor lambda is used"
        return Mixture(ones, never, False, said)
    cut |= overrun
    usable = np.where(lambdas > _LOWEST, lambdas, np.nan)
    said = f"lambda from {name}; no fuel in overrun and where lambda says so"
    return Mixture(np.where(cut, 1.0, usable), cut, True, said, (name,))


def _lambda_signal(engine: Engine, fuel: Fuel) -> str | None:
    """Return the signal that tells lambda best: commanded for petrol, measured for a diesel."""
    names = WIDEBAND if fuel.lean else (COMMANDED, *WIDEBAND)
    return next((name for name in names if _tells(engine, name)), None)


def _tells(engine: Engine, name: str) -> bool:
    """Say whether a signal holds possible lambdas for most of the running time (zero means not supported)."""
    known = engine.running & (engine.timeline.held(name) > _LOWEST)
    return bool(known.any()) and known.sum() >= _KNOWN_SHARE * engine.running.sum()


def overrun_share(air_g: Floats, engine: Engine, timeline: Timeline) -> float:
    """Return the share of the air that passes in overrun, which may carry no fuel."""
    whole = timeline.total(air_g)
    return timeline.total(air_g, engine.overrun) / whole if whole > 0 else 0.0
