"""How much fuel a drive used: by every method the signals carry, each with its interval."""

from analysis.fuel.session import analyze_fuel

__all__ = ["analyze_fuel"]
