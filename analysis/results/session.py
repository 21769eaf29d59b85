"""The whole analysis of a session."""

from pydantic import Field

from analysis.findings import Finding
from analysis.results.driving import DrivingSummary, Performance
from analysis.results.model import Result
from analysis.results.quality import QualityReport
from analysis.results.relations import Correlations, Trends
from analysis.results.states import StateReport
from analysis.results.values import SignalStatistics


class Window(Result):
    """The part of the session that was analysed, in seconds since session start."""

    start_s: float
    end_s: float
    duration_s: float
    readings: int
    signals: list[str]


class SessionAnalysis(Result):
    """What a session says; a part that was not asked for is null."""

    window: Window
    quality: QualityReport | None = None
    states: StateReport | None = None
    statistics: list[SignalStatistics] | None = None
    correlations: Correlations | None = None
    trends: Trends | None = None
    driving: DrivingSummary | None = None
    performance: Performance | None = None
    findings: list[Finding] = Field(default=[], description="most severe first")
