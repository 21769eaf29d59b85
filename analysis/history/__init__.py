"""One car over many sessions: its own normal, drift, projections, what a repair changed."""

from analysis.history.summary import summarize
from analysis.history.tracking import track

__all__ = ["summarize", "track"]
