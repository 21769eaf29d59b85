"""What analysis answers with: pydantic models only, so that importing them costs no numpy."""

from analysis.results.anomalies import Anomaly, AnomalyReport, Baseline
from analysis.results.driving import DrivingSummary, Gear, Performance, SpeedRun
from analysis.results.quality import ClockStep, QualityReport, SignalQuality, StuckRun, TimeGap
from analysis.results.relations import Correlation, Correlations, Trend, Trends
from analysis.results.session import SessionAnalysis, Window
from analysis.results.states import StateReport, StateShare
from analysis.results.values import SignalStatistics, StateStatistics, ValueSummary

__all__ = [
    "Anomaly",
    "AnomalyReport",
    "Baseline",
    "ClockStep",
    "Correlation",
    "Correlations",
    "DrivingSummary",
    "Gear",
    "Performance",
    "QualityReport",
    "SessionAnalysis",
    "SignalQuality",
    "SignalStatistics",
    "SpeedRun",
    "StateReport",
    "StateShare",
    "StateStatistics",
    "StuckRun",
    "TimeGap",
    "Trend",
    "Trends",
    "ValueSummary",
    "Window",
]
