"""Tests a technician carries out as asked: what is asked, what is watched for, how the outcome is judged."""

from analysis.guided.judging import judge_guided_test
from analysis.guided.procedures import PROCEDURES
from analysis.guided.watching import Watch

__all__ = ["PROCEDURES", "Watch", "judge_guided_test"]
