"""Finds what does not fit in a session: by fixed rules, or against the same car's healthy sessions."""

from analysis.anomalies.baseline import learn_baseline
from analysis.anomalies.detect import detect
from analysis.anomalies.stream import StreamingDetector

__all__ = ["StreamingDetector", "detect", "learn_baseline"]
